"""Our own gate in front of the pool: how many requests are under way, and from when on one may go.

aiohttp's time limits count the wait for a free connection, so its pool must never be where requests queue.
"""

import asyncio
from collections import OrderedDict
from typing import Any, Final

from kajabi_async.errors import ConfigurationError
from kajabi_async.session.clock import Clock
from kajabi_async.session.rate_limit import AdaptiveRate, RateLimit

__all__ = ["Gate", "TooLateError"]

_LONGEST_PAUSE_SECONDS: Final = 600.0
"""What a server says once must not stop a client for good."""


class TooLateError(Exception):
    """The pause that the API asked for outlasts the deadline of who wants to go."""

    def __init__(self, seconds_left: float) -> None:
        super().__init__()
        self.seconds_left = seconds_left


class Gate:
    """First come, first served; deadlines are moments on the monotonic clock."""

    def __init__(self, places: int, rate: RateLimit, clock: Clock) -> None:
        self._places = _Places(_checked_places(places))
        # One at a time asks for its turn, so that nobody holds one that a slower pace would take back.
        self._asking = _Places(1)
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

        TooLateError, at once, where a pause outlasts *deadline*, also one that begins while waiting.
        """
        self._refuse_late(deadline)
        await self._places.enter(deadline)
        try:
            await self._turn(deadline)
        except BaseException:
            self._places.leave()
            raise

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
            raise TooLateError(seconds)
        return max(0.0, seconds)

    def _refuse_late(self, deadline: float | None) -> None:
        now = self._clock.monotonic()
        if deadline is not None and now < self._paused_until and deadline <= self._paused_until:
            raise TooLateError(self._paused_until - now)


class _Places:
    """A number of places and the line before them: one that comes free wakes one who waits, and nobody else.

    Unlike asyncio's semaphore it can tell those in line that waiting has become pointless.
    """

    def __init__(self, number: int) -> None:
        self.free = number
        self._line: OrderedDict[asyncio.Future[None], float | None] = OrderedDict()

    @property
    def waiting(self) -> int:
        return len(self._line)

    async def enter(self, deadline: float | None) -> None:
        if self.free > 0:
            self.free -= 1
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._line[future] = deadline
        try:
            await future
        except BaseException:
            if future in self._line:
                del self._line[future]
            elif _was_given(future):
                # The place came in the same moment as the cancellation.
                self.leave()
            raise

    def leave(self) -> None:
        while self._line:
            future, _ = self._line.popitem(last=False)
            if not future.done():
                future.set_result(None)
                return
        self.free += 1

    def refuse_late(self, until: float, now: float) -> None:
        for future, deadline in self._line.items():
            if deadline is not None and deadline <= until and not future.done():
                future.set_exception(TooLateError(until - now))


def _was_given(future: "asyncio.Future[None]") -> bool:
    return future.done() and not future.cancelled() and future.exception() is None


def _checked_places(places: Any) -> int:
    if isinstance(places, bool) or not isinstance(places, int) or places < 1:
        raise ConfigurationError(f"concurrency must be a whole number of at least 1, got {places!r}")
    return places
