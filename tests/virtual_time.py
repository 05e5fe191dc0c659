"""An event loop in which waiting takes no time: its clock jumps to the next timer when no task is ready."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

__all__ = ["LoopClock", "virtually"]

T = TypeVar("T")

_EPOCH = 1_700_000_000.0


class _Selector(selectors.SelectSelector):
    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0

    def select(self, timeout: float | None = None) -> "list[tuple[selectors.SelectorKey, int]]":
        ready = super().select(0)
        if not ready and timeout is None:
            raise AssertionError("every task waits, and no timer is pending")
        if not ready and timeout:
            self.now += timeout
        return ready


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)

    def time(self) -> float:
        return self._virtual.now


class LoopClock:
    """The time of the running loop as a clock."""

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    def time(self) -> float:
        return _EPOCH + self.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def virtually(work: Coroutine[Any, Any, T]) -> T:
    """Run *work* in such a loop; it must not use a socket."""
    with asyncio.Runner(loop_factory=_Loop) as runner:
        return runner.run(work)
