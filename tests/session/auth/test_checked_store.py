"""Faults of any token store: what it raises, returns or never returns ends no request."""

import asyncio
import gc
import logging
from typing import Any

import attrs
import pytest

from kajabi_async.errors import ConfigurationError, KajabiError, StoreUnavailableError, WrongLoopError
from kajabi_async.session import ClientCredentials, SessionManager
from kajabi_async.session.auth.checked_store import CheckedStore
from kajabi_async.session.auth.store import Lease, MemoryTokenStore, StoredToken
from kajabi_async.session.credentials import Secret
from tests.clocks import ManualClock
from tests.session.auth.test_shared import held, shared_keeper
from tests.session.auth.test_token import LIFE, Issuer
from tests.virtual_time import virtually

TOKEN = StoredToken(Secret("a1"), Secret("r1"), 900.0, 1000.0, 3)
CALLS = ("load", "acquire", "release", "save", "discard")


class Odd(MemoryTokenStore):
    """A store that replaces some of its methods as a test requires."""

    def __init__(self, do: Any, *calls: str) -> None:
        super().__init__()
        for call in calls:
            setattr(self, call, do)


def _raising(error: BaseException) -> Any:
    async def do(*_: Any, **__: Any) -> Any:
        raise error

    return do


def _returning(value: Any) -> Any:
    async def do(*_: Any, **__: Any) -> Any:
        return value

    return do


