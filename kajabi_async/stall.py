"""Waiting out what concerns the client: pauses, outages, broken connections, trouble at the token endpoint.

Many pieces of work share one `Stall`. The first that fails in such a way stops all of them from beginning anything
more. Then one at a time asks again, after gaps that grow and are never shorter than a pause the API asked for; the
first answer of any kind lets all go on. What fails again and again while others are answered has a failure of its own.
"""

import asyncio
import math
import random
import weakref
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

import attrs

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

__all__ = ["PATIENCE_SECONDS", "Stall", "Stalls", "Trial", "checked_patience"]

T = TypeVar("T")

PATIENCE_SECONDS: Final = 600.0
"""How long a run goes without any success before it ends, unless it is told otherwise."""

FIRST_GAP_SECONDS: Final = 0.5
LONGEST_GAP_SECONDS: Final = 30.0
LONGEST_BACKOFF_SECONDS: Final = 8.0
"""Before one piece of work is tried again while others are answered."""
LEAST_TRIES: Final = 4
"""So often a piece of work fails by itself, at least, before that is its outcome."""
MOST_TRIES: Final = 40
_BY_CHANCE: Final = 1e-7
"""The chance of the outcome being wrong where failures hit by chance: more tries are made the more often they do."""
_FEW_FAILURES: Final = 10
_MOST_REFUSALS: Final = 2
"""So many new tokens in a row are refused, after the first, before that is believed to last."""
_LONGEST_WATCH_SECONDS: Final = 3600.0


@attrs.define(eq=False)
class Trial:
    """What is known of one piece of work that has failed and is tried again."""

    tries: int = 0
    is_probe: bool = False
    """Whether its latest try was to find out whether the stall is over."""
    probes: int = 0
    """How often it was the one to find out whether the stall is over."""
    own: int = 0
    """How often it failed after others had been answered since its last failure."""
    answers: int = -1
    """How many answers there were when it last failed."""
    is_doubtful: bool = False
    """Whether its latest failure may be its own."""
    is_comparing: bool = False
    """Whether something else is asked for in its turn just now, whose failure is not its own."""


class Stalls:
    """The stalls of one client, which end with it: a pause may have an hour to go."""

    def __init__(self) -> None:
        self._all: weakref.WeakSet[Stall] = weakref.WeakSet()
        self.add = self._all.add

    def end(self) -> None:
        """End all waiting with ClientClosedError."""
        for stall in tuple(self._all):
            stall.end(ClientClosedError("the client was closed while this waited for an outage to be over"))


