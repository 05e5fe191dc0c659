"""The shared rate on an injected clock: permits, reads, counts of answers, and the pauses of a failing Redis."""

import asyncio
import json
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest
from redis.asyncio import Redis

from kajabi_async.stores.redis import RedisRate, shared_rate
from tests.clocks import ManualClock

KEY = "kajabi_async:{k}:pace"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> ManualClock:
    """The clock of each process; Redis has one of its own."""
    clock = ManualClock()
    monkeypatch.setattr(shared_rate, "time", clock)
    return clock


class _Rate(RedisRate):
    """A shared rate that counts its updates."""

    updates = 0

    async def _update(self) -> float:
        self.updates += 1
        return await super()._update()


class _Failing:
    """A client of a Redis that cannot be reached."""

    async def execute_command(self, *_: object) -> object:
        raise ConnectionError


class _Stored:
    """A client of a Redis with one key and a clock that stands still; writers overtake each other if it *loses*."""

    def __init__(self, *, loses: bool = False) -> None:
        self.text = b""
        self.reads = 0
        self._loses = loses

    async def execute_command(self, _eval: str, _script: str, _keys: int, _key: str, *arguments: Any) -> object:
        if not arguments:
            self.reads += 1
            return [self.text, [b"1000", b"500000"]]
        if self._loses:
            return 0
        self.text = arguments[1]
        return 1


@asynccontextmanager
async def _stored_pace(url: str) -> AsyncGenerator[Any]:
    made: Any = Redis
    client = made.from_url(url)

    async def read() -> dict[str, Any]:
        found: dict[str, Any] = json.loads(await client.get(KEY))
        return found

    try:
        yield read
    finally:
        await client.aclose()


async def test_without_a_known_limit_one_read_is_valid_for_a_quarter_of_a_second(
    redis_url: str, clock: ManualClock
) -> None:
    """Then the next request reads again."""
    async with _Rate(redis_url, name="k") as rate:
        for now, updates in ((1000.0, 1), (1000.0, 1), (1000.24, 1), (1000.25, 2)):
            clock.now = now
            assert (await rate.take(now), rate.updates) == (0.0, updates)


@pytest.mark.parametrize(("per_second", "batch"), [(1000.0, 20), (100.0, 2), (60.0, 1)])
async def test_permits_for_a_fiftieth_of_a_second_are_taken_at_once(
    per_second: float, batch: int, redis_url: str, clock: ManualClock
) -> None:
    """Each lets one request go, and the next request takes more."""
    async with _Rate(redis_url, name="k", per_second=per_second) as rate:
        for update in (1, 2):
            for _ in range(batch):
                assert (await rate.take(clock.now), rate.updates) == (0.0, update)


async def test_permits_that_are_taken_are_valid_for_a_fifth_of_a_second(redis_url: str, clock: ManualClock) -> None:
    """After that, they would exceed the rate."""
    async with _Rate(redis_url, name="k", per_second=1000) as rate:
        for now, updates in ((1000.0, 1), (1000.19, 1), (1000.2, 2)):
            assert (await rate.take(now), rate.updates) == (0.0, updates)


@pytest.mark.parametrize(("per_second", "wait"), [(10.0, 0.1), (2.0, 0.25)])
async def test_a_caller_that_gets_none_of_the_permits_waits_for_the_next(
    per_second: float, wait: float, redis_url: str, clock: ManualClock
) -> None:
    """A quarter of a second at most, as the rate may have grown."""
    async with RedisRate(redis_url, name="k", per_second=per_second) as rate:
        assert rate.per_second(clock.now) == per_second
        waits = await asyncio.gather(*(rate.take(clock.now) for _ in range(3)))
    assert sorted(waits) == [0.0, wait, wait]


async def test_each_answer_is_counted_once_for_all_clients(redis_url: str, clock: ManualClock) -> None:
    """The count shows what the server bears."""
    async with RedisRate(redis_url, name="k") as rate, _stored_pace(redis_url) as stored:
        for answers, total in ((0, 0), (3, 3), (0, 3), (2, 5)):
            for _ in range(answers):
                rate.answered(clock.now)
            clock.advance(1.0)
            assert await rate.take(clock.now) == 0.0
            assert (await stored())["answers"] == total


async def test_a_refusal_is_shared_by_the_next_request_soon_after_the_start_of_the_machine(redis_url: str) -> None:
    """A monotonic clock may begin at zero: no moment of the beginning counts as valid."""
    async with RedisRate(redis_url, name="k") as one, RedisRate(redis_url, name="k") as other:
        assert await one.take(0.5) == 0.0
        one.refused(0.5, 30.0)
        assert 25 < await one.take(0.5) <= 30
        assert 25 < await other.take(0.5) <= 30


async def test_a_refusal_is_shared_although_the_request_that_shares_it_is_cancelled(
    redis_url: str, clock: ManualClock
) -> None:
    """The update goes on without a caller."""
    async with RedisRate(redis_url, name="k") as rate:
        rate.refused(clock.now, 30.0)
        taking = asyncio.create_task(rate.take(clock.now))
        await asyncio.sleep(0)
        taking.cancel()
        await asyncio.wait([taking])
        assert taking.cancelled()
        assert 25 < await rate.take(clock.now) <= 30


async def test_moments_are_those_of_the_clock_of_redis(clock: ManualClock) -> None:
    """To the microsecond: the clocks of the clients differ."""
    client = _Stored()
    rate = RedisRate(cast("Any", client), name="k")
    rate.refused(clock.now, 30.0)
    assert await rate.take(clock.now) == 30.0
    assert json.loads(client.text)["paused_until"] == 1030.5


async def test_a_redis_that_fails_is_tried_again_after_pauses_up_to_a_minute(clock: ManualClock) -> None:
    """They double; meanwhile each request goes at the rate that is known, without waiting for Redis."""
    rate = _Rate(cast("Any", _Failing()), name="k", per_second=1000)
    assert await rate.take(clock.now) == 0.001
    for updates, pause in enumerate((1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0), start=1):
        for before in (pause, 0.01):
            assert await rate.take(clock.now + pause - before) == 0.0
            await asyncio.sleep(0)
            assert rate.updates == updates
        clock.advance(pause)
        assert await rate.take(clock.now) == 0.0
        while rate._flight._flights:
            await asyncio.sleep(0)
    assert rate.per_second(clock.now) == 1000.0
    await rate.aclose()


async def test_a_rate_that_is_overtaken_by_too_many_clients_is_learned_alone(
    clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    """After twenty tries."""
    client = _Stored(loses=True)
    with caplog.at_level(logging.WARNING, logger="kajabi_async"):
        assert await RedisRate(cast("Any", client), name="k").take(clock.now) == 0.001
    assert client.reads == 20
    assert [record.message.rpartition(": ")[2] for record in caplog.records] == [
        "too many clients change the shared rate at once"
    ]
