"""Which request a relation needs, decided without sending one.

In this order: the included resources and those fetched since; the linkage or the link, one request for each resource;
the owner again, with ``include``, if that takes fewer requests; the relationship endpoint.
"""

from collections.abc import Container

from kajabi_async.jsonapi.linkage import Identifier, LinkageState, Relationship
from kajabi_async.jsonapi.links import LinkRules
from kajabi_async.models.relations import Relation
from kajabi_async.models.resource import Resource
from kajabi_async.operations import LINKAGE, READABLE
from kajabi_async.structs import FrozenStruct

__all__ = [
    "FetchEach",
    "Loaded",
    "Reread",
    "Step",
    "Unavailable",
    "can_include",
    "linked_identifiers",
    "next_step",
]


class Loaded(FrozenStruct, frozen=True):
    """No request: every resource is known."""

    identifiers: tuple[Identifier, ...]


class FetchEach(FrozenStruct, frozen=True):
    """One request for each of the *missing* resources."""

    identifiers: tuple[Identifier, ...]
    missing: tuple[Identifier, ...]


class Reread(FrozenStruct, frozen=True):
    """One request for the owner, with the relation included if the API can include it."""


class Unavailable(FrozenStruct, frozen=True):
    """No request leads to the resources."""

    reason: str


Step = Loaded | FetchEach | Reread | Unavailable


def next_step(
    owner: Resource,
    relation: Relation,
    relationship: Relationship,
    known: Container[Identifier],
    links: LinkRules,
    *,
    may_reread: bool,
) -> Step:
    """Return what brings *relation* of *owner*, of which *relationship* is stated; *known* resources are loaded.

    Without *may_reread* the owner was just read again, and what did not come with it is fetched. UntrustedLinkError for
    a link that is not the API's.
    """
    identifiers = linked_identifiers(owner, relation, relationship, links)
    if identifiers is None:
        return _without_linkage(owner, relation, relationship)
    missing = tuple(identifier for identifier in identifiers if identifier not in known)
    if not missing:
        return Loaded(identifiers)
    unreadable = next((identifier.type for identifier in missing if identifier.type not in READABLE), None)
    if may_reread and (len(missing) > 1 or unreadable is not None) and can_include(owner, relation):
        return Reread()
    if unreadable is not None:
        return Unavailable(f"the API has no path to resources of type {unreadable!r}; ask for them with include=")
    return FetchEach(identifiers, missing)


def linked_identifiers(
    owner: Resource, relation: Relation, relationship: Relationship, links: LinkRules
) -> tuple[Identifier, ...] | None:
    """Return the identifiers that *relationship*, or a link of *owner*, names; None if neither names any.

    UntrustedLinkError for a link that is not the API's.
    """
    if relationship.is_stated:
        return relationship.identifiers
    if relationship.self_link is not None:
        _refuse_untrusted(owner, relation, relationship.self_link, links)
    link = None if relation.to_many else relationship.related_link or owner.origin.link(relation.name)
    if link is None or relation.resource_type not in READABLE:
        return None
    trusted = links.rebuild(link, expected={READABLE[relation.resource_type].path})
    return (Identifier(relation.resource_type, trusted.resource_id),)


def _without_linkage(owner: Resource, relation: Relation, relationship: Relationship) -> Step:
    is_silent = relationship.state is LinkageState.MISSING
    if can_include(owner, relation) or (is_silent and owner.resource_type in READABLE):
        return Reread()
    return Unavailable("neither linkage nor a link came with the answer, and the API offers no other way")


def can_include(owner: Resource, relation: Relation) -> bool:
    """Return whether reading *owner* again brings the resources of *relation* along."""
    return bool(relation.include) and owner.resource_type in READABLE


def _refuse_untrusted(owner: Resource, relation: Relation, link: str, links: LinkRules) -> None:
    # The link itself is not needed, but one that leads elsewhere shows that the answer was tampered with.
    operation = LINKAGE.get((owner.resource_type, relation.name))
    links.rebuild(link, expected=None if operation is None else {operation.path})
