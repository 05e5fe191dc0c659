"""``api.changes()``: the loop that takes the changes, and its producer, which polls in turn with waiting."""

import math
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, cast

import attrs

from kajabi_async.changes.batch import Batch
from kajabi_async.changes.cursor import State, parse_cursor
from kajabi_async.changes.kinds import Change
from kajabi_async.changes.poll import Poller, timed_context
from kajabi_async.changes.sweep import Sweeper
from kajabi_async.changes.waiting import SECOND, Patience, ServerTime, Sleeper
from kajabi_async.changes.watched import checked_watch
from kajabi_async.changes.window import stamp_of
from kajabi_async.checks import number
from kajabi_async.concurrency import Guarded
from kajabi_async.errors import InvalidArgumentError
from kajabi_async.fetching.context import Context
from kajabi_async.hints import NamesCure, refusing

__all__ = ["Changes", "Engine", "checked_seconds"]

_LEAST_SECONDS: Final = 1.0
_LONGEST_SECONDS: Final = 1e9
_ITS_CHANGES: Final = "write 'async for change in api.changes(...)', or 'await api.changes(...).poll()' for one poll"


@refusing(
    {
        "__await__": f"changes arrive one by one and are not awaited: {_ITS_CHANGES}",
        "__getitem__": f"changes arrive one by one and have no index: {_ITS_CHANGES}",
        "__len__": f"changes arrive one by one and have no length: {_ITS_CHANGES}",
        "__bool__": f"changes are neither true nor false: {_ITS_CHANGES}",
        "__iter__": "changes arrive one by one: write 'async for', not 'for'",
        "__contains__": f"changes are not searched by 'in': {_ITS_CHANGES}",
        "__next__": f"changes are not read by next(): {_ITS_CHANGES}",
        "__anext__": f"changes are not read by anext(): {_ITS_CHANGES}",
        "__aenter__": f"changes need no 'async with': {_ITS_CHANGES}",
        "__aexit__": f"changes need no 'async with': {_ITS_CHANGES}",
    }
)
class Changes(metaclass=NamesCure):
    """The changes of an account: ``async for`` yields them as they are noticed, oldest first, and never ends by itself.

    An instance is used once, by one loop or by calls of `poll`. Nothing runs while the loop does not wait for the next
    change, and leaving it leaves nothing behind. An error raised from the loop loses nothing either: continue with
    another instance at `cursor`.
    """

    _cure = "read it with 'async for', then call .to_dict() of each change"

    def __init__(self, engine: "Engine") -> None:
        """Yield what ``engine`` produces."""
        self._engine = engine
        self._started = False

    def __aiter__(self) -> AsyncIterator[Change]:
        if self._started:
            raise InvalidArgumentError("changes are iterated once: call api.changes(cursor=changes.cursor) for more")
        self._started = True
        return Guarded(self._engine)

    def __repr__(self) -> str:
        return f"<Changes of {', '.join(self._engine.names)}: {self._engine.yielded:,} yielded>"

    @property
    def cursor(self) -> str | None:
        """The place behind the change that was yielded last, or behind the last poll if all its changes were taken.

        None before the first poll of a run that started without a cursor. Unlike the cursors of the changes, it moves
        on while nothing changes: store it now and then, and a later run starts from there.
        """
        return self._engine.cursor

    async def poll(self) -> tuple[Change, ...]:
        """Return the changes since the last poll, oldest first, without waiting for more; none if it is empty.

        For scheduled tasks, which end: store `cursor` when the changes are processed. Outages are waited out; bound
        them with ``asyncio.timeout``, which loses nothing. Sweeps need a loop.
        """
        return await self._engine.poll()