FAILURES = [
    ValueError("canary"),
    TypeError("canary"),
    RecursionError(),
    MemoryError(),
    OSError(5, "canary"),
    KeyError("canary"),
    asyncio.CancelledError(),
    StoreUnavailableError("down"),
    TimeoutError(),
]


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: type(failure).__name__)
@pytest.mark.parametrize("call", CALLS)
async def test_what_a_store_raises_ends_no_request_and_is_not_quoted(
    call: str, failure: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    """A token is requested without the store, and a warning is logged."""
    clock, issuer = ManualClock(), Issuer()
    tokens = shared_keeper(issuer, Odd(_raising(failure), call), clock)
    with caplog.at_level(logging.DEBUG, logger="kajabi_async"):
        assert await held(tokens) == "token-1"
        await tokens.forget()
    assert "canary" not in caplog.text
    assert sum(record.levelname == "WARNING" for record in caplog.records) == 1


async def test_a_store_that_fails_at_its_first_call_is_reported(caplog: pytest.LogCaptureFixture) -> None:
    """Also if that call drops a token."""
    tokens = shared_keeper(Issuer(), Odd(_raising(ValueError()), "discard"))
    await tokens.forget()
    assert [record.levelname for record in caplog.records if record.name == "kajabi_async"] == ["WARNING"]


class _Rubbish:
    def __repr__(self) -> str:
        return "rubbish"


_RUBBISH = _Rubbish()


@pytest.mark.parametrize(
    "value",
    [5, "a1", b"\xff", [], {}, _RUBBISH, True, 10**400, float("nan"), ("a", "b")],
    # No backslash: pytest escapes it again each time that it collects in one process.
    ids=lambda value: repr(value)[:20].replace("\\", "/"),
)
@pytest.mark.parametrize("call", ["load", "acquire", "save"])
async def test_what_a_store_returns_is_not_believed(call: str, value: Any) -> None:
    """A value that is no token, lease or boolean counts as missing."""
    clock, issuer = ManualClock(), Issuer()
    tokens = shared_keeper(issuer, Odd(_returning(value), call), clock)
    assert await held(tokens) == "token-1"
    clock.advance(LIFE + 1)
    assert await held(tokens) == "token-2"


def _sync(*_: Any, **__: Any) -> Any:
    return None


@pytest.mark.parametrize("call", CALLS)
async def test_a_method_that_is_no_coroutine_function_ends_no_request(call: str) -> None:
    """It returns a value that cannot be awaited."""
    assert await held(shared_keeper(Issuer(), Odd(_sync, call))) == "token-1"


JUNK: dict[str, dict[str, Any]] = {
    "an access token of another type": {"access": "a1"},
    "one that would become another header": {"access": Secret("a\r\nX: y")},
    "one of odd characters": {"access": Secret("ключ")},
    "one that is empty": {"access": Secret("")},
    "one that holds no text": {"access": Secret(5)},  # type: ignore[arg-type]
    "one that is too long": {"access": Secret("x" * 100_000)},
}


@pytest.mark.parametrize("name", JUNK)
async def test_a_token_that_cannot_be_sent_is_replaced(name: str) -> None:
    """The next client takes the new one."""
    clock, issuer = ManualClock(), Issuer()
    store = MemoryTokenStore()
    await held(shared_keeper(issuer, store, clock))
    ((key, there),) = store._tokens.items()
    store._tokens[key] = attrs.evolve(there, **JUNK[name])
    assert await held(shared_keeper(issuer, store, clock)) == "token-2"
    assert await held(shared_keeper(issuer, store, clock)) == "token-2"
    assert store._tokens[key].version == 2


MOMENTS: list[Any] = [float("nan"), float("inf"), -1.0, 1e308, 10**400, "900", True, b"", []]


@pytest.mark.parametrize("moment", MOMENTS, ids=repr)
@pytest.mark.parametrize("name", ["renew_at", "expires_at"])
async def test_a_moment_that_is_none_is_not_known(name: str, moment: Any) -> None:
    """The token is used until it is refused."""
    store = Odd(_returning(attrs.evolve(TOKEN, **{name: moment})), "load")
    unknown: dict[str, Any] = {name: None}
    assert await CheckedStore(store, "ab").load() == attrs.evolve(TOKEN, **unknown)


@pytest.mark.parametrize("version", [-1, True, "3", 2**53, 10**400, None, 1.0])
async def test_a_version_that_is_no_number_is_zero(version: Any) -> None:
    """As if no token had been saved."""
    store = Odd(_returning(attrs.evolve(TOKEN, version=version)), "load")
    assert await CheckedStore(store, "ab").load() == attrs.evolve(TOKEN, version=0)


async def test_an_odd_refresh_token_is_left_out() -> None:
    """The access token is used all the same."""
    for refresh in ("r1", Secret(""), Secret("a b\n"), 5):
        store = Odd(_returning(attrs.evolve(TOKEN, refresh=refresh)), "load")  # type: ignore[arg-type]
        assert await CheckedStore(store, "ab").load() == attrs.evolve(TOKEN, refresh=None)


async def test_a_store_that_hangs_is_waited_for_once_and_then_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is used again once it answers."""
    monkeypatch.setattr("kajabi_async.session.auth.checked_store._SECONDS", 0.02)
    hangs, loads, clock = True, 0, ManualClock()

    class Hanging(MemoryTokenStore):
        async def load(self, key: str) -> StoredToken | None:
            nonlocal loads
            loads += 1
            if hangs:
                await asyncio.Event().wait()
            return await super().load(key)

    store = Hanging()
    tokens = shared_keeper(Issuer(), store, clock)
    async with asyncio.timeout(5):
        for _ in range(100):
            await tokens.renewed()
        assert loads == 1
        hangs = False
        clock.advance(1.0)
        token = await tokens.renewed()
        assert loads == 3
        assert [each.access for each in store._tokens.values()] == [token.access]
        await tokens.aclose()


async def test_an_access_token_that_cannot_be_sent_is_empty_text() -> None:
    """The other parts of the stored token are kept: its refresh token leads to another."""
    odd = attrs.evolve(TOKEN, access=Secret("a b\n"))
    loaded = await CheckedStore(Odd(_returning(odd), "load"), "ab").load()
    assert loaded == attrs.evolve(TOKEN, access=Secret(""))
    assert loaded is not None
    assert loaded.access == Secret("")
    assert (loaded.refresh, loaded.version) == (Secret("r1"), 3)


class SlowLease(MemoryTokenStore):
    """A store that grants its lease when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.taking = asyncio.Event()
        self.answers = asyncio.Event()
        self.released: list[Lease] = []

    async def acquire(self, key: str) -> Lease | None:
        lease = await super().acquire(key)
        self.taking.set()
        await self.answers.wait()
        return lease

    async def release(self, key: str, lease: Lease) -> None:
        await asyncio.sleep(0)
        self.released.append(lease)
        await super().release(key, lease)


@pytest.mark.parametrize("cancellations", [1, 2, 3])
async def test_a_lease_that_a_cancelled_caller_was_taking_is_given_back(cancellations: int) -> None:
    """Otherwise the next one would wait for its expiry; however often the caller is cancelled."""
    store = SlowLease()
    checked = CheckedStore(store, "ab")
    acquiring = asyncio.create_task(checked.acquire())
    await store.taking.wait()
    for _ in range(cancellations):
        acquiring.cancel()
        await asyncio.sleep(0)
    store.answers.set()
    await asyncio.wait([acquiring])
    assert acquiring.cancelled()
    await checked.aclose()
    assert len(store.released) == 1
    assert await MemoryTokenStore.acquire(store, "ab") is not None


def test_a_cancelled_caller_waits_a_while_for_a_store_that_hangs() -> None:
    """For as long as any call of a store may take, and no longer."""

    async def cancel() -> float:
        checked = CheckedStore(Odd(_hanging, "acquire"), "ab")
        acquiring = asyncio.create_task(checked.acquire())
        await asyncio.sleep(1.0)
        acquiring.cancel()
        cancelled_at = asyncio.get_running_loop().time()
        await asyncio.wait([acquiring])
        assert acquiring.cancelled()
        return asyncio.get_running_loop().time() - cancelled_at

    assert virtually(cancel()) == 3.0


async def test_only_a_lease_is_given_back() -> None:
    """A store that had none for the cancelled caller, as another client holds it, is not called again."""
    store = SlowLease()
    assert await MemoryTokenStore.acquire(store, "ab") is not None
    checked = CheckedStore(store, "ab")
    acquiring = asyncio.create_task(checked.acquire())
    await store.taking.wait()
    acquiring.cancel()
    store.answers.set()
    await asyncio.wait([acquiring])
    await checked.aclose()
    assert (acquiring.cancelled(), store.released) == (True, [])


async def test_a_lease_that_comes_too_late_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """The caller has continued without it."""
    monkeypatch.setattr("kajabi_async.session.auth.checked_store._SECONDS", 0.02)
    store = SlowLease()
    checked = CheckedStore(store, "ab")
    with pytest.raises(StoreUnavailableError, match="no answer within"):
        await checked.acquire()
    store.answers.set()
    await checked.aclose()
    assert len(store.released) == 1


async def test_closing_the_client_while_it_takes_a_lease_leaves_none() -> None:
    """The next client need not wait for its expiry."""
    store = SlowLease()
    manager = SessionManager(credentials=ClientCredentials("id", "secret"), token_store=store)
    renewing = asyncio.create_task(manager._tokens.renewed())
    await store.taking.wait()
    closing = asyncio.create_task(manager.aclose())
    await asyncio.sleep(0.01)
    store.answers.set()
    await closing
    with pytest.raises(KajabiError):
        await renewing
    assert not store._leases
    assert len(store.released) == 1


async def test_closing_does_not_wait_for_a_store_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    """It leaves no task behind, and the loop reports nothing of those that were cancelled."""
    unhandled: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: unhandled.append(context))
    monkeypatch.setattr("kajabi_async.session.auth.checked_store._SECONDS", 0.02)
    checked = CheckedStore(Odd(_hanging, "load"), "ab")
    with pytest.raises(StoreUnavailableError):
        await checked.load()
    async with asyncio.timeout(5):
        await checked.aclose()
        await asyncio.sleep(0)
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert unhandled == []


