"""Calls beside a bulk run in the same client, 200 a second: the time in which 99 of 100 end."""

import asyncio
import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from time import perf_counter

from benchmarks import serving
from benchmarks.contenders import ids_of
from benchmarks.measuring import LOOPS, Results, Spread, in_steps, turns_taken
from benchmarks.results import Figure, Part, Table, at_most
from benchmarks.serving import Server
from benchmarks.sizes import Sizes
from kajabi_async import Kajabi

CALLS_A_SECOND = 200
RATE_LIMIT = 500
"""Requests a second, of a client that knows its limit: more than the calls need, and less than calls and run."""
ENDLESS = 10**9
SECONDS = 9.0
"""The limit for all rounds of one setting."""


@dataclass(frozen=True)
class Setting:
    latency: float
    rate_limit: float | None = None

    def __str__(self) -> str:
        limit = "" if self.rate_limit is None else f", rate_limit={self.rate_limit:g}"
        return f"{self.latency * 1000:g} ms{limit}"


SETTINGS = (Setting(0.005), Setting(0.05), Setting(0.05, RATE_LIMIT))


def measure(sizes: Sizes) -> Part:
    rows: list[list[str]] = []
    figures: list[Figure] = []
    measured: Results = {}
    for setting in SETTINGS:
        with serving.with_latency(setting.latency) as server:
            turn = partial(times, server, setting, sizes.beside_calls)
            measured = in_steps(turn, repeats=sizes.beside_repeats, within=SECONDS)
        rows.append([str(setting), *(cell for loop in LOOPS for cell in _cells(measured[loop]))])
        figures.append(
            at_most(f"99 in 100 calls beside a run, {setting}, times alone", _ratio(measured["asyncio"]), 2.0)
        )
    columns = [(f"{loop}, alone", "beside a run", "times", "lookups a second") for loop in LOOPS]
    note = (
        f"Milliseconds in which 99 of 100 calls of get end, {CALLS_A_SECOND} started a second, without a bulk run and "
        f"with one of 50 in the same client; {sizes.beside_calls} calls a turn, {turns_taken(measured['asyncio'])}."
    )
    return Part(
        [
            Table(
                "Calls beside a bulk run",
                ["Server latency", *(cell for column in columns for cell in column)],
                rows,
                note,
            )
        ],
        figures,
    )


async def times(server: Server, setting: Setting, calls: int) -> Mapping[str, float]:
    """Return the 99th percentile of calls alone and beside a run, in milliseconds, and the lookups a second."""
    async with Kajabi(
        client_id="bench", client_secret="bench", base_url=server.base_url, rate_limit=setting.rate_limit
    ) as api:
        await api.customers.get_many(ids_of(200)).report()
        await percentile(api, calls // 4)
        alone = await percentile(api, calls)
        run = api.customers.get_many(ids_of(ENDLESS))
        reporting = asyncio.create_task(run.report())
        try:
            await percentile(api, calls // 4)
            before, begin = api.stats.attempts, perf_counter()
            beside = await percentile(api, calls)
            lookups = (api.stats.attempts - before - calls) / (perf_counter() - begin)
        finally:
            await run.aclose()
            await asyncio.wait([reporting])
    return {"alone": alone, "beside": beside, "lookups": lookups}


async def percentile(api: Kajabi, calls: int) -> float:
    """Start the *calls* at a constant rate, however long they take; return the 99th percentile in milliseconds."""
    taken: list[float] = []

    async def call() -> None:
        begin = perf_counter()
        await api.customers.get("7")
        taken.append((perf_counter() - begin) * 1000)

    begin = perf_counter()
    async with asyncio.TaskGroup() as group:
        for number in range(calls):
            await asyncio.sleep(max(0.0, begin + number / CALLS_A_SECOND - perf_counter()))
            group.create_task(call())
    return statistics.quantiles(taken, n=100)[98]


def _ratio(measured: Mapping[str, Spread]) -> float:
    return measured["beside"].times(measured["alone"])


def _cells(measured: Mapping[str, Spread]) -> tuple[str, ...]:
    alone, beside, lookups = (measured[name].median for name in ("alone", "beside", "lookups"))
    return f"{alone:,.1f}", f"{beside:,.1f}", f"{_ratio(measured):.2f}", f"{lookups:,.0f}"
