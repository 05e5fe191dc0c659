"""Long work in short slices, between which the event loop runs what else is ready."""

import asyncio
import time
from collections.abc import Iterator
from typing import Final

__all__ = ["Slices"]

_SECONDS: Final = 0.005
"""The time for slices in one iteration of the event loop; the step that is under way then still ends."""


class Slices:
    """Runs work in slices that share the time of an iteration of the event loop, however much work is under way."""

    def __init__(self, closing: asyncio.Event) -> None:
        """Start without work; drop it once *closing* is set."""
        self._closing = closing
        self._turn = asyncio.Lock()
        self._end: float | None = None
        """The end of the time in this iteration; None before its first slice."""

    async def run(self, work: Iterator[None]) -> bool:
        """Exhaust *work* and return True, False once the fake is closing.

        Nothing else runs between the last step and the caller.
        """
        while not self._closing.is_set():
            async with self._turn:
                if self._is_done(work):
                    return True
                # Other work waits for the lock meanwhile.
                await asyncio.sleep(0)
        return False

    def _is_done(self, work: Iterator[None]) -> bool:
        if self._end is None:
            self._end = time.perf_counter() + _SECONDS
            asyncio.get_running_loop().call_soon(self._begin_iteration)
        end = self._end
        return all(time.perf_counter() < end for _ in work)

    def _begin_iteration(self) -> None:
        self._end = None
