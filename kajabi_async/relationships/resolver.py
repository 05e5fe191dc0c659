"""The relationship resolver: fetches what a handle is awaited for, once, whoever else is waiting for it."""

from collections.abc import Iterable
from functools import partial

from kajabi_async.concurrency import SingleFlight, for_each
from kajabi_async.decoding.answers import link_included, read_resource, refuse_stranger
from kajabi_async.decoding.decoder import class_of
from kajabi_async.errors import RelationshipUnavailableError
from kajabi_async.exchange import Request, Send
from kajabi_async.jsonapi.codec import decode, json_object
from kajabi_async.jsonapi.ids import path_segment
from kajabi_async.jsonapi.limits import MAX_ELEMENTS
from kajabi_async.jsonapi.linkage import Identifier, LinkageState, identifiers_of
from kajabi_async.jsonapi.links import LinkRules
from kajabi_async.jsonapi.query import Query
from kajabi_async.models.relations import Relation
from kajabi_async.models.resource import Resource, Scope
from kajabi_async.operations import LINKAGE, READABLE, Operation
from kajabi_async.relationships.plan import (
    FetchEach,
    Reread,
    Unavailable,
    linked_identifiers,
    plan,
)

__all__ = ["RelationshipResolver"]

_AT_ONCE = 50
_MOST_STEPS = 4


class RelationshipResolver:
    """Follows relations for one client; requests for the same thing are coalesced while they are under way."""

    def __init__(
        self, send: Send, links: LinkRules, most_elements: int = MAX_ELEMENTS, *, strict: bool = False
    ) -> None:
        """Send through *send*, which limits answers to *most_elements*; take only links that *links* trusts.

        *strict* is about attributes, as of the client.
        """
        self._send = send
        self._strict = strict
        self._links = links
        self._most_elements = most_elements
        self._fetches: SingleFlight[Identifier, Resource] = SingleFlight(abandon=True)
        self._rereads: SingleFlight[tuple[Identifier, tuple[str, ...]], Resource] = SingleFlight(abandon=True)

    async def resolve(self, owner: Resource, relation: Relation) -> tuple[Resource, ...]:
        """Give the resources *relation* leads to, asking the API for what is not at hand.

        RelationshipUnavailableError where nothing leads there, UntrustedLinkError before anything is sent to a link
        that is not the API's, NotFoundError where a related resource is gone.
        """
        scope = owner.origin.scope
        reread = False
        for _ in range(_MOST_STEPS):
            identifiers = linked_identifiers(owner, relation, self._links)
            at_hand = None if identifiers is None else scope.all_of(identifiers)
            if at_hand is not None:
                self.state(owner, relation, identifiers or ())
                return at_hand
            reread = await self._step(owner, relation, may_reread=not reread) or reread
        raise _unavailable(owner, relation, "the answers of the server do not agree with each other")

    async def fetch(self, identifier: Identifier) -> Resource:
        """Give one resource by type and id; one request however many wait for it."""
        return await self._fetches.run(identifier, partial(self._read, identifier))

    async def reread(self, owner: Resource, relations: tuple[Relation, ...]) -> None:
        """Read *owner* again with *relations* included, and keep for it what that tells."""
        names = tuple(sorted(relation.include for relation in relations if relation.include))
        fresh = await self._rereads.run((owner.identifier, names), partial(self._read, owner.identifier, names))
        link_included(fresh, names)
        for relation in relations:
            _adopt(owner, fresh, relation)

    async def aclose(self) -> None:
        """Cancel the requests under way."""
        await self._fetches.aclose()
        await self._rereads.aclose()

    async def _step(self, owner: Resource, relation: Relation, *, may_reread: bool) -> bool:
        """Send what the plan asks for; tell whether the owner was read again."""
        step = plan(owner, relation, self._links, may_reread=may_reread)
        match step:
            case FetchEach(identifiers):
                await for_each(identifiers, partial(self.fetch_into, [owner.origin.scope]), at_once=_AT_ONCE)
                return False
            case Reread():
                await self.reread(owner, (relation,))
                await self._settle(owner, relation)
                return True
            case Unavailable(reason):
                raise _unavailable(owner, relation, reason)

    async def _settle(self, owner: Resource, relation: Relation) -> None:
        """See to it that the linkage is stated after a re-read that may have been silent about it."""
        if owner.origin.relationship(relation.name).is_stated:
            return
        operation = LINKAGE.get((owner.resource_type, relation.name))
        if operation is None:
            asked = ", even when it is asked for" if relation.include else ""
            raise _unavailable(owner, relation, f"the server does not mention it{asked}")
        self.state(owner, relation, await self._read_linkage(owner, operation))

    async def fetch_into(self, scopes: Iterable[Scope], identifier: Identifier) -> None:
        """Fetch a resource and make it known in all *scopes*."""
        resource = await self.fetch(identifier)
        for scope in scopes:
            scope.known[identifier] = resource

    async def _read(self, identifier: Identifier, include: tuple[str, ...] = ()) -> Resource:
        query = Query(include=include)
        path = READABLE[identifier.type].path_for(path_segment(identifier.id))
        answer = await self._send(Request("GET", path, query.encode()))
        scope = Scope(query, self, identifier, most_elements=self._most_elements, strict=self._strict)
        resource = read_resource(answer.body, cls=class_of(identifier.type), scope=scope, context=f"GET {path}")
        refuse_stranger(resource, identifier.id, context=f"GET {path}")
        return resource

    async def _read_linkage(self, owner: Resource, operation: Operation) -> tuple[Identifier, ...]:
        path = operation.path_for(path_segment(owner.id))
        answer = await self._send(Request("GET", path))
        document = json_object(decode(answer.body, context=f"GET {path}")) or {}
        identifiers = identifiers_of(document["data"]) if "data" in document else None
        if identifiers is None:
            raise RelationshipUnavailableError(f"GET {path} was answered without resource linkage")
        return identifiers

    @staticmethod
    def state(owner: Resource, relation: Relation, identifiers: tuple[Identifier, ...]) -> None:
        """Keep for *owner* what *relation* leads to, where its answer did not state it."""
        if not owner.origin.relationship(relation.name).is_stated:
            owner.origin.set_relationship(relation.name, relation.stated(identifiers))


def _adopt(owner: Resource, fresh: Resource, relation: Relation) -> None:
    """Take over from a fresh reading of *owner* what it says of *relation*; silence takes nothing back."""
    known = fresh.origin.scope.known
    relationship = fresh.origin.relationship(relation.name)
    if relationship.state is LinkageState.NULL:
        # Asked for by name and still null: there is nothing there (the document allows a null relation).
        relationship = relation.stated(())
    if relationship.is_stated or not owner.origin.relationship(relation.name).is_stated:
        owner.origin.set_relationship(relation.name, relationship)
    linked = owner.origin.relationship(relation.name).identifiers
    owner.origin.scope.known.update({each: known[each] for each in linked if each in known})


def _unavailable(owner: Resource, relation: Relation, reason: str) -> RelationshipUnavailableError:
    return RelationshipUnavailableError(
        f"the {relation.name} of {owner.resource_type} {owner.id} cannot be resolved: {reason}"
    )
