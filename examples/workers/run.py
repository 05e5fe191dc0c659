"""One complete run: two workers, a number of kills, and a summary of the result."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import Any

import attrs

from examples.workers.entitlements import Chunk, chunks
from examples.workers.fleet import Fleet, Kill
from examples.workers.sink import Sink
from kajabi_async import KajabiError, Report

__all__ = ["Account", "run"]

_WORKERS = 2


@attrs.frozen
class Account:
    """The summary of a run."""

    customers: int
    """The number of customers in the result."""
    written_twice: int
    """The number of customers that are in the feed of changes more than once."""
    chunks: int
    kills: tuple[Kill, ...]
    started_again: frozenset[str]
    """Keys of chunks that more than one worker started."""
    failures: tuple[KajabiError, ...]
    """The errors of the last attempts of chunks."""
    seconds: float
    """From the start of the workers to the end of the last chunk."""


async def run(
    framework: str,
    name: str,
    ids: Iterable[str],
    *,
    size: int,
    kills: int,
    redis_url: str,
    timeout: float,
    log: Path | None = None,
) -> Account:
    """Refresh *ids* with two workers of *framework*, kill one in mid-chunk *kills* times, and wait for the end."""
    work = list(chunks(name, ids, size=size))
    async with Sink(redis_url, name) as sink, Fleet(framework, log=log) as fleet:
        for _ in range(_WORKERS):
            await fleet.start()
        sending = asyncio.create_task(_refresh_all(framework, work, timeout))
        killed: list[Kill] = []
        killing = asyncio.create_task(_kill(fleet, sink, work, kills, killed))
        started_at = time.monotonic()
        try:
            outcomes = await sending
        finally:
            for task in (sending, killing):
                task.cancel()
            await asyncio.wait((sending, killing))
        return await _account(sink, work, tuple(killed), outcomes, time.monotonic() - started_at)


async def _refresh_all(framework: str, work: list[Chunk], timeout: float) -> list[Report | KajabiError]:
    module: Any = import_module(f"examples.workers.{framework}_worker")
    outcomes: list[Report | KajabiError] = await module.refresh_all(work, timeout=timeout)
    return outcomes


async def _kill(fleet: Fleet, sink: Sink, work: list[Chunk], kills: int, killed: list[Kill]) -> None:
    """Kill one worker after the other, each after another share of the customers, and replace it."""
    total = sum(len(chunk.ids) for chunk in work)
    for number in range(1, kills + 1):
        await _reached(sink, total * number / (kills + 2))
        while len(killed) < number:
            kill = await fleet.kill_in_mid_chunk(sink, work)
            # A worker may complete its chunk just before the signal arrives.
            if kill.half_done:
                killed.append(kill)
            await fleet.start()


async def _reached(sink: Sink, customers: float) -> None:
    while await sink.written() < customers:  # noqa: ASYNC110 - Redis is written by other processes
        await asyncio.sleep(0.05)


async def _account(
    sink: Sink, work: list[Chunk], kills: tuple[Kill, ...], outcomes: list[Report | KajabiError], seconds: float
) -> Account:
    starters: dict[str, set[str]] = {}
    for key, worker in await sink.started():
        starters.setdefault(key, set()).add(worker)
    written = Counter(await sink.changes())
    return Account(
        customers=await sink.written(),
        written_twice=sum(count > 1 for count in written.values()),
        chunks=len(work),
        kills=kills,
        started_again=frozenset(key for key, workers in starters.items() if len(workers) > 1),
        failures=tuple(outcome for outcome in outcomes if isinstance(outcome, KajabiError)),
        seconds=seconds,
    )
