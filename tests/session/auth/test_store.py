"""What a token store holds, and the leases of the one in memory, moment by moment."""

import json
from typing import Any

import attrs
import pytest

from kajabi_async.errors import ConfigurationError
from kajabi_async.session.auth.store import Lease, MemoryTokenStore, StoredToken, checked_lease_seconds
from kajabi_async.session.credentials import Secret
from tests.clocks import ManualClock

KEY, ANOTHER_KEY = "ab12", "cd34"
MEMBERS: dict[str, Any] = {"access": "a1", "refresh": "r1", "renew_at": 900.5, "expires_at": 1000.0, "version": 7}


def _token(access: str = "a1", version: int = 0) -> StoredToken:
    return StoredToken(Secret(access), Secret("r1"), 900.5, 1000.0, version)


def _read(**members: Any) -> StoredToken | None:
    return StoredToken.from_bytes(json.dumps(MEMBERS | members).encode())


def test_a_token_lies_there_as_json_with_these_members() -> None:
    """Other versions of the package read it too."""
    assert json.loads(_token(version=7).to_bytes()) == MEMBERS


def test_what_is_not_known_lies_there_as_null() -> None:
    """Neither as an empty text nor as 0."""
    assert json.loads(StoredToken(Secret("a1"), None, None, None).to_bytes()) == {
        "access": "a1",
        "refresh": None,
        "renew_at": None,
        "expires_at": None,
        "version": 0,
    }


def test_a_token_comes_back_whole() -> None:
    """Its moments become floats, whatever they were."""
    assert _read() == StoredToken(Secret("a1"), Secret("r1"), 900.5, 1000.0, 7)
    found = _read(expires_at=1000)
    assert found is not None
    assert type(found.expires_at) is float
    assert StoredToken.from_bytes(_token(version=7).to_bytes()) == _token(version=7)


def test_a_value_larger_than_any_token_is_not_decoded() -> None:
    """The two longest tokens, with every character escaped, are read; a foreign value costs little."""
    longest = StoredToken(Secret('"' * 16_384), Secret("\\" * 16_384), 900.5, 1000.0, 7)
    written = longest.to_bytes()
    assert StoredToken.from_bytes(written) == longest
    assert StoredToken.from_bytes(written.ljust(2**17)) == longest
    assert StoredToken.from_bytes(written.ljust(2**17 + 1)) is None


@pytest.mark.parametrize("refresh", [None, "", 5, ["r1"]])
def test_what_is_no_refresh_token_is_none(refresh: Any) -> None:
    """The access token is used all the same."""
    assert _read(refresh=refresh) == StoredToken(Secret("a1"), None, 900.5, 1000.0, 7)


@pytest.mark.parametrize("moment", [None, True, "900.5", [900.5]])
def test_what_is_no_moment_is_none(moment: Any) -> None:
    """Each is checked by itself."""
    assert _read(renew_at=moment) == StoredToken(Secret("a1"), Secret("r1"), None, 1000.0, 7)
    assert _read(expires_at=moment) == StoredToken(Secret("a1"), Secret("r1"), 900.5, None, 7)


@pytest.mark.parametrize(
    "members",
    [{"access": None}, {"access": ""}, {"access": 5}, {"version": None}, {"version": True}, {"version": 1.5}],
)
def test_a_token_without_its_text_or_its_version_is_as_if_it_were_not_there(members: dict[str, Any]) -> None:
    """The next token may overwrite it."""
    assert _read(**members) is None


@pytest.mark.parametrize(("moment", "read"), [(0, 0.0), (0.5, 0.5), (10**11 - 1, 10.0**11 - 1), (10**11, None)])
def test_a_moment_is_one_of_the_next_three_thousand_years(moment: float, read: float | None) -> None:
    """From the beginning of the epoch on."""
    assert _read(renew_at=moment) == StoredToken(Secret("a1"), Secret("r1"), read, 1000.0, 7)


@pytest.mark.parametrize(("version", "is_read"), [(0, True), (1, True), (2**53 - 1, True), (2**53, False), (-1, False)])
def test_a_version_is_a_number_that_every_store_holds(version: int, is_read: bool) -> None:
    """Zero is that of a token which was not saved yet."""
    read = _read(version=version)
    assert (read is not None) is is_read
    if read is not None:
        assert read.version == version


NUMBERS = [b"1" * 400, b"-1", b"1e400", b"NaN", b"1e308", b"9" * 19, b"-1e308"]


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("name", ["renew_at", "expires_at", "version"])
def test_a_number_beyond_all_bounds_is_not_believed(name: str, number: bytes) -> None:
    """It raises nothing either."""
    text = (
        json.dumps(MEMBERS | {name: 0})
        .encode()
        .replace(b'"%s": 0' % name.encode(), b'"%s": %s' % (name.encode(), number))
    )
    assert number in text
    found = StoredToken.from_bytes(text)
    changed: dict[str, Any] = {name: None}
    assert found is None or found == attrs.evolve(_token(version=7), **changed)


