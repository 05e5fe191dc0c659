"""The slow comparison of whole lists, for what no poll can see: edits of contacts, customers and orders, deletions.

One request each so many seconds: a page of a list, then the next, list after list, and from the start again. The first
sweep only learns; each later one compares. A row that was not on any page is asked for by its id: rows move while pages
are read, so only a 404 says that it is gone. What is known of a row is 32 bits, in a dict: about 200 bytes a row, which
no cursor has room for, so a restart learns again.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, Final

import attrs

from kajabi_async.changes.kinds import Change, ContactChanged, CustomerChanged, OrderChanged, ResourceGone
from kajabi_async.changes.waiting import Patience, ServerTime
from kajabi_async.changes.watched import Watched, WatchName, digest_of
from kajabi_async.changes.window import moment_of, stamp_in
from kajabi_async.decoding.answers import read_resource
from kajabi_async.errors import DecodeError, NotFoundError
from kajabi_async.fetching.context import Context
from kajabi_async.fetching.page import ListRequest
from kajabi_async.fetching.walk import Novelty, PageWalk
from kajabi_async.jsonapi.codec import encode
from kajabi_async.models.resource import Resource

__all__ = ["Sweeper"]

_CHANGED: Final[Mapping[WatchName, type[Change]]] = {
    "contacts": ContactChanged,
    "customers": CustomerChanged,
    "orders": OrderChanged,
}
"""The kind of change that an edited row is; the lists that polls sort by ``updated_at`` need none."""
_ACTIVITY: Final[Mapping[str, frozenset[str]]] = {
    "customers": frozenset({"last_request_at", "net_revenue", "sign_in_count", "updated_at"}),
}
"""The members that change with what people do, and are no edits."""


@attrs.define
class _List:
    """One list, and what the sweeps so far know of its rows."""

    watched: Watched
    operations: Any
    request: ListRequest[Any]
    known: dict[str, tuple[int, int]] = attrs.field(factory=dict[str, tuple[int, int]])
    """By id: what the row said, and the number of the latest sweep that found it."""
    sweeps: int = 0
    missing: deque[str] = attrs.field(factory=deque[str])
    """The ids to ask for: no page of the sweep had them."""


class Sweeper:
    """Sweeps the watched lists, one request each *seconds*."""

    def __init__(
        self, context: Context, watched: Sequence[Watched], seconds: float, time: ServerTime, patience: Patience
    ) -> None:
        self._context = context
        self._time, self._patience = time, patience
        self._seconds = seconds
        self._lists = deque(_List(each, each.operations(context), each.request(context)) for each in watched)
        self._walk: PageWalk[Any] | None = None
        self._novelty = Novelty()
        self._found: deque[Change] = deque()
        self.next_step = context.clock.monotonic() + seconds
        """When the next request is due, by the clock of the client."""

    def take(self) -> Change | None:
        """Return a change that was found and not taken, still without a cursor; None if there is none."""
        return self._found.popleft() if self._found else None

    async def step(self) -> None:
        """Send one request, if it is due."""
        if self._context.clock.monotonic() < self.next_step:
            return
        current = self._lists[0]
        if current.missing:
            await self._ask_for(current, current.missing[0])
        else:
            await self._read_page(current)
        self.next_step = self._context.clock.monotonic() + self._seconds

    async def _read_page(self, current: _List) -> None:
        if self._walk is None:
            request = current.request
            self._walk, self._novelty = PageWalk(request, request.query.encode(), 0), Novelty()
            current.sweeps += 1
        page = await self._patience.persist(self._walk.next)
        for row in page.rows:
            if not isinstance(row, DecodeError):
                self._compare(current, row)
        if page.next_query is not None:
            self._novelty.refuse_fruitless(page.rows, is_new=self._novelty.note(page.rows))
            return
        self._walk = None
        current.missing.extend(key for key, (_, sweep) in current.known.items() if sweep < current.sweeps)
        self._go_on(current)

    def _compare(self, current: _List, row: Resource) -> None:
        name = current.watched.name
        digest = digest_of(row, without=_ACTIVITY.get(name, frozenset()), relations=True)
        known = current.known.get(row.id)
        current.known[row.id] = digest, current.sweeps
        kind = _CHANGED.get(name)
        if known is None or known[0] == digest or kind is None:
            return
        stamp = stamp_in(row, "updated_at")
        detail = f"{digest:08x}" if stamp is None else f"{stamp}:{digest:08x}"
        self._note(kind, row, self._time.now if stamp is None else stamp, f"{name}:{row.id}:{kind.kind}:{detail}")

    async def _ask_for(self, current: _List, resource_id: str) -> None:
        try:
            await self._patience.persist(lambda: current.operations.get(resource_id))
        except NotFoundError:
            del current.known[resource_id]
            key = f"{current.watched.name}:{resource_id}:{ResourceGone.kind}"
            self._note(ResourceGone, self._shell(current, resource_id), self._time.now, key)
        else:
            current.known[resource_id] = current.known[resource_id][0], current.sweeps
        current.missing.popleft()
        self._go_on(current)

    def _note(self, kind: type[Change], resource: Resource, stamp: int, key: str) -> None:
        self._found.append(kind(resource=resource, at=moment_of(stamp), key=key, cursor=""))

    def _shell(self, current: _List, resource_id: str) -> Resource:
        """Return a resource of which only type and id are loaded."""
        model: type[Resource] = current.operations.model
        document = encode({"data": {"type": model.resource_type, "id": resource_id}})
        return read_resource(document, cls=model, scope=self._context.scope(), context="a deleted resource")

    def _go_on(self, current: _List) -> None:
        """Turn to the next list once this one is done."""
        if self._walk is None and not current.missing:
            self._lists.rotate(-1)
