"""The relations of a resource object (JSON:API 1.1, section "Resource Linkage").

A relation may be missing, null itself, without ``data``, with ``data: null`` or with ``data: []``: five states, which
stay distinct. Odd shapes are never an error here; they become a relation of which nothing is known.
"""

from collections.abc import Callable
from enum import Enum
from functools import partial
from typing import Any, Final, NamedTuple, cast

from kajabi_async.errors import DecodeError
from kajabi_async.jsonapi.codec import (
    ABSENT,
    PlainRelationship,
    RawJson,
    decode,
    decode_plain_relationships,
    has_many_members,
    json_object,
)
from kajabi_async.jsonapi.ids import FIRST_NO_ID
from kajabi_async.structs import FrozenStruct

__all__ = [
    "MISSING",
    "Identifier",
    "LinkageState",
    "Relationship",
    "identifiers_of",
    "link_of",
    "read_linkage",
    "read_linked_ids",
    "read_relationships",
]


class Identifier(NamedTuple):
    """A resource identifier: the type and id of a resource."""

    type: str
    id: str


# What `Identifier(...)` does, without its `__new__` in Python: one is made for each identifier of a page.
_identified: Final[Callable[[tuple[str, str]], Identifier]] = partial(tuple.__new__, Identifier)  # pyright: ignore[reportUnknownMemberType] - of any tuple


class LinkageState(Enum):
    """What is known of a relation."""

    MISSING = "the answer does not mention the relation"
    NULL = "the relation itself is null"
    UNSTATED = "the relation came without its data"
    TO_ONE = "the relation came with one identifier or null"
    TO_MANY = "the relation came with an array of identifiers"


class Relationship(FrozenStruct, frozen=True, gc=False):
    """One relation of one resource object."""

    state: LinkageState
    identifiers: tuple[Identifier, ...] = ()
    self_link: str | None = None
    related_link: str | None = None

    @property
    def is_stated(self) -> bool:
        """Whether the linkage is known; it may be empty."""
        # No set: the hash of an enum is slow.
        return self.state is LinkageState.TO_ONE or self.state is LinkageState.TO_MANY

    @property
    def ids(self) -> list[str] | None:
        """The ids of the linkage; None while it is not known."""
        return [identifier.id for identifier in self.identifiers] if self.is_stated else None


MISSING: Final = Relationship(LinkageState.MISSING)
_NULL: Final = Relationship(LinkageState.NULL)


def read_relationships(raw: RawJson | bytes) -> dict[str, Relationship]:
    """Read the ``relationships`` member of a resource object; empty if it cannot be decoded or has too many members."""
    try:
        if has_many_members(raw):
            return {}
        plain = decode_plain_relationships(raw)
        if plain is not None:
            return {name: _plain(relationship) for name, relationship in plain.items()}
        members = json_object(decode(raw)) or {}
    except DecodeError:
        return {}
    return {
        name: _relationship(value) if isinstance(value, dict) else _NULL if value is None else MISSING
        for name, value in members.items()
    }


def read_linked_ids(raw: RawJson | bytes) -> dict[str, list[str] | None]:
    """Read only the ids of what `read_relationships` reads, by relation; None for one whose linkage is not known."""
    plain = None if has_many_members(raw) else decode_plain_relationships(raw)
    if plain is None:
        return {name: relationship.ids for name, relationship in read_relationships(raw).items()}
    return {name: _ids_in(relationship) for name, relationship in plain.items()}


def identifiers_of(data: Any) -> tuple[Identifier, ...] | None:
    """Read resource linkage: null, one identifier or an array of them; None if it is something else."""
    if data is None:
        return ()
    entries = cast("list[object]", data) if isinstance(data, list) else [data]
    found: list[Identifier] = []
    for entry in entries:
        identifier = _identifier(entry)
        if identifier is None:
            return None
        found.append(identifier)
    return tuple(found)


def read_linkage(body: bytes, *, context: str) -> tuple[Identifier, ...] | None:
    """Read the answer of a relationship endpoint; None if it holds no linkage, DecodeError if it is no JSON."""
    document = json_object(decode(body, context=context)) or {}
    return identifiers_of(document["data"]) if "data" in document else None


def link_of(links: Any, name: str) -> str | None:
    """Read one link, a string or a link object (section "Document Links"); null, absent and ``""`` are None."""
    link = (json_object(links) or {}).get(name)
    href = link if isinstance(link, str) else (json_object(link) or {}).get("href")
    return href if isinstance(href, str) and href else None


def _plain(value: PlainRelationship) -> Relationship:
    data, links = value.data, value.links
    self_link, related_link = (None, None) if links is None else (links.self_link or None, links.related or None)
    if data is ABSENT:
        return Relationship(LinkageState.UNSTATED, (), self_link, related_link)
    if isinstance(data, list):
        identifiers = tuple([_identified((each.type, each.id)) for each in data])
        return Relationship(LinkageState.TO_MANY, identifiers, self_link, related_link)
    identifiers = () if data is None else (_identified((data.type, data.id)),)
    return Relationship(LinkageState.TO_ONE, identifiers, self_link, related_link)


def _ids_in(value: PlainRelationship) -> list[str] | None:
    data = value.data
    if isinstance(data, list):
        return [each.id for each in data]
    if data is None:
        return []
    return None if data is ABSENT else [data.id]


def _relationship(value: Any) -> Relationship:
    members = json_object(value) or {}
    links = json_object(members.get("links")) or {}
    self_link, related_link = link_of(links, "self"), link_of(links, "related")
    # Contacts are documented with `data` inside `links`.
    holder = members if "data" in members else links
    identifiers = identifiers_of(holder["data"]) if "data" in holder else None
    if identifiers is None:
        return Relationship(LinkageState.UNSTATED, (), self_link, related_link)
    state = LinkageState.TO_MANY if isinstance(holder["data"], list) else LinkageState.TO_ONE
    return Relationship(state, identifiers, self_link, related_link)


def _identifier(entry: Any) -> Identifier | None:
    members = json_object(entry) or {}
    type_name, resource_id = members.get("type"), members.get("id")
    if type(resource_id) is int and abs(resource_id) < FIRST_NO_ID:
        resource_id = str(resource_id)
    if type_name and resource_id and type(type_name) is str and type(resource_id) is str:
        return Identifier(type_name, resource_id)
    return None