@pytest.mark.parametrize(
    "access", ["a\r\nX: y", "a\tb", "\u043a\u043b\u044e\u0447", " a1", "a1 ", "x" * 16_385, "\x7f"]
)
def test_a_token_that_cannot_be_sent_is_none(access: str) -> None:
    """It would become part of a header."""
    assert _read(access=access) is None
    assert _read(refresh=access) == attrs.evolve(_token(version=7), refresh=None)


@pytest.mark.parametrize("depth", [10, 900, 980, 1100, 100_000])
def test_nesting_of_any_depth_is_rubbish(depth: int) -> None:
    """It causes no endless recursion."""
    deep = b"[" * depth + b"]" * depth
    assert StoredToken.from_bytes(deep) is None
    members = b'{"access":"a1","refresh":%s,"renew_at":900.5,"expires_at":1000.0,"version":7}' % deep
    assert StoredToken.from_bytes(members) in {None, attrs.evolve(_token(version=7), refresh=None)}


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"null", b"{}", b'"a1"', b"\xff"])
def test_rubbish_is_as_if_it_were_not_there(body: bytes) -> None:
    """Another program may have written to that key."""
    assert StoredToken.from_bytes(body) is None


@pytest.mark.parametrize("seconds", [1, 1.0, 20, 999_999.5])
def test_a_lease_lasts_a_second_at_least(seconds: float) -> None:
    """A shorter one leaves no time to request a token."""
    checked = checked_lease_seconds(seconds)
    assert (checked, type(checked)) == (float(seconds), float)


@pytest.mark.parametrize("seconds", [0.999, 0, -1, True, float("nan"), float("inf"), 10**6, 1_000_000.0, "20", None])
def test_a_lease_that_makes_no_sense_is_refused(seconds: Any) -> None:
    """The error shows the value."""
    with pytest.raises(ConfigurationError) as caught:
        MemoryTokenStore(lease_seconds=seconds)
    assert str(caught.value) == f"lease_seconds must be a number of at least 1.0, got {seconds!r}"


async def _leased(store: MemoryTokenStore, key: str = KEY) -> Lease:
    lease = await store.acquire(key)
    assert lease is not None
    return lease


def test_a_lease_lasts_twenty_seconds_by_default() -> None:
    """A token request may take sixteen of them."""
    assert MemoryTokenStore().lease_seconds == 20.0
    assert MemoryTokenStore(lease_seconds=5).lease_seconds == 5.0


@pytest.mark.parametrize("now", [0.0, 0.5, 1000.0])
async def test_a_lease_is_held_until_its_time_is_over(now: float) -> None:
    """To the moment, whatever the clock starts at."""
    clock = ManualClock()
    clock.now = now
    store = MemoryTokenStore(lease_seconds=4.0, monotonic=clock.monotonic)
    await _leased(store)
    clock.advance(3.75)
    assert await store.acquire(KEY) is None
    clock.advance(0.25)
    await _leased(store)
    assert await store.acquire(KEY) is None


async def test_each_lease_has_a_holder_of_its_own_and_the_next_number() -> None:
    """The number identifies late writes, over all keys of the store."""
    store = MemoryTokenStore()
    leases = [await _leased(store, key) for key in (KEY, ANOTHER_KEY, "ef56")]
    assert [lease.fence for lease in leases] == [1, 2, 3]
    assert len({lease.holder for lease in leases}) == 3
    assert all(len(lease.holder) == 32 for lease in leases)


async def test_only_the_current_lease_is_released() -> None:
    """A lease that has expired or was never granted is ignored."""
    clock = ManualClock()
    store = MemoryTokenStore(lease_seconds=4.0, monotonic=clock.monotonic)
    await store.release(KEY, Lease("unknown", 1))
    late = await _leased(store)
    clock.advance(4.0)
    await _leased(store)
    await store.release(KEY, late)
    assert await store.acquire(KEY) is None


async def test_one_lease_may_write_twice() -> None:
    """Its holder is still the latest."""
    store = MemoryTokenStore()
    lease = await _leased(store)
    assert await store.save(KEY, _token("a1"), lease=lease, replaces=0)
    assert await store.save(KEY, _token("a2"), lease=lease, replaces=1)
    assert await store.load(KEY) == _token("a2", version=2)


async def test_a_holder_whose_lease_was_followed_by_another_that_wrote_is_refused() -> None:
    """Even if the version is the one it knows: the token was dropped and saved again."""
    store = MemoryTokenStore()
    late = await _leased(store)
    await store.release(KEY, late)
    lease = await _leased(store)
    assert await store.save(KEY, _token("new"), lease=lease, replaces=0)
    await store.discard(KEY, version=1)
    assert await store.save(KEY, _token("late"), lease=late, replaces=0) is False
    assert await store.load(KEY) is None


@pytest.mark.parametrize(("version", "left"), [(1, False), (0, True), (2, True)])
async def test_a_token_is_dropped_by_its_version(version: int, *, left: bool) -> None:
    """A newer version stays; a missing one is no error."""
    store = MemoryTokenStore()
    await store.discard(KEY, version=version)
    assert await store.save(KEY, _token(), lease=await _leased(store), replaces=0)
    await store.discard(KEY, version=version)
    assert (await store.load(KEY) is not None) is left
