"""One token for all who share a store: one grant, no lost refresh token, and a store that may fail."""

import asyncio
import hashlib
import logging
from typing import Any

import attrs
import pytest

from kajabi_async.errors import AuthenticationError, RequestTimeoutError, StoreUnavailableError
from kajabi_async.session.credentials import ClientCredentials, PasswordCredentials, RefreshTokenCredentials, Secret
from kajabi_async.session.shared_token import SharedToken, store_key
from kajabi_async.session.token_keeper import TokenKeeper
from kajabi_async.session.token_store import Lease, MemoryTokenStore, StoredToken, TokenStore
from tests.clocks import ManualClock
from tests.session.test_token import LIFE, Issuer, issued


def shared_keeper(
    issuer: Issuer, store: TokenStore, clock: ManualClock | None = None, credentials: Any = None
) -> TokenKeeper:
    clock = clock or ManualClock()
    credentials = credentials or ClientCredentials("id", "secret")
    shared = SharedToken(store, store_key(credentials, "https://api.kajabi.com"), clock)
    return TokenKeeper(credentials, issuer, clock, shared)


async def held(tokens: TokenKeeper) -> str:
    return (tokens.live() or await tokens.renewed()).access.reveal()


KEY = store_key(ClientCredentials("id", "secret"), "https://api.kajabi.com")


def memory_store(clock: ManualClock) -> MemoryTokenStore:
    return MemoryTokenStore(monotonic=clock.monotonic)


async def test_eight_cold_clients_cost_one_grant() -> None:
    """Whoever has the lease asks, the others take what it put there."""
    clock, issuer = ManualClock(), Issuer()
    store = memory_store(clock)
    keepers = [shared_keeper(issuer, store, clock) for _ in range(8)]
    assert set(await asyncio.gather(*(held(tokens) for tokens in keepers))) == {"token-1"}
    assert issuer.grants == ["client_credentials"]
    assert sum(tokens.taken for tokens in keepers) == 7


async def test_eight_clients_at_expiry_cost_one_renewal() -> None:
    """By the refresh token that lies in the store."""
    clock, issuer = ManualClock(), Issuer()
    store = memory_store(clock)
    keepers = [shared_keeper(issuer, store, clock) for _ in range(8)]
    await asyncio.gather(*(held(tokens) for tokens in keepers))
    clock.advance(LIFE + 1)
    assert set(await asyncio.gather(*(held(tokens) for tokens in keepers))) == {"token-2"}
    assert issuer.grants == ["client_credentials", "refresh_token"]


async def test_a_renewal_ahead_is_taken_over_by_the_others() -> None:
    """While the old token serves them all."""
    clock, issuer = ManualClock(), Issuer()
    store = memory_store(clock)
    one, other = (shared_keeper(issuer, store, clock) for _ in range(2))
    await held(one)
    await held(other)
    clock.advance(LIFE * 0.95)
    for tokens in (one, other):
        await held(tokens)
        for _ in range(10):
            await asyncio.sleep(0)
    assert (await held(one), await held(other)) == ("token-2", "token-2")
    assert len(issuer.grants) == 2


async def test_a_refused_token_is_replaced_by_what_lies_in_the_store_unless_that_is_it() -> None:
    """Somebody may have been refused before."""
    clock, issuer = ManualClock(), Issuer()
    store = memory_store(clock)
    one, other = (shared_keeper(issuer, store, clock) for _ in range(2))
    refused, same = await one.renewed(), await other.renewed()
    assert (await one.replace(refused)).access.reveal() == "token-2"
    taken = await other.replace(same)
    assert (taken.access.reveal(), taken.shared) == ("token-2", True)
    assert issuer.grants == ["client_credentials", "client_credentials"]


async def test_forgetting_empties_the_store_for_everybody() -> None:
    """The token was revoked."""
    clock, issuer = ManualClock(), Issuer()
    store = memory_store(clock)
    one, other = (shared_keeper(issuer, store, clock) for _ in range(2))
    await held(one)
    await one.forget()
    assert await held(other) == "token-2"


async def test_forgetting_leaves_a_newer_token() -> None:
    """It was not revoked."""
    clock, issuer = ManualClock(), Issuer()
    store = memory_store(clock)
    one, other = (shared_keeper(issuer, store, clock) for _ in range(2))
    await one.renewed()
    await other.replace(await other.renewed())
    await one.forget()
    third = shared_keeper(issuer, store, clock)
    assert await held(third) == "token-2"