async def test_what_a_store_raises_too_late_is_not_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """The caller has continued without it."""
    unhandled: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: unhandled.append(context))
    monkeypatch.setattr("kajabi_async.session.auth.checked_store._SECONDS", 0.02)
    fails = asyncio.Event()

    async def load(_: str) -> None:
        await fails.wait()
        raise ValueError("canary")

    checked = CheckedStore(Odd(load, "load"), "ab")
    with pytest.raises(StoreUnavailableError, match="no answer within"):
        await checked.load()
    fails.set()
    await checked.aclose()
    gc.collect()
    assert unhandled == []


async def _hanging(*_: Any, **__: Any) -> Any:
    await asyncio.Event().wait()


async def test_what_is_set_up_wrongly_is_raised_as_it_is() -> None:
    """A store of another event loop, for example; no further attempt follows."""
    checked = CheckedStore(Odd(_raising(WrongLoopError("another loop")), "load"), "ab")
    with pytest.raises(WrongLoopError):
        await checked.load()
    with pytest.raises(WrongLoopError) as caught:
        await held(shared_keeper(Issuer(), Odd(_raising(WrongLoopError("another loop")), "load")))
    assert (caught.value.attempts, caught.value.maybe_applied, caught.value.gave_up) == (1, False, "final")


@pytest.mark.parametrize("seconds", [None, 0, -1, True, "20", float("nan"), float("inf"), 10**400])
def test_a_store_without_a_usable_lease_is_refused_when_the_client_is_made(seconds: Any) -> None:
    """By name."""
    store = MemoryTokenStore()
    store.lease_seconds = seconds
    with pytest.raises(ConfigurationError, match=r"^token_store\.lease_seconds must be a positive number of seconds"):
        SessionManager(credentials=ClientCredentials("id", "secret"), token_store=store)


