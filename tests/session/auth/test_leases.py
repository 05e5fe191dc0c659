"""Leases and versions: who may request the shared token, and what is taken, saved and dropped, call by call."""

import logging

import attrs
import pytest

from kajabi_async.errors import AuthenticationError
from kajabi_async.exchange import Request
from kajabi_async.session import SessionManager
from kajabi_async.session.auth.shared import store_key
from kajabi_async.session.auth.store import Lease, MemoryTokenStore, StoredToken
from kajabi_async.session.credentials import ClientCredentials, Secret
from tests.clocks import ManualClock
from tests.session.aioresponses_adapter import answering
from tests.session.auth.test_shared import KEY, held, memory_store, shared_keeper
from tests.session.auth.test_token import LIFE, Issuer, grants


class Stuck(MemoryTokenStore):
    """A store whose lease is held by a client that hangs."""

    def __init__(self, *, lease_seconds: float = 20.0) -> None:
        super().__init__(lease_seconds=lease_seconds)
        self.asked = 0

    async def acquire(self, key: str) -> Lease | None:
        self.asked += 1
        return None


async def test_a_lease_that_is_never_released_is_waited_for_and_then_skipped(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """For as long as it may last and a second more, as its holder may hang. The refresh token is still used."""
    clock, issuer = ManualClock(), Issuer()
    tokens = shared_keeper(issuer, Stuck(), clock)
    began = clock.now
    with caplog.at_level(logging.WARNING, logger="kajabi_async"):
        assert await held(tokens) == "token-1"
    assert 21 <= clock.now - began < 21.1
    assert [record.getMessage() for record in caplog.records] == [
        "the lease of the shared token is held for too long: asking for a token without it"
    ]
    clock.advance(LIFE + 1)
    assert await held(tokens) == "token-2"
    assert issuer.grants == ["client_credentials", "refresh_token"]


async def test_after_a_lease_that_was_never_released_the_store_is_left_alone_for_a_while() -> None:
    """The next tokens are requested at once; then the lease is waited for again."""
    clock, issuer, store = ManualClock(), Issuer(), Stuck()
    tokens = shared_keeper(issuer, store, clock)
    await held(tokens)
    began, asked = clock.now, store.asked
    for _ in range(3):
        await tokens.renewed()
    assert (clock.now, store.asked) == (began, asked)
    clock.advance(1.0)
    await tokens.renewed()
    assert clock.now >= began + 22
    assert store.asked > asked


async def test_a_spent_refresh_token_of_another_client_does_not_end_the_own_one() -> None:
    """The one in hand was not sent, so nothing is known to be wrong with it."""
    rejection = AuthenticationError(status=401)
    own = grants(Issuer(rejection, rejection))
    own.refresh_token = Secret("own")
    assert await own.refresh(Secret("theirs")) is None
    assert own.refresh_token == Secret("own")
    assert await own.refresh(Secret("own")) is None
    assert own.refresh_token is None


async def test_a_waiter_for_a_lease_looks_again_after_a_twentieth_of_a_second_or_two(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Waiters do not look in the same moment, nor once more after the time is over."""
    clock, store = ManualClock(), Stuck(lease_seconds=1)
    monkeypatch.setattr("random.random", lambda: 0.25)
    await held(shared_keeper(Issuer(), store, clock))
    assert clock.slept == [0.0625] * 32
    assert store.asked == 32


async def test_a_good_token_is_taken_without_a_lease() -> None:
    """Also while a client that hangs holds it."""
    clock, issuer = ManualClock(), Issuer()
    store = memory_store(clock)
    await held(shared_keeper(issuer, store, clock))
    assert await store.acquire(KEY) is not None
    assert await held(shared_keeper(issuer, store, clock)) == "token-1"
    assert (issuer.grants, clock.slept) == (["client_credentials"], [])


async def test_the_source_of_a_token_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """At INFO, in the text and in a field."""
    clock, issuer = ManualClock(), Issuer()
    store = memory_store(clock)
    with caplog.at_level(logging.INFO, logger="kajabi_async"):
        for _ in range(2):
            await held(shared_keeper(issuer, store, clock))
    logged = [(record.levelname, record.getMessage(), vars(record)["shared"]) for record in caplog.records]
    assert logged == [("INFO", "fetched a token", False), ("INFO", "took a shared token", True)]


async def test_a_token_that_came_just_before_the_lease_is_taken() -> None:
    """The previous holder of the lease may have saved it in between."""
    clock, issuer = ManualClock(), Issuer()
    theirs = StoredToken(Secret("theirs"), None, None, clock.time() + 500, version=3)

    class JustDone(MemoryTokenStore):
        async def acquire(self, key: str) -> Lease | None:
            self._tokens[key] = theirs
            return await super().acquire(key)

    store = JustDone()
    tokens = shared_keeper(issuer, store, clock)
    assert await held(tokens) == "theirs"
    assert (issuer.grants, tokens.taken, store._leases) == ([], 1, {})


class Recording(MemoryTokenStore):
    """A store that records saves and discards, and refuses saves unless it *takes* them."""

    def __init__(self, clock: ManualClock, *, takes: bool = True) -> None:
        super().__init__(monotonic=clock.monotonic)
        self.takes = takes
        self.replaced: list[int] = []
        self.discarded: list[int] = []

    async def save(self, key: str, token: StoredToken, *, lease: Lease, replaces: int) -> bool:
        self.replaced.append(replaces)
        return self.takes and await super().save(key, token, lease=lease, replaces=replaces)

    async def discard(self, key: str, *, version: int) -> None:
        self.discarded.append(version)
        await super().discard(key, version=version)


async def test_a_cold_client_uses_the_refresh_token_of_the_store() -> None:
    """The new token replaces the expired one."""
    clock, issuer = ManualClock(), Issuer()
    store = Recording(clock)
    await held(shared_keeper(issuer, store, clock))
    clock.advance(LIFE)
    assert await held(shared_keeper(issuer, store, clock)) == "token-2"
    assert issuer.grants == ["client_credentials", "refresh_token"]
    assert store.replaced == [0, 1]


async def test_the_refresh_token_in_hand_serves_where_the_store_has_none() -> None:
    """Another client saved a token there that came without one."""
    clock, issuer = ManualClock(), Issuer()
    store = memory_store(clock)
    tokens = shared_keeper(issuer, store, clock)
    await held(tokens)
    clock.advance(LIFE)
    store._tokens[KEY] = attrs.evolve(store._tokens[KEY], refresh=None)
    assert await held(tokens) == "token-2"
    assert issuer.grants == ["client_credentials", "refresh_token"]


async def test_a_store_that_takes_no_token_is_tried_twice() -> None:
    """The fetched token is valid, whether or not others get it."""
    clock, issuer = ManualClock(), Issuer()
    store = Recording(clock, takes=False)
    assert await held(shared_keeper(issuer, store, clock)) == "token-1"
    assert store.replaced == [0, 0]


async def test_what_is_dropped_is_the_version_last_seen() -> None:
    """No version was seen, one was saved, or one was taken."""
    clock, issuer = ManualClock(), Issuer()
    store = Recording(clock)
    one, other = (shared_keeper(issuer, store, clock) for _ in range(2))
    await one.forget()
    await one.renewed()
    await other.renewed()
    await one.forget()
    assert await store.load(KEY) is None
    await one.renewed()
    await other.replace(await other.renewed())
    await one.renewed()
    await one.forget()
    assert store.discarded == [0, 1, 2]
    assert await store.load(KEY) is None


async def test_tokens_taken_are_counted() -> None:
    """Only those that other clients had requested."""
    clock, issuer = ManualClock(), Issuer()
    store = memory_store(clock)
    one, other = (shared_keeper(issuer, store, clock) for _ in range(2))
    for taken in (1, 2, 3):
        await one.renewed()
        await other.renewed()
        clock.advance(LIFE)
        assert (one.taken, other.taken) == (0, taken)


async def test_each_client_finds_the_token_of_its_own_credentials() -> None:
    """One store for all holds each under its own key."""
    store = MemoryTokenStore()
    sessions = [
        SessionManager(credentials=ClientCredentials(name, "secret"), token_store=store) for name in ("id", "another")
    ]
    with answering() as http:
        http.get("https://api.kajabi.com/v1/customers/1", payload={}, repeat=True)
        for manager, access in zip(sessions, ("a1", "a2"), strict=True):
            http.post("https://api.kajabi.com/v1/oauth/token", payload={"access_token": access})
            await manager.send(Request("GET", "/v1/customers/1"))
            await manager.aclose()
    for name, access in (("id", "a1"), ("another", "a2")):
        found = await store.load(store_key(ClientCredentials(name, "secret"), "https://api.kajabi.com"))
        assert found is not None
        assert found.access.reveal() == access
