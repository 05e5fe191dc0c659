"""What the tests of waits share: tasks that wait, in the order in which they go on, and a clock on which they do."""

import asyncio
from collections.abc import Awaitable, Callable

from tests.clocks import ManualClock

__all__ = ["Order", "StuckClock", "turns"]


async def turns(number: int = 5) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


class Order:
    """Starts waits, and records the order in which they end."""

    def __init__(self) -> None:
        self.went: list[str] = []
        self.tasks: list[asyncio.Task[None]] = []

    async def start(self, name: str, wait: Callable[[], Awaitable[object]], times: int = 1) -> None:
        self.tasks += [asyncio.create_task(self._go(name, wait)) for _ in range(times)]
        await turns()

    async def _go(self, name: str, wait: Callable[[], Awaitable[object]]) -> None:
        await wait()
        self.went.append(name)

    async def cancel(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.wait(self.tasks)


class StuckClock(ManualClock):
    """A clock on which a sleep ends when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        future = asyncio.get_running_loop().create_future()
        self._sleepers.append((self.now + seconds, future))
        await future

    async def go_on(self, seconds: float) -> None:
        """Advance step by step, and wake those whose sleep is over."""
        end = self.now + seconds
        while due := [each for each in self._sleepers if each[0] <= end + 1e-9 and not each[1].done()]:
            first = min(due, key=lambda each: each[0])
            self._sleepers.remove(first)
            self.now = max(self.now, first[0])
            first[1].set_result(None)
            await turns(10)
        self.now = end