class Stall:
    """Whether all wait, for whom, and until when; one for each run."""

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
        """Wait for *patience* seconds without an answer, while *is_busy*, then call *gave_up* with None.

        If all waiting is ended for another reason, *gave_up* is called with that; `Stalls` that it is *among* may.
        *changed* is called when the stall begins, when a pause is asked for, and when all go on.
        """
        self.is_on = False
        """Whether nothing more is to be begun just now."""
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
        self._began_at = 0.0
        self._is_told = False
        self._gap = FIRST_GAP_SECONDS
        self._probe_at = 0.0
        self._failed_first = self._answered_late = self._refusals = 0
        self._over = asyncio.Event()
        self._over.set()
        if among is not None:
            among.add(self)
        self._joined, self._reported = asyncio.Event(), asyncio.Event()
        self._line: dict[asyncio.Future[None], None] = {}
        self._held: set[Trial] = set()
        self._driver: asyncio.Task[None] | None = None
        self._watcher: asyncio.Task[None] | None = None

    @property
    def tasks(self) -> "list[asyncio.Task[Any]]":
        """The tasks that belong to it, to be cancelled and awaited by whoever ends the run."""
        return [task for task in (self._driver, self._watcher) if task is not None and not task.done()]

    @property
    def since(self) -> float | None:
        """When the stall began, in seconds since the epoch; None if there is none, or it may be over in a moment."""
        return self._began_at if self.is_on and self._is_told else None

    @property
    def paused_until(self) -> float | None:
        """When the pause that the API asked for is over, in seconds since the epoch; None if there is none."""
        left = self._paused_until - self._monotonic()
        return self._clock.time() + left if left > 0 else None

    def watch(self) -> None:
        """Begin to watch for silence, which no failure tells of."""
        self.began()
        self._watcher = asyncio.get_running_loop().create_task(self._watch(), name="kajabi_async patience")

    def began(self) -> None:
        """Note that something is asked for after nothing was: patience counts from now."""
        self._latest = max(self._latest, self._monotonic())

    def answered(self) -> None:
        """Note an answer, of whatever kind: the way to the API is open."""
        self.answers += 1
        self._refusals = 0
        now = self._latest = self._monotonic()
        if self.is_on and now >= self._paused_until:
            self._go_on()

    def compared(self) -> None:
        """Note an answer to what was asked for to compare with, which is no first try of anything."""
        self._answered_late += 1
        self.answered()

    def failed(self, error: KajabiError, trial: Trial) -> None:
        """Note that *error*, which concerns the client, hit the piece of work that *trial* is about."""
        self.cause = error
        now = self._monotonic()
        self._held.add(trial)
        if trial.tries == 1 and trial.is_doubtful:
            self._failed_first += 1
        asked = pause_asked_for(error)
        if not self.is_on:
            self.is_on, self._is_told = True, asked is not None
            self._began_at = self._clock.time()
            self._over.clear()
            self._probe_at = now + self._next_gap()
            if self._driver is None or self._driver.done():
                self._driver = asyncio.get_running_loop().create_task(self._driven(), name="kajabi_async stall")
        if asked is not None:
            self._pause(now, asked)

    def is_for_good(self, trial: Trial, error: KajabiError) -> bool:
        """Note *error*, and return whether nothing that shares the stall can escape it.

        A resource that refuses tokens is believed after some more of them, without an answer of another kind.
        """
        if ends_everything(error) or not isinstance(error, AuthenticationError):
            return ends_everything(error)
        # With a single attempt it was the token of before, which may have ended.
        self._refusals += trial.is_probe and error.attempts > 1
        return self._refusals >= _MOST_REFUSALS

    def is_own(self, trial: Trial, error: KajabiError, *, is_alone: bool) -> bool:
        """Note that a try failed, and tell whether *error* is what the piece of work comes to.

        It is after some failures in between which others were answered; and where it *is_alone*, with nothing to
        compare it with, after as many that the API itself answered with.
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
        """Note that *trial* has come to its end, in whatever way."""
        self._answered_late += trial.tries > 0
        self._held.discard(trial)
        self._joined.set()

    async def over(self) -> None:
        """Wait until there is no stall."""
        await self._over.wait()

    async def again(self, trial: Trial, act: Callable[[], Awaitable[T]]) -> T:
        """Await ``act()`` after a while and, during a stall, when it is the turn of *trial*.

        The latest failure is raised if patience ends before that.
        """
        trial.is_probe = await self._turn(trial)
        try:
            return await act()
        finally:
            if trial.is_probe:
                self._reported.set()

    async def persist(self, act: Callable[[], Awaitable[T]]) -> T:
        """Await ``act()``, again where it fails in a way that passes; raise what is its own, or patience ends with."""
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
                    if not is_passing(error):
                        self.answered()
                        raise
                    if self.is_own(trial, error, is_alone=True):
                        self.answered()
                        raise
                    self.failed(error, trial)
                else:
                    self.answered()
                    return result
        finally:
            self.done(trial)

    def give_up(self, defect: Exception | None = None) -> None:
        """End all waiting: who waits gets the latest failure, or the *defect* that is the reason."""
        if self.has_given_up:
            return
        self.has_given_up = True
        self._reason = defect or self.cause
        if self._gave_up is not None:
            self._gave_up(defect)
        self._over.set()
        for waiting in self._line:
            if not waiting.done():
                assert self._reason is not None  # noqa: S101 - nobody stands in line before a failure
                waiting.set_exception(self._reason)

    def end(self, reason: Exception) -> None:
        """End all waiting with *reason*, if anything waits."""
        if self.is_on or self._held:
            self.give_up(reason)

    def close(self) -> None:
        """Cancel its tasks; to be called where the event loop runs."""
        for task in self.tasks:
            task.cancel()

    def _go_on(self) -> None:
        was_told, self.is_on, self._is_told = self._is_told, False, False
        self._paused_seconds = 0.0
        self._gap = FIRST_GAP_SECONDS
        self._over.set()
        for waiting in self._line:
            if not waiting.done():
                waiting.set_result(None)
        if self._driver is not None:
            self._driver.cancel()
            self._driver = None
        if was_told and self.changed is not None:
            self.changed()

    def _pause(self, now: float, seconds: float) -> None:
        until = now + seconds
        if until > self._paused_until:
            self._paused_seconds += until - max(now, self._paused_until)
            self._paused_until = until
            # A little on top, so that not everyone comes back in the same instant.
            self._probe_at = max(self._probe_at, until + self._jitter() * min(1.0, FIRST_GAP_SECONDS))
            self._tell()

    def _tell(self) -> None:
        self._is_told = True
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

    async def _turn(self, trial: Trial) -> bool:
        """Wait until *trial* may be tried again, and tell whether it is the one that finds out about the stall."""
        if trial.tries and not self.has_given_up:
            backoff = min(LONGEST_BACKOFF_SECONDS, FIRST_GAP_SECONDS * 2 ** max(0, trial.own - 1))
            await self._clock.sleep(self._jitter() * min(backoff, max(0.0, self._patience_left)))
        if self.has_given_up and self._reason is not None:
            raise self._reason
        if not self.is_on:
            return False
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._line[waiting] = None
        self._joined.set()
        try:
            await waiting
        except BaseException:
            if waiting not in self._line and self.is_on:
                # The turn came in the same moment as the cancellation.
                self._reported.set()
            raise
        finally:
            self._line.pop(waiting, None)
        trial.probes += self.is_on
        return self.is_on

    async def _driven(self) -> None:
        try:
            await self._drive()
        except Exception as error:  # noqa: BLE001 - an observer of the caller's, whose error is to reach the caller
            self.give_up(error)

    async def _drive(self) -> None:
        """Let one after the other ask whether the stall is over, until it is or patience ends."""
        while self.is_on:
            while (seconds := self._probe_at - self._monotonic()) > 0:
                if self._patience_left <= 0:
                    break
                await self._clock.sleep(min(seconds, self._patience_left))
            if self._patience_left <= 0:
                self.give_up()
                return
            if not self._is_told:
                self._tell()
            while not self._line:
                if not self._held:
                    # What failed came to its end in another way, and nobody is left to ask.
                    self._go_on()
                    return
                self._joined.clear()
                await self._joined.wait()
            self._reported.clear()
            waiting = next(iter(self._line))
            del self._line[waiting]
            if not waiting.done():
                waiting.set_result(None)
                await self._reported.wait()
            self._probe_at = max(self._probe_at, self._monotonic() + self._next_gap())

    async def _watch(self) -> None:
        while (left := self._patience_left) > 0 or not self._busy():
            if not self._busy():
                left = self._patience
            # In real time: nothing but silence needs it, and a clock that is moved by sleepers is not to be moved.
            await asyncio.sleep(min(left, _LONGEST_WATCH_SECONDS))
        self.give_up()

    def _busy(self) -> bool:
        return self._is_busy is None or self._is_busy()


def checked_patience(given: Any) -> float:
    """Return *given* if it is a number above zero, which may be infinite; InvalidArgumentError otherwise."""
    return number(given, of="patience", expected="a positive number of seconds", fits=lambda it: it > 0)
