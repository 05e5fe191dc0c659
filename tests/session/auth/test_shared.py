"""One token for all who share a store: one grant, no lost refresh token, and a store that may fail."""

import asyncio
import hashlib
import hmac
import logging
import re
from typing import Any

import attrs
import pytest

from kajabi_async.errors import AuthenticationError, RequestTimeoutError, StoreUnavailableError
from kajabi_async.session.auth.keeper import TokenKeeper
from kajabi_async.session.auth.shared import SharedToken, store_key
from kajabi_async.session.auth.store import Lease, MemoryTokenStore, StoredToken, TokenStore
from kajabi_async.session.auth.token import Token
from kajabi_async.session.credentials import (
    ClientCredentials,
    Credentials,
    PasswordCredentials,
    RefreshTokenCredentials,
    Secret,
)
from tests.clocks import ManualClock
from tests.session.auth.test_token import LIFE, Issuer, grants, issued


def shared_keeper(
    issuer: Issuer, store: TokenStore, clock: ManualClock | None = None, credentials: Any = None
) -> TokenKeeper:
    clock = issuer.clock = clock or ManualClock()
    credentials = credentials or ClientCredentials("id", "secret")
    known = grants(issuer, clock, credentials)
    shared = SharedToken(store, store_key(credentials, "https://api.kajabi.com"), clock, known)
    return TokenKeeper(known, clock, shared)


async def held(tokens: TokenKeeper) -> str:
    return (tokens.live() or await tokens.renewed()).access.reveal()


KEY = store_key(ClientCredentials("id", "secret"), "https://api.kajabi.com")


def memory_store(clock: ManualClock) -> MemoryTokenStore:
    return MemoryTokenStore(monotonic=clock.monotonic)


async def test_eight_cold_clients_cost_one_grant() -> None:
    """The holder of the lease requests it, and the others take what it saved."""
    clock, issuer = ManualClock(), Issuer()
    store = memory_store(clock)
    keepers = [shared_keeper(issuer, store, clock) for _ in range(8)]
    assert set(await asyncio.gather(*(held(tokens) for tokens in keepers))) == {"token-1"}
    assert issuer.grants == ["client_credentials"]
    assert sum(tokens.taken for tokens in keepers) == 7


async def test_eight_clients_at_expiry_cost_one_renewal() -> None:
    """By the refresh token in the store."""
    clock, issuer = ManualClock(), Issuer()
    store = memory_store(clock)
    keepers = [shared_keeper(issuer, store, clock) for _ in range(8)]
    await asyncio.gather(*(held(tokens) for tokens in keepers))
    clock.advance(LIFE + 1)
    assert set(await asyncio.gather(*(held(tokens) for tokens in keepers))) == {"token-2"}
    assert issuer.grants == ["client_credentials", "refresh_token"]


async def test_a_renewal_ahead_is_taken_over_by_the_others() -> None:
    """The old token is used by all meanwhile."""
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
    """Another client may have been refused before."""
    clock, issuer = ManualClock(), Issuer()
    store = memory_store(clock)
    one, other = (shared_keeper(issuer, store, clock) for _ in range(2))
    refused, same = await one.renewed(), await other.renewed()
    assert (await one.replace(refused)).access.reveal() == "token-2"
    taken = await other.replace(same)
    assert (taken.access.reveal(), taken.shared) == ("token-2", True)
    assert issuer.grants == ["client_credentials", "client_credentials"]


async def test_forgetting_empties_the_store_for_all_clients() -> None:
    """The token was revoked."""
    clock, issuer = ManualClock(), Issuer()
    store = memory_store(clock)
    one, other = (shared_keeper(issuer, store, clock) for _ in range(2))
    await held(one)
    await one.forget()
    assert await held(other) == "token-2"


async def test_forgetting_leaves_a_newer_token() -> None:
    """The newer one was not revoked."""
    clock, issuer = ManualClock(), Issuer()
    store = memory_store(clock)
    one, other = (shared_keeper(issuer, store, clock) for _ in range(2))
    await one.renewed()
    await other.replace(await other.renewed())
    await one.forget()
    third = shared_keeper(issuer, store, clock)
    assert await held(third) == "token-2"


class Failing(MemoryTokenStore):
    """A store whose named methods fail."""

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
async def test_a_store_that_fails_stops_no_request_and_warns_once(
    calls: tuple[str, ...], caplog: pytest.LogCaptureFixture
) -> None:
    """Each client requests a token of its own; its own refresh token is still used."""
    clock, issuer = ManualClock(), Issuer()
    tokens = shared_keeper(issuer, Failing(clock, *calls), clock)
    with caplog.at_level(logging.WARNING, logger="kajabi_async"):
        assert await held(tokens) == "token-1"
        clock.advance(LIFE + 1)
        assert await held(tokens) == "token-2"
    assert issuer.grants == ["client_credentials", "refresh_token"]
    assert [record.levelname for record in caplog.records] == ["WARNING"]


