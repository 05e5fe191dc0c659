"""The engine of bulk lookups: workers take ids, outcomes wait for the loop, and neither runs far ahead of the other.

A worker keeps its id until that has an outcome. What concerns the client is none: see `kajabi_async.stall`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final, Generic, Protocol, TypeAlias, TypeVar

from kajabi_async.clock import Clock
from kajabi_async.concurrency import WaitingLine, on_loop
from kajabi_async.errors import BulkStalledError, InvalidIdError, KajabiError
from kajabi_async.exchange import Answer, Tally
from kajabi_async.fetching.arrivals import AsArrived, InOrder, Recent
from kajabi_async.fetching.outcomes import Counts, Failed, Found, Lookup, Progress, Report
from kajabi_async.fetching.sources import THE_END, Source
from kajabi_async.jsonapi.ids import checked_id
from kajabi_async.models.resource import Resource
from kajabi_async.passing import ends_everything, is_passing
from kajabi_async.stall import Stall, Stalls, Trial

__all__ = ["LookUp", "Observer", "Read", "Run", "Scanning"]

R = TypeVar("R", bound=Resource)

Observer = Callable[[Progress], object]

LookUp: TypeAlias = Callable[[str, Tally], Awaitable[R | Answer]]
"""Returns the resource of an id, or an answer to be read; KajabiError if there is none."""

Read: TypeAlias = Callable[[bytes, str], R]
"""Returns the resource in the body of an answer to the request for an id; DecodeError if it is none."""

_Told: TypeAlias = Found[R] | Failed | bytes
"""What is known of an id: its outcome, or the body of an answer that nobody has looked into yet."""

_LONGEST_SHOWN: Final = 1000
_LARGE_BODY: Final = 64 * 2**10
MOST_WAITING_BYTES: Final = 32 * 2**20
"""Of large bodies that the loop has not taken yet; beyond it no further id is taken."""
_FAILURES_BEFORE_COMPARING: Final = 2


class Scanning(Protocol):
    """A source that asks for pages of a list, too."""

    def join(self, stall: Stall) -> None:
        """Wait together with the lookups."""
        ...

    def left(self, taken: list[str]) -> Iterable[Any]:
        """Return what was read and has no outcome, in the order of the source; *taken* are the run's own."""
        ...