class Engine:
    """The producer behind `Changes`: it polls through a context, with cursors of an owner."""

    def __init__(
        self,
        context: Context,
        owner: str,
        *,
        cursor: str | None,
        since: Any,
        every: float,
        watch: Any,
        sweep: float | None,
    ) -> None:
        """Take the arguments of ``api.changes``; InvalidArgumentError names one that does not fit."""
        watched = checked_watch(watch)
        self.names: Sequence[str] = [each.name for each in watched]
        self._every = checked_seconds(every, of="every")
        self._owner = owner
        self._clock = context.clock
        self._state = State() if cursor is None else parse_cursor(cursor, owner)
        self._state.windows = {name: each for name, each in self._state.windows.items() if name in self.names}
        self._has_cursor = cursor is not None
        self._time = ServerTime(context.clock)
        self._sleeper = Sleeper(context.clock, context.stalls)
        patience = Patience(self._sleeper)
        timed = timed_context(context, self._time)
        self._poller = Poller(
            timed, watched, self._state, time=self._time, patience=patience, since=_since(since, context)
        )
        self._sweeper = (
            None if sweep is None else Sweeper(timed, watched, checked_seconds(sweep, of="sweep"), self._time, patience)
        )
        self._batch: Batch | None = None
        self._next_poll = -math.inf
        """When to poll, by the client's clock."""
        self._is_busy = False
        self.yielded = 0

    @property
    def cursor(self) -> str | None:
        """The place to store, None before the first poll of a run that started without one."""
        return self._state.cursor(self._owner) if self._has_cursor else None

    async def next(self) -> Change:
        """Return the next change, after as many polls and as much waiting as it takes."""
        self._enter()
        try:
            while True:
                if self._batch:
                    return self._take(self._batch)
                if self._sweeper is not None and (found := self._sweeper.take()) is not None:
                    self.yielded += 1
                    return attrs.evolve(found, cursor=self.cursor or "")
                await self._wait()
                if self._clock.monotonic() >= self._next_poll:
                    await self._poll()
                elif self._sweeper is not None:
                    await self._sweeper.step()
        finally:
            self._is_busy = False

    async def poll(self) -> tuple[Change, ...]:
        """Return the changes of one poll, or those of the last one that were not taken yet."""
        self._enter()
        try:
            if not self._batch:
                await self._poll()
            batch = cast("Batch", self._batch)
            return tuple(self._take(batch) for _ in range(len(batch)))
        finally:
            self._is_busy = False

    def close(self) -> None:
        """Do nothing: between two changes nothing is running."""

    def _enter(self) -> None:
        if self._is_busy:
            raise InvalidArgumentError("these changes are awaited already: one loop, or one poll() at a time")
        self._is_busy = True

    def _take(self, batch: Batch) -> Change:
        self.yielded += 1
        return batch.take(self._owner)

    async def _poll(self) -> None:
        started = self._clock.monotonic()
        self._batch = await self._poller.poll()
        self._has_cursor = True
        self._next_poll = min(started + self._every, self._clock.monotonic() + self._seconds_to_end())

    def _seconds_to_end(self) -> float:
        """Return the seconds until the next planned end, which has a poll of its own."""
        state = self._state
        if state.next_end is None or not state.knows_plans:
            return math.inf
        return max((state.next_end - self._time.now) / SECOND, _LEAST_SECONDS)

    async def _wait(self) -> None:
        until = self._next_poll if self._sweeper is None else min(self._next_poll, self._sweeper.next_step)
        seconds = until - self._clock.monotonic()
        if seconds > 0:
            await self._sleeper.sleep(seconds)


def _since(since: Any, context: Context) -> int | None:
    """Return the stamp to start at: a time with its zone, or a duration back from now by the clock of the client."""
    if since is None:
        return None
    if isinstance(since, datetime):
        if since.tzinfo is None:
            raise InvalidArgumentError(f"since={since.isoformat()} has no zone: pass one, such as tzinfo=UTC")
        return stamp_of(since)
    seconds = since.total_seconds() if isinstance(since, timedelta) else since
    expected = "a time with its zone, a timedelta back from now, or that in seconds"
    seconds = number(seconds, of="since", expected=expected, fits=lambda it: 0 <= it < _LONGEST_SECONDS)
    return round((context.clock.time() - seconds) * SECOND)


def checked_seconds(given: Any, *, of: str) -> float:
    """Return the seconds between two polls or sweeps; InvalidArgumentError, which names *of*, if they make no sense."""
    expected = "a number of seconds of at least 1"
    return number(given, of=of, expected=expected, fits=lambda it: _LEAST_SECONDS <= it < _LONGEST_SECONDS)
