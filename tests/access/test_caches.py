"""The caches, what is in them, and a gate whose cache is slow, broken or full of rubbish."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Callable
from typing import Any

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from kajabi_async import ConfigurationError, Kajabi, StoreUnavailableError, WrongLoopError
from kajabi_async.access import AccessGate, Cache, MemoryCache, RedisCache, access_gate
from kajabi_async.testing import FaultProxy, toxics
from tests.access.test_access_gate import settled, state_of
from tests.access.test_email import EMAIL
from tests.access.world import World
from tests.clocks import ManualClock


@pytest_asyncio.fixture(params=["memory", "redis"])
async def cache(request: pytest.FixtureRequest) -> AsyncGenerator[Cache]:
    if request.param == "memory":
        yield MemoryCache()
        return
    async with RedisCache(request.getfixturevalue("redis_url")) as shared:
        yield shared


async def test_a_value_is_kept_replaced_and_dropped(cache: Cache) -> None:
    """The contract of the three methods."""
    assert await cache.get("key") is None
    await cache.delete("key")
    await cache.set("key", b"one", seconds=60.0)
    await cache.set("key", b"\xff\x00two", seconds=60.0)
    assert await cache.get("key") == b"\xff\x00two"
    assert await cache.get("other") is None
    await cache.delete("key")
    assert await cache.get("key") is None


async def test_a_value_is_dropped_after_its_time(cache: Cache) -> None:
    """A fraction of a second counts."""
    await cache.set("key", b"one", seconds=0.05)
    await asyncio.sleep(0.15)
    assert await cache.get("key") is None


async def test_reads_of_one_moment_each_get_their_value(cache: Cache) -> None:
    """Also two of one key, and one that is cancelled."""
    for number in range(600):
        await cache.set(str(number), str(number).encode(), seconds=60.0)
    reads = [asyncio.create_task(cache.get(str(number % 600))) for number in range(1200)]
    await asyncio.sleep(0)
    reads[7].cancel()
    done = await asyncio.gather(*reads, return_exceptions=True)
    assert [each for number, each in enumerate(done) if number != 7] == [
        str(number % 600).encode() for number in range(1200) if number != 7
    ]


def test_memory_is_bounded_and_drops_what_was_not_used_for_longest() -> None:
    """A read is a use."""
    clock = ManualClock()
    cache = MemoryCache(most_entries=3, monotonic=clock.monotonic)
    for key in "abc":
        cache.write(key, b"1", 60.0)
    assert cache.read("a") == b"1"
    cache.write("d", b"1", 60.0)
    assert [cache.read(key) for key in "abcd"] == [b"1", None, b"1", b"1"]
    assert len(cache) == 3
    clock.advance(61.0)
    assert [cache.read(key) for key in "abcd"] == [None] * 4
    assert len(cache) == 0
    assert repr(cache) == "<MemoryCache of at most 3 entries>"


@pytest.mark.parametrize("most", [0, -1, 1.5, "3", None])
def test_a_bound_that_is_none_is_refused(most: Any) -> None:
    """It must hold one entry at least."""
    with pytest.raises(ConfigurationError):
        MemoryCache(most_entries=most)


async def test_a_redis_that_is_gone_is_an_error_of_ours_without_its_url() -> None:
    """The text of the driver's may show the password."""
    async with RedisCache("redis://:secretword@127.0.0.1:1/0") as cache:
        for call in (cache.get("a"), cache.set("a", b"1", seconds=1.0), cache.delete("a")):
            with pytest.raises(StoreUnavailableError) as caught:
                await call
            assert "secretword" not in str(caught.value)


def test_a_cache_in_redis_belongs_to_one_event_loop(redis_url: str) -> None:
    """The error says so."""
    cache = RedisCache(redis_url)

    async def use() -> None:
        await cache.set("a", b"1", seconds=1.0)

    with asyncio.Runner() as one, asyncio.Runner() as other:
        one.run(use())
        with pytest.raises(WrongLoopError):
            other.run(cache.get("a"))
        one.run(cache.aclose())


