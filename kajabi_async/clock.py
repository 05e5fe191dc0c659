"""The clock of a client, which tests replace by one that they move."""

import asyncio
import time
from typing import Protocol

__all__ = ["Clock", "SystemClock"]


class Clock(Protocol):
    """The source of time for the session manager and bulk runs."""

    def monotonic(self) -> float:
        """Return monotonic seconds, as the event loop counts them."""
        ...

    def time(self) -> float:
        """Return seconds since the epoch."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait for *seconds*."""
        ...


class SystemClock:
    """The clock of the machine."""

    monotonic = staticmethod(time.monotonic)
    """Return the monotonic time."""

    def time(self) -> float:
        """Return the wall time."""
        return time.time()

    async def sleep(self, seconds: float) -> None:
        """Wait for *seconds*."""
        await asyncio.sleep(seconds)
