"""Waiting for the end of what concerns the client: pauses, outages, broken connections, a failing token endpoint.

Many pieces of work share one `Stall`. The first that fails in such a way keeps all of them from starting more. Then
one at a time is tried again, after gaps that grow and are never shorter than a pause that the API asked for; the first
answer of any kind lets all go on. A piece of work that fails again and again while others are answered has failed by
itself. Which failures these are stands in `kajabi_async.passing`.
"""

import asyncio
import math
import random
import weakref
from collections.abc import Awaitable, Callable
from typing import Any, Final, Protocol, TypeVar

from kajabi_async.checks import number
from kajabi_async.clock import Clock, SystemClock
from kajabi_async.errors import AuthenticationError, ClientClosedError, KajabiError
from kajabi_async.passing import (
    ends_everything,
    is_by_the_application,
    is_passing,
    may_be_of_the_resource,
    pause_asked_for,
)
from kajabi_async.structs import Struct

__all__ = ["PATIENCE_SECONDS", "Stall", "Stalls", "Trial", "Waiting", "checked_patience"]

T = TypeVar("T")

PATIENCE_SECONDS: Final = 600.0
"""The default time that a run goes on without any answer."""

FIRST_GAP_SECONDS: Final = 0.5
LONGEST_GAP_SECONDS: Final = 30.0
LONGEST_BACKOFF_SECONDS: Final = 8.0
"""The longest wait before one piece of work is tried again while others are answered."""
LEAST_TRIES: Final = 4
"""The least number of failures of a piece of work, while others are answered, that are its outcome."""
MOST_TRIES: Final = 40
_BY_CHANCE: Final = 1e-7
"""The accepted chance of a wrong outcome if failures hit at random: the more of them, the more tries are made."""
_FEW_FAILURES: Final = 10
_MOST_REFUSALS: Final = 2
"""The number of new tokens in a row, after the first, that are rejected before that ends the run."""
_LONGEST_WATCH_SECONDS: Final = 3600.0


class Trial(Struct):
    """The state of one piece of work that has failed and is tried again."""

    tries: int = 0
    is_probe: bool = False
    """Whether its latest try was the one that finds out whether the stall is over."""
    probes: int = 0
    """The number of such tries."""
    own: int = 0
    """The number of failures after others had been answered since the one before."""
    answers: int = -1
    """The number of answers at its latest failure."""
    is_doubtful: bool = False
    """Whether its latest failure may concern it alone."""
    is_comparing: bool = False
    """Whether it is trying something else to compare with, whose failure is not its own."""


class Waiting(Protocol):
    """What waits for long, and ends when its client is closed."""

    def end(self, reason: Exception, /) -> None:
        """End all waiting with *reason*, if anything waits."""
        ...


class Stalls:
    """The stalls of one client and its other long waits, which end when it is closed: a pause may be long."""

    def __init__(self) -> None:
        self._all: weakref.WeakSet[Waiting] = weakref.WeakSet()

    def add(self, waiting: Waiting) -> None:
        """Add *waiting*, as long as it exists."""
        self._all.add(waiting)

    def end(self) -> None:
        """End all waiting with ClientClosedError."""
        for stall in tuple(self._all):
            stall.end(ClientClosedError("the client was closed while this waited for an outage to be over"))


