"""The gate in front of the pool: how many requests are under way, and when the next may go.

aiohttp's time limits count the wait for a free connection, so requests must never queue in its pool.
"""

from typing import Final

from kajabi_async.checks import whole_number
from kajabi_async.clock import Clock
from kajabi_async.concurrency import TooLateError, WaitingLine
from kajabi_async.errors import ConfigurationError
from kajabi_async.session.limits.rate import RateLimit, as_rate

__all__ = ["Gate", "NoPermitError"]

_LONGEST_PAUSE_SECONDS: Final = 600.0
"""The longest pause that one answer can cause."""


class NoPermitError(TooLateError):
    """The rate has no permit before the deadline of a request."""


class Gate:
    """First come, first served; deadlines are moments on the monotonic clock."""

    def __init__(self, slots: int, rate_limit: float | RateLimit | None, clock: Clock) -> None:
        self.slots = whole_number(slots, of="concurrency", at_most=None, error=ConfigurationError)
        self._slots = WaitingLine(self.slots)
        # One request at a time waits for a permit: a permit taken early would be lost when the rate drops.
        self._permit_queue = WaitingLine(1)
        self._rate = as_rate(rate_limit)
        # Bound here, as every request calls all three: that saves a call each.
        self._take_at_once = self._rate.take_at_once
        self.answered = self._rate.answered
        """Note, with the moment, an answer other than 429."""
        self.leave = self._slots.leave
        """Return a slot."""
        self._clock = clock
        self._paused_until = 0.0

    @property
    def waiting(self) -> int:
        """The number of requests that wait for a slot."""
        return self._slots.waiting

    @property
    def is_open(self) -> bool:
        """Whether a slot is free."""
        return self._slots.free > 0

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
        if per_second is None or (self._permit_queue.free and not self._slots.free):
            return f"all {self.slots} slots are in use: raise concurrency={self.slots}, or have fewer calls at once"
        return self._rate.advice(per_second)

    def per_second(self) -> float | None:
        """Return the requests a second that may go; None if no limit is known."""
        return self._rate.per_second(self._clock.monotonic())

    def enter_at_once(self, now: float) -> bool:
        """Take a slot and a permit if both are free, and return whether they were."""
        slots = self._slots
        if slots.free <= 0 or self._permit_queue.free <= 0 or now < self._paused_until:
            return False
        if self._take_at_once(now) > 0.0:
            return False
        slots.free -= 1
        return True

    async def enter(self, deadline: float | None) -> None:
        """Wait for a slot and a permit; `leave` returns the slot.

        TooLateError, at once, if a pause outlasts *deadline*, also one that begins during the wait; NoPermitError if
        the rate has no permit before that moment.
        """
        self._refuse_late(deadline)
        await self._slots.enter(deadline)
        try:
            await self._take_permit_in_turn(deadline)
        except BaseException:
            self._slots.leave()
            raise

    async def take_permit(self) -> None:
        """Wait for the end of a pause and take a permit of the rate, without a slot.

        For requests that others wait for: those others may hold all slots.
        """
        while seconds := await self._wait(None):
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
        for queue in (self._slots, self._permit_queue):
            queue.refuse_late(self._paused_until, now)

    async def _take_permit_in_turn(self, deadline: float | None) -> None:
        if self._permit_queue.free and not await self._wait(deadline):
            return
        await self._permit_queue.enter(deadline)
        try:
            while seconds := await self._wait(deadline):
                await self._clock.sleep(seconds)
        finally:
            self._permit_queue.leave()

    async def _wait(self, deadline: float | None) -> float:
        """Take a permit, or return the seconds to wait for one."""
        self._refuse_late(deadline)
        now = self._clock.monotonic()
        seconds = self._paused_until - now if now < self._paused_until else await self._rate.take(now)
        if seconds > 0.0 and deadline is not None and now + seconds >= deadline:
            raise NoPermitError(seconds)
        return max(0.0, seconds)

    def _refuse_late(self, deadline: float | None) -> None:
        now = self._clock.monotonic()
        if deadline is not None and now < self._paused_until and deadline <= self._paused_until:
            raise TooLateError(self._paused_until - now)
