"""Bulk lookups, with three includes and without, 50 at a time."""

from collections.abc import Iterable
from functools import partial

from benchmarks import serving
from benchmarks.comparison import rate_table, rates, ratio
from benchmarks.contenders import BARE, CONTENDERS, HANDWRITTEN, PEER, SLOW_LOOKUPS, Contender, ids_of
from benchmarks.measuring import Results, interleaved, stopwatch, turns_taken
from benchmarks.results import Figure, Part, Table, at_least
from benchmarks.serving import Server
from benchmarks.sizes import Sizes

CONCURRENCY = 50
SECONDS = 50.0
"""For all rounds together."""


def measure(sizes: Sizes) -> Part:
    tables: list[Table] = []
    figures: list[Figure] = []
    with serving.fastest() as server:
        for included in (True, False):
            busy: list[float] = []
            turns = {
                each.name: partial(turn, server, each, _lookups(sizes, each), busy, included) for each in CONTENDERS
            }
            measured = rates(interleaved(turns, repeats=sizes.repeats, within=SECONDS if included else SECONDS / 2))
            title = f"Bulk lookup, {'three includes' if included else 'no includes'}, {CONCURRENCY} at a time"
            tables.append(rate_table(title, measured, _note(sizes, measured, busy)))
            if included:
                figures.extend(_figures(measured))
    return Part(tables, figures)


async def turn(server: Server, contender: Contender, count: int, busy: list[float], included: bool) -> float:
    """Give the seconds for one lookup; connections and the token are there before the clock starts."""
    async with contender.open(server.base_url, CONCURRENCY) as client:
        await client.look_up(ids_of(CONCURRENCY), concurrency=CONCURRENCY, included=included)
        before = server.busy_seconds()
        with stopwatch() as watch:
            found = await client.look_up(ids_of(count), concurrency=CONCURRENCY, included=included)
        busy.append((server.busy_seconds() - before) / watch.seconds)
    assert found == count, f"{contender.name} found {found} of {count}"
    return watch.seconds / count


def _lookups(sizes: Sizes, contender: Contender) -> int:
    return max(CONCURRENCY, int(sizes.lookups * contender.lookup_share))


def _figures(measured: Results) -> Iterable[Figure]:
    what = "Bulk lookup, three includes, times that of"
    yield at_least(f"{what} aiohttp by hand", ratio(measured, HANDWRITTEN), 1.0)
    yield at_least(f"{what} bare aiohttp with orjson", ratio(measured, BARE), 0.85)
    yield at_least(f"{what} kajabi-py", ratio(measured, PEER), 14)


def _note(sizes: Sizes, measured: Results, busy: Iterable[float]) -> str:
    told = turns_taken(measured["asyncio"])
    return (
        f"{sizes.lookups:,} lookups a turn (httpx and kajabi-py {SLOW_LOOKUPS:.0%} of them), {told}. "
        f"The server was busy for at most {max(busy):.0%} of a turn."
    )
