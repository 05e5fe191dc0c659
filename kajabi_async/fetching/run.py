"""The engine of bulk lookups: workers that take ids and look them up, and the loop that takes the outcomes.

A worker keeps its id until that has an outcome. What concerns the client is not an outcome: see `kajabi_async.stall`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from itertools import repeat
from typing import Any, Final, Generic, Protocol, TypeAlias, TypeVar

from kajabi_async.clock import Clock
from kajabi_async.concurrency import Quota, on_loop
from kajabi_async.errors import BulkStalledError, KajabiError
from kajabi_async.exchange import Answer, Tally
from kajabi_async.fetching.backlog import MOST_LARGE_BYTES, Backlog, Unread
from kajabi_async.fetching.id_source import THE_END, IdSource, Naming
from kajabi_async.fetching.outcomes import Counts, Failed, Found, Lookup, Progress, Report
from kajabi_async.models.resource import Resource
from kajabi_async.passing import ends_everything, is_passing
from kajabi_async.stall import Stall, Stalls, Trial

__all__ = ["LookUp", "Observer", "Read", "Run", "Scanning"]

R = TypeVar("R", bound=Resource)

Observer = Callable[[Progress], object]

LookUp: TypeAlias = Callable[[str, Tally], Awaitable[R | Answer]]
"""Returns the resource of an id, or an answer to be read; KajabiError if there is none."""

Read: TypeAlias = Callable[[bytes, str], R]
"""Returns the resource in the body of the answer for an id; DecodeError if it is none."""

_FAILURES_BEFORE_COMPARING: Final = 2
_STARTS_AT_ONCE: Final = 64
"""The most lookups that start in one iteration of the event loop, before answers are read."""
_STARTS_BESIDE_CALLS: Final = 4
"""The same while calls go on in the same client, which take their turn between two iterations."""


class Scanning(Protocol):
    """A source of ids that also fetches pages of a list."""

    def join(self, stall: Stall) -> None:
        """Wait in *stall* together with the lookups."""
        ...

    def unanswered(self, taken: list[Any]) -> Iterable[Any]:
        """Return what was read and has no outcome, in the order of the source; *taken* are the values of the run."""
        ...


class Run(Generic[R]):
    """One run, from the first id to the last outcome."""

    def __init__(
        self,
        look_up: LookUp[R],
        read: Read[R],
        source: IdSource,
        concurrency: int,
        *,
        ordered: bool,
        observer: Observer | None,
        patience: float,
        clock: Clock | None,
        stalls: Stalls | None,
        scan: Scanning | None,
        has_calls: Callable[[], bool] | None,
        naming: Naming,
    ) -> None:
        self._look_up = look_up
        self._read = read
        self._source = source
        self._concurrency = concurrency
        self._observer = observer
        self._scan = scan
        self._patience = patience
        self._noun, self._outcome = naming.noun, naming.outcome
        self._tally = Tally()
        self._counts = Counts()
        self._stall = Stall(
            patience,
            clock,
            changed=self._stall_changed,
            gave_up=self._give_up,
            is_busy=lambda: bool(self._backlog.in_flight),
            among=stalls,
        )
        self._backlog: Backlog[R] = Backlog(
            2 * concurrency,
            self._counts,
            self._stall.began,
            ordered=ordered,
            comes_once=source.comes_once and not naming.has_spellings,
            naming=naming,
        )
        if scan is not None:
            scan.join(self._stall)
        self._starts = Quota(
            lambda: _STARTS_BESIDE_CALLS if has_calls is not None and has_calls() else _STARTS_AT_ONCE,
            self._add_workers,
        )
        self._workers: set[asyncio.Task[None]] = set()
        self._scout: asyncio.Task[None] | None = None
        self._closing: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = self._exhausted = False
        self._has_source = True
        """Whether the source may have more ids, and so has to be closed."""
        self._failure: BaseException | None = None

    async def next(self) -> Lookup[R]:
        """Return the next outcome; StopAsyncIteration once every id has been answered."""
        if self._loop is None:
            self._start()
        backlog, counts = self._backlog, self._counts
        while not backlog.arrived:
            if self._failure is not None and not backlog.in_flight:
                raise self._failed()
            if self._exhausted and counts.given == backlog.taken:
                self._stall.close()
                raise StopAsyncIteration
            await backlog.arrival()
        resource_id, arrived = backlog.take()
        outcome: Lookup[R]
        if isinstance(arrived, bytes):
            # Reading one body after the other is faster than reading each between two requests.
            try:
                outcome = Found(resource_id, self._read(arrived, resource_id))
            except KajabiError as error:
                outcome = Failed(resource_id, error)
        elif self._outcome is None:
            outcome = arrived
        else:
            outcome = self._outcome(resource_id, arrived)
        counts.note(outcome)
        if self._observer is not None:
            self._observer(self.progress())
        return outcome

    def report(self) -> Report:
        """Return the totals of the run so far."""
        return self._counts.report(self._tally)

    def unanswered(self) -> tuple[Any, ...]:
        """Return what was taken and whose outcome the loop does not have, in the order of the source."""
        return self._with_scan(self._backlog.unanswered())

    def close(self) -> None:
        """Cancel the workers, and close the source, which is not read any further."""
        self._backlog.close()
        closes_source, self._has_source = self._has_source, False
        self._closed = self._exhausted = True
        if self._loop is not None:
            on_loop(self._loop, self._cancel, closes_source)

    async def aclose(self) -> None:
        """Close, and wait for the end of all tasks."""
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
            assert self._loop is not None  # noqa: S101 - the loop is what calls this
            self._closing = self._loop.create_task(self._close_source(), name="kajabi_async source")

    async def _close_source(self) -> None:
        if self._workers:
            # One of them may be waiting for the next id.
            await asyncio.wait(tuple(self._workers))
        await self._source.aclose()

    def _failed(self) -> BaseException:
        """Close, and return the failure; it is raised once, and what was counted before can then be reported."""
        failure, self._failure = self._failure, None
        self.close()
        assert failure is not None  # noqa: S101 - called only if there is one
        return failure

    def _start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._counts.start()
        self._stall.watch()
        self._add_workers(2)

    def _add_workers(self, most: int) -> None:
        """Add at most *most*: two at the start, and then while lookups start, so that a few ids take a few tasks."""
        if not self._exhausted:
            for _ in range(min(most, self._concurrency - len(self._workers))):
                self._add_worker(self._work())

    def _add_worker(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        assert self._loop is not None  # noqa: S101 - _start has run
        worker = self._loop.create_task(work, name="kajabi_async lookup")
        self._workers.add(worker)
        worker.add_done_callback(self._worker_ended)
        return worker

    def _worker_ended(self, worker: "asyncio.Task[None]") -> None:
        self._workers.discard(worker)
        self._scout = None if self._scout is worker else self._scout
        # Cancelled by others, or from within by what the caller handed in: the loop must not wait for it forever.
        defect = asyncio.CancelledError() if worker.cancelled() else worker.exception()
        if defect is not None and not self._closed and self._failure is None:
            self._stop(defect)

    async def _work(self, *, is_scout: bool = False) -> None:
        """Look up one id after the other.

        A scout looks up one id alone, for which it takes a slot even if none is free.
        """
        at_once, backlog, stall = self._source.at_once, self._backlog, self._stall
        slots, starts, loop = backlog.slots, self._starts, asyncio.get_running_loop()
        outcome: Unread[R] | None
        for _ in range(1) if is_scout else repeat(None):
            if is_scout or (
                slots.free > 0 < starts.left and not stall.is_on and backlog.large_bytes <= MOST_LARGE_BYTES
            ):
                slots.free -= 1
            else:
                await self._take_slot()
            try:
                value = await self._source.take() if at_once is None else next(at_once, THE_END)
            except Exception as error:  # noqa: BLE001 - whatever the caller's iterable raises is raised from the loop
                self._source_ended(error)
                return
            if value is THE_END or self._exhausted:
                self._source_ended(None)
                return
            starts.left -= 1
            if not starts.is_counting:
                starts.count(loop)
            resource_id = backlog.accept(value)
            if resource_id is None:
                continue
            try:
                # A stall may have begun while the source was awaited.
                answer = await (
                    self._look_up_later(resource_id, Trial())
                    if stall.is_on
                    else self._look_up(resource_id, self._tally)
                )
            except KajabiError as error:
                outcome = await self._retry(resource_id, error)
                if outcome is None:
                    return
            else:
                outcome = answer.body if isinstance(answer, Answer) else Found(resource_id, answer)
                stall.answered()
            backlog.answered(resource_id, outcome)

    async def _take_slot(self) -> None:
        """Wait until one more id may be taken, and take a slot for it."""
        backlog, starts = self._backlog, self._starts
        while True:
            while starts.left <= 0 and not self._exhausted:
                await starts.wait()
            await backlog.slots.enter()
            may_start = starts.left > 0 or self._exhausted
            if may_start and not self._stall.is_on and backlog.large_bytes <= MOST_LARGE_BYTES:
                return
            backlog.slots.leave()
            await self._stall.over()
            await backlog.room_for_bytes()

    async def _retry(self, resource_id: str, error: KajabiError) -> Unread[R] | None:
        """Look up an id that failed with *error* until it has an outcome; None if the failure ends the run."""
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
                    answer = await self._look_up_later(resource_id, trial)
                except KajabiError as failure:
                    error = failure
                else:
                    self._stall.answered()
                    return answer.body if isinstance(answer, Answer) else Found(resource_id, answer)
        finally:
            self._stall.done(trial)

    async def _look_up_later(self, resource_id: str, trial: Trial) -> R | Answer:
        """Look up an id once *trial* may be tried again."""
        started = asyncio.get_running_loop().time()

        async def look_up() -> R | Answer:
            self._tally.waiting_seconds += asyncio.get_running_loop().time() - started
            if trial.is_doubtful:
                await self._compare(trial)
            if trial.tries:
                self._tally.retries += 1
            return await self._look_up(resource_id, self._tally)

        return await self._stall.again(trial, look_up)

    @property
    def _is_alone(self) -> bool:
        """Whether one id alone is left, and none was answered that it could be compared with."""
        backlog = self._backlog
        return self._exhausted and len(backlog.in_flight) == 1 and backlog.latest_answered is None

    async def _compare(self, trial: Trial) -> None:
        """Look up another id than those that failed, to distinguish an outage from failures of single ids.

        That is the next id of the source; if there is none, or the one before has failed too, one that was answered.
        """
        known = self._backlog.latest_answered
        if known is not None and max(trial.probes, trial.own) < _FAILURES_BEFORE_COMPARING:
            return
        if not self._exhausted and (known is None or (self._scout is None and self._backlog.slots.free > 0)):
            self._scout = self._add_worker(self._work(is_scout=True))
        elif known is not None:
            trial.is_comparing = True
            try:
                await self._look_up(known, self._tally)
            except KajabiError as error:
                if is_passing(error) or ends_everything(error):
                    raise
            trial.is_comparing = False
            self._stall.compared()

    def _source_ended(self, failure: Exception | None) -> None:
        self._has_source = self._has_source and self._exhausted
        self._end(failure)

    def _stop(self, failure: BaseException) -> None:
        """End the run at once; outcomes that have arrived are still given to the loop."""
        self._backlog.drop_in_flight()
        self._end(failure)
        for worker in self._workers:
            if worker is not asyncio.current_task():
                worker.cancel()

    def _end(self, failure: BaseException | None) -> None:
        self._exhausted = True
        self._failure = self._failure or failure
        self._starts.end()
        self._backlog.wake()

    def _give_up(self, defect: Exception | None) -> None:
        if defect is not None:
            self._stop(defect)
            return
        in_flight = self._backlog.without_answer()
        unanswered = self._with_scan(in_flight)
        answered, cause = self._backlog.taken - len(in_flight), self._stall.cause
        message = (
            f"nothing was answered for {self._patience:g} s, pauses that the API asked for not counted: {answered:,} "
            f"{self._noun} have an outcome, {len(unanswered):,} of those taken have none (.unanswered)"
        )
        failure = BulkStalledError(
            message if cause is None else f"{message}; the latest failure: {cause}",
            answered=answered,
            unanswered=unanswered,
            cause=cause,
        )
        failure.__cause__ = cause
        self._stop(failure)

    def _with_scan(self, taken: list[Any]) -> tuple[Any, ...]:
        """Return *taken*, with what a scan has read and not handed over, in the order of the source."""
        return tuple(taken if self._scan is None else self._scan.unanswered(taken))

    def progress(self) -> Progress:
        """Return the state of the run."""
        stall = self._stall
        return self._counts.progress(stall.since, stall.paused_until if stall.is_on else None)

    def _stall_changed(self) -> None:
        if self._observer is None or self._closed:
            return
        try:
            self._observer(self.progress())
        except Exception as error:  # noqa: BLE001 - whatever the caller's observer raises is raised from the loop
            self._stop(error)