class Failing(MemoryTokenStore):
    """Fails where it is told to."""

    def __init__(self, clock: ManualClock, *calls: str) -> None:
        super().__init__(monotonic=clock.monotonic)
        self.calls = set(calls)

    def _check(self, call: str) -> None:
        if call in self.calls:
            raise StoreUnavailableError("down")

    async def load(self, key: str) -> StoredToken | None:
        self._check("load")
        return await super().load(key)

    async def acquire(self, key: str) -> Lease | None:
        self._check("acquire")
        return await super().acquire(key)

    async def release(self, key: str, lease: Lease) -> None:
        self._check("release")
        await super().release(key, lease)

    async def save(self, key: str, token: StoredToken, *, lease: Lease, replaces: int) -> bool:
        self._check("save")
        return await super().save(key, token, lease=lease, replaces=replaces)

    async def discard(self, key: str, *, version: int) -> None:
        self._check("discard")
        await super().discard(key, version=version)


@pytest.mark.parametrize("calls", [("load",), ("acquire",), ("save",), ("release",), ("load", "acquire", "save")])
async def test_a_store_that_fails_stops_nobody_and_warns_once(
    calls: tuple[str, ...], caplog: pytest.LogCaptureFixture
) -> None:
    """Each client asks for a token of its own; the refresh token in hand still serves."""
    clock, issuer = ManualClock(), Issuer()
    tokens = shared_keeper(issuer, Failing(clock, *calls), clock)
    with caplog.at_level(logging.WARNING, logger="kajabi_async"):
        assert await held(tokens) == "token-1"
        clock.advance(LIFE + 1)
        assert await held(tokens) == "token-2"
    assert issuer.grants == ["client_credentials", "refresh_token"]
    assert [record.levelname for record in caplog.records] == ["WARNING"]


async def test_a_store_that_comes_back_is_used_again() -> None:
    """With the next renewal."""
    clock, issuer = ManualClock(), Issuer()
    store = Failing(clock, "load", "acquire", "save", "discard")
    one, other = (shared_keeper(issuer, store, clock) for _ in range(2))
    assert {await held(one), await held(other)} == {"token-1", "token-2"}
    await one.forget()
    store.calls.clear()
    assert await held(one) == "token-3"
    clock.advance(LIFE + 1)
    assert {await held(one), await held(other)} == {"token-4"}


async def test_what_is_wrong_with_the_store_is_told_and_that_it_is_over(caplog: pytest.LogCaptureFixture) -> None:
    """Once each."""
    clock = ManualClock()
    for call in ("load", "save", "release"):
        caplog.clear()
        store = Failing(clock, call)
        tokens = shared_keeper(Issuer(), store, clock)
        with caplog.at_level(logging.INFO, logger="kajabi_async"):
            token = await tokens.renewed()
            store.calls.clear()
            await tokens.replace(token)
        assert [(record.levelname, record.getMessage()) for record in caplog.records if "store" in record.msg] == [
            ("WARNING", "the token store cannot be used, each process asks for tokens of its own: down"),
            ("INFO", "the token store can be used again"),
        ]


async def test_a_token_that_was_forgotten_is_not_taken_from_a_store_that_could_not_forget_it() -> None:
    """It was revoked."""
    clock, issuer = ManualClock(), Issuer()
    tokens = shared_keeper(issuer, Failing(clock, "discard"), clock)
    assert await held(tokens) == "token-1"
    await tokens.forget()
    assert await held(tokens) == "token-2"


async def test_a_refresh_token_that_somebody_else_has_used_leads_to_what_they_put_there() -> None:
    """It serves once: looking again comes before falling back to the first grant."""
    clock = ManualClock()
    store = memory_store(clock)
    issuer = Issuer("token-1", AuthenticationError(status=401))
    tokens = shared_keeper(issuer, store, clock)
    await held(tokens)
    clock.advance(LIFE + 1)
    key = store_key(ClientCredentials("id", "secret"), "https://api.kajabi.com")

    class Overtaken(Issuer):
        async def __call__(self, credentials: Any, may_repeat: bool) -> bytes:
            fresh = StoredToken(Secret("theirs"), Secret("r2"), None, clock.time() + 500)
            there = store._tokens[key]
            store._tokens[key] = attrs.evolve(fresh, version=there.version + 1)
            return await super().__call__(credentials, may_repeat)

    overtaken = tokens._ask = Overtaken(AuthenticationError(status=401))
    assert await held(tokens) == "theirs"
    assert overtaken.grants == ["refresh_token"]


