"""Scanning a list: one page at a time beside the others, and ahead over 20 ms of latency."""

from functools import partial

from benchmarks import serving
from benchmarks.comparison import rate_table, rates, ratio
from benchmarks.contenders import BARE, CONTENDERS, OURS, PEER, SLOW_ROWS, Contender, bare, ours
from benchmarks.documents import PAGE_SIZE
from benchmarks.measuring import interleaved, stopwatch, turns_taken
from benchmarks.results import Part, at_least
from benchmarks.serving import Server
from benchmarks.sizes import Sizes

LATENCY = 0.02
SECONDS = 40.0
"""For all rounds together."""
PAGES_AHEAD = 10
AHEAD = f"kajabi_async, {PAGES_AHEAD} pages ahead"


def measure(sizes: Sizes) -> Part:
    sequential, ahead = _sequential(sizes), _ahead(sizes)
    return Part([*sequential.tables, *ahead.tables], [*sequential.figures, *ahead.figures])


def _sequential(sizes: Sizes) -> Part:
    with serving.fastest(pages=sizes.rows // PAGE_SIZE) as server:
        turns = {each.name: partial(turn, server, each, _rows(sizes, each)) for each in CONTENDERS}
        measured = rates(interleaved(turns, repeats=sizes.scans, within=SECONDS))
    note = (
        f"Rows; {PAGE_SIZE} on a page. httpx and kajabi-py read the first {SLOW_ROWS:.0%}. "
        f"{turns_taken(measured['asyncio'])}."
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
    gain, told = ratio(measured, OURS, ours=AHEAD), turns_taken(measured["asyncio"])
    return Part(
        [rate_table(title, measured, f"Rows; one page at a time where nothing else is said. {told}.")],
        [at_least(f"List scan, {PAGES_AHEAD} pages ahead over 20 ms of latency, times that of one at a time", gain, 4)],
    )


def _rows(sizes: Sizes, contender: Contender) -> int:
    """Give the rows *contender* reads: whole pages, as nobody is sent less."""
    return max(1, round(sizes.rows * contender.row_share / PAGE_SIZE)) * PAGE_SIZE


async def turn(server: Server, contender: Contender, rows: int) -> float:
    """Give the seconds for one row."""
    async with contender.open(server.base_url, PAGES_AHEAD + 1) as client:
        await client.get("1")
        with stopwatch() as watch:
            read = await client.scan(rows)
    assert read == rows, f"{contender.name} read {read} of {rows} rows"
    return watch.seconds / rows
