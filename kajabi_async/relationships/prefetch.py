"""Relations of many owners at once, in as few requests as that takes.

Level by level along the paths. Owners whose linkage is unknown are read again with all their open relations included;
what is then still missing is fetched resource by resource or by re-reading owners, whichever is fewer requests.
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
from kajabi_async.relationships.plan import linked_identifiers
from kajabi_async.relationships.resolver import RelationshipResolver
from kajabi_async.stall import Stall

__all__ = ["prefetch"]

_AT_ONCE = 50


@attrs.frozen
class _Open:
    """One relation of one owner, to be loaded."""

    owner: Resource
    relation: Relation

    def identifiers(self, links: LinkRules) -> tuple[Identifier, ...] | None:
        return linked_identifiers(self.owner, self.relation, links)

    def is_loaded(self, links: LinkRules) -> bool:
        return self.missing(links) == ()

    def missing(self, links: LinkRules) -> tuple[Identifier, ...] | None:
        """Give what is linked and not at hand; None while it is not known what is linked."""
        identifiers = self.identifiers(links)
        known = self.owner.origin.scope.known
        return None if identifiers is None else tuple(each for each in identifiers if each not in known)

    @property
    def loaded(self) -> tuple[Resource, ...]:
        """What the linkage leads to; nothing while that is not known or not all at hand."""
        origin = self.owner.origin
        return origin.scope.all_of(origin.relationship(self.relation.name).identifiers) or ()

    @property
    def can_include(self) -> bool:
        return bool(self.relation.include) and self.owner.resource_type in READABLE


async def prefetch(
    resolver: RelationshipResolver,
    links: LinkRules,
    owners: Iterable[Resource],
    paths: Iterable[str],
    *,
    stall: Stall | None = None,
) -> None:
    """Load the relations named by dotted *paths* for all *owners*.

    UnknownIncludeError, before anything is sent, for a name that is no relation of the resources it stands for. A
    related resource that is gone (404) does not stop the rest: awaiting it raises. *stall* says how to wait for a pause
    or an outage to be over; the failure is raised when its patience ends.
    """
    distinct = _distinct(owners)
    split = [tuple(path.split(".")) for path in paths]
    for owner in distinct:
        for path in split:
            _refuse_unknown(owner, path)
    waiting = stall or Stall()
    try:
        await _Prefetch(resolver, links, waiting).level(distinct, split)
    finally:
        waiting.close()


@attrs.frozen
class _Prefetch:
    resolver: RelationshipResolver
    links: LinkRules
    stall: Stall

    async def level(self, owners: Sequence[Resource], paths: Sequence[tuple[str, ...]]) -> None:
        """Load the first step of every path, then the rest of the paths for what that led to."""
        names = dict.fromkeys(path[0] for path in paths)
        opened = [_Open(owner, _relation(type(owner), owner.resource_type, name)) for owner in owners for name in names]
        if not opened:
            return
        await self._load(opened)
        for name in names:
            deeper = [path[1:] for path in paths if path[0] == name and len(path) > 1]
            related = (found for each in opened if each.relation.name == name for found in each.loaded)
            await self.level(_distinct(related), deeper)

    async def _load(self, opened: Sequence[_Open]) -> None:
        silent = [each for each in opened if each.missing(self.links) is None]
        await self._reread_silent(silent, opened)
        await for_each((each for each in silent if not each.can_include), self._resolve_alone, at_once=_AT_ONCE)
        self._share_what_is_known(opened)
        await self._load_linked(opened)
        self._state_loaded(opened)

    def _state_loaded(self, opened: Sequence[_Open]) -> None:
        # What a link spelled out would have to be asked of the resolver again, which a copy does not have.
        for each in opened:
            if each.is_loaded(self.links):
                self.resolver.state(each.owner, each.relation, each.identifiers(self.links) or ())

    async def _reread_silent(self, silent: Sequence[_Open], opened: Sequence[_Open]) -> None:
        to_read = {id(each.owner) for each in silent if each.can_include}
        await self._reread(
            each for each in opened if id(each.owner) in to_read and each.can_include and not each.is_loaded(self.links)
        )

    async def _load_linked(self, opened: Sequence[_Open]) -> None:
        rereads: list[_Open] = []
        fetches: list[_Open] = []
        for group in self._by_relation(opened):
            missing = {identifier for each in group for identifier in each.missing(self.links) or ()}
            unreadable = any(identifier.type not in READABLE for identifier in missing)
            fewer_owners = all(each.can_include for each in group) and (len(group) < len(missing) or unreadable)
            (rereads if fewer_owners else fetches).extend(group)
        await self._reread(rereads)
        await self._fetch(fetches)

    def _by_relation(self, opened: Iterable[_Open]) -> Iterable[list[_Open]]:
        groups: dict[tuple[str, str], list[_Open]] = defaultdict(list)
        for each in opened:
            if each.missing(self.links):
                groups[each.owner.resource_type, each.relation.name].append(each)
        return groups.values()

    def _share_what_is_known(self, opened: Sequence[_Open]) -> None:
        pool: dict[Identifier, Resource] = {}
        for each in opened:
            known = each.owner.origin.scope.known
            pool.update({linked: known[linked] for linked in each.identifiers(self.links) or () if linked in known})
        for each in opened:
            found = {missing: pool[missing] for missing in each.missing(self.links) or () if missing in pool}
            each.owner.origin.scope.known.update(found)

    async def _reread(self, opened: Iterable[_Open]) -> None:
        groups: dict[int, list[_Open]] = defaultdict(list)
        for each in opened:
            groups[id(each.owner)].append(each)

        async def reread(group: list[_Open]) -> None:
            try:
                relations = tuple(each.relation for each in group)
                await self.stall.persist(partial(self.resolver.reread, group[0].owner, relations))
            except NotFoundError:
                return

        await for_each(groups.values(), reread, at_once=_AT_ONCE)

    async def _fetch(self, opened: Sequence[_Open]) -> None:
        wanted: dict[Identifier, list[_Open]] = defaultdict(list)
        for each in opened:
            for identifier in each.missing(self.links) or ():
                wanted[identifier].append(each)

        async def fetch(identifier: Identifier) -> None:
            scopes = [each.owner.origin.scope for each in wanted[identifier]]
            try:
                await self.stall.persist(partial(self.resolver.fetch_into, scopes, identifier))
            except NotFoundError:
                return

        readable = (identifier for identifier in wanted if identifier.type in READABLE)
        await for_each(readable, fetch, at_once=_AT_ONCE)

    async def _resolve_alone(self, opened: _Open) -> None:
        try:
            await self.stall.persist(partial(self.resolver.resolve, opened.owner, opened.relation))
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