class Stall:
    """Lets the work of one run go on, or wait for the end of a failure that concerns the client."""

    def __init__(
        self,
        patience: float = PATIENCE_SECONDS,
        clock: Clock | None = None,
        *,
        changed: Callable[[], None] | None = None,
        gave_up: Callable[[Exception | None], None] | None = None,
        is_busy: Callable[[], bool] | None = None,
        among: Stalls | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """Give up after *patience* seconds without an answer, while *is_busy*, and call *gave_up* with None.

        If all waiting ends for another reason, such as the end of the `Stalls` that it is *among*, *gave_up* is called
        with that. *changed* is called when a stall starts, when the API asks for a pause, and when all go on.
        """
        self.is_on = False
        """Whether no more work may be started."""
        self.answers = 0
        self.cause: KajabiError | None = None
        """The latest failure that concerned the client."""
        self.has_given_up = False
        self._reason: Exception | None = None
        self._patience = patience
        self._clock = clock or SystemClock()
        self._monotonic = self._clock.monotonic
        self.changed = changed
        self._gave_up, self._is_busy = gave_up, is_busy
        self._jitter = jitter
        self._latest = self._monotonic()
        self._paused_seconds = 0.0
        self._paused_until = -math.inf
        self._started_at = 0.0
        self._is_announced = False
        self._gap = FIRST_GAP_SECONDS
        self._probe_at = 0.0
        self._failed_first = self._answered_late = self._refusals = 0
        self._over = asyncio.Event()
        self._over.set()
        if among is not None:
            among.add(self)
        self._joined, self._reported = asyncio.Event(), asyncio.Event()
        self._queue: dict[asyncio.Future[None], None] = {}
        self._failing: set[Trial] = set()
        self._driver: asyncio.Task[None] | None = None
        self._watcher: asyncio.Task[None] | None = None

    @property
    def tasks(self) -> "list[asyncio.Task[Any]]":
        """Its running tasks, for the caller that ends the run to cancel and await."""
        return [task for task in (self._driver, self._watcher) if task is not None and not task.done()]

    @property
    def since(self) -> float | None:
        """The start of the stall, in seconds since the epoch; None without one, and before it is announced."""
        return self._started_at if self.is_on and self._is_announced else None

    @property
    def paused_until(self) -> float | None:
        """The end of the pause that the API asked for, in seconds since the epoch; None without one."""
        left = self._paused_until - self._monotonic()
        return self._clock.time() + left if left > 0 else None

    def watch(self) -> None:
        """Watch for silence, which no failure reports."""
        self.began()
        self._watcher = asyncio.get_running_loop().create_task(self._watch(), name="kajabi_async patience")

    def began(self) -> None:
        """Note that work starts after there was none: patience counts from now."""
        self._latest = max(self._latest, self._monotonic())

    def answered(self) -> None:
        """Note an answer of any kind: the API can be reached."""
        self.answers += 1
        self._refusals = 0
        now = self._latest = self._monotonic()
        if self.is_on and now >= self._paused_until:
            self._go_on()

    def compared(self) -> None:
        """Note an answer to a try that was only made to compare with."""
        self._answered_late += 1
        self.answered()

    def failed(self, error: KajabiError, trial: Trial) -> None:
        """Note that the piece of work of *trial* failed with *error*, which concerns the client."""
        self.cause = error
        now = self._monotonic()
        self._failing.add(trial)
        if trial.tries == 1 and trial.is_doubtful:
            self._failed_first += 1
        pause = pause_asked_for(error)
        if not self.is_on:
            self.is_on, self._is_announced = True, pause is not None
            self._started_at = self._clock.time()
            self._over.clear()
            self._probe_at = now + self._next_gap()
            if self._driver is None or self._driver.done():
                self._driver = asyncio.get_running_loop().create_task(self._driven(), name="kajabi_async stall")
        if pause is not None:
            self._pause(now, pause)

    def is_for_good(self, trial: Trial, error: KajabiError) -> bool:
        """Note *error*, and return whether it ends everything that shares the stall.

        A resource that rejects tokens ends it after some more of them, without an answer of another kind.
        """
        if ends_everything(error) or not isinstance(error, AuthenticationError):
            return ends_everything(error)
        # With a single attempt it was the old token, which may have expired.
        self._refusals += trial.is_probe and error.attempts > 1
        return self._refusals >= _MOST_REFUSALS

    def is_own(self, trial: Trial, error: KajabiError, *, is_alone: bool) -> bool:
        """Note that a try failed, and return whether *error* is the outcome of the piece of work.

        It is after some failures between which others were answered. If the work *is_alone*, with nothing to compare
        it with, it is after as many failures that the API itself answered with.
        """
        if trial.is_comparing:
            trial.is_comparing = False
            return False
        trial.tries += 1
        trial.is_doubtful = may_be_of_the_resource(error)
        if not trial.is_doubtful:
            return False
        if self.answers > trial.answers:
            trial.own += 1
        trial.answers = self.answers
        return trial.own >= self._tries_needed() or (
            is_alone and trial.tries >= LEAST_TRIES and is_by_the_application(error)
        )

    def done(self, trial: Trial) -> None:
        """Note that *trial* has ended, in any way."""
        self._answered_late += trial.tries > 0
        self._failing.discard(trial)
        self._joined.set()

    async def over(self) -> None:
        """Wait for the end of the stall."""
        await self._over.wait()

    async def again(self, trial: Trial, act: Callable[[], Awaitable[T]]) -> T:
        """Await ``act()`` after a backoff and, during a stall, when *trial* may find out whether it is over.

        The latest failure is raised if patience ends before.
        """
        trial.is_probe = await self._wait(trial)
        try:
            return await act()
        finally:
            if trial.is_probe:
                self._reported.set()

    async def persist(self, act: Callable[[], Awaitable[T]]) -> T:
        """Await ``act()`` again while its failures pass; raise its own failure, or the latest when patience ends."""
        if self._is_busy is None and not self.is_on:
            self.began()
        trial = Trial()
        try:
            while True:
                try:
                    result = await (self.again(trial, act) if trial.tries or self.is_on else act())
                except KajabiError as error:
                    if self.is_for_good(trial, error) or self.has_given_up:
                        raise
                    if not is_passing(error) or self.is_own(trial, error, is_alone=True):
                        self.answered()
                        raise
                    self.failed(error, trial)
                else:
                    self.answered()
                    return result
        finally:
            self.done(trial)

    def give_up(self, defect: Exception | None = None) -> None:
        """End all waiting with the latest failure, or with the *defect* that is the reason."""
        if self.has_given_up:
            return
        self.has_given_up = True
        self._reason = defect or self.cause
        if self._gave_up is not None:
            self._gave_up(defect)
        self._over.set()
        for waiting in self._queue:
            if not waiting.done():
                assert self._reason is not None  # noqa: S101 - the queue is empty before the first failure
                waiting.set_exception(self._reason)

    def end(self, reason: Exception) -> None:
        """End all waiting with *reason*, if anything waits."""
        if self.is_on or self._failing:
            self.give_up(reason)

    def close(self) -> None:
        """Cancel its tasks; call it in the thread of the event loop."""
        for task in self.tasks:
            task.cancel()

    def _go_on(self) -> None:
        was_announced, self.is_on, self._is_announced = self._is_announced, False, False
        self._paused_seconds = 0.0
        self._gap = FIRST_GAP_SECONDS
        self._over.set()
        for waiting in self._queue:
            if not waiting.done():
                waiting.set_result(None)
        if self._driver is not None:
            self._driver.cancel()
            self._driver = None
        if was_announced and self.changed is not None:
            self.changed()

    def _pause(self, now: float, seconds: float) -> None:
        until = now + seconds
        if until > self._paused_until:
            self._paused_seconds += until - max(now, self._paused_until)
            self._paused_until = until
            # With jitter, so that clients do not all come back in the same instant.
            self._probe_at = max(self._probe_at, until + self._jitter() * min(1.0, FIRST_GAP_SECONDS))
            self._announce()

    def _announce(self) -> None:
        self._is_announced = True
        if self.changed is not None:
            self.changed()

    def _next_gap(self) -> float:
        gap, self._gap = self._gap, min(2 * self._gap, LONGEST_GAP_SECONDS)
        return gap * (0.5 + 0.5 * self._jitter())

    def _tries_needed(self) -> int:
        if self._failed_first < _FEW_FAILURES:
            return LEAST_TRIES
        share = self._failed_first / (self._failed_first + max(0, self.answers - self._answered_late))
        return min(MOST_TRIES, max(LEAST_TRIES, math.ceil(math.log(_BY_CHANCE) / math.log(min(share, 0.99)))))

    @property
    def _patience_left(self) -> float:
        return self._latest + self._patience + self._paused_seconds - self._monotonic()

    async def _wait(self, trial: Trial) -> bool:
        """Wait until *trial* may be tried again, and return whether it finds out whether the stall is over."""
        if trial.tries and not self.has_given_up:
            backoff = min(LONGEST_BACKOFF_SECONDS, FIRST_GAP_SECONDS * 2 ** max(0, trial.own - 1))
            await self._clock.sleep(self._jitter() * min(backoff, max(0.0, self._patience_left)))
        if self.has_given_up and self._reason is not None:
            raise self._reason
        if not self.is_on:
            return False
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue[waiting] = None
        self._joined.set()
        try:
            await waiting
        except BaseException:
            if waiting not in self._queue and self.is_on:
                # The permission and the cancellation came in the same moment.
                self._reported.set()
            raise
        finally:
            self._queue.pop(waiting, None)
        trial.probes += self.is_on
        return self.is_on

    async def _driven(self) -> None:
        try:
            await self._drive()
        except Exception as error:  # noqa: BLE001 - it comes from the caller's observer and is raised from the run
            self.give_up(error)

    async def _drive(self) -> None:
        """Let one piece of work after the other find out whether the stall is over, until it is or patience ends."""
        while self.is_on:
            while (seconds := self._probe_at - self._monotonic()) > 0:
                if self._patience_left <= 0:
                    break
                await self._clock.sleep(min(seconds, self._patience_left))
            if self._patience_left <= 0:
                self.give_up()
                return
            if not self._is_announced:
                self._announce()
            while not self._queue:
                if not self._failing:
                    # The work that failed has ended in another way, and none is left to try.
                    self._go_on()
                    return
                self._joined.clear()
                await self._joined.wait()
            self._reported.clear()
            waiting = next(iter(self._queue))
            del self._queue[waiting]
            if not waiting.done():
                waiting.set_result(None)
                await self._reported.wait()
            self._probe_at = max(self._probe_at, self._monotonic() + self._next_gap())

    async def _watch(self) -> None:
        while (left := self._patience_left) > 0 or not self._busy():
            if not self._busy():
                left = self._patience
            # In real time: a clock that sleepers move forward must not be moved by this one.
            await asyncio.sleep(min(left, _LONGEST_WATCH_SECONDS))
        self.give_up()

    def _busy(self) -> bool:
        return self._is_busy is None or self._is_busy()


def checked_patience(given: Any) -> float:
    """Return *given* if it is a number above zero, which may be infinite; InvalidArgumentError otherwise."""
    return number(given, of="patience", expected="a positive number of seconds", fits=lambda it: it > 0)
