"""Relations of many owners at once, in as few requests as possible.

Level by level along the paths. Owners whose linkage is unknown are read again with all their pending relations
included. Then what is still missing is fetched resource by resource, or its owners are read again, whichever takes
fewer requests.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import partial

import attrs

from kajabi_async.concurrency import for_each
from kajabi_async.decoding.decoder import class_of
from kajabi_async.errors import NotFoundError, UnknownIncludeError
from kajabi_async.jsonapi.linkage import Identifier
from kajabi_async.jsonapi.links import LinkRules
from kajabi_async.models.relations import Relation
from kajabi_async.models.resource import Resource
from kajabi_async.operations import READABLE
from kajabi_async.relationships.resolver import MOST_AT_ONCE, RelationshipResolver, keep_linkage
from kajabi_async.relationships.steps import can_include, linked_identifiers
from kajabi_async.stall import Stall

__all__ = ["prefetch"]


@attrs.frozen
class _PendingRelation:
    """One relation of one owner, to be loaded."""

    owner: Resource
    relation: Relation

    def identifiers(self, links: LinkRules) -> tuple[Identifier, ...] | None:
        relationship = self.owner.origin.relationship(self.relation.name)
        return linked_identifiers(self.owner, self.relation, relationship, links)

    def is_loaded(self, links: LinkRules) -> bool:
        return self.missing(links) == ()

    def missing(self, links: LinkRules) -> tuple[Identifier, ...] | None:
        """Return what is linked and not loaded; None while the linkage is unknown."""
        identifiers = self.identifiers(links)
        known = self.owner.origin.scope.known
        return None if identifiers is None else tuple(each for each in identifiers if each not in known)

    @property
    def loaded(self) -> tuple[Resource, ...]:
        """The related resources; empty unless all of them are loaded."""
        origin = self.owner.origin
        return origin.scope.all_of(origin.relationship(self.relation.name).identifiers) or ()

    @property
    def can_include(self) -> bool:
        return can_include(self.owner, self.relation)


async def prefetch(
    resolver: RelationshipResolver,
    links: LinkRules,
    owners: Iterable[Resource],
    paths: Iterable[str],
    *,
    stall: Stall,
) -> None:
    """Load the relations named by dotted *paths* for all *owners*.

    UnknownIncludeError, before anything is sent, for a name that is not a relation. A related resource that is gone
    (404) does not stop the rest: awaiting it raises. *stall* waits for the end of a pause or an outage; the failure is
    raised when its patience ends.
    """
    distinct = _distinct(owners)
    split = [tuple(path.split(".")) for path in paths]
    for owner in distinct:
        for path in split:
            _refuse_unknown(owner, path)
    try:
        await _Prefetch(resolver, links, stall).level(distinct, split)
    finally:
        stall.close()


@attrs.frozen
class _Prefetch:
    resolver: RelationshipResolver
    links: LinkRules
    stall: Stall

    async def level(self, owners: Sequence[Resource], paths: Sequence[tuple[str, ...]]) -> None:
        """Load the first step of every path, then the rest of the paths for the resources it led to."""
        names = dict.fromkeys(path[0] for path in paths)
        pending = [
            _PendingRelation(owner, _relation(type(owner), owner.resource_type, name))
            for owner in owners
            for name in names
        ]
        if not pending:
            return
        await self._load(pending)
        for name in names:
            deeper = [path[1:] for path in paths if path[0] == name and len(path) > 1]
            related = (found for each in pending if each.relation.name == name for found in each.loaded)
            await self.level(_distinct(related), deeper)

    async def _load(self, pending: Sequence[_PendingRelation]) -> None:
        unlinked = [each for each in pending if each.missing(self.links) is None]
        await self._reread_unlinked(unlinked, pending)
        alone = (each for each in unlinked if not each.can_include)
        await for_each(alone, self._resolve_alone, at_once=MOST_AT_ONCE)
        self._share_loaded(pending)
        await self._load_linked(pending)
        self._keep_linkage(pending)

    async def _reread_unlinked(self, unlinked: Sequence[_PendingRelation], pending: Sequence[_PendingRelation]) -> None:
        owners = {id(each.owner) for each in unlinked if each.can_include}
        await self._reread(
            each for each in pending if id(each.owner) in owners and each.can_include and not each.is_loaded(self.links)
        )

    def _share_loaded(self, pending: Sequence[_PendingRelation]) -> None:
        """Make what one owner has loaded known to the others."""
        pool: dict[Identifier, Resource] = {}
        for each in pending:
            known = each.owner.origin.scope.known
            pool.update({linked: known[linked] for linked in each.identifiers(self.links) or () if linked in known})
        for each in pending:
            found = {missing: pool[missing] for missing in each.missing(self.links) or () if missing in pool}
            each.owner.origin.scope.known.update(found)

    async def _load_linked(self, pending: Sequence[_PendingRelation]) -> None:
        rereads: list[_PendingRelation] = []
        fetches: list[_PendingRelation] = []
        for group in self._by_relation(pending):
            missing = {identifier for each in group for identifier in each.missing(self.links) or ()}
            unreadable = any(identifier.type not in READABLE for identifier in missing)
            fewer_owners = all(each.can_include for each in group) and (len(group) < len(missing) or unreadable)
            (rereads if fewer_owners else fetches).extend(group)
        await self._reread(rereads)
        await self._fetch(fetches)

    def _by_relation(self, pending: Iterable[_PendingRelation]) -> Iterable[list[_PendingRelation]]:
        groups: dict[tuple[str, str], list[_PendingRelation]] = defaultdict(list)
        for each in pending:
            if each.missing(self.links):
                groups[each.owner.resource_type, each.relation.name].append(each)
        return groups.values()

    def _keep_linkage(self, pending: Sequence[_PendingRelation]) -> None:
        # A link would have to be followed by the resolver again, which a copy of the owner does not have.
        for each in pending:
            is_stated = each.owner.origin.relationship(each.relation.name).is_stated
            if not is_stated and each.is_loaded(self.links):
                keep_linkage(each.owner, each.relation, each.identifiers(self.links) or ())

    async def _reread(self, pending: Iterable[_PendingRelation]) -> None:
        groups: dict[int, list[_PendingRelation]] = defaultdict(list)
        for each in pending:
            groups[id(each.owner)].append(each)

        async def reread(group: list[_PendingRelation]) -> None:
            try:
                relations = tuple(each.relation for each in group)
                await self.stall.persist(partial(self.resolver.reread, group[0].owner, relations))
            except NotFoundError:
                return

        await for_each(groups.values(), reread, at_once=MOST_AT_ONCE)

    async def _fetch(self, pending: Iterable[_PendingRelation]) -> None:
        waiting: dict[Identifier, list[_PendingRelation]] = defaultdict(list)
        for each in pending:
            for identifier in each.missing(self.links) or ():
                waiting[identifier].append(each)

        async def fetch(identifier: Identifier) -> None:
            known_by = [each.owner.origin.scope.known for each in waiting[identifier]]
            try:
                await self.stall.persist(partial(self.resolver.fetch_into, known_by, identifier))
            except NotFoundError:
                return

        readable = (identifier for identifier in waiting if identifier.type in READABLE)
        await for_each(readable, fetch, at_once=MOST_AT_ONCE)

    async def _resolve_alone(self, pending: _PendingRelation) -> None:
        try:
            await self.stall.persist(partial(self.resolver.resolve, pending.owner, pending.relation))
        except NotFoundError:
            return


def _distinct(resources: Iterable[Resource]) -> list[Resource]:
    # By object, not by equality: each copy of a resource has a scope of its own to be filled.
    return list({id(resource): resource for resource in resources}.values())


def _refuse_unknown(owner: Resource, path: Iterable[str]) -> None:
    cls, type_name = type(owner), owner.resource_type
    for name in path:
        type_name = _relation(cls, type_name, name).resource_type
        cls = class_of(type_name)


def _relation(cls: type[Resource], type_name: str, name: str) -> Relation:
    relations = cls.relations
    if name not in relations:
        raise UnknownIncludeError(name, owner=type_name, known=relations)
    return relations[name]
