"""Sharing over Redis: leases that end, writers that come late, a server that fails."""

import asyncio
import logging
import socket
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from redis.asyncio import Redis

from kajabi_async.errors import ConfigurationError, StoreUnavailableError
from kajabi_async.stores.redis import RedisRate, RedisTokenStore
from kajabi_async.stores.redis import calls as calls_module
from tests.redis_server import free_port
from tests.stores.contract import KEY, token

Client = Any
"""The types of redis-py tell neither what is awaited nor what comes back."""


@asynccontextmanager
async def _client(url: str, **settings: Any) -> AsyncGenerator[Client]:
    made: Any = Redis
    client = made.from_url(url, **settings)
    try:
        yield client
    finally:
        await client.aclose()


async def test_a_holder_that_dies_is_replaced_when_its_lease_ends(redis_url: str) -> None:
    """Redis itself drops the lease."""
    async with RedisTokenStore(redis_url, lease_seconds=7) as store, _client(redis_url) as client:
        assert await store.acquire(KEY) is not None
        assert await store.acquire(KEY) is None
        left = await client.pttl(f"kajabi_async:{{{KEY}}}:lease")
        assert 0 < left <= 7000
        await client.delete(f"kajabi_async:{{{KEY}}}:lease")
        assert await store.acquire(KEY) is not None


async def test_a_holder_that_outlived_its_lease_overwrites_nothing(redis_url: str) -> None:
    """Its fence is behind, even where the version is what it saw."""
    async with RedisTokenStore(redis_url) as store, _client(redis_url) as client:
        late = await store.acquire(KEY)
        assert late is not None
        await client.delete(f"kajabi_async:{{{KEY}}}:lease")
        next_one = await store.acquire(KEY)
        assert next_one is not None
        assert next_one.fence > late.fence
        assert await store.save(KEY, token("a1"), lease=next_one, replaces=0)
        assert not await store.save(KEY, token("late"), lease=late, replaces=0)
        assert not await store.save(KEY, token("late"), lease=late, replaces=1)
        await store.release(KEY, late)
        assert await store.acquire(KEY) is None


async def test_the_token_is_kept_for_a_while_and_not_for_ever(redis_url: str) -> None:
    """A Redis fills up otherwise."""
    async with RedisTokenStore(redis_url, prefix="mine") as store, _client(redis_url) as client:
        lease = await store.acquire(KEY)
        assert lease is not None
        assert await store.save(KEY, token(), lease=lease, replaces=0)
        assert 80 * 86400 < await client.ttl(f"mine:{{{KEY}}}:token") <= 90 * 86400


async def test_a_client_that_was_handed_in_is_used_and_not_closed(redis_url: str) -> None:
    """Even one that decodes its answers."""
    async with _client(redis_url, decode_responses=True) as client:
        async with RedisTokenStore(client) as store:
            lease = await store.acquire(KEY)
            assert lease is not None
            assert await store.save(KEY, token(), lease=lease, replaces=0)
            found = await store.load(KEY)
            assert found is not None
            assert found.access.reveal() == "a1"
        assert await client.ping()


async def test_a_cancelled_caller_leaves_the_connection_in_order(redis_url: str) -> None:
    """The next one gets its own answer, not the one that was left behind."""
    async with _client(redis_url, single_connection_client=True) as client, RedisTokenStore(client) as store:
        lease = await store.acquire(KEY)
        assert lease is not None
        for number in range(50):
            loading = asyncio.create_task(store.load(f"{number:x}"))
            for _ in range(number % 4):
                await asyncio.sleep(0)
            loading.cancel()
            await asyncio.wait([loading])
        assert await store.save(KEY, token("right"), lease=lease, replaces=0)
        found = await store.load(KEY)
        assert found is not None
        assert found.access.reveal() == "right"


@pytest.mark.parametrize("call", ["load", "acquire"])
async def test_a_server_that_is_not_there_is_told_without_what_was_sent(call: str) -> None:
    """The password of the URL least of all."""
    async with RedisTokenStore(f"redis://:canary@127.0.0.1:{free_port()}") as store:
        with pytest.raises(StoreUnavailableError, match="Redis cannot be used") as caught:
            await getattr(store, call)(KEY)
    assert "canary" not in str(caught.value)


