"""Which request a relation needs, decided without sending anything.

In this order: what the answer included or was fetched for it since; the linkage or the link, one request for each
resource; a re-read of the owner with ``include`` where that costs less; the relationship endpoint.
"""

import attrs

from kajabi_async.jsonapi.linkage import Identifier, LinkageState
from kajabi_async.jsonapi.links import LinkRules
from kajabi_async.models.relations import Relation
from kajabi_async.models.resource import Resource
from kajabi_async.operations import LINKAGE, READABLE

__all__ = [
    "FetchEach",
    "Plan",
    "Reread",
    "Unavailable",
    "linked_identifiers",
    "plan",
]


@attrs.frozen
class FetchEach:
    """One request for each of the resources."""

    identifiers: tuple[Identifier, ...]


@attrs.frozen
class Reread:
    """One request for the owner, with the relation included where the API offers that."""


@attrs.frozen
class Unavailable:
    """Nothing leads there."""

    reason: str


Plan = FetchEach | Reread | Unavailable


def plan(owner: Resource, relation: Relation, links: LinkRules, *, may_reread: bool) -> Plan:
    """Decide what *relation* of *owner* needs, some of which is not at hand.

    Not *may_reread* where the owner was just read again: what did not come with it has to be fetched by itself.
    UntrustedLinkError for a link that is none of the API's.
    """
    identifiers = linked_identifiers(owner, relation, links)
    if identifiers is None:
        return _without_linkage(owner, relation)
    missing = tuple(identifier for identifier in identifiers if identifier not in owner.origin.scope.known)
    unreadable = next((identifier.type for identifier in missing if identifier.type not in READABLE), None)
    if may_reread and _can_include(owner, relation) and (len(missing) > 1 or unreadable is not None):
        return Reread()
    if unreadable is not None:
        return Unavailable(f"the API has no path to resources of type {unreadable!r}; ask for them with include=")
    return FetchEach(missing)


def linked_identifiers(owner: Resource, relation: Relation, links: LinkRules) -> tuple[Identifier, ...] | None:
    """Give the identifiers that the linkage states or a link spells out; None where neither does."""
    relationship = owner.origin.relationship(relation.name)
    if relationship.is_stated:
        return relationship.identifiers
    if relationship.self_link is not None:
        _trusted_linkage(owner, relation, relationship.self_link, links)
    link = None if relation.to_many else relationship.related_link or owner.origin.link(relation.name)
    if link is None or relation.resource_type not in READABLE:
        return None
    trusted = links.rebuild(link, expected={READABLE[relation.resource_type].path})
    return (relation.identify(trusted.resource_id),)


def _without_linkage(owner: Resource, relation: Relation) -> Plan:
    silent = owner.origin.relationship(relation.name).state is LinkageState.MISSING
    if _can_include(owner, relation) or (silent and owner.resource_type in READABLE):
        return Reread()
    return Unavailable("neither linkage nor a link came with the answer, and the API offers no other way")


def _can_include(owner: Resource, relation: Relation) -> bool:
    return bool(relation.include) and owner.resource_type in READABLE


def _trusted_linkage(owner: Resource, relation: Relation, link: str, links: LinkRules) -> None:
    # The link itself is not needed, but one that leads elsewhere says that the answer was tampered with.
    operation = LINKAGE.get((owner.resource_type, relation.name))
    links.rebuild(link, expected=None if operation is None else {operation.path})
