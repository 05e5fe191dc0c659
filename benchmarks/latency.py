"""What one awaited call takes, and what ours adds to that of bare aiohttp."""

import gc
import statistics
import time
from functools import partial

from benchmarks import serving
from benchmarks.contenders import BARE, CONTENDERS, OURS, Contender
from benchmarks.measuring import LOOPS, Results, interleaved, turns_taken
from benchmarks.results import Part, Table, spread, under
from benchmarks.serving import Server
from benchmarks.sizes import Sizes

WARM_UP_CALLS = 30
SECONDS = 25.0
"""For all rounds together."""


def measure(sizes: Sizes) -> Part:
    with serving.fastest() as server:
        turns = {each.name: partial(turn, server, each, sizes.calls) for each in CONTENDERS}
        measured = interleaved(turns, repeats=sizes.repeats, within=SECONDS)
    told = turns_taken(measured["asyncio"])
    note = f"Calls one after the other on one connection, no includes; medians of {sizes.calls}, {told}."
    columns = [(loop, "range", "over bare aiohttp") for loop in LOOPS]
    header = ["Microseconds, less is better", *(cell for column in columns for cell in column)]
    rows = [[name, *(cell for loop in LOOPS for cell in _cells(measured, loop, name))] for name in measured["asyncio"]]
    added = _added(measured, "asyncio", OURS)
    return Part(
        [Table("One awaited get", header, rows, note)],
        [under("One awaited get, over bare aiohttp with orjson", added, 60, "µs")],
    )


async def turn(server: Server, contender: Contender, calls: int) -> float:
    """Give the microseconds of the middlemost call."""
    taken: list[float] = []
    async with contender.open(server.base_url, 1) as client:
        for _ in range(WARM_UP_CALLS):
            await client.get("1")
        gc.collect()
        for number in range(calls):
            begin = time.perf_counter()
            await client.get(str(number + 1))
            taken.append(time.perf_counter() - begin)
    return statistics.median(taken) * 1e6


def _added(measured: Results, loop: str, name: str) -> float:
    return measured[loop][name].over(measured[loop][BARE])


def _cells(measured: Results, loop: str, name: str) -> tuple[str, ...]:
    return *spread(measured[loop][name]), "" if name == BARE else f"{_added(measured, loop, name):+,.0f}"
