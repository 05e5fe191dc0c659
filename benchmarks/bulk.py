"""Bulk lookups, with three includes and without, 50 at a time."""

from collections.abc import Iterable
from functools import partial

from benchmarks import serving
from benchmarks.comparison import rate_table, rates, ratio
from benchmarks.contenders import BARE, CONTENDERS, HANDWRITTEN, PEER, SLOW_LOOKUPS, Contender, ids_of
from benchmarks.measuring import Results, interleaved, stopwatch
from benchmarks.results import Figure, Part, Table, at_least
from benchmarks.serving import Server
from benchmarks.sizes import Sizes

CONCURRENCY = 50


def measure(sizes: Sizes) -> Part:
    tables: list[Table] = []
    figures: list[Figure] = []
    with serving.fastest() as server:
        for included in (True, False):
            busy: list[float] = []
            turns = {
                contender.name: partial(
                    turn,
                    server,
                    contender,
                    max(CONCURRENCY, int(sizes.lookups * contender.lookup_share)),
                    busy,
                    included,
                )
                for contender in CONTENDERS
            }
            repeats = sizes.repeats if included else min(sizes.repeats, 3)
            measured = rates(interleaved(turns, repeats=repeats))
            title = f"Bulk lookup, {'three includes' if included else 'no includes'}, {CONCURRENCY} at a time"
            tables.append(rate_table(title, measured, _note(sizes.lookups, repeats, busy)))
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


def _figures(measured: Results) -> Iterable[Figure]:
    what = "Bulk lookup, three includes, times that of"
    yield at_least(f"{what} aiohttp by hand", ratio(measured, HANDWRITTEN), 1.0)
    yield at_least(f"{what} bare aiohttp with orjson", ratio(measured, BARE), 0.85)
    yield at_least(f"{what} kajabi-py", ratio(measured, PEER), 14)


def _note(lookups: int, repeats: int, busy: Iterable[float]) -> str:
    return (
        f"{lookups:,} lookups a turn (httpx and kajabi-py {SLOW_LOOKUPS:.0%} of them), {repeats} turns each. "
        f"The server was busy for at most {max(busy):.0%} of a turn."
    )
