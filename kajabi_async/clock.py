"""Time, as something that can be handed in: tests move it, nothing waits for it."""

import asyncio
import time
from typing import Protocol

__all__ = ["Clock", "SystemClock"]


class Clock(Protocol):
    """Where the session manager and bulk runs get the time from."""

    def monotonic(self) -> float:
        """Return seconds that only ever grow, as the event loop counts them."""
        ...

    def time(self) -> float:
        """Return seconds since the epoch."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class SystemClock:
    """The clock of the machine."""

    monotonic = staticmethod(time.monotonic)
    """Return the monotonic time."""

    def time(self) -> float:
        """Return the wall time."""
        return time.time()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)
