"""The contract of token stores, for memory, file and Redis."""

from pathlib import Path

import pytest

from kajabi_async.session.auth.store import Lease, StoredToken, TokenStore
from tests.stores.contract import ANOTHER_KEY, KEY, MakeStores, in_a_file, in_memory, in_redis, token


@pytest.fixture(params=["memory", "file", "redis"])
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> MakeStores:
    if request.param == "memory":
        return in_memory()
    if request.param == "file":
        return in_a_file(tmp_path / "tokens")
    return in_redis(request.getfixturevalue("redis_url"))


async def _leased(store: TokenStore, key: str = KEY) -> Lease:
    lease = await store.acquire(key)
    assert lease is not None
    return lease


async def _saved(store: TokenStore, saved: StoredToken, replaces: int) -> bool:
    lease = await _leased(store)
    try:
        return await store.save(KEY, saved, lease=lease, replaces=replaces)
    finally:
        await store.release(KEY, lease)


async def test_a_token_is_shared_with_every_client(stores: MakeStores) -> None:
    """Complete, under its key alone, with its version incremented."""
    async with stores() as (one, other):
        assert await other.load(KEY) is None
        assert await _saved(one, token(), 0)
        found = await other.load(KEY)
        assert found is not None
        assert (found.access.reveal(), found.refresh and found.refresh.reveal(), found.version) == ("a1", "r1", 1)
        assert (found.renew_at, found.expires_at) == (1_800_000_000.5, 1_800_000_100.0)
        assert await other.load(ANOTHER_KEY) is None


async def test_a_token_without_a_refresh_token_or_an_expiry_is_restored(stores: MakeStores) -> None:
    """None is not zero."""
    bare = StoredToken(token().access, None, None, None)
    async with stores() as (one, other):
        assert await _saved(one, bare, 0)
        found = await other.load(KEY)
        assert found is not None
        assert (found.refresh, found.renew_at, found.expires_at) == (None, None, None)


async def test_one_client_has_the_lease_of_a_key_at_a_time(stores: MakeStores) -> None:
    """Another key has its own."""
    async with stores() as (one, other):
        lease = await _leased(one)
        assert await other.acquire(KEY) is None
        assert await one.acquire(KEY) is None
        await other.release(ANOTHER_KEY, await _leased(other, ANOTHER_KEY))
        await one.release(KEY, lease)
        await other.release(KEY, await _leased(other))


async def test_each_lease_has_a_holder_of_its_own_and_a_higher_fence(stores: MakeStores) -> None:
    """Both tell a late holder from the current one; a lease is for twenty seconds by default."""
    async with stores() as (one, _):
        assert one.lease_seconds == 20.0
        earlier = await _leased(one)
        await one.release(KEY, earlier)
        later = await _leased(one)
        assert earlier.holder
        assert later.holder not in {None, earlier.holder}
        assert later.fence > earlier.fence > 0
        await one.release(KEY, later)


async def test_releasing_an_old_lease_does_not_release_the_current_one(stores: MakeStores) -> None:
    """A slow holder must not admit a third one."""
    async with stores() as (one, other):
        late = await _leased(one)
        await one.release(KEY, late)
        current = await _leased(other)
        await one.release(KEY, late)
        assert await one.acquire(KEY) is None
        await other.release(KEY, current)


async def test_a_newer_token_is_never_overwritten_by_a_client_that_has_not_seen_it(stores: MakeStores) -> None:
    """It holds the only valid refresh token."""
    async with stores() as (one, other):
        assert await _saved(one, token("a1"), 0)
        assert not await _saved(other, token("stale"), 0)
        assert await _saved(other, token("a2"), 1)
        assert not await _saved(one, token("stale"), 1)
        found = await one.load(KEY)
        assert found is not None
        assert (found.access.reveal(), found.version) == ("a2", 2)


async def test_a_token_is_removed_if_it_has_the_given_version(stores: MakeStores) -> None:
    """A newer one stays."""
    async with stores() as (one, other):
        assert await _saved(one, token("a1"), 0)
        assert await _saved(one, token("a2"), 1)
        await other.discard(KEY, version=1)
        assert await one.load(KEY) is not None
        await other.discard(KEY, version=2)
        assert await one.load(KEY) is None
        await other.discard(KEY, version=2)
        assert await _saved(one, token("a3"), 0)