@pytest.mark.parametrize("decodes", [True, False])
async def test_two_gates_share_what_one_has_read(world: World, redis_url: str, decodes: bool) -> None:
    """Over a client of the caller, too, which may decode what it reads."""
    person = world.person(offers=["4"])
    client: Any = Redis
    redis = client.from_url(redis_url, decode_responses=decodes)
    async with RedisCache(redis) as a, RedisCache(redis_url) as b:
        one, other = world.gate(cache=a), world.gate(cache=b)
        names: list[dict[str, Any]] = [{"customer_id": "55"}, {"email": EMAIL}]
        for asked in names:
            assert (await one.check(**asked, offers=["4"])).allowed
            before = world.asked
            assert (await other.check(**asked, offers=["4"])).allowed
            assert world.asked == before
        person.offers = []
        await one.forget(contact_id="955")
        assert (await other.check(customer_id="55", offers=["4"])).denied
        assert (await one.check(email=EMAIL, offers=["4"])).denied
    await redis.aclose()


async def test_no_email_and_no_name_is_in_what_is_stored(world: World, redis_url: str) -> None:
    """Ids, times and keyed hashes are, and only for as long as a yes may be given."""
    world.person(offers=["4"], products=["9"])
    world.bought("4")
    async with RedisCache(redis_url) as cache:
        gate = world.gate(cache=cache, stale=3600.0)
        await gate.check(email=EMAIL, offers=["4"])
        await gate.check(email="stranger@example.com")
        await gate.forget(email="stranger@example.com")
    client: Any = Redis
    redis = client.from_url(redis_url)
    keys = await redis.keys("*")
    assert len(keys) >= 5
    stored = b"\n".join([*keys, *[await redis.get(key) for key in keys]])
    assert not any(word in stored.lower() for word in (b"ada", b"example", b"@", b"stranger"))
    assert all([0 < await redis.ttl(key) <= 3800 for key in keys])
    await redis.aclose()


async def test_a_client_with_another_secret_reads_nothing_of_it(world: World) -> None:
    """Neither what is stored nor under which email."""
    world.person(offers=["4"])
    cache = MemoryCache()
    await world.gate(cache=cache).check(customer_id="55")
    stranger = Kajabi(client_id="id", client_secret="another", clock=world.clock)
    stranger.session.send = world.send  # type: ignore[method-assign]
    await AccessGate(stranger, cache=cache).check(customer_id="55")
    assert world.counts["customers.get"] == 2