def test_a_lease_lasts_less_than_a_million_seconds() -> None:
    """The error says so; a store that does not say how long is named as one with a wrong value."""
    store = MemoryTokenStore()
    store.lease_seconds = 999_999.0
    assert CheckedStore(store, "ab").lease_seconds == 999_999.0
    expected = r"^token_store\.lease_seconds must be a positive number of seconds below 1e\+06, got"
    store.lease_seconds = 1_000_000.0
    with pytest.raises(ConfigurationError, match=expected):
        CheckedStore(store, "ab")
    without: Any = object()
    with pytest.raises(ConfigurationError, match=expected):
        CheckedStore(without, "ab")


async def test_the_error_of_a_store_says_what_it_did() -> None:
    """By the name of what it raised or returned, whose text may hold what it was sent."""
    with pytest.raises(StoreUnavailableError) as caught:
        await CheckedStore(Odd(_raising(ValueError("canary")), "load"), "ab").load()
    assert str(caught.value) == "the token store failed (ValueError)"
    assert caught.value.__suppress_context__
    with pytest.raises(StoreUnavailableError) as caught:
        await CheckedStore(Odd(_returning("canary"), "acquire"), "ab").acquire()
    assert str(caught.value) == "acquire() of the token store returned str, not a lease"


async def test_calls_that_have_ended_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Closing waits for none of them, and nothing is reported of what they raised."""
    unhandled: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: unhandled.append(context))
    checked = CheckedStore(Odd(_raising(ValueError("canary")), "load"), "ab")
    for _ in range(3):
        with pytest.raises(StoreUnavailableError):
            await checked.load()
    assert await checked.acquire() is not None
    await asyncio.sleep(0)
    assert not checked._under_way
    monkeypatch.setattr(asyncio, "wait", pytest.fail)
    await checked.aclose()
    gc.collect()
    assert unhandled == []
