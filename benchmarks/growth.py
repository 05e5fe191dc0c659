"""How throughput grows with concurrency and latency, compared with the ideal of concurrency over latency."""

import asyncio
import gc
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

from benchmarks import serving
from benchmarks.contenders import BARE, OURS, bare, ids_of
from benchmarks.documents import INCLUDED
from benchmarks.measuring import LOOPS, Results, Spread, Turn, interleaved
from benchmarks.plot import Line, drawn
from benchmarks.results import Part, Table, at_least
from benchmarks.serving import Server
from benchmarks.sizes import Sizes
from kajabi_async import Kajabi

LATENCIES = (0.005, 0.05, 0.2)
MOST_LOOKUPS = 16_000
"""The most that are timed in one turn, however many an ideal client would do."""
SECONDS = 50.0
"""The limit for all rounds together."""
PLOT = "growth.svg"


@dataclass(frozen=True)
class Setting:
    latency: float
    concurrency: int

    @property
    def ideal(self) -> float:
        """Lookups a second if only the server took time."""
        return self.concurrency / self.latency

    def lookups(self, seconds: float) -> int:
        """Return the number of lookups to time: whole rounds, so that the clock starts and stops in the same phase."""
        rounds = int(min(self.ideal * seconds, MOST_LOOKUPS) / self.concurrency)
        return max(8, rounds) * self.concurrency

    def __str__(self) -> str:
        return f"{self.latency * 1000:g} ms, {self.concurrency} at a time"


BAR = Setting(0.05, 100)
MANY, MOST = Setting(0.005, 100), Setting(0.005, 1000)
FAR = Setting(0.05, 1000)
FAR_BARE = f"{FAR}, {BARE}"


class Stopwatch:
    """Times the answers while all slots are used: from the end of the first round on."""

    def __init__(self, setting: Setting, seconds: float) -> None:
        self._first, self._timed = setting.concurrency, setting.lookups(seconds)
        self.lookups = self._timed + 2 * setting.concurrency
        """More than are timed, so that the slots are used until the end."""
        self._answers = 0
        self._begin = 0.0
        self.rate = 0.0
        """Answers a second; 0.0 until enough have come."""

    def answered(self) -> bool:
        """Count an answer, and return whether it is the last one that is timed."""
        self._answers += 1
        if self._answers == self._first:
            self._begin = time.perf_counter()
        elif self._answers == self._first + self._timed:
            self.rate = self._timed / (time.perf_counter() - self._begin)
        return self.rate > 0.0


def measure(sizes: Sizes) -> Part:
    settings = [Setting(latency, many) for latency in LATENCIES for many in sizes.concurrencies]
    with ExitStack() as stack:
        servers = {latency: stack.enter_context(serving.with_latency(latency)) for latency in LATENCIES}
        turns = {str(each): partial(turn, servers[each.latency], each, sizes.growth_seconds) for each in settings}
        if FAR in settings:
            turns[FAR_BARE] = partial(bare_turn, servers[FAR.latency], FAR, sizes.growth_seconds)
        measured = interleaved(turns, repeats=1, within=SECONDS)
        _add_turns(measured, {name: turns[name] for name in map(str, (MANY, MOST, FAR)) if name in turns}, sizes)
    figures = [
        at_least(f"Lookups a second, {each}, share of the ideal", _share(measured, "asyncio", str(each), each), 0.95)
        for each in settings
        if each == BAR
    ]
    if MOST in settings:
        times = measured["asyncio"][str(MOST)].times(measured["asyncio"][str(MANY)])
        figures.append(at_least(f"Lookups a second, {MOST}, times those of {MANY.concurrency}", times, 0.95))
        figures.append(
            at_least(f"Lookups a second, {FAR}, share of the ideal", _share(measured, "asyncio", str(FAR), FAR), 0.62)
        )
    return Part([_table(settings, measured)], figures, {PLOT: _plot(settings, measured)})


def _add_turns(measured: Results, turns: Mapping[str, Turn], sizes: Sizes) -> None:
    """Add further turns to *measured*, of what varies most: with many connections the caches decide."""
    asyncio_only = {"asyncio": LOOPS["asyncio"]}
    more = interleaved(turns, repeats=sizes.growth_repeats, within=SECONDS, loops=asyncio_only)["asyncio"]
    for name, spread in more.items():
        measured["asyncio"][name] = Spread((*measured["asyncio"][name].values, *spread.values))


async def turn(server: Server, setting: Setting, seconds: float) -> float:
    """Return the lookups a second of a run."""
    watch = Stopwatch(setting, seconds)
    async with Kajabi(
        client_id="bench",
        client_secret="bench",
        base_url=server.base_url,
        concurrency=setting.concurrency,
        timeout=None,
    ) as api:
        gc.collect()
        ids = ids_of(watch.lookups)
        async for lookup in api.customers.get_many(ids, include=INCLUDED, concurrency=setting.concurrency):
            assert lookup.found, lookup
            if watch.answered():
                break
    return watch.rate


async def bare_turn(server: Server, setting: Setting, seconds: float) -> float:
    """Return those of tasks that share a session of aiohttp."""
    watch = Stopwatch(setting, seconds)
    async with bare(server.base_url, setting.concurrency) as client:
        gc.collect()
        ids = ids_of(watch.lookups)

        async def work() -> None:
            for resource_id in ids:
                await client.get(resource_id, included=True)
                watch.answered()

        await asyncio.gather(*(work() for _ in range(setting.concurrency)))
    return watch.rate


def _share(measured: Results, loop: str, name: str, setting: Setting) -> float:
    return measured[loop][name].median / setting.ideal


def _table(settings: list[Setting], measured: Results) -> Table:
    columns = [(f"{loop}, a second", "range", "of the ideal") for loop in LOOPS]
    header = ["Server latency, concurrency", "ideal", *(cell for column in columns for cell in column)]
    by_name = {str(each): each for each in settings}
    if FAR in settings:
        by_name[FAR_BARE] = FAR
    rows = [
        [name, f"{each.ideal:,.0f}", *(cell for loop in LOOPS for cell in _cells(measured, loop, name, each))]
        for name, each in by_name.items()
    ]
    note = (
        f"{OURS} unless stated otherwise, three includes; 1 turn each, and more for those with a range. The ideal is "
        "concurrency / latency; the clock runs while all slots are used."
    )
    return Table("Growth", header, rows, note)


def _cells(measured: Results, loop: str, name: str, setting: Setting) -> tuple[str, ...]:
    each = measured[loop][name]
    share = f"{_share(measured, loop, name, setting):.2f}"
    return f"{each.median:,.0f}", f"{each.low:,.0f}..{each.high:,.0f}", share


def _plot(settings: list[Setting], measured: Results) -> str:
    lines: list[Line] = []
    for latency in LATENCIES:
        mine = [each for each in settings if each.latency == latency]
        points = [(each.concurrency, measured["asyncio"][str(each)].median) for each in mine]
        ideal = [(each.concurrency, each.ideal) for each in mine]
        lines.append(Line(f"{latency * 1000:g} ms of server latency", points, ideal))
    return drawn(
        "Lookups a second grow with concurrency",
        across="requests under way at once",
        up="lookups a second",
        lines=lines,
        dashed="ideal: concurrency / latency",
    )