async def test_a_token_that_came_too_late_to_be_saved_gives_way_to_the_one_there() -> None:
    """And is saved after all where the one there does not serve."""
    clock, issuer = ManualClock(), Issuer()
    key = store_key(ClientCredentials("id", "secret"), "https://api.kajabi.com")

    class Overtaken(MemoryTokenStore):
        expires_at = clock.time() + 500

        async def save(self, key: str, token: StoredToken, *, lease: Lease, replaces: int) -> bool:
            if key not in self._tokens:
                self._tokens[key] = StoredToken(Secret("theirs"), None, None, self.expires_at, version=7)
            return await super().save(key, token, lease=lease, replaces=replaces)

    assert await held(shared_keeper(issuer, Overtaken(), clock)) == "theirs"
    useless = Overtaken()
    useless.expires_at = clock.time() - 1
    assert await held(shared_keeper(issuer, useless, clock)) == "token-2"
    found = await useless.load(key)
    assert found is not None
    assert (found.access.reveal(), found.version) == ("token-2", 8)


async def test_asking_under_a_lease_ends_before_the_lease_does() -> None:
    """Nobody else may start meanwhile."""

    class Silent(Issuer):
        async def __call__(self, credentials: Any, may_repeat: bool) -> bytes:
            await asyncio.Event().wait()
            raise AssertionError

    store = MemoryTokenStore(lease_seconds=1)
    store.lease_seconds = 0.05
    async with asyncio.timeout(5):
        with pytest.raises(RequestTimeoutError) as caught:
            await held(shared_keeper(Silent(), store))
    assert str(caught.value) == "no token within 0.04 s, four fifths of the lease of the token store"
    assert caught.value.phase == "total"
    assert caught.value.seconds == pytest.approx(0.04)
    assert not store._leases


async def test_refused_credentials_are_told_and_the_lease_is_given_back() -> None:
    """The store has no part in it."""
    clock = ManualClock()
    store = memory_store(clock)
    with pytest.raises(AuthenticationError):
        await held(shared_keeper(Issuer(AuthenticationError(status=401)), store, clock))
    assert await held(shared_keeper(Issuer(), store, clock)) == "token-1"
    assert clock.slept == []


async def test_a_refresh_token_of_the_user_is_followed_through_the_store() -> None:
    """The one given serves once, and for one client."""
    clock = ManualClock()
    store = memory_store(clock)
    credentials = RefreshTokenCredentials("r0")
    issuer = Issuer(issued("a1", refresh_token="r1"), issued("a2", refresh_token="r2"))
    one, other = (shared_keeper(issuer, store, clock, credentials) for _ in range(2))
    assert (await held(one), await held(other)) == ("a1", "a1")
    clock.advance(LIFE + 1)
    assert (await held(other), await held(one)) == ("a2", "a2")
    assert issuer.grants == ["refresh_token", "refresh_token"]


def test_a_key_tells_credentials_apart_and_shows_none() -> None:
    """Same key for the same client, whatever its secret; another for another host."""
    base = "https://api.kajabi.com"
    keys = [
        store_key(ClientCredentials("id", "one"), base),
        store_key(ClientCredentials("id2", "one"), base),
        store_key(PasswordCredentials("ada", "one"), base),
        store_key(RefreshTokenCredentials("r"), base),
        store_key(ClientCredentials("id", "one"), "http://127.0.0.1:1"),
    ]
    assert len(set(keys)) == 5
    assert store_key(ClientCredentials("id", "rotated"), base) == keys[0]
    assert all(key.isalnum() and len(key) == 32 for key in keys)


def test_a_key_stays_the_same_from_one_version_to_the_next() -> None:
    """Or every deployment would ask for tokens of its own."""
    text = b"https://api.kajabi.com\nclient_id=id\ngrant_type=client_credentials"
    key = store_key(ClientCredentials("id", "one"), "https://api.kajabi.com")
    assert key == hashlib.sha256(text).hexdigest()[:32]
    assert (
        store_key(PasswordCredentials("ada", "one"), "https://a")
        == hashlib.sha256(b"https://a\nusername=ada").hexdigest()[:32]
    )
