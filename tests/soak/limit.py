"""Processes against an unannounced limit: the share of it they use, and the share of 429s."""

import asyncio
from contextlib import AsyncExitStack

import attrs

from tests.soak.figures import Figure
from tests.soak.processes import FakeProcess, fake_process, worker

CLIENT = "tests.soak.client_process"


@attrs.frozen
class _Measured:
    limit: float
    answered: int
    rejected: int


async def hidden_limit(
    *, redis_url: str | None, processes: int, limit: int, warm: int, steady: int, settling: int
) -> list[Figure]:
    """Run *processes* for *warm* and *steady* seconds, halve the limit, and run for *settling* and *steady* more."""
    flags = ("--rate-limit", str(limit), "--rate-window", "1", "--retry-after", "absent")
    async with fake_process(*flags) as fake, AsyncExitStack() as stack:
        settings = fake.settings | ({"rate": redis_url} if redis_url else {})
        workers = [await stack.enter_async_context(worker(CLIENT, **settings)) for _ in range(processes)]
        for each in workers:
            await each.receive()
            await each.send(do="keep requesting", seconds=warm + steady + settling + steady + 2)
        await asyncio.sleep(warm)
        before = await _measured(fake, steady, limit)
        await fake.control("PUT", "rate-limit", {"requests": limit // 2, "per": 1.0, "retry_after": "absent"})
        await asyncio.sleep(settling)
        after = await _measured(fake, steady, limit / 2)
    shared = "sharing the learned rate over Redis" if redis_url else "each learning its own rate"
    what = f"{processes} processes against a hidden limit of {limit} a second, {shared}"
    return [
        _figure(f"{what}, after {warm} s", before, steady),
        _figure(f"  {settling} s after it was halved", after, steady),
    ]


async def _measured(fake: FakeProcess, seconds: int, limit: float) -> _Measured:
    before = await fake.counts()
    await asyncio.sleep(seconds)
    after = await fake.counts()
    return _Measured(limit, after["answered"] - before["answered"], after["limited"] - before["limited"])


def _figure(what: str, seen: _Measured, seconds: int) -> Figure:
    used = seen.answered / (seen.limit * seconds)
    rejected = seen.rejected / max(1, seen.rejected + seen.answered)
    shown = f"{used:.1%} used, {rejected:.2%} answered 429"
    return Figure(what, shown, "at least 90 %, under 1 %", used >= 0.9 and rejected < 0.01)
