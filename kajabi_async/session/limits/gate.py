"""Our own gate in front of the pool: how many requests are under way, and from when on one may go.

aiohttp's time limits count the wait for a free connection, so its pool must never be where requests queue.
"""

from typing import Final

from kajabi_async.checks import whole_number
from kajabi_async.clock import Clock
from kajabi_async.concurrency import TooLateError, WaitingLine
from kajabi_async.errors import ConfigurationError
from kajabi_async.session.limits.rate import AdaptiveRate, FixedRate, RateLimit

__all__ = ["Gate", "NoPermitError"]

_LONGEST_PAUSE_SECONDS: Final = 600.0
"""What a server says once must not stop a client for good."""


class NoPermitError(TooLateError):
    """The rate has no permit before the deadline of a request."""


class Gate:
    """First come, first served; deadlines are moments on the monotonic clock."""

    def __init__(self, places: int, rate: RateLimit, clock: Clock) -> None:
        self._number = whole_number(places, of="concurrency", at_most=None, error=ConfigurationError)
        self._places = WaitingLine(self._number)
        # One at a time asks for its turn, so that nobody holds one that a slower pace would take back.
        self._asking = WaitingLine(1)
        self._rate = rate
        self.answered = rate.answered
        """Note, with the moment, that the server bore a request."""
        self.leave = self._places.leave
        """Give a place back."""
        # A rate that others share has to be asked for over the network.
        self._take_at_once = rate.take_at_once if isinstance(rate, AdaptiveRate) else None
        self._clock = clock
        self._paused_until = 0.0

    @property
    def waiting(self) -> int:
        """How many wait for a place."""
        return self._places.waiting

    @property
    def is_open(self) -> bool:
        """Whether somebody who comes now gets a place at once."""
        return self._places.free > 0

    @property
    def is_paused(self) -> bool:
        """Whether nobody is let through just now."""
        return self._clock.monotonic() < self._paused_until

    @property
    def paused_for(self) -> float:
        """Seconds until the end of a pause; 0.0 if there is none."""
        return max(0.0, self._paused_until - self._clock.monotonic())

    def line(self) -> str:
        """Return what the requests in line wait for, with its figure, and what to change."""
        per_second = self.per_second()
        if per_second is None or (self._asking.free and not self._places.free):
            return f"all {self._number} slots are in use: raise concurrency={self._number}, or have fewer calls at once"
        if isinstance(self._rate, FixedRate):
            return f"rate_limit={per_second:g} lets {per_second:g} requests a second go: raise it, or ask for less"
        if isinstance(self._rate, AdaptiveRate):
            return (
                f"the client keeps to the {per_second:.2g} requests a second that it learned from answers 429: ask for "
                "less, or set rate_limit= if you know that the API bears more"
            )
        return f"the limit given as rate_limit= lets {per_second:.2g} requests a second go: raise it, or ask for less"

    def per_second(self) -> float | None:
        """Give the requests a second that may go; None where no limit is known."""
        return self._rate.per_second(self._clock.monotonic())

    def enter_at_once(self, now: float) -> bool:
        """Take a place and one's turn where both are there to be had, and tell whether they were."""
        places = self._places
        if places.free <= 0 or self._asking.free <= 0 or now < self._paused_until:
            return False
        if self._take_at_once is None or self._take_at_once(now) > 0.0:
            return False
        places.free -= 1
        return True

    async def enter(self, deadline: float | None) -> None:
        """Wait for a place and for one's turn; `leave` gives the place back.

        TooLateError, at once, if a pause outlasts *deadline*, also one that begins while waiting; NoPermitError if the
        rate has nothing to give until then.
        """
        self._refuse_late(deadline)
        await self._places.enter(deadline)
        try:
            await self._turn(deadline)
        except BaseException:
            self._places.leave()
            raise

    async def take_permit(self) -> None:
        """Wait for the end of a pause and take a permit of the rate, without a slot: for requests that others wait for.

        The slots may all be held by those others.
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
        """Let nobody through for *seconds*, ten minutes at most; who has no time for that is told at once."""
        now = self._clock.monotonic()
        self._paused_until = max(self._paused_until, now + min(seconds, _LONGEST_PAUSE_SECONDS))
        for places in (self._places, self._asking):
            places.refuse_late(self._paused_until, now)

    async def _turn(self, deadline: float | None) -> None:
        if self._asking.free and not await self._wait(deadline):
            return
        await self._asking.enter(deadline)
        try:
            while seconds := await self._wait(deadline):
                await self._clock.sleep(seconds)
        finally:
            self._asking.leave()

    async def _wait(self, deadline: float | None) -> float:
        """Take a turn, or give the seconds to wait for one."""
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
