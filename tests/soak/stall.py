"""Bulk lookups through pauses, restarts, and the loss of tokens, token endpoint and Redis: none is lost.

The server counts the requests for each id: only those in progress at an incident may be sent again.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import attrs
import psutil

from kajabi_async import BulkStalledError, Kajabi
from kajabi_async.stores.redis import RedisRate, RedisTokenStore
from tests.redis_server import free_port
from tests.soak.bulk import GROWTH_BYTES
from tests.soak.figures import Figure
from tests.soak.processes import Worker, worker

SERVER = "tests.soak.stall_server"
CONCURRENCY = 50


@attrs.frozen(kw_only=True)
class Lengths:
    """The duration of each incident in seconds."""

    pause: float = 20.0
    restart: float = 5.0
    token_endpoint: float = 10.0
    redis: float = 5.0


class _Redis:
    """A real server, killed and started again on the same port."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_port()
        self._process: asyncio.subprocess.Process | None = None
        self.url = f"redis://127.0.0.1:{self._port}"

    async def start(self) -> None:
        settings = ("--port", str(self._port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no")
        self._process = await asyncio.create_subprocess_exec(
            *("redis-server", *settings, "--dir", str(self._folder)), stdout=asyncio.subprocess.DEVNULL
        )
        for _ in range(500):
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", self._port)
            except OSError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                return
        raise AssertionError("redis-server did not answer within 10 s")

    async def kill(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()


@asynccontextmanager
async def _redis(folder: Path) -> AsyncGenerator[_Redis]:
    redis = _Redis(folder)
    await redis.start()
    try:
        yield redis
    finally:
        await redis.kill()


@asynccontextmanager
async def _client(base_url: str, redis: _Redis) -> AsyncGenerator[Kajabi]:
    async with (
        RedisTokenStore(redis.url, prefix="stall") as store,
        RedisRate(redis.url, name="stall") as rate,
        Kajabi(
            client_id="id",
            client_secret="secret",
            base_url=base_url,
            concurrency=CONCURRENCY,
            token_store=store,
            rate_limit=rate,
        ) as api,
    ):
        yield api


async def stalls(number: int, folder: Path, *, lengths: Lengths | None = None, settled: int = 0) -> list[Figure]:
    """Look up *number* customers while each incident happens once, the restart three times."""
    durations = lengths or Lengths()
    async with worker(SERVER) as server, _redis(folder) as redis:
        base_url = (await server.receive())["base_url"]
        async with _client(base_url, redis) as api:
            incidents = _incidents(number, server, redis, durations)
            seen = bytearray(number + 1)
            lost = doubled = 0
            memory = psutil.Process().memory_info
            before = memory().rss
            started = time.monotonic()
            stalled: list[float] = []
            run = api.customers.get_many(
                range(1, number + 1), observer=lambda progress: stalled.append(progress.stalled_since or 0.0)
            )
            done = 0
            async for lookup in run:
                index = int(lookup.id)
                doubled += seen[index]
                seen[index] = 1
                lost += not lookup.found
                done += 1
                if done == settled:
                    before = memory().rss
                if incidents and done >= incidents[0][0]:
                    await incidents.pop(0)[1]()
            grown = memory().rss - before
            took = time.monotonic() - started
        await server.send(do="count")
        counts = await server.receive()
    lost += number - sum(seen)
    happened = 8
    surplus = counts["requests"] - number
    reported = len({each for each in stalled if each})
    return [
        Figure(
            f"{number:,} lookups through {happened} incidents, {took:.0f} s, stalls reported {reported} times",
            f"{sum(seen):,} answered, {lost} lost, {doubled} doubled",
            f"{number:,}, 0 and 0",
            lost == doubled == 0 and sum(seen) == number,
        ),
        Figure(
            "  requested more than once",
            f"{counts['requested_again']:,} ids, at most {counts['most']} times, {surplus:,} extra requests",
            f"those in progress: at most {CONCURRENCY} for each incident",
            counts["requested_again"] <= surplus <= CONCURRENCY * happened,
        ),
        Figure("  growth of memory", f"{grown / 2**20:.1f} MB", "under 64 MB", grown < GROWTH_BYTES),
    ]


def _incidents(
    number: int, server: Worker, redis: _Redis, durations: Lengths
) -> list[tuple[int, Callable[[], Awaitable[None]]]]:
    """Return the number of outcomes after which each incident happens."""

    def order(kind: str, seconds: float = 0.0) -> Callable[[], Awaitable[None]]:
        async def trigger() -> None:
            await server.send(do=kind, seconds=seconds)
            await server.receive()

        return trigger

    async def lose_redis() -> None:
        await redis.kill()
        _later.append(asyncio.create_task(_restart(redis, durations.redis)))

    _later: list[asyncio.Task[None]] = []
    kinds = [
        order("pause", durations.pause),
        order("restart", durations.restart),
        order("token endpoint", durations.token_endpoint),
        order("restart", durations.restart),
        order("expired token"),
        lose_redis,
        order("revoked token"),
        order("restart", durations.restart),
    ]
    return [(number * (index + 1) // (len(kinds) + 2), trigger) for index, trigger in enumerate(kinds)]


async def _restart(redis: _Redis, seconds: float) -> None:
    await asyncio.sleep(seconds)
    await redis.start()


async def gone_for_good(number: int, folder: Path, *, patience: float) -> list[Figure]:
    """Stop the server during a run; let a second run over the unanswered ids complete the set."""
    async with worker(SERVER) as server, _redis(folder) as redis:
        base_url = (await server.receive())["base_url"]
        async with _client(base_url, redis) as api:
            source = iter(range(1, number + 1))
            answered: set[str] = set()
            last_answer, stalled = 0.0, None
            try:
                async for lookup in api.customers.get_many(source, patience=patience):
                    assert lookup.found
                    answered.add(lookup.id)
                    last_answer = time.monotonic()
                    if len(answered) == number // 2:
                        await server.send(do="gone")
                        await server.receive()
            except BulkStalledError as error:
                stalled = error
            waited = time.monotonic() - last_answer
            await server.send(do="back")
            await server.receive()
            unanswered: tuple[Any, ...] = () if stalled is None else stalled.unanswered
            left = len(unanswered) + len(list(source))
            exact = not answered.intersection(unanswered) and len(answered) + left == number
            first = len(answered)
            async for lookup in api.customers.get_many([*unanswered, *_not_taken(number, answered, unanswered)]):
                assert lookup.found
                answered.add(lookup.id)
    return [
        Figure(
            f"a server that stays down after {first:,} of {number:,}",
            f"ended {waited:.1f} s after the last answer, {len(unanswered)} ids unanswered, exact: {exact}",
            f"{patience:g} s, exact",
            stalled is not None and exact and patience - 0.5 <= waited <= patience + 2.0,
        ),
        Figure("  a second run over them and the rest", f"{len(answered):,}", f"{number:,}", len(answered) == number),
    ]


def _not_taken(number: int, answered: set[str], unanswered: tuple[Any, ...]) -> list[str]:
    return [each for each in map(str, range(1, number + 1)) if each not in answered and each not in unanswered]
