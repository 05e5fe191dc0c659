"""Bulk lookups compared with the floor: raw asyncio streams, a keep-alive connection for each task, and orjson.

The floor parses no more of HTTP than an answer of this server needs. It has no pool, no retry, no timeout and no check.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from urllib.parse import urlsplit

import orjson

from benchmarks import serving
from benchmarks.bulk import CONCURRENCY, STEP, together
from benchmarks.comparison import rate_table, rates, ratio
from benchmarks.contenders import BARE, HEADERS, OURS, Client, Contender, bare, ours
from benchmarks.documents import INCLUDE
from benchmarks.measuring import LOOPS, UVLOOP, Results, in_steps, turns_taken
from benchmarks.results import Figure, Part, Table, at_least
from benchmarks.sizes import Sizes

FLOOR = "raw asyncio streams, orjson"
WHAT = "Bulk lookup under uvloop, three includes, times that of raw streams"
BAR = 0.5
SECONDS = 10.0
"""The limit for all rounds together."""
RUNS = 5
SECONDS_OF_RUNS = 15.0
LENGTH = b"\r\ncontent-length:"


class Streams(Client):
    """Each request takes a free connection, or opens one."""

    def __init__(self, base_url: str) -> None:
        address = urlsplit(base_url)
        assert address.hostname is not None
        assert address.port is not None
        self._host, self._port = address.hostname, address.port
        lines = [f"Host: {address.netloc}", *(f"{name}: {value}" for name, value in HEADERS.items())]
        self._head = "".join(f"\r\n{line}" for line in lines) + "\r\n\r\n"
        self._free: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def get(self, resource_id: str, *, included: bool = False) -> object:
        query = f"?include={INCLUDE}" if included else ""
        connection = self._free.pop() if self._free else await asyncio.open_connection(self._host, self._port)
        reader, writer = connection
        writer.write(f"GET /v1/customers/{resource_id}{query} HTTP/1.1{self._head}".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        assert head.startswith(b"http/1.1 200"), head
        length = int(head.partition(LENGTH)[2].partition(b"\r\n")[0])
        found: object = orjson.loads(await reader.readexactly(length))
        self._free.append(connection)
        return found

    def scan(self) -> AsyncGenerator[int]:
        raise NotImplementedError

    def close(self) -> None:
        for _, writer in self._free:
            writer.close()


@asynccontextmanager
async def streams(base_url: str, _: int) -> AsyncGenerator[Client]:
    client = Streams(base_url)
    yield client
    client.close()


def measure(sizes: Sizes) -> Part:
    with serving.fastest() as server:
        (floor, over_floor), (runs, lowest) = _floor(server, sizes), _runs(server, sizes)
    return Part([floor, runs], [over_floor, lowest])


def _floor(server: serving.Server, sizes: Sizes) -> tuple[Table, Figure]:
    contenders = (Contender(OURS, ours), Contender(BARE, bare), Contender(FLOOR, streams))
    measured = rates(
        in_steps(partial(together, server, sizes.lookups, True, [], contenders), repeats=sizes.repeats, within=SECONDS)
    )
    note = (
        f"{sizes.lookups:,} lookups a turn, in steps of {STEP} for each, {turns_taken(measured['asyncio'])}. The floor "
        f"sends a prepared head on {CONCURRENCY} connections, reads up to the content length and decodes with orjson."
    )
    title = f"Bulk lookup and the floor, three includes, {CONCURRENCY} at a time"
    return rate_table(title, measured, note), compared_with_the_floor(measured)


def compared_with_the_floor(measured: Results) -> Figure:
    if not UVLOOP:
        return Figure(WHAT, "uvloop is absent", f"at least {BAR:g}", met=False)
    return at_least(WHAT, ratio(measured, FLOOR, loop="uvloop"), BAR)


def _runs(server: serving.Server, sizes: Sizes) -> tuple[Table, Figure]:
    """Compare with bare aiohttp alone, in separate runs one after the other."""
    contenders = (Contender(OURS, ours), Contender(BARE, bare))
    turn = partial(together, server, sizes.lookups, True, [], contenders)
    asyncio_only = {"asyncio": LOOPS["asyncio"]}
    each = [
        rates(in_steps(turn, repeats=2 * sizes.scans, within=SECONDS_OF_RUNS / RUNS, loops=asyncio_only))
        for _ in range(RUNS)
    ]
    ratios = [ratio(measured, BARE) for measured in each]
    rows = [
        [f"run {number}", *(f"{measured['asyncio'][name].median:,.0f}" for name in (OURS, BARE)), f"{times:.2f} times"]
        for number, (measured, times) in enumerate(zip(each, ratios, strict=True), 1)
    ]
    note = (
        f"Each run opens its own clients, for up to {2 * sizes.scans} turns of {sizes.lookups:,} lookups under asyncio."
    )
    header = ["A second, more is better", OURS, BARE, "ours is"]
    table = Table(f"Bulk lookup, three includes, {RUNS} runs in a row", header, rows, note)
    what = f"Bulk lookup, three includes, times that of bare aiohttp with orjson, lowest of {RUNS} runs"
    return table, at_least(what, min(ratios), 1)
