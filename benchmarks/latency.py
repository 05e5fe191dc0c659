"""The time of one awaited call, and what kajabi_async adds to bare aiohttp."""

import gc
import statistics
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from functools import partial

from benchmarks import serving
from benchmarks.contenders import BARE, CONTENDERS, OURS
from benchmarks.measuring import LOOPS, Results, in_steps, turns_taken
from benchmarks.results import Part, Table, spread, under
from benchmarks.serving import Server
from benchmarks.sizes import Sizes

WARM_UP_CALLS = 30
STEP = 50
"""Consecutive calls of one contender."""
SECONDS = 25.0
"""The limit for all rounds together."""


def measure(sizes: Sizes) -> Part:
    with serving.fastest() as server:
        measured = in_steps(partial(turn, server, sizes.calls), repeats=sizes.repeats, within=SECONDS)
    turns = turns_taken(measured["asyncio"])
    note = (
        f"Calls one after the other on one connection, no includes, in steps of {STEP} for each contender; medians of "
        f"{sizes.calls}, {turns}."
    )
    columns = [(loop, "range", "over bare aiohttp") for loop in LOOPS]
    header = ["Microseconds, less is better", *(cell for column in columns for cell in column)]
    rows = [[name, *(cell for loop in LOOPS for cell in _cells(measured, loop, name))] for name in measured["asyncio"]]
    added = _added(measured, "asyncio", OURS)
    return Part(
        [Table("One awaited get", header, rows, note)],
        [under("One awaited get, over bare aiohttp with orjson", added, 15, "µs")],
    )


async def turn(server: Server, calls: int) -> Mapping[str, float]:
    """Return the median microseconds of a call for each contender."""
    taken: dict[str, list[float]] = {each.name: [] for each in CONTENDERS}
    async with AsyncExitStack() as stack:
        clients = {each.name: await stack.enter_async_context(each.open(server.base_url, 1)) for each in CONTENDERS}
        for client in clients.values():
            for _ in range(WARM_UP_CALLS):
                await client.get("1")
        gc.collect()
        for first in range(0, calls, STEP):
            for name, client in clients.items():
                # Not timed: the first call pays for what the previous contender left in the caches.
                await client.get("1")
                for number in range(first, first + STEP):
                    begin = time.perf_counter()
                    await client.get(str(number + 1))
                    taken[name].append(time.perf_counter() - begin)
    return {name: statistics.median(each) * 1e6 for name, each in taken.items()}


def _added(measured: Results, loop: str, name: str) -> float:
    return measured[loop][name].over(measured[loop][BARE])


def _cells(measured: Results, loop: str, name: str) -> tuple[str, ...]:
    return *spread(measured[loop][name]), "" if name == BARE else f"{_added(measured, loop, name):+,.0f}"
