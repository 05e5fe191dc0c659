"""The relationship resolver: it fetches the resources behind a relation, with one request for all who await them."""

from collections.abc import Iterable
from functools import partial
from typing import Final

from kajabi_async.concurrency import SingleFlight, for_each
from kajabi_async.decoding.answers import link_included, read_resource, refuse_stranger
from kajabi_async.decoding.decoder import class_of
from kajabi_async.errors import RelationshipUnavailableError
from kajabi_async.exchange import Request, Send
from kajabi_async.jsonapi.ids import path_segment
from kajabi_async.jsonapi.limits import MAX_ELEMENTS
from kajabi_async.jsonapi.linkage import MISSING, Identifier, LinkageState, read_linkage
from kajabi_async.jsonapi.links import LinkRules
from kajabi_async.jsonapi.query import Query
from kajabi_async.models.origin import Scope
from kajabi_async.models.relations import Relation
from kajabi_async.models.resource import Resource
from kajabi_async.operations import LINKAGE, READABLE, Operation
from kajabi_async.relationships.steps import FetchEach, Loaded, Reread, Unavailable, next_step

__all__ = ["MOST_AT_ONCE", "RelationshipResolver", "keep_linkage"]

MOST_AT_ONCE: Final = 50
"""The number of requests that one relation, or one prefetch, keeps running."""
_MOST_STEPS: Final = 4


class RelationshipResolver:
    """Follows relations for one client; calls for the same resource share one request while it runs."""

    def __init__(
        self, send: Send, links: LinkRules, most_elements: int = MAX_ELEMENTS, *, strict: bool = False
    ) -> None:
        """Send through ``send``, which limits answers to ``most_elements``; follow links that ``links`` trusts.

        ``strict`` is the client's option of that name, about attributes.
        """
        self._send = send
        self._strict = strict
        self._links = links
        self._most_elements = most_elements
        self._fetches: SingleFlight[Identifier, Resource] = SingleFlight(abandon=True)
        self._rereads: SingleFlight[tuple[Identifier, tuple[str, ...]], Resource] = SingleFlight(abandon=True)

    async def resolve(self, owner: Resource, relation: Relation) -> tuple[Resource, ...]:
        """Return the resources that ``relation`` of ``owner`` leads to; those that are not loaded are fetched.

        RelationshipUnavailableError if no request leads to them, UntrustedLinkError, before anything is sent, for a
        link that is not the API's, NotFoundError if a related resource is gone.
        """
        known = owner.origin.scope.known
        may_reread = True
        for _ in range(_MOST_STEPS):
            relationship = owner.origin.relationship(relation.name)
            match next_step(owner, relation, relationship, known, self._links, may_reread=may_reread):
                case Loaded(identifiers):
                    break
                case FetchEach(identifiers, missing):
                    await self._fetch_each(missing, known)
                    # Another call may have read the owner meanwhile.
                    if owner.origin.relationship(relation.name) is relationship:
                        break
                case Reread():
                    await self.reread(owner, (relation,))
                    await self._read_linkage_if_unstated(owner, relation)
                    may_reread = False
                case Unavailable(reason):
                    raise _unavailable(owner, relation, reason)
        else:
            raise _unavailable(owner, relation, "the answers of the server do not agree with each other")
        if not relationship.is_stated:
            keep_linkage(owner, relation, identifiers)
        return tuple(known[each] for each in identifiers)

    async def fetch_into(self, known_by: Iterable[dict[Identifier, Resource]], identifier: Identifier) -> None:
        """Fetch one resource, with one request for all concurrent calls, and add it to each of ``known_by``."""
        resource = await self._fetches.run(identifier, partial(self._read, identifier))
        for known in known_by:
            known[identifier] = resource

    async def reread(self, owner: Resource, relations: tuple[Relation, ...]) -> None:
        """Read ``owner`` again with ``relations`` included, and add to it what the answer says of them."""
        names = tuple(sorted({relation.include for relation in relations} - {""}))
        identifier = owner.identifier
        fresh = await self._rereads.run((identifier, names), partial(self._read, identifier, names))
        for relation in relations:
            _merge(owner, fresh, relation, names)

    async def aclose(self) -> None:
        """Cancel the running requests."""
        await self._fetches.aclose()
        await self._rereads.aclose()

    async def _fetch_each(self, missing: tuple[Identifier, ...], known: dict[Identifier, Resource]) -> None:
        if len(missing) == 1:
            await self.fetch_into((known,), missing[0])
        else:
            await for_each(missing, partial(self.fetch_into, (known,)), at_once=MOST_AT_ONCE)

    async def _read(self, identifier: Identifier, include: tuple[str, ...] = ()) -> Resource:
        query = Query(include=include)
        path = READABLE[identifier.type].path_for(path_segment(identifier.id))
        answer = await self._send(Request("GET", path, query.encode() if include else ""))
        scope = Scope(query, self, identifier, most_elements=self._most_elements, strict=self._strict)
        context = f"GET {path}"
        resource = read_resource(answer.body, cls=class_of(identifier.type), scope=scope, context=context)
        if resource.id != identifier.id:
            refuse_stranger(resource, identifier.id, context=context)
        return resource

    async def _read_linkage_if_unstated(self, owner: Resource, relation: Relation) -> None:
        """Ask the relationship endpoint if the owner, just read again, does not state the linkage."""
        if owner.origin.relationship(relation.name).is_stated:
            return
        operation = LINKAGE.get((owner.resource_type, relation.name))
        if operation is None:
            requested = ", even when it is asked for" if relation.include else ""
            raise _unavailable(owner, relation, f"the server does not mention it{requested}")
        identifiers = await self._read_linkage(owner, operation)
        if not owner.origin.relationship(relation.name).is_stated:
            keep_linkage(owner, relation, identifiers)

    async def _read_linkage(self, owner: Resource, operation: Operation) -> tuple[Identifier, ...]:
        path = operation.path_for(path_segment(owner.id))
        answer = await self._send(Request("GET", path))
        identifiers = read_linkage(answer.body, context=f"GET {path}")
        if identifiers is None:
            raise RelationshipUnavailableError(f"GET {path} was answered without resource linkage")
        return identifiers


def keep_linkage(owner: Resource, relation: Relation, identifiers: tuple[Identifier, ...]) -> None:
    """State in ``owner`` that ``relation``, which its answer left open, leads to ``identifiers``."""
    owner.origin.set_relationship(relation.name, relation.stated(identifiers))


def _merge(owner: Resource, fresh: Resource, relation: Relation, included: tuple[str, ...]) -> None:
    """Take over what *fresh*, a new reading of *owner*, says of *relation*; silence takes nothing back."""
    relationship = fresh.origin.relationship(relation.name)
    if relationship is MISSING:
        link_included(fresh, included)
        relationship = fresh.origin.relationship(relation.name)
    if relationship.state is LinkageState.NULL:
        # Requested by name and still null: the relation is empty (the document allows a null relation).
        relationship = relation.stated(())
    origin, current = owner.origin, owner.origin.relationship(relation.name)
    if relationship.is_stated or not current.is_stated:
        origin.set_relationship(relation.name, relationship)
        current = relationship
    known = fresh.origin.scope.known
    origin.scope.known.update({each: known[each] for each in current.identifiers if each in known})


def _unavailable(owner: Resource, relation: Relation, reason: str) -> RelationshipUnavailableError:
    return RelationshipUnavailableError(
        f"the {relation.name} of {owner.resource_type} {owner.id} cannot be resolved: {reason}"
    )
