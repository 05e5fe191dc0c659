"""The contract of token stores, held by memory, file and Redis alike."""

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


async def test_a_token_is_there_for_everybody(stores: MakeStores) -> None:
    """Whole, under its key alone, with its version counted up."""
    async with stores() as (one, other):
        assert await other.load(KEY) is None
        assert await _saved(one, token(), 0)
        found = await other.load(KEY)
        assert found is not None
        assert (found.access.reveal(), found.refresh and found.refresh.reveal(), found.version) == ("a1", "r1", 1)
        assert (found.renew_at, found.expires_at) == (1_800_000_000.5, 1_800_000_100.0)
        assert await other.load(ANOTHER_KEY) is None


async def test_a_token_without_a_refresh_token_or_a_life_comes_back_so(stores: MakeStores) -> None:
    """None is not nought."""
    bare = StoredToken(token().access, None, None, None)
    async with stores() as (one, other):
        assert await _saved(one, bare, 0)
        found = await other.load(KEY)
        assert found is not None
        assert (found.refresh, found.renew_at, found.expires_at) == (None, None, None)


async def test_one_holds_the_lease_of_a_key_at_a_time(stores: MakeStores) -> None:
    """Another key has its own."""
    async with stores() as (one, other):
        lease = await _leased(one)
        assert await other.acquire(KEY) is None
        assert await one.acquire(KEY) is None
        await other.release(ANOTHER_KEY, await _leased(other, ANOTHER_KEY))
        await one.release(KEY, lease)
        await other.release(KEY, await _leased(other))


async def test_giving_back_what_is_not_held_frees_nobody_elses_lease(stores: MakeStores) -> None:
    """A holder that was slow must not open the door for a third."""
    async with stores() as (one, other):
        late = await _leased(one)
        await one.release(KEY, late)
        held = await _leased(other)
        await one.release(KEY, late)
        assert await one.acquire(KEY) is None
        await other.release(KEY, held)


async def test_a_newer_token_is_never_overwritten_by_who_has_not_seen_it(stores: MakeStores) -> None:
    """It holds the one refresh token that still serves."""
    async with stores() as (one, other):
        assert await _saved(one, token("a1"), 0)
        assert not await _saved(other, token("stale"), 0)
        assert await _saved(other, token("a2"), 1)
        assert not await _saved(one, token("stale"), 1)
        found = await one.load(KEY)
        assert found is not None
        assert (found.access.reveal(), found.version) == ("a2", 2)


async def test_a_token_is_dropped_where_it_is_still_the_one_that_was_seen(stores: MakeStores) -> None:
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
