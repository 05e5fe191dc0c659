"""Clocks for tests: one that moves only when it is advanced or slept on, and one that runs fast."""

import asyncio
import time


class ManualClock:
    """A clock on which sleeping takes no time: it advances and lets other tasks run."""

    def __init__(self, wall: float = 1_700_000_000.0) -> None:
        self.now = 1000.0
        self.wall = wall
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return self.wall + self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += max(seconds, 0.0)
        await asyncio.sleep(0)


class FastClock:
    """The clock of the machine, running many times as fast from now on: waits on it are as many times shorter."""

    def __init__(self, factor: float = 20.0) -> None:
        self._factor = factor
        self._monotonic, self._time = time.monotonic(), time.time()

    def monotonic(self) -> float:
        return self._monotonic + self._passed()

    def time(self) -> float:
        return self._time + self._passed()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self._factor)

    def _passed(self) -> float:
        return (time.monotonic() - self._monotonic) * self._factor
