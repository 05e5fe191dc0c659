"""Bulk lookups: any number of ids, a bounded number at a time, each outcome as it arrives."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final, Generic, NoReturn, TypeAlias, TypeVar

from kajabi_async.errors import (
    AuthenticationError,
    ConfigurationError,
    InvalidArgumentError,
    InvalidIdError,
    KajabiError,
)
from kajabi_async.exchange import Answer, Tally
from kajabi_async.jsonapi.ids import checked_id
from kajabi_async.models.base import Resource
from kajabi_async.places import Places
from kajabi_async.resources.counts import Counts
from kajabi_async.resources.guarded import Guarded, cancel_tasks
from kajabi_async.resources.numbers import whole_number
from kajabi_async.resources.outcomes import Failed, Found, Lookup, Progress, Report
from kajabi_async.resources.sources import THE_END, Ids, Source, source_of

__all__ = ["Ids", "Lookups", "Observer"]

R = TypeVar("R", bound=Resource)

T = TypeVar("T")

Observer = Callable[[Progress], object]

LookUp: TypeAlias = Callable[[str, Tally], Awaitable[R | Answer]]
"""Gives the resource of an id, or an answer to be read; KajabiError where there is none."""

Read: TypeAlias = Callable[[bytes, str], R]
"""Gives the resource in the body of an answer to the request for an id; DecodeError where it is none."""

_Told: TypeAlias = Found[R] | Failed | bytes
"""What is known of an id: its outcome, or the body of an answer that nobody has looked into yet."""

RECENT_OUTCOMES: Final = 4096
"""So many outcomes, and at least half of them, are kept to answer ids that come again: bounded, whatever comes."""

_LONGEST_SHOWN: Final = 1000

_ENDS_THE_RUN: Final = (AuthenticationError, ConfigurationError)
"""What no other id can escape: the credentials or the client are no good."""


class Lookups(Generic[R]):
    """A run of lookups: ``async for`` gives a `Lookup` for every id; ``await run.report()`` what it came to.

    Ids are read lazily, at most twice ``concurrency`` ahead of the loop. A run is used once; leaving its loop early
    ends it and leaves no task behind.
    """

    def __init__(
        self,
        look_up: LookUp[R],
        read: Read[R],
        ids: Ids,
        *,
        concurrency: int,
        ordered: bool = False,
        observer: Observer | None = None,
    ) -> None:
        at_once = whole_number(concurrency, of="concurrency", at_least=1)
        self._run = _Run(look_up, read, source_of(ids), at_once, ordered=ordered, observer=observer)
        self._started = False

    def __aiter__(self) -> AsyncIterator[Lookup[R]]:
        if self._started:
            raise InvalidArgumentError("a lookup run is used once; call get_many() again for another")
        self._started = True
        return Guarded(self._run)

    def __iter__(self) -> NoReturn:
        raise TypeError("lookups arrive one by one: write 'async for', not 'for'")

    async def report(self) -> Report:
        """Give what the run came to; where its loop was not run, or not to its end, look up the rest first.

        A run whose loop was left early, or that ended with an error its loop has raised, is reported as it stood then.
        """
        self._started = True
        try:
            while True:
                await self._run.next()
        except StopAsyncIteration:
            return self._run.report()
        except asyncio.CancelledError:
            self._run.close()
            raise

    async def aclose(self) -> None:
        """End the run and wait until its tasks are gone."""
        await self._run.aclose()


class _Run(Generic[R]):
    """The engine: workers take ids, outcomes wait for the loop, and neither runs far ahead of the other."""

    def __init__(
        self,
        look_up: LookUp[R],
        read: Read[R],
        source: Source,
        concurrency: int,
        *,
        ordered: bool,
        observer: Observer | None,
    ) -> None:
        self._look_up = look_up
        self._read = read
        self._source = source
        self._concurrency = concurrency
        self._observer = observer
        self._room = Places(2 * concurrency)
        self._arrived = asyncio.Event()
        self._told: _InOrder[_Told[R]] | _AsArrived[_Told[R]] = _InOrder() if ordered else _AsArrived()
        self._workers: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._in_flight: dict[str, list[int]] = {}
        self._recent: dict[str, _Told[R]] = {}
        self._before: dict[str, _Told[R]] = {}
        self._taken = 0
        self._closed = self._exhausted = False
        self._failure: BaseException | None = None
        self._tally = Tally()
        self._counts = Counts()

    async def next(self) -> Lookup[R]:
        """Give the next outcome; StopAsyncIteration when every id has been answered."""
        if self._loop is None:
            self._start()
        while not self._told:
            if self._failure is not None and not self._in_flight:
                raise self._failed()
            if self._exhausted and self._counts.given == self._taken:
                raise StopAsyncIteration
            self._arrived.clear()
            await self._arrived.wait()
        _, resource_id, told = self._told.take()
        self._room.leave()
        # One after the other they are read faster than each between two requests.
        outcome = self._opened(resource_id, told) if isinstance(told, bytes) else told
        self._counts.note(outcome)
        if self._observer is not None:
            self._observer(self._counts.progress())
        return outcome

    def report(self) -> Report:
        return self._counts.report(self._tally)

    def _failed(self) -> BaseException:
        """Close, and give the failure; it is raised once, and what was counted before it can then be reported."""
        failure, self._failure = self._failure, None
        self.close()
        assert failure is not None  # noqa: S101 - asked for only where there is one
        return failure

    def close(self) -> None:
        """Cancel the workers; the source is not read any further."""
        self._closed = self._exhausted = True
        self._taken = self._counts.given
        self._in_flight.clear()
        self._told.clear()
        self._recent, self._before = {}, {}
        self._arrived.set()
        if self._loop is not None:
            cancel_tasks(self._loop, self._workers)

    async def aclose(self) -> None:
        self.close()
        if self._workers:
            await asyncio.wait(tuple(self._workers))

    def _start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._counts.start()
        self._add_workers()

    def _add_workers(self) -> None:
        """Add two: at the beginning, and with each id until there are enough, so that a few ids take a few tasks."""
        assert self._loop is not None  # noqa: S101 - _start has run
        for _ in range(min(2, self._concurrency - len(self._workers))):
            worker = self._loop.create_task(self._work(), name="kajabi_async lookup")
            self._workers.add(worker)
            worker.add_done_callback(self._gone)

    def _gone(self, worker: asyncio.Task[None]) -> None:
        self._workers.discard(worker)
        defect = _defect(worker)
        if defect is not None and not self._closed:
            self._in_flight.clear()
            self._end(defect)

    async def _work(self) -> None:
        """Look up one id after the other, and see to it that there are workers enough."""
        at_once = self._source.at_once
        told: _Told[R]
        while True:
            if self._room.free > 0:
                self._room.free -= 1
            else:
                await self._room.enter()
            try:
                given = await self._source.take() if at_once is None else next(at_once, THE_END)
            except Exception as error:  # noqa: BLE001 - whatever the caller's iterable raises is the caller's to see
                self._end(error)
                return
            if given is THE_END or self._exhausted:
                self._end(None)
                return
            index, self._taken = self._taken, self._taken + 1
            if len(self._workers) < self._concurrency:
                self._add_workers()
            resource_id = self._to_be_asked(index, given)
            if resource_id is None:
                continue
            try:
                answer = await self._look_up(resource_id, self._tally)
            except _ENDS_THE_RUN as error:
                self._in_flight.clear()
                self._end(error)
                return
            except KajabiError as error:
                told = Failed(resource_id, error)
            else:
                told = answer.body if isinstance(answer, Answer) else Found(resource_id, answer)
            self._answered(resource_id, told)

    def _end(self, failure: BaseException | None) -> None:
        self._exhausted = True
        self._failure = self._failure or failure
        self._arrived.set()
        # Whoever waits for room would otherwise wait for an outcome that never comes.
        self._room.leave()

    def _to_be_asked(self, index: int, given: object) -> str | None:
        """Give the id where it takes a request; what does not is answered here, or waits for the one under way."""
        try:
            resource_id = checked_id(given)
        except InvalidIdError as error:
            shown = _shown(given)
            self._deliver(index, shown, Failed(shown, error))
            return None
        told = self._recent.get(resource_id)
        if told is None:
            told = self._before.get(resource_id)
        if told is None and resource_id not in self._in_flight:
            self._in_flight[resource_id] = [index]
            return resource_id
        self._counts.duplicates += 1
        if told is None:
            self._in_flight[resource_id].append(index)
        else:
            self._deliver(index, resource_id, told)
        return None

    def _answered(self, resource_id: str, told: _Told[R]) -> None:
        self._recent[resource_id] = told
        if len(self._recent) >= RECENT_OUTCOMES // 2:
            self._recent, self._before = {}, self._recent
        for index in self._in_flight.pop(resource_id, ()):
            self._told.put((index, resource_id, told))
        self._arrived.set()

    def _deliver(self, index: int, resource_id: str, told: _Told[R]) -> None:
        self._told.put((index, resource_id, told))
        self._arrived.set()

    def _opened(self, resource_id: str, body: bytes) -> Lookup[R]:
        try:
            return Found(resource_id, self._read(body, resource_id))
        except KajabiError as error:
            return Failed(resource_id, error)


def _defect(worker: "asyncio.Task[None]") -> BaseException | None:
    # Cancelled by somebody else, or from within by what the caller handed in: the loop must not wait for it forever.
    return asyncio.CancelledError() if worker.cancelled() else worker.exception()


def _shown(given: object) -> str:
    """Give what stands for a value that is no id in its outcome, however long or unwilling the value is."""
    try:
        return given if isinstance(given, str) else str(given)[:_LONGEST_SHOWN]
    except Exception:  # noqa: BLE001 - a number of more digits than Python prints, or a __str__ of the caller's
        return f"<{type(given).__name__}>"


class _AsArrived(deque[tuple[int, str, T]]):
    """What is told of numbered ids, in the order it arrives; false where there is none."""

    put = deque[tuple[int, str, T]].append
    take = deque[tuple[int, str, T]].popleft


class _InOrder(Generic[T]):
    """What is told of numbered ids, in the order of their numbers; false where the next has not arrived."""

    def __init__(self) -> None:
        self._waiting: dict[int, tuple[int, str, T]] = {}
        self._next = 0

    def __bool__(self) -> bool:
        return self._next in self._waiting

    def put(self, numbered: tuple[int, str, T]) -> None:
        self._waiting[numbered[0]] = numbered

    def take(self) -> tuple[int, str, T]:
        numbered = self._waiting.pop(self._next)
        self._next += 1
        return numbered

    def clear(self) -> None:
        self._waiting.clear()