async def test_a_store_that_comes_back_is_used_again() -> None:
    """With the next renewal after the time it was left alone."""
    clock, issuer = ManualClock(), Issuer()
    store = Failing(clock, "load", "acquire", "save", "discard")
    one, other = (shared_keeper(issuer, store, clock) for _ in range(2))
    assert {await held(one), await held(other)} == {"token-1", "token-2"}
    await one.forget()
    store.calls.clear()
    clock.advance(1.0)
    assert await held(one) == "token-3"
    clock.advance(LIFE + 1)
    assert {await held(one), await held(other)} == {"token-4"}


async def test_the_outage_of_a_store_and_its_end_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Once each."""
    clock = ManualClock()
    for call in ("load", "save", "release"):
        caplog.clear()
        store = Failing(clock, call)
        tokens = shared_keeper(Issuer(), store, clock)
        with caplog.at_level(logging.INFO, logger="kajabi_async"):
            token = await tokens.renewed()
            store.calls.clear()
            clock.advance(1.0)
            await tokens.replace(token)
        assert [(record.levelname, record.getMessage()) for record in caplog.records if "store" in record.msg] == [
            ("WARNING", "the token store cannot be used, each process asks for tokens of its own: down"),
            ("INFO", "the token store can be used again"),
        ]


async def test_a_store_that_goes_on_failing_is_left_alone_for_twice_as_long_each_time() -> None:
    """Up to a minute; after one success from the start."""
    clock, store = ManualClock(), Counting()
    tokens = shared_keeper(Issuer(), store, clock)
    for _ in range(2):
        store.down = True
        for seconds in (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0):
            loads = store.loads
            await tokens.renewed()
            assert store.loads == loads + 1
            clock.advance(seconds - 0.25)
            await tokens.renewed()
            assert store.loads == loads + 1
            clock.advance(0.25)
        store.down = False
        await tokens.renewed()
        clock.advance(LIFE)


class Counting(MemoryTokenStore):
    """A store that counts its loads, and fails while it is down."""

    down = False
    loads = 0

    async def load(self, key: str) -> StoredToken | None:
        self.loads += 1
        if self.down:
            raise StoreUnavailableError("down")
        return await super().load(key)


async def test_a_token_that_was_forgotten_is_not_taken_from_a_store_that_could_not_forget_it() -> None:
    """It was revoked."""
    clock, issuer = ManualClock(), Issuer()
    tokens = shared_keeper(issuer, Failing(clock, "discard"), clock)
    assert await held(tokens) == "token-1"
    await tokens.forget()
    assert await held(tokens) == "token-2"


async def test_a_refresh_token_that_another_client_has_used_leads_to_the_token_it_saved() -> None:
    """A refresh token works once: the store is read again before the first grant is used."""
    clock = ManualClock()
    store = memory_store(clock)
    issuer = Issuer("token-1", AuthenticationError(status=401))
    tokens = shared_keeper(issuer, store, clock)
    await held(tokens)
    clock.advance(LIFE + 1)
    key = store_key(ClientCredentials("id", "secret"), "https://api.kajabi.com")

    class Overtaken(Issuer):
        async def ask(self, credentials: Any, attempt: int) -> Token:
            fresh = StoredToken(Secret("theirs"), Secret("r2"), None, clock.time() + 500)
            there = store._tokens[key]
            store._tokens[key] = attrs.evolve(fresh, version=there.version + 1)
            return await super().ask(credentials, attempt)

    overtaken = tokens._grants._endpoint = Overtaken(AuthenticationError(status=401))
    overtaken.clock = clock
    assert await held(tokens) == "theirs"
    assert overtaken.grants == ["refresh_token"]


async def test_a_token_that_came_too_late_to_be_saved_is_replaced_by_the_saved_one() -> None:
    """It is saved after all if the saved one is unusable."""
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
    """No other client may start meanwhile."""

    class Silent(Issuer):
        async def ask(self, credentials: Any, attempt: int) -> Token:
            await asyncio.Event().wait()
            raise AssertionError

    store = MemoryTokenStore(lease_seconds=1)
    store.lease_seconds = 0.05
    async with asyncio.timeout(5):
        with pytest.raises(RequestTimeoutError) as caught:
            await held(shared_keeper(Silent(), store))
    assert "no token from the API within 0.04 s, four fifths of the lease of the token store" in str(caught.value)
    assert caught.value.phase == "total"
    assert caught.value.seconds == pytest.approx(0.04)
    assert (caught.value.method, caught.value.path) == ("POST", "/v1/oauth/token")
    assert caught.value.at_token_endpoint
    assert not store._leases


async def test_refused_credentials_are_raised_and_the_lease_is_released() -> None:
    """The store is not to blame."""
    clock = ManualClock()
    store = memory_store(clock)
    with pytest.raises(AuthenticationError):
        await held(shared_keeper(Issuer(AuthenticationError(status=401)), store, clock))
    assert await held(shared_keeper(Issuer(), store, clock)) == "token-1"
    assert clock.slept == []


async def test_a_refresh_token_of_the_user_is_followed_through_the_store() -> None:
    """The first one works once, and for one client."""
    clock = ManualClock()
    store = memory_store(clock)
    credentials = RefreshTokenCredentials("r0")
    issuer = Issuer(issued("a1", refresh_token="r1"), issued("a2", refresh_token="r2"))
    one, other = (shared_keeper(issuer, store, clock, credentials) for _ in range(2))
    assert (await held(one), await held(other)) == ("a1", "a1")
    clock.advance(LIFE + 1)
    assert (await held(other), await held(one)) == ("a2", "a2")
    assert issuer.grants == ["refresh_token", "refresh_token"]


def test_a_key_is_that_of_all_the_credentials_and_the_host() -> None:
    """Without the secret, the password or the refresh token there is no way to find it."""
    base = "https://api.kajabi.com"
    given: list[tuple[Credentials, str]] = [
        (ClientCredentials("id", "one"), base),
        (ClientCredentials("id", "two"), base),
        (ClientCredentials("id2", "one"), base),
        (ClientCredentials("id", "one"), "http://127.0.0.1:1"),
        (PasswordCredentials("ada", "one"), base),
        (PasswordCredentials("ada", "two"), base),
        (PasswordCredentials("bob", "one"), base),
        (PasswordCredentials("ada", "one"), "http://127.0.0.1:1"),
        (RefreshTokenCredentials("r"), base),
        (RefreshTokenCredentials("s"), base),
    ]
    keys = [store_key(credentials, base_url) for credentials, base_url in given]
    assert len(set(keys)) == len(given)
    assert [store_key(credentials, base_url) for credentials, base_url in given] == keys
    assert all(re.fullmatch("[0-9a-f]{32}", key) for key in keys)


def test_the_requested_scope_is_part_of_the_key() -> None:
    """A token of one scope does not replace one of another."""

    class Scoped(ClientCredentials):
        def form(self) -> dict[str, str]:
            return {**super().form(), "scope": "view:contacts"}

    base = "https://api.kajabi.com"
    assert store_key(Scoped("id", "one"), base) != store_key(ClientCredentials("id", "one"), base)


def test_a_key_stays_the_same_from_one_version_to_the_next() -> None:
    """Otherwise each deployment would request tokens of its own. Passwords can be guessed, so they are stretched."""
    proof = b'[["client_id", "id"], ["client_secret", "one"], ["grant_type", "client_credentials"]]'
    message = b"kajabi_async token\nhttps://api.kajabi.com"
    key = store_key(ClientCredentials("id", "one"), "https://api.kajabi.com")
    assert key == hmac.new(proof, message, "sha256").hexdigest()[:32]
    stretched = hashlib.pbkdf2_hmac("sha256", b'[["password", "one"], ["username", "ada"]]', b"https://a", 100_000)
    assert (
        store_key(PasswordCredentials("ada", "one"), "https://a")
        == hmac.new(stretched, b"kajabi_async token\nhttps://a", "sha256").hexdigest()[:32]
    )


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        (ClientCredentials("id", "secret"), ClientCredentials("id", "another")),
        (PasswordCredentials("ada", "secret"), PasswordCredentials("ada", "another")),
    ],
)
async def test_a_client_with_another_secret_gets_no_token_out_of_a_store(good: Any, bad: Any) -> None:
    """It requests one with its own credentials and is refused; neither the refresh token nor its expiry helps."""
    clock, refused = ManualClock(), AuthenticationError(status=401)
    store = memory_store(clock)
    owner = shared_keeper(Issuer(), store, clock, good)
    await held(owner)
    for seconds in (0, LIFE + 1):
        clock.advance(seconds)
        issuer = Issuer(refused, refused)
        stranger = shared_keeper(issuer, store, clock, bad)
        with pytest.raises(AuthenticationError):
            await held(stranger)
        assert "refresh_token" not in issuer.grants
        await stranger.forget()
    assert await held(shared_keeper(Issuer(), store, clock, good)) == "token-1"
