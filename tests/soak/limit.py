"""Processes against a limit that nobody tells them: how much of it they use, and how often they are refused."""

import asyncio
from contextlib import AsyncExitStack

import attrs

from tests.soak.figures import Figure
from tests.soak.processes import FakeProcess, fake_process, worker

CLIENT = "tests.soak.client_process"


@attrs.frozen
class _Second:
    limit: float
    answered: int
    refused: int


async def hidden_limit(
    *, redis_url: str | None, processes: int, limit: int, warm: int, steady: int, settling: int
) -> list[Figure]:
    """Run *processes* for *warm* and *steady* seconds, halve the limit, and run for *settling* and *steady* more."""
    flags = ("--rate-limit", str(limit), "--rate-window", "1", "--retry-after", "absent")
    async with fake_process(*flags) as fake, AsyncExitStack() as stack:
        settings = fake.settings | ({"rate": redis_url} if redis_url else {})
        workers = [await stack.enter_async_context(worker(CLIENT, **settings)) for _ in range(processes)]
        for each in workers:
            await each.hear()
            await each.tell(do="keep asking", seconds=warm + steady + settling + steady + 2)
        await asyncio.sleep(warm)
        before = await _measured(fake, steady, limit)
        await fake.ask("PUT", "rate-limit", {"requests": limit // 2, "per": 1.0, "retry_after": "absent"})
        await asyncio.sleep(settling)
        after = await _measured(fake, steady, limit / 2)
    shared = "sharing what they learn over Redis" if redis_url else "each learning by itself"
    what = f"{processes} processes against a hidden limit of {limit} a second, {shared}"
    return [
        _figure(f"{what}, after {warm} s", before, steady),
        _figure(f"  {settling} s after it was halved", after, steady),
    ]


async def _measured(fake: FakeProcess, seconds: int, limit: float) -> _Second:
    before = await fake.counts()
    await asyncio.sleep(seconds)
    after = await fake.counts()
    return _Second(limit, after["answered"] - before["answered"], after["limited"] - before["limited"])


def _figure(what: str, seen: _Second, seconds: int) -> Figure:
    used = seen.answered / (seen.limit * seconds)
    refused = seen.refused / max(1, seen.refused + seen.answered)
    shown = f"{used:.1%} used, {refused:.2%} answered 429"
    return Figure(what, shown, "at least 90 %, under 1 %", used >= 0.9 and refused < 0.01)