class Custom:
    """A cache of the user's: a dict."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.before: Callable[[str], Any] = lambda _: None

    async def get(self, key: str) -> bytes | None:
        await self._act("get")
        return self.values.get(key)

    async def set(self, key: str, value: bytes, *, seconds: float) -> None:
        assert seconds > 0
        await self._act("set")
        self.values[key] = value

    async def delete(self, key: str) -> None:
        await self._act("delete")
        self.values.pop(key, None)

    async def _act(self, verb: str) -> None:
        result = self.before(verb)
        if asyncio.iscoroutine(result):
            await result


async def test_a_cache_of_three_methods_is_enough(world: World) -> None:
    """Its values are bytes."""
    world.person(offers=["4"])
    cache = Custom()
    for _ in range(2):
        assert (await world.gate(cache=cache).check(email=EMAIL, offers=["4"])).allowed
    assert world.counts["customers.get"] == 1
    assert {type(each) for each in cache.values.values()} == {bytes}


def raising(error: BaseException) -> Callable[[str], Any]:
    def act(_: str) -> None:
        raise error

    return act


async def hangs() -> None:
    await asyncio.Event().wait()


async def hangs_for_good() -> None:
    while True:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            if ENDING:
                raise


ENDING: list[bool] = []

BROKEN: dict[str, Callable[[str], Any]] = {
    "raises": raising(RuntimeError("a secret of the store")),
    "cancels": raising(asyncio.CancelledError()),
    "hangs": lambda _: hangs(),
    "hangs for good": lambda _: hangs_for_good(),
}


@pytest.mark.parametrize("how", BROKEN)
async def test_a_broken_cache_neither_fails_nor_holds_a_check(world: World, how: str) -> None:
    """The gate then works with what this process remembers, so that Kajabi is not asked more often."""
    ENDING.clear()
    world.person(offers=["4"])
    cache = Custom()
    cache.before = BROKEN[how]
    gate = world.gate(cache=cache, budget=0.4)
    started = time.monotonic()
    assert (await gate.check(customer_id="55", offers=["4"])).allowed
    assert time.monotonic() - started < 0.4 + 0.25
    for _ in range(20):
        assert (await gate.check(customer_id="55", offers=["4"])).allowed
    assert world.counts["customers.get"] == 1
    ENDING.append(True)


async def test_a_cache_is_used_again_once_it_works(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """It is left alone for a second, and then for twice as long each time, up to a minute."""
    world.person(offers=["4"])
    cache = Custom()
    calls: list[str] = []

    def fail(verb: str) -> None:
        calls.append(verb)
        raise OSError

    cache.before = fail
    gate = world.gate(cache=cache, fresh=10_000.0)
    await gate.check(customer_id="55")
    assert len(calls) == 2  # Both keys are read.
    for rest in (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0):
        calls.clear()
        world.clock.advance(rest - 0.1)
        await gate.check(customer_id="55")
        assert calls == []
        world.clock.advance(0.2)
        await gate.check(customer_id="55")
        assert len(calls) == 2
    cache.before = lambda _: None
    world.clock.advance(61.0)
    await gate.check(customer_id="55")
    messages = [each.getMessage() for each in caplog.records if "cache" in each.getMessage()]
    assert messages == [
        "the access gate works without its cache: the cache of the access gate failed (OSError)",
        "the cache of the access gate can be used again",
    ]


async def test_to_forget_without_the_cache_is_an_error_and_holds_here(world: World) -> None:
    """Other processes would not know: have the event delivered again."""
    person = world.person(offers=["4"])
    cache = Custom()
    gate = world.gate(cache=cache)
    assert (await gate.check(customer_id="55", offers=["4"])).allowed
    cache.before = raising(OSError())
    person.offers = []
    with pytest.raises(StoreUnavailableError):
        await gate.forget(customer_id="55")
    assert (await gate.check(customer_id="55", offers=["4"])).denied


async def test_what_is_forgotten_without_waiting_counts_at_once(world: World) -> None:
    """The write is on its way to the cache."""
    person = world.person(offers=["4"])
    cache = Custom()
    gate = world.gate(cache=cache)
    assert (await gate.check(customer_id="55", offers=["4"])).allowed
    released = asyncio.Event()
    cache.before = lambda verb: released.wait() if verb == "set" else None
    person.offers = []
    gate.forget(customer_id="55")
    await settled(world)
    checking = asyncio.create_task(gate.check(customer_id="55", offers=["4"]))
    await settled(world)
    released.set()
    assert (await checking).denied


RUBBISH: list[Any] = [
    b"",
    b"\x00\xff",
    b"null",
    b"[]",
    b"7",
    b'"text"',
    b"{}",
    b'{"v": 1, "kind": "Holdings"}',
    b'{"v": 2, "kind": "Mark"}',
    b"[" * 100_000,
    b"x" * 3_000_000,
    7,
    None,
    ["list"],
    object(),
]


@pytest.mark.parametrize("number", range(len(RUBBISH)))
async def test_rubbish_in_a_cache_is_dropped(world: World, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kajabi is asked, and the rubbish replaced."""
    # On a busy machine half a second is soon over.
    monkeypatch.setattr(access_gate, "_LONGEST_CACHE_SECONDS", 30.0)
    world.person(offers=["4"])
    cache = Custom()
    gate = world.gate(cache=cache)
    assert (await gate.check(email=EMAIL, offers=["4"])).allowed
    for key in cache.values:
        cache.values[key] = RUBBISH[number]
    before = world.counts["customers.get"]
    assert (await gate.check(email=EMAIL, offers=["4"])).allowed
    assert world.counts["customers.get"] == before + 1
    assert (await world.gate(cache=cache).check(email=EMAIL, offers=["4"])).allowed
    assert world.counts["customers.get"] == before + 1


