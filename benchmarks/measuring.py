"""Side by side in one run: interleaved repeats under each event loop, medians, and how far they spread."""

import asyncio
import gc
import statistics
import time
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterable, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Self

import uvloop

LOOPS: Mapping[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.new_event_loop,
    "uvloop": uvloop.new_event_loop,
}
"""Each has a column of its own; the figures to reach are for the first."""

Turn = Callable[[], Coroutine[Any, Any, float]]
"""Does a contender's work once and gives seconds, of whatever it counts by."""


@dataclass(frozen=True)
class Spread:
    """What repeats came to."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Self:
        ordered = sorted(values)
        return cls(statistics.median(ordered), ordered[0], ordered[-1])

    def each(self, convert: Callable[[float], float]) -> "Spread":
        """Give the same in another unit."""
        return Spread.of(map(convert, (self.low, self.median, self.high)))


Results = dict[str, dict[str, Spread]]
"""By event loop and contender."""


def interleaved(turns: Mapping[str, Turn], *, repeats: int) -> Results:
    """Let everybody take *repeats* turns under every event loop, one after the other."""
    taken: dict[str, dict[str, list[float]]] = {loop: {name: [] for name in turns} for loop in LOOPS}
    with ExitStack() as stack:
        runners = {loop: stack.enter_context(asyncio.Runner(loop_factory=make)) for loop, make in LOOPS.items()}
        for _ in range(repeats):
            for name, turn in turns.items():
                for loop, runner in runners.items():
                    taken[loop][name].append(runner.run(turn()))
    return {loop: {name: Spread.of(values) for name, values in by_name.items()} for loop, by_name in taken.items()}


def interleaved_here(turns: Mapping[str, Callable[[], float]], *, repeats: int) -> dict[str, Spread]:
    """Do the same for work without an event loop."""
    taken: dict[str, list[float]] = {name: [] for name in turns}
    for _ in range(repeats):
        for name, turn in turns.items():
            taken[name].append(turn())
    return {name: Spread.of(values) for name, values in taken.items()}


@dataclass
class Watch:
    seconds: float = 0.0


@contextmanager
def stopwatch() -> Generator[Watch]:
    """Time the block, begun with nothing left over for the garbage collector; it stays on, for everybody."""
    watch = Watch()
    gc.collect()
    begin = time.perf_counter()
    yield watch
    watch.seconds = time.perf_counter() - begin


async def timed(work: Awaitable[object]) -> float:
    """Give the seconds *work* takes."""
    with stopwatch() as watch:
        await work
    return watch.seconds