class Run(Generic[R]):
    """One run, from the first id to the last outcome."""

    def __init__(
        self,
        look_up: LookUp[R],
        read: Read[R],
        source: Source,
        concurrency: int,
        *,
        ordered: bool,
        observer: Observer | None,
        patience: float,
        clock: Clock | None,
        stalls: Stalls | None,
        scan: Scanning | None,
    ) -> None:
        self._look_up = look_up
        self._read = read
        self._source = source
        self._concurrency = concurrency
        self._observer = observer
        self._scan = scan
        self._patience = patience
        self._stall = Stall(
            patience,
            clock,
            changed=self._stall_changed,
            gave_up=self._give_up,
            is_busy=lambda: bool(self._in_flight),
            among=stalls,
        )
        if scan is not None:
            scan.join(self._stall)
        self._room = WaitingLine(2 * concurrency)
        self._arrived = asyncio.Event()
        self._told: InOrder[_Told[R]] | AsArrived[_Told[R]] = InOrder() if ordered else AsArrived()
        self._large_bytes = 0
        self._smaller = asyncio.Event()
        self._workers: set[asyncio.Task[None]] = set()
        self._scout: asyncio.Task[None] | None = None
        self._closing: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._in_flight: dict[str, list[int]] = {}
        self._recent: Recent[_Told[R]] = Recent()
        self._taken = 0
        self._closed = self._exhausted = False
        self._has_source = True
        """Whether the source may have more, and so has to be closed."""
        self._lost: list[tuple[int, str]] = []
        """What was taken and will have no outcome, or none that is given out."""
        self._failure: BaseException | None = None
        self._tally = Tally()
        self._counts = Counts()

    async def next(self) -> Lookup[R]:
        """Return the next outcome; StopAsyncIteration when every id has been answered."""
        if self._loop is None:
            self._start()
        while not self._told:
            if self._failure is not None and not self._in_flight:
                raise self._failed()
            if self._exhausted and self._counts.given == self._taken:
                self._stall.close()
                raise StopAsyncIteration
            self._arrived.clear()
            await self._arrived.wait()
        _, resource_id, told = self._told.take()
        self._room.leave()
        # One after the other they are read faster than each between two requests.
        if isinstance(told, bytes):
            if len(told) > _LARGE_BODY:
                self._count_large(-len(told))
            outcome = self._opened(resource_id, told)
        else:
            outcome = told
        self._counts.note(outcome)
        if self._observer is not None:
            self._observer(self._progress())
        return outcome

    def report(self) -> Report:
        """Return what the run came to so far."""
        return self._counts.report(self._tally)

    def unanswered(self) -> tuple[Any, ...]:
        """Return what was taken and not given out, in the order of the source."""
        not_given = [(index, resource_id) for index, resource_id, _ in self._told]
        return self._left([*self._lost, *self._asked, *not_given])

    def close(self) -> None:
        """Cancel the workers; the source is not read any further, and closed."""
        self._lost += [*self._asked, *((index, resource_id) for index, resource_id, _ in self._told)]
        closes_source, self._has_source = self._has_source, False
        self._closed = self._exhausted = True
        self._taken = self._counts.given
        self._in_flight.clear()
        self._told.clear()
        self._recent.clear()
        self._arrived.set()
        if self._loop is not None:
            on_loop(self._loop, self._cancel, closes_source)

    async def aclose(self) -> None:
        """Close, and wait until all tasks are gone."""
        self.close()
        if tasks := [*self._workers, *self._stall.tasks]:
            await asyncio.wait(tasks)
        if self._closing is not None:
            await asyncio.wait([self._closing])

    def _cancel(self, closes_source: bool) -> None:
        for worker in self._workers:
            worker.cancel()
        self._stall.close()
        if closes_source and self._source.can_close:
            assert self._loop is not None  # noqa: S101 - it is what calls this
            self._closing = self._loop.create_task(self._close_source(), name="kajabi_async source")

    async def _close_source(self) -> None:
        if self._workers:
            # One of them may be waiting for the next id just now.
            await asyncio.wait(tuple(self._workers))
        await self._source.aclose()

    def _failed(self) -> BaseException:
        """Close, and return the failure; it is raised once, and what was counted before it can then be reported."""
        failure, self._failure = self._failure, None
        self.close()
        assert failure is not None  # noqa: S101 - asked for only if there is one
        return failure

    def _start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._counts.start()
        self._stall.watch()
        self._add_workers()

    def _add_workers(self) -> None:
        """Add two: at the beginning, and with each id until there are enough, so that a few ids take a few tasks."""
        for _ in range(min(2, self._concurrency - len(self._workers))):
            self._add_worker(self._work())

    def _add_worker(self, work: Any) -> "asyncio.Task[None]":
        assert self._loop is not None  # noqa: S101 - _start has run
        worker = self._loop.create_task(work, name="kajabi_async lookup")
        self._workers.add(worker)
        worker.add_done_callback(self._gone)
        return worker

    def _gone(self, worker: "asyncio.Task[None]") -> None:
        self._workers.discard(worker)
        defect = _defect(worker)
        if defect is not None and not self._closed and self._failure is None:
            self._stop(defect)

    async def _work(self) -> None:
        """Look up one id after the other, and see to it that there are workers enough."""
        at_once, stall = self._source.at_once, self._stall
        told: _Told[R]
        while True:
            if self._room.free > 0 and not stall.is_on and self._large_bytes <= MOST_WAITING_BYTES:
                self._room.free -= 1
            else:
                await self._held_back()
            try:
                given = await self._source.take() if at_once is None else next(at_once, THE_END)
            except Exception as error:  # noqa: BLE001 - whatever the caller's iterable raises is the caller's to see
                self._source_ended(error)
                return
            if given is THE_END or self._exhausted:
                self._source_ended(None)
                return
            index, self._taken = self._taken, self._taken + 1
            if len(self._workers) < self._concurrency:
                self._add_workers()
            resource_id = self._to_be_asked(index, given)
            if resource_id is None:
                continue
            try:
                # During a stall that began while the source was waited for, the id stands in line with the others.
                answer = await (
                    self._waited(resource_id, Trial()) if stall.is_on else self._look_up(resource_id, self._tally)
                )
            except KajabiError as error:
                failed = await self._asked_again(resource_id, error)
                if failed is None:
                    return
                told = failed
            else:
                told = answer.body if isinstance(answer, Answer) else Found(resource_id, answer)
                stall.answered()
            self._answered(resource_id, told)

    async def _held_back(self) -> None:
        """Wait until there is room for one more, and take it."""
        while True:
            await self._room.enter()
            if not self._stall.is_on and self._large_bytes <= MOST_WAITING_BYTES:
                return
            self._room.leave()
            await self._stall.over()
            if self._large_bytes > MOST_WAITING_BYTES:
                self._smaller.clear()
                await self._smaller.wait()

    async def _asked_again(self, resource_id: str, error: KajabiError) -> _Told[R] | None:
        """Return what an id comes to whose lookup has failed with *error*; None if that ends the run."""
        trial = Trial()
        try:
            while True:
                if self._stall.is_for_good(trial, error):
                    self._stop(error)
                    return None
                if not is_passing(error) or self._stall.is_own(trial, error, is_alone=self._is_alone):
                    self._stall.answered()
                    return Failed(resource_id, error)
                self._stall.failed(error, trial)
                try:
                    answer = await self._waited(resource_id, trial)
                except KajabiError as failure:
                    error = failure
                else:
                    self._stall.answered()
                    return answer.body if isinstance(answer, Answer) else Found(resource_id, answer)
        finally:
            self._stall.done(trial)

    async def _waited(self, resource_id: str, trial: Trial) -> R | Answer:
        began = asyncio.get_running_loop().time()

        async def ask() -> R | Answer:
            self._tally.waiting_seconds += asyncio.get_running_loop().time() - began
            if trial.is_doubtful:
                await self._compare(trial)
            if trial.tries:
                self._tally.retries += 1
            return await self._look_up(resource_id, self._tally)

        return await self._stall.again(trial, ask)

    @property
    def _is_alone(self) -> bool:
        """Whether one id alone is left, and none was answered that it could be compared with."""
        return self._exhausted and len(self._in_flight) == 1 and self._recent.answered() is None

    async def _compare(self, trial: Trial) -> None:
        """Ask for another id than those that failed: it tells an outage from failures of their own.

        That is the next of the source; if it has none, or the one before has failed too, one that was answered is
        asked for again.
        """
        known = self._recent.answered()
        if known is not None and max(trial.probes, trial.own) < _FAILURES_BEFORE_COMPARING:
            return
        if not self._exhausted and (known is None or (self._scout is None and self._room.free > 0)):
            self._scout = self._add_worker(self._scouted())
            self._scout.add_done_callback(self._scout_is_back)
        elif known is not None:
            trial.is_comparing = True
            try:
                await self._look_up(known, self._tally)
            except KajabiError as error:
                if is_passing(error) or ends_everything(error):
                    raise
            trial.is_comparing = False
            self._stall.compared()

    async def _scouted(self) -> None:
        """Take one id more than the workers may just now, and see what becomes of it."""
        self._room.free -= 1
        try:
            given = await self._source.take()
        except Exception as error:  # noqa: BLE001 - as with any other id
            self._source_ended(error)
            return
        if given is THE_END or self._exhausted:
            self._source_ended(None)
            return
        index, self._taken = self._taken, self._taken + 1
        resource_id = self._to_be_asked(index, given)
        if resource_id is None:
            return
        told: _Told[R] | None
        try:
            answer = await self._waited(resource_id, Trial())
        except KajabiError as error:
            told = await self._asked_again(resource_id, error)
        else:
            told = answer.body if isinstance(answer, Answer) else Found(resource_id, answer)
            self._stall.answered()
        if told is not None:
            self._answered(resource_id, told)

    def _scout_is_back(self, scout: "asyncio.Task[None]") -> None:
        self._scout = None if self._scout is scout else self._scout

    def _source_ended(self, failure: Exception | None) -> None:
        self._has_source = self._has_source and self._exhausted
        self._end(failure)

    def _stop(self, failure: BaseException) -> None:
        """End the run at once, though ids have no outcome: those that have are still given out."""
        self._lost += self._asked
        self._in_flight.clear()
        self._told.close_gaps()
        self._end(failure)
        for worker in self._workers:
            if worker is not asyncio.current_task():
                worker.cancel()

    def _give_up(self, defect: Exception | None) -> None:
        if defect is not None:
            self._stop(defect)
            return
        asked = self._asked
        left = self._left(asked)
        answered, cause = self._taken - len(asked), self._stall.cause
        message = (
            f"nothing was answered for {self._patience:g} s, pauses that the API asked for not counted: {answered:,} "
            f"ids have an outcome, {len(left):,} of those taken have none (.unanswered)"
        )
        failure = BulkStalledError(
            message if cause is None else f"{message}; the latest failure: {cause}",
            answered=answered,
            unanswered=left,
            cause=cause,
        )
        failure.__cause__ = cause
        self._stop(failure)

    @property
    def _asked(self) -> list[tuple[int, str]]:
        return [(index, resource_id) for resource_id, indices in self._in_flight.items() for index in indices]

    def _left(self, taken: list[tuple[int, str]]) -> tuple[Any, ...]:
        in_order = [resource_id for _, resource_id in sorted(taken)]
        return tuple(in_order if self._scan is None else self._scan.left(in_order))

    def _end(self, failure: BaseException | None) -> None:
        self._exhausted = True
        self._failure = self._failure or failure
        self._arrived.set()
        # Who waits for room has nothing to wait for any more; one wakes the next.
        self._room.leave()

    def _to_be_asked(self, index: int, given: object) -> str | None:
        """Return the id if it takes a request; what does not is answered here, or waits for the one under way."""
        try:
            resource_id = checked_id(given)
        except InvalidIdError as error:
            shown = _shown(given)
            self._deliver(index, shown, Failed(shown, error))
            return None
        told = self._recent.get(resource_id)
        if told is None and resource_id not in self._in_flight:
            if not self._in_flight:
                self._stall.began()
            self._in_flight[resource_id] = [index]
            return resource_id
        self._counts.duplicates += 1
        if told is None:
            self._in_flight[resource_id].append(index)
        else:
            self._deliver(index, resource_id, told)
        return None

    def _answered(self, resource_id: str, told: _Told[R]) -> None:
        self._recent.put(resource_id, told)
        for index in self._in_flight.pop(resource_id, ()):
            self._deliver(index, resource_id, told)

    def _deliver(self, index: int, resource_id: str, told: _Told[R]) -> None:
        if isinstance(told, bytes) and len(told) > _LARGE_BODY:
            self._count_large(len(told))
        self._told.put((index, resource_id, told))
        self._arrived.set()

    def _count_large(self, more: int) -> None:
        self._large_bytes += more
        if self._large_bytes <= MOST_WAITING_BYTES:
            self._smaller.set()

    def _opened(self, resource_id: str, body: bytes) -> Lookup[R]:
        try:
            return Found(resource_id, self._read(body, resource_id))
        except KajabiError as error:
            return Failed(resource_id, error)

    def _progress(self) -> Progress:
        stall = self._stall
        return self._counts.progress(stall.since, stall.paused_until if stall.is_on else None)

    def _stall_changed(self) -> None:
        if self._observer is None or self._closed:
            return
        try:
            self._observer(self._progress())
        except Exception as error:  # noqa: BLE001 - as where an outcome is told, it is the caller's to see
            self._stop(error)


def _defect(worker: "asyncio.Task[None]") -> BaseException | None:
    # Cancelled by somebody else, or from within by what the caller handed in: the loop must not wait for it forever.
    return asyncio.CancelledError() if worker.cancelled() else worker.exception()


def _shown(given: object) -> str:
    """Return what stands for a value that is no id in its outcome, however long or unwilling the value is."""
    try:
        return given if isinstance(given, str) else str(given)[:_LONGEST_SHOWN]
    except Exception:  # noqa: BLE001 - a number of more digits than Python prints, or a __str__ of the caller's
        return f"<{type(given).__name__}>"