async def test_a_server_that_never_answers_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two seconds at most, and the client goes on."""
    monkeypatch.setattr(calls_module, "_SECONDS", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        async with RedisTokenStore(f"redis://127.0.0.1:{silent.getsockname()[1]}") as store:
            with pytest.raises(StoreUnavailableError):
                await store.load(KEY)


def test_a_url_of_something_else_is_refused() -> None:
    """Before anything is sent, and without showing it."""
    with pytest.raises(ConfigurationError, match="redis://") as caught:
        RedisTokenStore("http://:canary@example.com")
    assert "canary" not in str(caught.value)


async def _gone(rate: RedisRate, times: int) -> int:
    return sum([await rate.take(time.monotonic()) == 0.0 for _ in range(times)])


async def test_nothing_is_held_back_while_no_limit_is_known(redis_url: str) -> None:
    """One look tells for a while."""
    async with RedisRate(redis_url, name="k") as rate:
        assert await _gone(rate, 1000) == 1000
        assert rate.per_second(time.monotonic()) is None


async def test_those_who_look_along_get_no_more_than_the_turns_there_are(redis_url: str) -> None:
    """Forty at once at ten a second: one may go, the others are told when to ask again."""
    async with RedisRate(redis_url, name="k", per_second=10) as rate:
        waits = await asyncio.gather(*(rate.take(time.monotonic()) for _ in range(40)))
    assert waits.count(0.0) == 1


async def test_a_refusal_slows_everybody_down_and_its_pause_is_everybodys(redis_url: str) -> None:
    """Also those who were not refused."""
    async with RedisRate(redis_url, name="k") as one, RedisRate(redis_url, name="k") as other:
        await one.take(time.monotonic())
        one.answered(time.monotonic())
        one.refused(time.monotonic(), 30.0)
        assert 25 < await one.take(time.monotonic()) <= 30
        assert 25 < await other.take(time.monotonic()) <= 30
        assert other.per_second(time.monotonic()) is not None
    async with RedisRate(redis_url, name="another") as third:
        assert await third.take(time.monotonic()) == 0.0


async def test_a_known_rate_is_kept_to_together(redis_url: str) -> None:
    """Ten a second for all of them: hardly any in one moment."""
    async with (
        RedisRate(redis_url, name="k", per_second=10) as one,
        RedisRate(redis_url, name="k", per_second=10) as other,
    ):
        assert await _gone(one, 20) + await _gone(other, 20) <= 3
        assert one.per_second(0.0) == 10.0


async def test_a_redis_that_fails_leaves_each_process_a_rate_of_its_own(
    redis_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """With one warning; what was learned alone is kept to."""
    async with RedisRate(f"redis://127.0.0.1:{free_port()}", name="k") as rate:
        with caplog.at_level(logging.WARNING, logger="kajabi_async"):
            assert await rate.take(time.monotonic()) > 0.0
            assert await _gone(rate, 10) == 10
        assert [record.message for record in caplog.records] == [
            "the shared rate cannot be used, each process keeps one of its own: Redis cannot be used (ConnectionError)"
        ]
        rate.refused(time.monotonic(), 30.0)
        assert await rate.take(time.monotonic()) > 25
        assert rate.per_second(time.monotonic()) is not None


async def test_what_is_no_pace_is_overwritten(redis_url: str) -> None:
    """Somebody else's key, or an older form of it."""
    async with RedisRate(redis_url, name="k") as rate, _client(redis_url) as client:
        for junk in (b"junk", b"[]", b'{"borne": "x", "stock": null, "cuts": true}'):
            await client.set("kajabi_async:{k}:pace", junk)
            rate.refused(time.monotonic(), None)
            await rate.take(time.monotonic())
            assert b'"borne"' in await client.get("kajabi_async:{k}:pace")
            assert rate.per_second(time.monotonic()) is not None


async def test_many_who_ask_at_once_share_one_look(redis_url: str) -> None:
    """And a cancelled one disturbs nobody."""
    async with RedisRate(redis_url, name="k") as rate:
        asking = [asyncio.create_task(rate.take(time.monotonic())) for _ in range(50)]
        await asyncio.sleep(0)
        asking[0].cancel()
        done = await asyncio.gather(*asking, return_exceptions=True)
        assert sum(isinstance(each, asyncio.CancelledError) for each in done) == 1


def test_a_shared_rate_needs_a_name() -> None:
    """Clients of different keys must not share one by accident."""
    with pytest.raises(ConfigurationError, match="name"):
        RedisRate("redis://127.0.0.1", name="")
