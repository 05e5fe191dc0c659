"""Sharing over Redis: expiring leases, late writers, a failing server."""

import asyncio
import logging
import socket
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest
from redis.asyncio import Redis

from kajabi_async import Kajabi
from kajabi_async.errors import ConfigurationError, KajabiError, StoreUnavailableError, WrongLoopError
from kajabi_async.session.auth.store import Lease
from kajabi_async.session.limits.pace import Pace
from kajabi_async.stores.redis import RedisRate, RedisTokenStore
from kajabi_async.stores.redis import calls as calls_module
from kajabi_async.stores.redis.calls import RedisBacked
from kajabi_async.stores.redis.shared_rate import write_pace
from kajabi_async.testing import FakeKajabi, FaultProxy, toxics
from tests.redis_server import free_port
from tests.stores.contract import KEY, token

Client = Any
"""The types of redis-py describe neither the awaitables nor their results."""


@asynccontextmanager
async def _client(url: str, **settings: Any) -> AsyncGenerator[Client]:
    made: Any = Redis
    client = made.from_url(url, **settings)
    try:
        yield client
    finally:
        await client.aclose()


async def test_a_holder_that_dies_is_replaced_when_its_lease_ends(redis_url: str) -> None:
    """Redis expires the lease."""
    async with RedisTokenStore(redis_url, lease_seconds=7) as store, _client(redis_url) as client:
        assert await store.acquire(KEY) is not None
        assert await store.acquire(KEY) is None
        left = await client.pttl(f"kajabi_async:{{{KEY}}}:lease")
        assert 0 < left <= 7000
        await client.delete(f"kajabi_async:{{{KEY}}}:lease")
        assert await store.acquire(KEY) is not None


async def test_a_holder_that_outlived_its_lease_overwrites_nothing(redis_url: str) -> None:
    """Its fence is too old, even if the version matches."""
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
    """Otherwise Redis would fill up."""
    async with RedisTokenStore(redis_url, prefix="mine") as store, _client(redis_url) as client:
        lease = await store.acquire(KEY)
        assert lease is not None
        assert await store.save(KEY, token(), lease=lease, replaces=0)
        assert 80 * 86400 < await client.ttl(f"mine:{{{KEY}}}:token") <= 90 * 86400


async def test_a_given_client_is_used_and_not_closed(redis_url: str) -> None:
    """Even one that decodes its replies."""
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
    """The next command gets its own reply, not that of the cancelled one."""
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
async def test_an_unreachable_server_is_reported_without_the_command(call: str) -> None:
    """Nor with the password of the URL."""
    async with RedisTokenStore(f"redis://:canary@127.0.0.1:{free_port()}") as store:
        with pytest.raises(StoreUnavailableError, match="Redis cannot be used") as caught:
            await getattr(store, call)(KEY)
    assert "canary" not in str(caught.value)


