"""The gate in front of the pool: how many requests are under way, and when the next may go.

Calls come before the lookups of runs, at the slots and at the permits: a web app's call does not wait behind a bulk run
in the same client. aiohttp's time limits count the wait for a free connection, so requests must never queue in its
pool.
"""

from typing import Final

from kajabi_async.checks import whole_number
from kajabi_async.clock import Clock
from kajabi_async.concurrency import TooLateError, Waiters
from kajabi_async.errors import ConfigurationError
from kajabi_async.session.limits.rate import RateLimit, as_rate
from kajabi_async.session.limits.slots import MOST_PASSED, Slots

__all__ = ["Gate", "NoPermitError"]

_LONGEST_PAUSE_SECONDS: Final = 600.0
"""The longest pause that one answer can cause."""


class NoPermitError(TooLateError):
    """The rate has no permit before the deadline of a request."""


class Gate:
    """First come, first served, calls before the lookups of runs; deadlines are moments on the monotonic clock.

    Of the requests that wait for a permit, one asks for permits and passes them on: a permit taken early by each would
    be lost when the rate drops, and a call must not wait for a permit that a lookup was about to get.
    """

    def __init__(self, slots: int, rate_limit: float | RateLimit | None, clock: Clock) -> None:
        self.slots = whole_number(slots, of="concurrency", at_most=None, error=ConfigurationError)
        self._slots = Slots(self.slots)
        self._calls: Waiters[bool] = Waiters()
        """Calls that wait for a permit; woken with True they have one, with False they are to ask for it."""
        self._lookups: Waiters[bool] = Waiters()
        """The same for lookups of runs."""
        self._asking: Waiters[bool] | None = None
        """The queue that the request comes from that asks for permits; None if no request waits for one."""
        self._passed = 0
        """How many calls got a permit in a row while others waited."""
        self._rate = as_rate(rate_limit)
        # Bound here, as every request calls some of them: that saves a call each.
        self._take_at_once = self._rate.take_at_once
        self.answered = self._rate.answered
        """Note, with the moment, an answer other than 429."""
        self.leave = self._slots.leave
        """Return the slot of a call."""
        self.leave_for_run = self._slots.leave_for_run
        """Return the slot of a lookup of a run."""
        self._clock = clock
        self._paused_until = 0.0

    @property
    def waiting(self) -> int:
        """The number of requests that wait for a slot."""
        return self._slots.waiting

    @property
    def is_open(self) -> bool:
        """Whether a slot is free for a call."""
        return self._slots.any_free

    @property
    def has_calls(self) -> bool:
        """Whether calls were made lately, as far as runs have noticed: slots are kept for them."""
        return self._slots.kept > 0

    @property
    def is_paused(self) -> bool:
        """Whether a pause keeps all requests back."""
        return self._clock.monotonic() < self._paused_until

    def paused_for(self) -> float:
        """Return the seconds until the end of a pause; 0.0 if there is none."""
        return max(0.0, self._paused_until - self._clock.monotonic())

    def line(self) -> str:
        """Return what the requests in the queue wait for, with its figure, and what to change."""
        per_second = self.per_second()
        if per_second is None or (self._asking is None and not self._slots.any_free):
            return f"all {self.slots} slots are in use: raise concurrency={self.slots}, or have fewer calls at once"
        return self._rate.advice(per_second)

    def per_second(self) -> float | None:
        """Return the requests a second that may go; None if no limit is known."""
        return self._rate.per_second(self._clock.monotonic())

    def enter_at_once(self, now: float) -> bool:
        """Take a slot and a permit for a call if both are free, and return whether they were."""
        slots = self._slots
        if (slots.kept <= 0 and slots.free <= 0) or now < self._paused_until:
            return False
        if self._asking is not None:
            if not self._may_ask(self._calls):
                return False
            self._passed += 1
        if self._take_at_once(now) > 0.0:
            return False
        if slots.kept > 0:
            slots.kept -= 1
            if slots.kept < slots.unneeded:  # noqa: PLR1730 - min() would be a call for every request
                slots.unneeded = slots.kept
        else:
            slots.free -= 1
        return True

    def enter_run_at_once(self, now: float) -> bool:
        """Take a slot and a permit for a lookup of a run if both are free, and return whether they were."""
        slots = self._slots
        if slots.free <= 0 or self._asking is not None or now < self._paused_until:
            return False
        if self._take_at_once(now, True) > 0.0:
            return False
        slots.free -= 1
        slots.in_runs += 1
        return True

    async def enter(self, deadline: float | None) -> None:
        """Wait for a slot and a permit for a call; `leave` returns the slot.

        TooLateError, at once, if a pause outlasts *deadline*, also one that begins during the wait; NoPermitError if
        the rate has no permit before that moment.
        """
        self._refuse_late(deadline)
        await self._slots.enter(deadline)
        try:
            await self._take_permit_in_turn(deadline, self._calls)
        except BaseException:
            self._slots.leave()
            raise

    async def enter_for_run(self) -> None:
        """Wait for a slot and a permit for a lookup of a run, however long; `leave_for_run` returns the slot."""
        await self._slots.enter_for_run(self._clock.monotonic())
        try:
            await self._take_permit_in_turn(None, self._lookups)
        except BaseException:
            self._slots.leave_for_run()
            raise

    async def take_permit(self) -> None:
        """Wait for the end of a pause and take a permit of the rate, without a slot.

        For requests that others wait for: those others may hold all slots.
        """
        while seconds := await self._wait(None, spares=False):
            await self._clock.sleep(seconds)

    def refused(self, retry_after: float | None) -> None:
        """Note an answer 429 and keep to the pause it asks for, for ten minutes at most."""
        pause = None if retry_after is None else min(retry_after, _LONGEST_PAUSE_SECONDS)
        self._rate.refused(self._clock.monotonic(), pause)
        if pause:
            self.pause(pause)

    def pause(self, seconds: float) -> None:
        """Keep all requests back for *seconds*, ten minutes at most; those with less time end at once."""
        now = self._clock.monotonic()
        self._paused_until = max(self._paused_until, now + min(seconds, _LONGEST_PAUSE_SECONDS))
        for queue in (self._slots, self._calls):
            queue.refuse_late(self._paused_until, now)

    async def _take_permit_in_turn(self, deadline: float | None, queue: Waiters[bool]) -> None:
        if self._may_ask(queue) and not await self._wait(deadline, spares=self._spares(queue)):
            self._passed += self._asking is not None
            return
        if self._asking is not None and await queue.wait(deadline, self._hand_back):
            return
        self._asking = queue
        try:
            while True:
                if seconds := await self._wait(deadline, spares=self._spares(queue)):
                    await self._clock.sleep(seconds)
                elif not self._pass_on(queue):
                    return
        finally:
            self._let_next_ask()

    def _may_ask(self, queue: Waiters[bool]) -> bool:
        """Return whether a request of *queue* may ask for a permit although another one does so."""
        asking = self._asking
        if asking is None:
            return True
        return queue is self._calls and asking is self._lookups and not self._calls and self._passed < MOST_PASSED

    def _spares(self, queue: Waiters[bool]) -> bool:
        """Return whether a permit for *queue* is to leave some for calls that come later."""
        return queue is self._lookups and not self._calls and self._passed < MOST_PASSED

    def _pass_on(self, queue: Waiters[bool]) -> bool:
        """Pass the permit of a request of *queue* on to one that comes before it, and return whether there is one."""
        is_turn_of_run = self._passed >= MOST_PASSED
        if queue is self._lookups:
            if self._calls and not is_turn_of_run and self._calls.wake(True):
                self._passed += 1
                return True
            self._passed = 0
            return False
        if is_turn_of_run and self._lookups.wake(True):
            self._passed = 0
            return True
        self._passed = self._passed + 1 if self._lookups else 0
        return False

    def _hand_back(self, has_permit: bool) -> None:
        """Pass on what a request was woken with that was cancelled in the same moment."""
        if not has_permit:
            self._let_next_ask()
        elif not self._calls.wake(True):
            self._lookups.wake(True)

    def _let_next_ask(self) -> None:
        first, other = self._calls, self._lookups
        self._asking = first if first.wake(False) else other if other.wake(False) else None

    async def _wait(self, deadline: float | None, *, spares: bool) -> float:
        """Take a permit, or return the seconds to wait for one; if it *spares* some, they are left for calls."""
        self._refuse_late(deadline)
        now = self._clock.monotonic()
        if now < self._paused_until:
            seconds = self._paused_until - now
        elif spares:
            seconds = await self._rate.take_for_run(now)
        else:
            seconds = await self._rate.take(now)
        if seconds > 0.0 and deadline is not None and now + seconds >= deadline:
            raise NoPermitError(seconds)
        return max(0.0, seconds)

    def _refuse_late(self, deadline: float | None) -> None:
        now = self._clock.monotonic()
        if deadline is not None and now < self._paused_until and deadline <= self._paused_until:
            raise TooLateError(self._paused_until - now)
