"""The behaviour of every guard, in memory and over a real Redis; then that of each one."""

import asyncio
import logging
import subprocess
import sys
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from redis.asyncio import Redis

from kajabi_async import ConfigurationError
from kajabi_async.webhooks import MemoryReplayGuard, ReplayGuard, ReplayGuardUnavailableError, Standing
from kajabi_async.webhooks.redis_replay import RedisReplayGuard
from tests.clocks import ManualClock
from tests.redis_server import free_port

NEW, IN_PROGRESS, HANDLED = Standing.NEW, Standing.IN_PROGRESS, Standing.HANDLED


def client_of(url: str, **options: Any) -> Any:
    # Any: the types that redis-py declares for its replies are too imprecise.
    anything: Any = Redis
    return anything.from_url(url, **options)


@pytest.fixture
async def redis(redis_url: str) -> AsyncGenerator[Any]:
    async with client_of(redis_url) as client:
        yield client


@pytest.fixture
async def nowhere() -> AsyncGenerator[Redis]:
    """A client of a Redis that is not running."""
    async with Redis(host="127.0.0.1", port=free_port(), username="hooks", password="hunter2hunter2") as client:
        yield client


@pytest.fixture(params=["memory", "redis"])
def guard(request: pytest.FixtureRequest) -> ReplayGuard:
    if request.param == "memory":
        return MemoryReplayGuard()
    return RedisReplayGuard(request.getfixturevalue("redis"), when_unavailable="refuse")


async def test_a_key_is_new_once(guard: ReplayGuard) -> None:
    """Then it is in progress for every caller, including its holder, until it is handled."""
    assert await guard.claim("k", "one") is NEW
    assert await guard.claim("k", "two") is IN_PROGRESS
    assert await guard.claim("k", "one") is IN_PROGRESS
    assert await guard.claim("other", "two") is NEW
    await guard.confirm("k", "one")
    assert await guard.claim("k", "two") is HANDLED


async def test_a_released_key_is_new_again(guard: ReplayGuard) -> None:
    """A failed delivery may be tried again."""
    assert await guard.claim("k", "one") is NEW
    await guard.release("k", "one")
    assert await guard.claim("k", "two") is NEW


async def test_a_key_is_released_only_by_its_holder(guard: ReplayGuard) -> None:
    """A holder whose lease expired must not release the key of the current one."""
    assert await guard.claim("k", "two") is NEW
    await guard.release("k", "one")
    await guard.release("never claimed", "one")
    assert await guard.claim("k", "three") is IN_PROGRESS


async def test_what_was_handled_is_not_released(guard: ReplayGuard) -> None:
    """Not even by a late call."""
    await guard.claim("k", "one")
    await guard.confirm("k", "one")
    await guard.release("k", "one")
    assert await guard.claim("k", "two") is HANDLED


async def test_of_many_claims_at_once_one_is_new(guard: ReplayGuard) -> None:
    """Claiming is atomic."""
    message = await asyncio.gather(*(guard.claim("k", str(number)) for number in range(40)))
    assert sorted(standing.name for standing in message) == ["IN_PROGRESS"] * 39 + ["NEW"]


async def test_memory_forgets_what_was_handled_after_the_time_to_live() -> None:
    """Counted from the end of handling."""
    clock = ManualClock()
    guard = MemoryReplayGuard(ttl_seconds=100, lease_seconds=10, clock=clock.monotonic)
    await guard.claim("k", "one")
    clock.advance(5)
    await guard.confirm("k", "one")
    clock.advance(99.9)
    assert await guard.claim("k", "two") is HANDLED
    clock.advance(0.1)
    assert await guard.claim("k", "two") is NEW


async def test_memory_expires_a_lease() -> None:
    """A handler that hangs does not block the key for ever; if it ends after all, the key counts as handled."""
    clock = ManualClock()
    guard = MemoryReplayGuard(lease_seconds=10, clock=clock.monotonic)
    await guard.claim("k", "one")
    clock.advance(9.9)
    assert await guard.claim("k", "two") is IN_PROGRESS
    clock.advance(0.1)
    assert await guard.claim("k", "two") is NEW
    await guard.confirm("k", "one")
    assert await guard.claim("k", "three") is HANDLED


async def test_memory_is_bounded() -> None:
    """Handled keys are evicted first, oldest first; keys in progress only if there are no others."""
    guard = MemoryReplayGuard(most_keys=3)
    await guard.claim("held", "one")
    for key in ("a", "b", "c"):
        await guard.claim(key, "one")
        await guard.confirm(key, "one")
    assert len(guard) == 3
    assert await guard.claim("c", "two") is HANDLED
    assert await guard.claim("held", "two") is IN_PROGRESS
    assert await guard.claim("a", "two") is NEW
    for number in range(1000):
        await guard.claim(f"held {number}", "one")
    assert len(guard) == 3


async def test_memory_removes_expired_keys() -> None:
    """Neither leases nor handled keys stay beyond their time."""
    clock = ManualClock()
    guard = MemoryReplayGuard(ttl_seconds=100, lease_seconds=10, clock=clock.monotonic)
    for number in range(50):
        await guard.claim(f"{number}", "one")
        await guard.confirm(f"{number}", "one")
        await guard.claim(f"held {number}", "one")
    assert len(guard) == 100
    clock.advance(10)
    assert len(guard) == 50
    clock.advance(90)
    assert len(guard) == 0


