"""Measurements side by side in one run: interleaved rounds under each event loop, medians and ranges."""

import asyncio
import gc
import statistics
import time
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

Loops = Mapping[str, Callable[[], asyncio.AbstractEventLoop]]


def _uvloop() -> Loops:
    """Return uvloop by name; nothing if it is not installed."""
    try:
        import uvloop  # noqa: PLC0415 - it may be absent
    except ModuleNotFoundError:
        return {}
    return {"uvloop": uvloop.new_event_loop}


UVLOOP: Loops = _uvloop()
LOOPS: Loops = {"asyncio": asyncio.new_event_loop, **UVLOOP}
"""Each has its own column; the figures to reach are for the first, unless they say otherwise."""

Turn = Callable[[], Coroutine[Any, Any, float]]
"""Does a contender's work once and returns seconds per item."""


@dataclass(frozen=True)
class Spread:
    """The results of the turns of one contender, in order."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def low(self) -> float:
        return min(self.values)

    @property
    def high(self) -> float:
        return max(self.values)

    def each(self, convert: Callable[[float], float]) -> "Spread":
        """Return the same results in another unit."""
        return Spread(tuple(map(convert, self.values)))

    def times(self, other: "Spread") -> float:
        """Return the ratio of this to *other*, as the median over the rounds.

        Other load on the machine affects both turns of a round alike.
        """
        return statistics.median(mine / theirs for mine, theirs in zip(self.values, other.values, strict=True))

    def over(self, other: "Spread") -> float:
        """Return the difference of this and *other*, as the median over the rounds."""
        return statistics.median(mine - theirs for mine, theirs in zip(self.values, other.values, strict=True))


Results = dict[str, dict[str, Spread]]
"""By event loop and contender."""


def interleaved(
    turns: Mapping[str, Turn],
    *,
    repeats: int,
    within: float,
    loops: Loops = LOOPS,
) -> Results:
    """Run each contender in turn, *repeats* times and under each event loop.

    A slow machine does fewer rounds: a round starts only if it would end within *within* seconds.
    """
    taken: dict[str, dict[str, list[float]]] = {loop: {name: [] for name in turns} for loop in loops}
    with ExitStack() as stack:
        runners = {loop: stack.enter_context(asyncio.Runner(loop_factory=make)) for loop, make in loops.items()}
        for _ in _rounds(repeats, within):
            for loop, runner in runners.items():
                for name, turn in turns.items():
                    taken[loop][name].append(runner.run(turn()))
    return {loop: _spreads(by_name) for loop, by_name in taken.items()}


def in_steps(
    turn: Callable[[], Coroutine[Any, Any, Mapping[str, float]]],
    *,
    repeats: int,
    within: float,
    loops: Loops = LOOPS,
) -> Results:
    """Do the same with one *turn* of all contenders in alternating steps, so that a slow moment affects them all."""
    taken: dict[str, list[Mapping[str, float]]] = {loop: [] for loop in loops}
    with ExitStack() as stack:
        runners = {loop: stack.enter_context(asyncio.Runner(loop_factory=make)) for loop, make in loops.items()}
        for _ in _rounds(repeats, within):
            for loop, runner in runners.items():
                taken[loop].append(runner.run(turn()))
    return {
        loop: _spreads({name: [each[name] for each in turns] for name in turns[0]}) for loop, turns in taken.items()
    }


def takes_step(number: int, share: float) -> bool:
    """Return whether a contender that does a *share* of the work takes part in step *number*."""
    return number % round(1 / share) == 0


def interleaved_here(turns: Mapping[str, Callable[[], float]], *, repeats: int, within: float) -> dict[str, Spread]:
    """Do the same for work without an event loop."""
    taken: dict[str, list[float]] = {name: [] for name in turns}
    for _ in _rounds(repeats, within):
        for name, turn in turns.items():
            taken[name].append(turn())
    return _spreads(taken)


def turns_taken(spreads: Mapping[str, Spread]) -> str:
    """Return how many turns each contender took, in words."""
    count = len(next(iter(spreads.values())).values)
    return f"{count} turns each" if count > 1 else "1 turn each"


def _rounds(repeats: int, within: float) -> Iterator[int]:
    begin = time.monotonic()
    for number in range(repeats):
        seconds = time.monotonic() - begin
        if number and seconds + seconds / number > within:
            return
        yield number


def _spreads(taken: Mapping[str, Iterable[float]]) -> dict[str, Spread]:
    return {name: Spread(tuple(values)) for name, values in taken.items()}


@dataclass
class Watch:
    seconds: float = 0.0


@contextmanager
def stopwatch() -> Generator[Watch]:
    """Time the block, after a garbage collection; the collector stays enabled."""
    watch = Watch()
    gc.collect()
    begin = time.perf_counter()
    yield watch
    watch.seconds = time.perf_counter() - begin


async def timed(work: Awaitable[object]) -> float:
    """Return the seconds that *work* takes."""
    with stopwatch() as watch:
        await work
    return watch.seconds