async def test_a_server_that_never_answers_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """The call fails after two seconds, and the client goes on."""
    monkeypatch.setattr(calls_module, "_SECONDS", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        async with RedisTokenStore(f"redis://127.0.0.1:{silent.getsockname()[1]}") as store:
            with pytest.raises(StoreUnavailableError):
                await store.load(KEY)


JUNK: dict[str, dict[str, bytes]] = {
    "a version that is not a number": {"version": b"abc", "token": token().to_bytes()},
    "a version that is too large": {"version": b"9" * 400, "token": token().to_bytes()},
    "a negative version": {"version": b"-5", "token": token().to_bytes()},
    "version zero": {"version": b"0", "token": token().to_bytes()},
    "no version": {"token": token().to_bytes()},
    "no token": {"version": b"3"},
    "an invalid token": {"version": b"3", "token": b"junk"},
    "a token of bytes": {"version": b"3", "token": b"\xff\x00"},
    "a token of depth": {"version": b"3", "token": b"[" * 100_000},
    "a token that cannot be sent": {"version": b"3", "token": b'{"access":"a\\r\\nX: y","version":3}'},
    "a token of numbers": {"version": b"3", "token": b'{"access":%s,"version":3}' % (b"1" * 400)},
    "a fence beyond all": {"fence": b"9" * 15},
    "a fence that is none": {"fence": b"x"},
}


@pytest.mark.parametrize("decodes", [False, True])
@pytest.mark.parametrize("name", JUNK)
async def test_an_unreadable_entry_counts_as_none_and_the_next_token_is_saved(
    name: str, redis_url: str, *, decodes: bool
) -> None:
    """Other programs may write to that Redis."""
    async with _client(redis_url, decode_responses=decodes, encoding_errors="replace") as client:
        store, stored = RedisTokenStore(client), f"kajabi_async:{{{KEY}}}:token"
        await client.hset(stored, mapping=JUNK[name])
        assert await store.load(KEY) is None
        assert await client.hmget(stored, "version", "token") == [None, None]
        lease = await store.acquire(KEY)
        assert lease is not None
        assert await store.save(KEY, token("good"), lease=lease, replaces=0)
        found = await store.load(KEY)
        assert found is not None
        assert (found.access.reveal(), found.version) == ("good", 1)


@pytest.mark.parametrize("part", ["token", "lease", "fence"])
@pytest.mark.parametrize("command", ["SET k x", "LPUSH k x", "SADD k x", "HSET k a b", "ZADD k 1 x"])
async def test_a_key_of_another_type_is_repaired(part: str, command: str, redis_url: str) -> None:
    """Otherwise no token could be saved; a lease without an expiry gets one."""
    async with RedisTokenStore(redis_url, lease_seconds=1) as store, _client(redis_url) as client:
        words = command.replace("k", f"kajabi_async:{{{KEY}}}:{part}", 1).split()
        await client.execute_command(*words)
        assert await store.load(KEY) is None
        if part == "lease":
            assert await store.acquire(KEY) is None
            assert 0 < await client.pttl(f"kajabi_async:{{{KEY}}}:lease") <= 1000
            await client.delete(f"kajabi_async:{{{KEY}}}:lease")
        lease = await store.acquire(KEY)
        assert lease is not None
        assert await store.save(KEY, token("good"), lease=lease, replaces=0)
        assert await store.load(KEY) is not None
        await store.release(KEY, lease)


@pytest.mark.parametrize("fence", [b"9223372036854775807", b"9007199254740992", b"-7", b"1e3", b""])
async def test_an_invalid_fence_restarts(fence: bytes, redis_url: str) -> None:
    """A token saved under the old one is removed."""
    async with RedisTokenStore(redis_url) as store, _client(redis_url) as client:
        before = await store.acquire(KEY)
        assert before is not None
        assert await store.save(KEY, token("old"), lease=before, replaces=0)
        await store.release(KEY, before)
        await client.set(f"kajabi_async:{{{KEY}}}:fence", fence)
        for number in range(2):
            lease = await store.acquire(KEY)
            assert lease is not None
            assert 0 < lease.fence < 2**53
            there = await store.load(KEY)
            assert (there is None) is (number == 0)
            assert await store.save(
                KEY, token(f"a{number}"), lease=lease, replaces=0 if there is None else there.version
            )
            await store.release(KEY, lease)


async def test_a_slow_holder_is_refused_although_the_token_was_removed(redis_url: str) -> None:
    """Its fence is too old, with or without a token."""
    async with RedisTokenStore(redis_url) as store, _client(redis_url) as client:
        late = await store.acquire(KEY)
        assert late is not None
        await client.delete(f"kajabi_async:{{{KEY}}}:lease")
        lease = await store.acquire(KEY)
        assert lease is not None
        assert await store.save(KEY, token("new"), lease=lease, replaces=0)
        await store.discard(KEY, version=1)
        assert await store.save(KEY, token("late"), lease=late, replaces=0) is False
        assert await store.load(KEY) is None


async def test_an_invalid_value_that_was_replaced_meanwhile_is_left(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the value that was read is deleted."""
    async with RedisTokenStore(redis_url) as store, _client(redis_url) as client:
        name = f"kajabi_async:{{{KEY}}}:token"
        await client.hset(name, mapping={"version": b"3", "token": b"junk"})
        script, steps = store._script, 0

        async def overtaken(*arguments: Any) -> Any:
            nonlocal steps
            steps += 1
            if steps == 2:
                await client.hset(name, mapping={"version": b"4", "token": token("good").to_bytes()})
            return await script(*arguments)

        monkeypatch.setattr(store, "_script", overtaken)
        assert await store.load(KEY) is None
        found = await store.load(KEY)
        assert found is not None
        assert (found.access.reveal(), found.version) == ("good", 4)


@pytest.mark.parametrize("value", [None, b"OK", [], [1, 2, 3], {}, "x"])
@pytest.mark.parametrize("call", ["load", "acquire", "save"])
async def test_a_reply_of_another_type_is_an_unavailable_store(call: str, value: Any) -> None:
    """Such as from a proxy in front of Redis."""

    class Answering:
        async def execute_command(self, *_: Any) -> Any:
            return value

    store = RedisTokenStore(cast("Any", Answering()))
    with pytest.raises(StoreUnavailableError, match=r"^Redis sent a reply of an unexpected type$"):
        if call == "save":
            await store.save(KEY, token(), lease=Lease("x", 1), replaces=0)
        else:
            await getattr(store, call)(KEY)


@pytest.mark.parametrize("handler", ["replace", "surrogateescape", "surrogatepass"])
async def test_a_client_decodes_bytes_that_are_no_text_in_any_way(handler: str, redis_url: str) -> None:
    """Text that cannot be encoded is no token."""
    async with _client(redis_url, decode_responses=True, encoding_errors=handler) as client:
        await client.hset(f"kajabi_async:{{{KEY}}}:token", mapping={"version": b"3", "token": b"\xed\xb2\x80"})
        assert await RedisTokenStore(client).load(KEY) is None


async def test_closing_releases_the_leases(redis_url: str) -> None:
    """Otherwise the next holder would wait for their expiry; released ones are left alone."""
    async with RedisTokenStore(redis_url) as other, RedisTokenStore(redis_url) as store:
        lease, another = await store.acquire(KEY), await store.acquire("cd34")
        assert lease is not None
        assert another is not None
        await store.release("cd34", another)
        assert await other.acquire("cd34") is not None
        await store.aclose()
        assert await other.acquire(KEY) is not None
        assert await other.acquire("cd34") is None
        await store.aclose()


async def test_a_closed_store_opens_no_connection(redis_url: str) -> None:
    """It would never be closed."""
    store = RedisTokenStore(redis_url)
    await store.load(KEY)
    await store.aclose()
    with pytest.raises(StoreUnavailableError, match="RedisTokenStore is closed"):
        await store.load(KEY)


async def test_a_client_that_is_closed_while_it_takes_a_lease_leaves_none(
    redis_url: str, kajabi_fake: FakeKajabi
) -> None:
    """Redis receives the command, and the reply is still on its way."""
    async with FaultProxy(redis_url) as proxy, _client(redis_url) as client:
        proxy.add(toxics.Latency(0.05))
        async with RedisTokenStore(proxy.url) as store:
            api = Kajabi(
                client_id=kajabi_fake.client_id,
                client_secret=kajabi_fake.client_secret,
                base_url=kajabi_fake.base_url,
                token_store=store,
            )
            calling = asyncio.create_task(api.customers.get("1"))
            async with asyncio.timeout(10):
                while not await client.keys("*:lease"):
                    await asyncio.sleep(0.002)
                await api.aclose()
            with pytest.raises(KajabiError):
                await calling
            assert await client.keys("*:lease") == []


def test_a_store_of_another_event_loop_says_so(redis_url: str) -> None:
    """The error says what to do, instead of that the loop is closed; the store is closed on its own loop."""
    stores: list[RedisBacked] = [RedisTokenStore(redis_url), RedisRate(redis_url, name="k")]
    with asyncio.Runner() as runner:
        for store in stores:
            runner.run(_used(store))
            with pytest.raises(WrongLoopError, match=f"the {type(store).__name__} was used on another event loop"):
                _on_another_loop(store)
            _on_another_loop(store, closes=True)
            runner.run(_used(store))
            runner.run(store.aclose())


def _on_another_loop(store: RedisBacked, *, closes: bool = False) -> None:
    with asyncio.Runner() as runner:
        runner.run(store.aclose() if closes else _used(store))


async def _used(store: RedisBacked) -> None:
    await store._command("PING")


@pytest.mark.parametrize(
    "url",
    [
        "http://:canary@example.com",
        "redis://:canary@127.0.0.1:notaport/0",
        "redis://:canary@127.0.0.1:1/0?db=x",
        "redis://:canary@[::1/0",
        "canary",
    ],
)
def test_a_url_that_cannot_be_used_is_refused(url: str) -> None:
    """Before anything is sent, and without showing it."""
    with pytest.raises(ConfigurationError, match="redis://") as caught:
        RedisTokenStore(url)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("option", ["protocol=9", "ssl_cert_reqs=nope", "socket_timeout=-1"])
async def test_an_option_that_redis_rejects_is_an_unavailable_store(option: str) -> None:
    """Whatever the client library raises."""
    scheme = "rediss" if "ssl" in option else "redis"
    async with RedisTokenStore(f"{scheme}://:canary@127.0.0.1:{free_port()}/0?{option}") as store:
        with pytest.raises(StoreUnavailableError) as caught:
            await store.load(KEY)
    assert "canary" not in str(caught.value)


async def _gone(rate: RedisRate, times: int) -> int:
    return sum([await rate.take(time.monotonic()) == 0.0 for _ in range(times)])


async def test_nothing_is_held_back_while_no_limit_is_known(redis_url: str) -> None:
    """One read is valid for a while."""
    async with RedisRate(redis_url, name="k") as rate:
        assert await _gone(rate, 1000) == 1000
        assert rate.per_second(time.monotonic()) is None


async def test_concurrent_callers_get_no_more_than_the_permits_taken(redis_url: str) -> None:
    """Forty at once at ten per second: one may go, the others get a time to try again."""
    async with RedisRate(redis_url, name="k", per_second=10) as rate:
        waits = await asyncio.gather(*(rate.take(time.monotonic()) for _ in range(40)))
    assert waits.count(0.0) == 1


async def test_a_refusal_slows_all_clients_down_and_pauses_them(redis_url: str) -> None:
    """Also to those that were not answered 429."""
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
    """Ten per second for all of them together, hardly any at the same moment."""
    async with (
        RedisRate(redis_url, name="k", per_second=10) as one,
        RedisRate(redis_url, name="k", per_second=10) as other,
    ):
        began = time.monotonic()
        gone = await _gone(one, 20) + await _gone(other, 20)
        # Those of the time that the forty calls took are beside the few that may go at once.
        assert gone <= 3 + 10 * (time.monotonic() - began)
        assert one.per_second(0.0) == 10.0


async def test_a_failing_redis_leaves_each_process_a_rate_of_its_own(
    redis_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """With one warning; the rate learned alone is observed."""
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


async def test_an_invalid_pace_is_overwritten(redis_url: str) -> None:
    """Such as a value of another program, or of an older version."""
    async with RedisRate(redis_url, name="k") as rate, _client(redis_url) as client:
        for junk in (b"junk", b"[]", b'{"borne": "x", "stock": null, "cuts": true}'):
            await client.set("kajabi_async:{k}:pace", junk)
            rate.refused(time.monotonic(), None)
            await rate.take(time.monotonic())
            assert b'"borne"' in await client.get("kajabi_async:{k}:pace")
            assert rate.per_second(time.monotonic()) is not None


@pytest.mark.parametrize(
    "junk",
    [
        b"\xff\xfe",
        b"1" * 5000,
        b"nan",
        b'{"start": 0, "borne": 0}',
        write_pace(Pace(start=5.0, borne=0.0)),
        write_pace(Pace(start=5.0, borne=5.0, paused_until=1e18)),
        write_pace(Pace(start=5.0, borne=5.0, refused_at=1e18)),
        write_pace(Pace(start=5.0, borne=5.0, stock=-1e30)),
        write_pace(Pace(start=5.0, borne=5.0, event_answers=7)),
        write_pace(Pace(start=5.0, borne=5.0)).replace(b'"cuts":0', b'"cuts":1e400'),
        write_pace(Pace(start=5.0, borne=5.0)).replace(b'"cuts":0', b'"cuts":' + b"9" * 4000),
    ],
)
@pytest.mark.parametrize("decodes", [False, True])
async def test_an_invalid_value_in_place_of_a_pace_is_repaired(redis_url: str, junk: bytes, *, decodes: bool) -> None:
    """No foreign exception is raised, and the rate is shared again at once."""
    async with _client(redis_url) as client, _client(redis_url, decode_responses=decodes) as used:
        await client.set("kajabi_async:{k}:pace", junk)
        async with RedisRate(used, name="k") as rate, RedisRate(used, name="k") as other:
            assert await rate.take(time.monotonic()) == 0.0
            rate.refused(time.monotonic(), 30.0)
            await rate.take(time.monotonic())
            assert 25 < await other.take(time.monotonic()) <= 30


async def test_a_rate_in_a_key_of_another_type_is_repaired(redis_url: str) -> None:
    """Such as a list."""
    async with _client(redis_url) as client, RedisRate(redis_url, name="k") as rate:
        await client.rpush("kajabi_async:{k}:pace", "1")
        assert await rate.take(time.monotonic()) == 0.0
        assert b'"borne"' in await client.get("kajabi_async:{k}:pace")


async def test_unused_permits_expire(redis_url: str) -> None:
    """Otherwise they would later exceed the rate."""
    async with RedisRate(redis_url, name="k", per_second=1000) as rate:
        assert await rate.take(time.monotonic()) == 0.0
        assert await rate.take(time.monotonic()) == 0.0
        left = rate._permits
        assert left > 0
        looks = 0
        step = rate._step

        async def counted(answered: int, refusals: list[float | None]) -> float:
            nonlocal looks
            looks += 1
            return await step(answered, refusals)

        rate._step = counted  # type: ignore[method-assign]
        await rate.take(rate._permits_until)
        assert looks == 1


async def test_a_hanging_redis_delays_one_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """After one wait, it is tried again in the background."""
    monkeypatch.setattr(calls_module, "_SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        async with RedisRate(f"redis://127.0.0.1:{silent.getsockname()[1]}", name="k") as rate:
            await rate.take(time.monotonic())
            for _ in range(2):
                retry_at = rate._retry_at
                assert await rate.take(retry_at) == 0.0
                assert rate._retry_at == retry_at, "the request waited for Redis"
                async with asyncio.timeout(5):
                    while rate._flight._flights:
                        await asyncio.sleep(0.01)
                assert rate._retry_at > retry_at


async def test_many_concurrent_callers_share_one_update(redis_url: str) -> None:
    """Cancelling one of them does not affect the others."""
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