async def test_redis_keys_expire(redis: Any) -> None:
    """With a prefix, after the lease while claimed and after the time to live once handled."""
    guard = RedisReplayGuard(redis, when_unavailable="refuse", ttl_seconds=5000, lease_seconds=50, prefix="hooks:")
    await guard.claim("k", "one")
    assert await redis.keys() == [b"hooks:k"]
    assert 0 < await redis.pttl("hooks:k") <= 50_000
    await guard.confirm("k", "one")
    assert 50_000 < await redis.pttl("hooks:k") <= 5_000_000


async def test_redis_gives_up_on_a_key_that_keeps_expiring(redis: Any) -> None:
    """A key that others repeatedly claim and lose counts as in progress."""
    guard = RedisReplayGuard(redis, when_unavailable="refuse")
    await guard.claim("k", "one")

    async def has_just_ended(_key: Any) -> None:
        return None

    redis.get = has_just_ended
    assert await guard.claim("k", "two") is IN_PROGRESS


async def test_redis_is_shared_by_processes(redis: Any, redis_url: str) -> None:
    """Another client, one that decodes its replies, sees the same."""
    ours = RedisReplayGuard(redis, when_unavailable="refuse")
    async with client_of(redis_url, decode_responses=True) as other:
        theirs = RedisReplayGuard(other, when_unavailable="refuse")
        await ours.claim("k", "one")
        assert await theirs.claim("k", "two") is IN_PROGRESS
        await theirs.release("k", "two")
        await ours.confirm("k", "one")
        assert await theirs.claim("k", "two") is HANDLED


async def test_redis_takes_a_key_that_expired_while_it_was_being_read(redis: Any) -> None:
    """If a lease expires between SET and GET, the key is claimed after all."""
    guard = RedisReplayGuard(redis, when_unavailable="refuse")
    await guard.claim("k", "one")
    read = redis.get

    async def ends_just_then(key: Any) -> Any:
        await redis.delete(key)
        return await read(key)

    redis.get = ends_just_then
    assert await guard.claim("k", "two") is NEW


async def test_an_unreachable_redis_refuses_if_configured_so(nowhere: Redis) -> None:
    """503 from each of the three, and the error does not name the server or its user."""
    guard = RedisReplayGuard(nowhere, when_unavailable="refuse")
    for asking in (guard.claim("k", "one"), guard.confirm("k", "one"), guard.release("k", "one")):
        with pytest.raises(ReplayGuardUnavailableError, match="got no answer from Redis") as caught:
            await asking
        assert caught.value.http_status == 503
        assert caught.value.__context__ is None


async def test_an_unreachable_redis_accepts_if_configured_so(nowhere: Redis, caplog: pytest.LogCaptureFixture) -> None:
    """The delivery counts as new, and the log warns."""
    guard = RedisReplayGuard(nowhere, when_unavailable="accept")
    with caplog.at_level(logging.WARNING, logger="kajabi_async"):
        assert await guard.claim("k", "one") is NEW
    assert "that may be a duplicate" in caplog.text
    assert "hunter2" not in caplog.text


async def test_a_silent_redis_is_not_waited_for() -> None:
    """The guard has a time limit of its own, whatever that of the client is."""
    silent = asyncio.Event()

    async def say_nothing(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await silent.wait()
        writer.close()

    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        async with Redis(host="127.0.0.1", port=port) as client:
            guard = RedisReplayGuard(client, when_unavailable="refuse", timeout_seconds=0.05)
            with pytest.raises(ReplayGuardUnavailableError, match="TimeoutError"):
                await guard.claim("k", "one")
    finally:
        silent.set()
        server.close()
        await server.wait_closed()


@pytest.mark.parametrize("seconds", [0, -1, float("inf"), float("nan"), "60", True, None, 10**400])
@pytest.mark.parametrize("name", ["ttl_seconds", "lease_seconds"])
def test_times_are_above_zero(name: str, seconds: Any) -> None:
    """A guard that remembers nothing, or for ever, is a mistake."""
    settings: dict[str, Any] = {name: seconds}
    with pytest.raises(ConfigurationError, match=f"{name} must be a positive number of seconds"):
        MemoryReplayGuard(**settings)
    with pytest.raises(ConfigurationError, match=name):
        RedisReplayGuard(Redis(), when_unavailable="refuse", **settings)


def test_settings_that_make_no_sense_are_refused() -> None:
    """The behaviour without Redis is one of two words, and the memory holds at least one key."""
    odd: Any = "ignore"
    with pytest.raises(ConfigurationError, match="'refuse' or 'accept', got 'ignore'"):
        RedisReplayGuard(Redis(), when_unavailable=odd)
    with pytest.raises(ConfigurationError, match="at least 1, got 0"):
        MemoryReplayGuard(most_keys=0)
    with pytest.raises(ConfigurationError, match="ttl_seconds must be a positive number of seconds below"):
        # Redis counts milliseconds in 64 bits.
        RedisReplayGuard(Redis(), when_unavailable="refuse", ttl_seconds=1e300)


def test_without_redis_the_extra_is_named() -> None:
    """All other webhooks code can be imported; the guard's error names the package to install."""
    program = (
        "import sys; sys.modules['redis'] = None\n"
        "import kajabi_async.webhooks\n"
        "try:\n    import kajabi_async.webhooks.redis_replay\n"
        "except ImportError as error:\n    print(error)"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ended.stdout == "RedisReplayGuard needs redis: pip install 'kajabi-async[redis]'\n"
