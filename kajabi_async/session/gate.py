"""Our own gate in front of the pool: how many requests are under way, and whether anybody may go at all.

aiohttp's time limits count the wait for a free connection, so its pool must never be where requests queue.
"""

import asyncio

from kajabi_async.errors import ConfigurationError
from kajabi_async.session.clock import Clock

__all__ = ["Gate"]


class Gate:
    """First come, first served; a waiter that is cancelled gives its place back."""

    def __init__(self, places: int, clock: Clock) -> None:
        if isinstance(places, bool) or places < 1:
            raise ConfigurationError(f"concurrency must be a whole number of at least 1, got {places!r}")
        self._places = asyncio.Semaphore(places)
        self._clock = clock
        self._closed_until = 0.0

    def pause_until(self, moment: float) -> None:
        """Let nobody through before *moment* on the monotonic clock; an earlier pause is never shortened."""
        self._closed_until = max(self._closed_until, moment)

    @property
    def is_paused(self) -> bool:
        """Whether somebody who comes now would have to wait for a pause to end."""
        return self._closed_until > 0.0 and self._closed_until > self._clock.monotonic()

    @property
    def is_open(self) -> bool:
        """Whether somebody who comes now need not wait."""
        return not self._places.locked() and not self.is_paused

    async def enter(self) -> None:
        """Wait for a place and for the end of a pause; `leave` gives the place back."""
        await self._places.acquire()
        try:
            while self.is_paused:
                await self._clock.sleep(self._closed_until - self._clock.monotonic())
        except BaseException:
            self._places.release()
            raise

    def leave(self) -> None:
        """Give a place back."""
        self._places.release()