CHANGES: dict[str, Any] = {
    "customer": "66",
    "as_of": 10**10,
    "mark": "later",
    "email": 5,
    "offers": "4",
    "products": [["9"]],
    "purchases": [{"id": "1"}],
    "exists": 1,
    "is_complete": None,
    "v": True,
    "kind": "Identity",
}


@pytest.mark.parametrize("member", CHANGES)
async def test_a_record_with_one_wrong_member_is_dropped(world: World, member: str) -> None:
    """Such as one of another customer, or of tomorrow."""
    world.person(offers=["5"])
    cache = Custom()
    gate = world.gate(cache=cache)
    assert (await gate.check(customer_id="55", offers=["5"])).allowed
    (key,) = [each for each in cache.values if each.endswith(":c:55")]
    record = json.loads(cache.values[key])
    assert member in record
    cache.values[key] = json.dumps(record | {"offers": ["4", "5"], member: CHANGES[member]}).encode()
    assert (await gate.check(customer_id="55", offers=["4"])).denied


async def test_a_value_that_makes_a_yes_older_than_it_is_is_not_believed(world: World) -> None:
    """Nothing older than `stale` counts, whatever the cache keeps."""
    world.person(offers=["4"])
    cache = Custom()
    gate = world.gate(cache=cache, stale=3600.0)
    assert (await gate.check(customer_id="55", offers=["4"])).allowed
    world.clock.advance(3601.0)
    world.be_gone()
    assert (await gate.check(customer_id="55", offers=["4"])).unknown


async def test_a_slow_redis_does_not_hold_a_check(world: World, redis_url: str) -> None:
    """A quarter of the budget is spent on it at most."""
    world.person(offers=["4"])
    async with FaultProxy(redis_url) as proxy, RedisCache(proxy.url) as cache:
        gate = world.gate(cache=cache, budget=0.4)
        assert (await gate.check(customer_id="55", offers=["4"])).allowed
        proxy.add(toxics.Latency(1.0))
        started = time.monotonic()
        answers = [state_of(await gate.check(customer_id="55", offers=["4"])) for _ in range(5)]
        assert answers == ["allowed"] * 5
        assert time.monotonic() - started < 0.4 + 0.25
        assert world.counts["customers.get"] == 1


async def test_under_load_a_yes_of_a_moment_ago_does_not_wait_for_the_cache(world: World) -> None:
    """No more than four reads wait; a no, and what is older than five seconds, is looked up."""
    world.person("1", offers=["4"])
    world.person("2")
    cache = Custom()
    gate = world.gate(cache=cache)
    for customer in "12":
        await gate.check(customer_id=customer)
    released = asyncio.Event()
    cache.before = lambda verb: released.wait()
    waiting = [asyncio.create_task(gate.check(customer_id="1")) for _ in range(4)]
    await settled(world)
    assert (await asyncio.wait_for(gate.check(customer_id="1"), 0.05)).allowed
    no = asyncio.create_task(gate.check(customer_id="2"))
    await settled(world)
    assert not no.done()
    released.set()
    assert {(await each).state for each in waiting} == {"allowed"}
    assert (await no).denied


async def test_otherwise_every_check_looks_into_the_cache(world: World) -> None:
    """What another process has forgotten counts at once."""
    world.person(offers=["4"])
    cache = Custom()
    gates = [world.gate(cache=cache) for _ in range(2)]
    for gate in gates:
        assert (await gate.check(customer_id="55", offers=["4"])).allowed
    world.people["55"].offers = []
    await gates[0].forget(customer_id="55")
    assert (await gates[1].check(customer_id="55", offers=["4"])).denied
