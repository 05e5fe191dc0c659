"""What a resource knows of the answer that it came in: the resources beside it, its relations, links and meta."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, Protocol

from kajabi_async.errors import DecodeError
from kajabi_async.jsonapi.codec import NO_MEMBERS, RawJson, decode, json_object, spent_stack
from kajabi_async.jsonapi.limits import MAX_ELEMENTS, MOST_MEMBERS, TooManyValuesError, most_conversions
from kajabi_async.jsonapi.linkage import MISSING, Identifier, Relationship, link_of, read_linked_ids, read_relationships
from kajabi_async.jsonapi.query import Query
from kajabi_async.models.relations import Relation
from kajabi_async.models.unreadable import NONE_UNREADABLE, Unreadable
from kajabi_async.structs import Struct

if TYPE_CHECKING:
    from kajabi_async.models.resource import Resource

__all__ = ["Origin", "Resolver", "Scope", "UnreadPart"]

_NO_QUERY: Final = Query()


class Resolver(Protocol):
    """Fetches related resources that an answer did not carry."""

    async def resolve(self, owner: "Resource", relation: Relation) -> tuple["Resource", ...]:
        """Return the resources that ``relation`` of ``owner`` leads to, with requests for those not loaded."""
        ...


class UnreadPart(Protocol):
    """A part of an answer that is kept as text until it is needed."""

    def read_into(self, scope: "Scope") -> None:
        """Add the resources in it to those that ``scope`` has loaded."""
        ...


class Scope(Struct):
    """The resources of one answer and those fetched for it since, and how the answer was requested."""

    query: Query = _NO_QUERY
    resolver: Resolver | None = None
    """None if the resource was unpickled or copied: it has no client."""
    primary: tuple[str, str] | None = None
    """Type and id of the one resource that was requested; None for a page of a list."""
    loaded: dict[Identifier, "Resource"] | None = None
    """The resources that are known, without those in `unread`."""
    most_elements: int = MAX_ELEMENTS
    """The limit of elements that the answer was received under."""
    strict: bool = False
    """Whether an attribute that cannot be read fails the whole resource, rather than itself alone."""
    unread: UnreadPart | None = None
    """The included resources, until `known` is read for the first time."""
    conversions: int = 0
    """The number of values that were converted one by one."""

    @property
    def known(self) -> dict[Identifier, "Resource"]:
        """The resources that are loaded; the first access reads what was included."""
        if self.loaded is None:
            self.loaded = {}
        if self.unread is not None:
            unread, self.unread = self.unread, None
            try:
                unread.read_into(self)
            except BaseException as error:
                # The caller may be too deep in a recursion: the next one finds everything as it was.
                self.unread = unread
                if isinstance(error, RecursionError):
                    raise spent_stack("included") from None
                raise
        return self.loaded

    def count_conversions(self, number: int) -> None:
        """Count ``number`` values that are converted one by one; TooManyValuesError beyond the limit of the answer."""
        self.conversions += number
        # So many are allowed under any limit.
        if self.conversions > MOST_MEMBERS and self.conversions > most_conversions(self.most_elements):
            raise TooManyValuesError

    def all_of(self, identifiers: Iterable[Identifier]) -> tuple["Resource", ...] | None:
        """Return all of the resources, or None if one of them is not known."""
        found = tuple(self.known.get(identifier) for identifier in identifiers)
        return None if None in found else found  # type: ignore[return-value]  # it holds no None

    def fields_of(self, resource_type: str) -> tuple[str, ...] | None:
        """Return the sparse fieldset that was requested for ``resource_type``, None if there was none.

        The request may name the type in the singular, as some examples of the API document do.
        """
        fields = self.query.fields
        if not fields:
            return None
        requested = fields.get(resource_type)
        return fields.get(resource_type.removesuffix("s")) if requested is None else requested

    def includes(self, relation_name: str) -> bool:
        """Return whether a relation of this name was to be included, of the requested resources or of included ones."""
        return any(relation_name in path.split(".") for path in self.query.include)

    def is_partial(self, owner: Identifier, relation_name: str) -> bool:
        """Return whether only a page or a search of the relation was requested (customers show, API document)."""
        prefix = f"filter[{relation_name}_"
        return owner == self.primary and any(name.startswith(prefix) for name, _ in self.query.filters)


class Origin(Struct):
    """The answer that a resource came in, and what it said of the resource beside its attributes.

    Each part is kept as text until it is needed: most are never read.
    """

    scope: Scope
    _relationships: RawJson | dict[str, Relationship] = NO_MEMBERS
    _links: RawJson | dict[str, Any] = NO_MEMBERS
    _meta: RawJson | dict[str, Any] = NO_MEMBERS
    _unreadable: dict[str, Unreadable] | None = None

    @property
    def relationships(self) -> dict[str, Relationship]:
        """Every relation that the answer mentioned, and what later answers added."""
        relationships = self._relationships
        if not isinstance(relationships, dict):
            relationships = self._relationships = read_relationships(relationships)
        return relationships

    @property
    def linked_ids(self) -> dict[str, list[str] | None]:
        """The ids of every relation that the answer mentioned; None for one whose linkage is not known."""
        relationships = self._relationships
        if isinstance(relationships, dict):
            return {name: relationship.ids for name, relationship in relationships.items()}
        return read_linked_ids(relationships)

    @property
    def links(self) -> dict[str, Any]:
        """The links of the resource, as the server wrote them; empty if it has none."""
        links = self._links
        if not isinstance(links, dict):
            links = self._links = _members(links)
        return links

    @property
    def meta(self) -> dict[str, Any]:
        """The meta of the resource; empty if it has none."""
        meta = self._meta
        if not isinstance(meta, dict):
            meta = self._meta = _members(meta)
        return meta

    @property
    def unreadable(self) -> Mapping[str, Unreadable]:
        """The attributes whose values cannot be read, by name; of custom fields each by itself."""
        return NONE_UNREADABLE if self._unreadable is None else self._unreadable

    def note_unreadable(self, name: str, unreadable: Unreadable) -> None:
        """Record that the value of the attribute called ``name`` cannot be read."""
        if self._unreadable is None:
            self._unreadable = {}
        self._unreadable[name] = unreadable

    def relationship(self, name: str) -> Relationship:
        """Return what is known of the relation called ``name``."""
        return self.relationships.get(name, MISSING)

    def set_relationship(self, name: str, relationship: Relationship) -> None:
        """Replace what is known of the relation called ``name``."""
        self.relationships[name] = relationship

    def link(self, name: str) -> str | None:
        """Return a link of the resource itself, such as ``links.contact``, rather than of a relation."""
        return link_of(self.links, name)


def _members(raw: RawJson) -> dict[str, Any]:
    try:
        return json_object(decode(raw, context="links or meta")) or {}
    except DecodeError:
        return {}
