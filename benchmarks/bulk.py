"""Bulk lookups, with three includes and without, 50 at a time."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial

from benchmarks import serving
from benchmarks.comparison import rate_table, rates, ratio
from benchmarks.contenders import BARE, CONTENDERS, HANDWRITTEN, PEER, Contender, ids_of
from benchmarks.measuring import Results, in_steps, stopwatch, takes_step, turns_taken
from benchmarks.results import Figure, Part, Table, at_least
from benchmarks.serving import Server
from benchmarks.sizes import Sizes

CONCURRENCY = 50
STEP = 500
"""Consecutive lookups of one contender."""
SECONDS = 40.0
"""The limit for all rounds together."""


def measure(sizes: Sizes) -> Part:
    tables: list[Table] = []
    figures: list[Figure] = []
    with serving.fastest() as server:
        for included in (True, False):
            busy: list[float] = []
            turn = partial(together, server, sizes.lookups, included, busy)
            measured = rates(in_steps(turn, repeats=sizes.repeats, within=SECONDS if included else SECONDS / 2))
            title = f"Bulk lookup, {'three includes' if included else 'no includes'}, {CONCURRENCY} at a time"
            tables.append(rate_table(title, measured, _note(sizes, measured, busy)))
            if included:
                figures.extend(_figures(measured))
    return Part(tables, figures)


async def together(
    server: Server,
    lookups: int,
    included: bool,
    busy: list[float],
    contenders: Sequence[Contender] = CONTENDERS,
) -> Mapping[str, float]:
    """Return each contender's seconds per lookup; connections and tokens exist before the clock starts."""
    seconds, done = ({each.name: 0.0 for each in contenders} for _ in range(2))
    async with AsyncExitStack() as stack:
        clients = {
            each: await stack.enter_async_context(each.open(server.base_url, CONCURRENCY)) for each in contenders
        }
        for client in clients.values():
            await client.look_up(ids_of(CONCURRENCY), concurrency=CONCURRENCY, included=included)
        for number, first in enumerate(range(0, lookups, STEP)):
            for contender in _from(number % len(contenders), contenders):
                count = _lookups(contender, number, min(STEP, lookups - first))
                if not count:
                    continue
                ids = list(ids_of(count))
                before = server.busy_seconds()
                with stopwatch() as watch:
                    found = await clients[contender].look_up(ids, concurrency=CONCURRENCY, included=included)
                assert found == count, f"{contender.name} found {found} of {count}"
                busy.append((server.busy_seconds() - before) / watch.seconds)
                seconds[contender.name] += watch.seconds
                done[contender.name] += count
    return {name: seconds[name] / done[name] for name in seconds}


def _from(first: int, contenders: Sequence[Contender]) -> Iterable[Contender]:
    """Return the contenders, rotated to start with number *first*, because they leave different data in the caches."""
    return *contenders[first:], *contenders[:first]


def _lookups(contender: Contender, step: int, count: int) -> int:
    """Return how many of *count* lookups a contender does in a *step*: a slow one few, and only in some steps."""
    if contender.lookup_share == 1.0:
        return count
    return CONCURRENCY if takes_step(step, contender.lookup_share * STEP / CONCURRENCY) else 0


def _figures(measured: Results) -> Iterable[Figure]:
    what = "Bulk lookup, three includes, times that of"
    yield at_least(f"{what} aiohttp by hand", ratio(measured, HANDWRITTEN), 1.0)
    yield at_least(f"{what} bare aiohttp with orjson", ratio(measured, BARE), 0.85)
    yield at_least(f"{what} kajabi-py", ratio(measured, PEER), 14)


def _note(sizes: Sizes, measured: Results, busy: Iterable[float]) -> str:
    turns = turns_taken(measured["asyncio"])
    return (
        f"{sizes.lookups:,} lookups a turn, of lists of {STEP} ids for each contender (httpx and kajabi-py "
        f"{CONCURRENCY}, in some of them), {turns}. The server was busy for at most {max(busy):.0%} of a step."
    )
