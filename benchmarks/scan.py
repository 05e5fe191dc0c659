"""List scans: one page at a time compared with the others, and pages ahead over 20 ms of latency."""

import gc
import statistics
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, aclosing
from functools import partial

from benchmarks import serving
from benchmarks.comparison import rate_table, rates, ratio
from benchmarks.contenders import BARE, CONTENDERS, OURS, PEER, SLOW_ROWS, Contender, bare, ours
from benchmarks.documents import PAGE_SIZE
from benchmarks.measuring import in_steps, interleaved, stopwatch, takes_step, turns_taken
from benchmarks.results import Part, at_least
from benchmarks.serving import Server
from benchmarks.sizes import Sizes

LATENCY = 0.02
SECONDS = 30.0
"""The limit for all rounds together."""
STEP = 10
"""Consecutive pages of one contender."""
PAGES_AHEAD = 10
AHEAD = f"kajabi_async, {PAGES_AHEAD} pages ahead"


def measure(sizes: Sizes) -> Part:
    sequential, ahead = _sequential(sizes), _ahead(sizes)
    return Part([*sequential.tables, *ahead.tables], [*sequential.figures, *ahead.figures])


def _sequential(sizes: Sizes) -> Part:
    pages = sizes.rows // PAGE_SIZE
    with serving.fastest(pages=pages) as server:
        measured = rates(in_steps(partial(together, server, pages), repeats=sizes.scans, within=SECONDS))
    note = (
        f"Rows; {PAGE_SIZE} on a page, in steps of {STEP} pages for each contender. httpx and kajabi-py read the first "
        f"{SLOW_ROWS:.0%}, over the same time. {turns_taken(measured['asyncio'])}."
    )
    return Part(
        [rate_table(f"List scan of {sizes.rows:,} rows, one page at a time", measured, note)],
        [
            at_least("List scan, times that of bare aiohttp with orjson", ratio(measured, BARE), 0.7),
            at_least("List scan, times that of kajabi-py", ratio(measured, PEER), 3),
        ],
    )


def _ahead(sizes: Sizes) -> Part:
    contenders = (
        Contender(OURS, ours),
        Contender(AHEAD, partial(ours, ahead=PAGES_AHEAD)),
        Contender(BARE, bare),
    )
    with serving.with_latency(LATENCY, pages=sizes.rows_with_latency // PAGE_SIZE) as server:
        turns = {each.name: partial(turn, server, each, sizes.rows_with_latency) for each in contenders}
        measured = rates(interleaved(turns, repeats=sizes.scans, within=SECONDS / 2))
    title = f"List scan of {sizes.rows_with_latency:,} rows over {LATENCY * 1000:.0f} ms of latency"
    gain, turns_each = ratio(measured, OURS, ours=AHEAD), turns_taken(measured["asyncio"])
    return Part(
        [rate_table(title, measured, f"Rows; one page at a time unless stated otherwise. {turns_each}.")],
        [at_least(f"List scan, {PAGES_AHEAD} pages ahead over 20 ms of latency, times that of one at a time", gain, 4)],
    )


async def together(server: Server, pages: int) -> Mapping[str, float]:
    """Return each contender's seconds per row of a scan, page by page."""
    taken: dict[str, list[float]] = {each.name: [] for each in CONTENDERS}
    async with AsyncExitStack() as stack:
        scans: dict[Contender, AsyncGenerator[int]] = {}
        for each in CONTENDERS:
            client = await stack.enter_async_context(each.open(server.base_url, 1))
            await client.get("1")
            scans[each] = await stack.enter_async_context(aclosing(client.scan()))
        gc.collect()
        for number in range(pages // STEP):
            for contender, scan in scans.items():
                if takes_step(number, contender.row_share):
                    begin = time.perf_counter()
                    read = sum([await anext(scan) for _ in range(STEP)])
                    taken[contender.name].append((time.perf_counter() - begin) / read)
                    assert read == STEP * PAGE_SIZE, f"{contender.name} read {read} rows on {STEP} pages"
    return {name: statistics.fmean(seconds) for name, seconds in taken.items()}


async def turn(server: Server, contender: Contender, rows: int) -> float:
    """Return the seconds per row of a complete scan."""
    async with contender.open(server.base_url, PAGES_AHEAD + 1) as client:
        await client.get("1")
        with stopwatch() as watch:
            read = sum([each async for each in client.scan()])
    assert read == rows, f"{contender.name} read {read} of {rows} rows"
    return watch.seconds / rows
