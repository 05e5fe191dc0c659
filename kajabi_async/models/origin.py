"""Where a resource object came from: its answer, and what that answer said beside the attributes."""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, Protocol

from kajabi_async.errors import DecodeError
from kajabi_async.jsonapi.codec import NO_MEMBERS, RawJson, decode, json_object, spent_stack
from kajabi_async.jsonapi.limits import MAX_ELEMENTS
from kajabi_async.jsonapi.linkage import MISSING, Identifier, Relationship, link_of, read_relationships
from kajabi_async.jsonapi.query import Query
from kajabi_async.models.unreadable import NONE_UNREADABLE, Unreadable
from kajabi_async.records import Record

if TYPE_CHECKING:
    from kajabi_async.models.relations import Relation
    from kajabi_async.models.resource import Resource

__all__ = ["DETACHED", "Origin", "Resolver", "Scope"]


class Resolver(Protocol):
    """Who fetches related resources that an answer did not carry."""

    async def resolve(self, owner: "Resource", relation: "Relation") -> tuple["Resource", ...]:
        """Give the resources *relation* leads to from *owner*, asking the API where it must."""
        ...


class Scope(Record, eq=False):
    """What is known together: the resources of one answer and those fetched for it since."""

    query: Query = Query()
    """What was asked for."""
    resolver: Resolver | None = None
    """None once the resource was unpickled or copied: then nothing leads back to the API."""
    primary: tuple[str, str] | None = None
    """Type and id of the one resource that was asked for; None for a page of a list."""
    at_hand: dict[Identifier, "Resource"] | None = None
    """The resources that are known, as long as nothing is left unread."""
    most_elements: int = MAX_ELEMENTS
    """The limit of elements that the answer was received under."""
    unread: "tuple[Callable[[Scope, Any], None], Any] | None" = None
    """What adds to `known` when somebody looks at it, and what it is to be called with besides."""
    strict: bool = False
    """Whether an attribute that cannot be read costs the whole resource, rather than itself alone."""

    @property
    def known(self) -> dict[Identifier, "Resource"]:
        """The resources at hand; what was included is read when this is looked at for the first time."""
        if self.at_hand is None:
            self.at_hand = {}
        if self.unread is not None:
            (read, unread), self.unread = self.unread, None
            try:
                read(self, unread)
            except BaseException as error:
                # Nothing is lost to a reader who came too deep in a recursion: the next one finds it as it was.
                self.unread = read, unread
                if isinstance(error, RecursionError):
                    raise spent_stack("included") from None
                raise
        return self.at_hand

    def all_of(self, identifiers: Iterable[Identifier]) -> tuple["Resource", ...] | None:
        """Give every one of the resources, or None where one is not known."""
        found = tuple(self.known.get(identifier) for identifier in identifiers)
        return None if None in found else found  # type: ignore[return-value]  # just made sure of

    def fields_of(self, resource_type: str) -> tuple[str, ...] | None:
        """Return the sparse fieldset that was asked for; None if there was none.

        The type may have been written in the singular, as some examples of the API document have it.
        """
        fields = self.query.fields
        if not fields:
            return None
        asked = fields.get(resource_type)
        return fields.get(resource_type.removesuffix("s")) if asked is None else asked

    def is_partial(self, owner: Identifier, relation_name: str) -> bool:
        """Tell whether only a page or a search of the relation was asked for (customers show, API document)."""
        prefix = f"filter[{relation_name}_"
        return owner == self.primary and any(name.startswith(prefix) for name, _ in self.query.filters)


DETACHED: Final = Scope()
"""The scope of a resource that nothing leads back from to the API."""


class Origin:
    """What the answer said of one resource beside its attributes.

    Each part is kept as text until somebody looks: most are never read.
    """

    __slots__ = ("_links", "_meta", "_relationships", "_unreadable", "scope")

    def __init__(
        self,
        scope: Scope,
        relationships: RawJson | dict[str, Relationship] = NO_MEMBERS,
        links: RawJson | dict[str, Any] = NO_MEMBERS,
        meta: RawJson | dict[str, Any] = NO_MEMBERS,
    ) -> None:
        self.scope = scope
        self._relationships = relationships
        self._links = links
        self._meta = meta
        # _unreadable stays empty: nearly no resource has any, and filling it takes time for each.

    @property
    def relationships(self) -> dict[str, Relationship]:
        """Every relation the answer mentioned, and what later answers added."""
        relationships = self._relationships
        if not isinstance(relationships, dict):
            relationships = self._relationships = read_relationships(relationships)
        return relationships

    @property
    def links(self) -> dict[str, Any]:
        """The links of the resource, as the server wrote them; empty where there are none."""
        links = self._links
        if not isinstance(links, dict):
            links = self._links = _members(links)
        return links

    @property
    def meta(self) -> dict[str, Any]:
        """The meta of the resource; empty where there is none."""
        meta = self._meta
        if not isinstance(meta, dict):
            meta = self._meta = _members(meta)
        return meta

    @property
    def unreadable(self) -> Mapping[str, Unreadable]:
        """The attributes whose values cannot be read, by name; of custom fields each by itself."""
        return getattr(self, "_unreadable", NONE_UNREADABLE)

    def note_unreadable(self, name: str, unreadable: Unreadable) -> None:
        """Note that the value of the attribute called *name* cannot be read."""
        if self.unreadable is NONE_UNREADABLE:
            self._unreadable: dict[str, Unreadable] = {}
        self._unreadable[name] = unreadable

    def relationship(self, name: str) -> Relationship:
        """Give what is known of the relation called *name*."""
        return self.relationships.get(name, MISSING)

    def learn(self, name: str, relationship: Relationship) -> None:
        """Keep what a later answer said of a relation."""
        self.relationships[name] = relationship

    def link(self, name: str) -> str | None:
        """Give a link that stands on the resource itself rather than in the relation, as ``links.contact`` does."""
        return link_of(self.links, name)


def _members(raw: RawJson) -> dict[str, Any]:
    try:
        return json_object(decode(raw, context="links or meta")) or {}
    except DecodeError:
        return {}
