"""The session manager alone: tokens, attempts and pauses, without a socket."""

import asyncio
import copy
import logging
import pickle
import re
import traceback
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio

from kajabi_async import (
    AuthenticationError,
    BadRequestError,
    ClientClosedError,
    ClientCredentials,
    KajabiError,
    NotFoundError,
    PasswordCredentials,
    RateLimitError,
    RefreshTokenCredentials,
    RetryPolicy,
    ServerError,
    SessionManager,
    WrongLoopError,
)
from kajabi_async.exchange import Request, Tally
from tests.canary import frames_of_the_package
from tests.clocks import ManualClock
from tests.session.aioresponses_adapter import answering

BASE = "https://api.kajabi.com"
TOKEN = f"{BASE}/v1/oauth/token"
CUSTOMER = f"{BASE}/v1/customers/1"
CONTACTS = f"{BASE}/v1/contacts"
READ = Request("GET", "/v1/customers/1")
WRITE = Request("POST", "/v1/contacts", body=b"{}")
ISSUED = {"access_token": "access-canary", "refresh_token": "refresh-canary", "expires_in": 604800}


@pytest_asyncio.fixture
async def http() -> AsyncIterator[Any]:
    with answering() as mocked:
        yield mocked


@pytest_asyncio.fixture
async def clock() -> ManualClock:
    return ManualClock()


@pytest_asyncio.fixture
async def manager(clock: ManualClock) -> AsyncIterator[SessionManager]:
    async with _managed(clock) as made:
        yield made


class _managed:  # noqa: N801 - used like a function
    def __init__(self, clock: ManualClock, **settings: Any) -> None:
        settings.setdefault("credentials", ClientCredentials("id-canary", "secret-canary"))
        self._manager = SessionManager(clock=clock, jitter=lambda: 0.0, **settings)

    async def __aenter__(self) -> SessionManager:
        return self._manager

    async def __aexit__(self, *_: object) -> None:
        await self._manager.aclose()


def _sent(http: Any, method: str, url: str) -> list[Any]:
    return [
        call for (verb, where), calls in http.requests.items() if (verb, str(where)) == (method, url) for call in calls
    ]


async def test_the_token_is_fetched_once_and_put_on_each_request(http: Any, manager: SessionManager) -> None:
    """As a bearer token, never in the session's own headers."""
    http.post(TOKEN, payload=ISSUED)
    http.get(CUSTOMER, payload={}, repeat=True)
    for _ in range(3):
        assert (await manager.send(READ)).status == 200
    calls = _sent(http, "GET", CUSTOMER)
    assert [call.kwargs["headers"]["Authorization"] for call in calls] == ["Bearer access-canary"] * 3
    (asked,) = _sent(http, "POST", TOKEN)
    assert asked.kwargs["headers"]["Content-Type"] == "application/x-www-form-urlencoded"
    assert b"grant_type=client_credentials" in asked.kwargs["data"]
    assert manager.stats.token_requests == 1


@pytest.mark.parametrize(
    ("credentials", "expected"),
    [
        (PasswordCredentials("ada", "p w"), b"username=ada&password=p+w"),
        (RefreshTokenCredentials("r1"), b"refresh_token=r1&grant_type=refresh_token"),
    ],
)
async def test_the_other_grants(http: Any, clock: ManualClock, credentials: Any, expected: bytes) -> None:
    """Each with its own fields."""
    http.post(TOKEN, payload=ISSUED)
    http.get(CUSTOMER, payload={})
    async with _managed(clock, credentials=credentials) as manager:
        await manager.send(READ)
    assert _sent(http, "POST", TOKEN)[0].kwargs["data"] == expected


async def test_a_401_replaces_the_token_and_sends_once_more(http: Any, manager: SessionManager) -> None:
    """Even a write: it was refused before it was applied."""
    http.post(TOKEN, payload=ISSUED)
    http.post(CONTACTS, status=401)
    http.post(TOKEN, payload={**ISSUED, "access_token": "second"})
    http.post(CONTACTS, status=201, payload={})
    assert (await manager.send(WRITE)).status == 201
    headers = [call.kwargs["headers"]["Authorization"] for call in _sent(http, "POST", CONTACTS)]
    assert headers == ["Bearer access-canary", "Bearer second"]


@pytest.mark.parametrize(
    ("credentials", "grants"),
    [
        (ClientCredentials("a", "b"), [b"client_credentials", b"client_credentials"]),
        (RefreshTokenCredentials("r1"), [b"refresh_token=r1", b"refresh_token=second-refresh"]),
    ],
)
async def test_a_token_that_is_rejected_takes_its_refresh_token_with_it(
    http: Any, clock: ManualClock, credentials: Any, grants: list[bytes]
) -> None:
    """Unless the credentials are one: the key was rotated or revoked, and nothing that came of it is accepted."""
    http.post(TOKEN, payload={**ISSUED, "refresh_token": "second-refresh"})
    http.post(TOKEN, payload={**ISSUED, "access_token": "second"})
    http.get(CUSTOMER, status=401)
    http.get(CUSTOMER, payload={})
    async with _managed(clock, credentials=credentials) as manager:
        assert (await manager.send(READ)).status == 200
    sent = [call.kwargs["data"] for call in _sent(http, "POST", TOKEN)]
    assert [grant in body for grant, body in zip(grants, sent, strict=True)] == [True, True]


async def test_calls_whose_token_is_rejected_share_the_next_one(http: Any, manager: SessionManager) -> None:
    """Also the call that is told later, when the token was replaced already."""
    replaced = asyncio.Event()

    async def told_later(_: Any, **__: Any) -> None:
        await replaced.wait()

    http.post(TOKEN, payload=ISSUED)
    http.post(TOKEN, payload={**ISSUED, "access_token": "second"}, repeat=True)
    http.get(CUSTOMER, status=401, callback=told_later)
    http.post(CONTACTS, status=401)
    http.get(CUSTOMER, payload={})
    http.post(CONTACTS, status=201, payload={})
    later = asyncio.create_task(manager.send(READ))
    while not _sent(http, "GET", CUSTOMER):
        await asyncio.sleep(0)
    await manager.send(WRITE)
    replaced.set()
    assert (await later).status == 200
    assert manager.stats.token_requests == 2


async def test_a_token_that_ended_is_replaced_although_another_operation_rejects_all(
    http: Any, manager: SessionManager
) -> None:
    """For a while no token is requested for that one alone."""
    http.post(TOKEN, payload=ISSUED)
    http.post(TOKEN, payload={**ISSUED, "access_token": "second"})
    http.post(TOKEN, payload={**ISSUED, "access_token": "third"})
    http.get(CUSTOMER, status=401, repeat=True)
    with pytest.raises(AuthenticationError):
        await manager.send(READ)
    http.post(CONTACTS, status=401)
    http.post(CONTACTS, status=201, payload={})
    assert (await manager.send(WRITE)).status == 201
    with pytest.raises(AuthenticationError) as caught:
        await manager.send(READ)
    assert (caught.value.attempts, manager.stats.token_requests) == (1, 3)


def _pauses_before_a_token(http: Any, *, had_one: bool) -> None:
    """Have the token endpoint ask for a pause, before the first token or before the one after it."""
    if had_one:
        http.post(TOKEN, payload=ISSUED)
        http.get(CUSTOMER, status=401)
    http.post(TOKEN, status=429, headers={"Retry-After": "20"})
    http.post(TOKEN, payload=ISSUED)
    http.get(CUSTOMER, payload={})


@pytest.mark.parametrize("had_one", [False, True], ids=["the first", "another"])
async def test_a_call_waits_for_a_token_no_longer_than_it_has_time(
    http: Any, manager: SessionManager, clock: ManualClock, *, had_one: bool
) -> None:
    """For its first token and for the one after it: a pause beyond its time is not begun."""
    _pauses_before_a_token(http, had_one=had_one)
    with pytest.raises(RateLimitError) as caught:
        await manager.send(READ, timeout=10)
    error = caught.value
    assert (error.at_token_endpoint, error.gave_up, error.retry_after, clock.slept) == (True, "deadline", 20.0, [])


@pytest.mark.parametrize("had_one", [False, True], ids=["the first", "another"])
async def test_an_operation_whose_time_starts_when_it_is_sent_waits_for_a_token_as_long_as_it_takes(
    http: Any, manager: SessionManager, clock: ManualClock, *, had_one: bool
) -> None:
    """Also for the token after the one that was rejected."""
    _pauses_before_a_token(http, had_one=had_one)
    assert (await manager.send(READ, timeout=10, timeout_starts="sent")).status == 200
    assert sum(clock.slept) >= 20.0


async def test_a_second_401_is_final(http: Any, manager: SessionManager) -> None:
    """The token is valid, but not for this operation."""
    http.post(TOKEN, payload=ISSUED, repeat=True)
    http.get(CUSTOMER, status=401, repeat=True)
    with pytest.raises(AuthenticationError) as caught:
        await manager.send(READ)
    assert (caught.value.attempts, manager.stats.token_requests) == (2, 2)


async def test_reads_are_repeated_with_growing_pauses(http: Any, clock: ManualClock) -> None:
    """As often as the policy says; the tally counts the attempts."""
    http.post(TOKEN, payload=ISSUED)
    for _ in range(2):
        http.get(CUSTOMER, status=503)
    http.get(CUSTOMER, payload={})
    tally = Tally()
    async with SessionManagerOf(clock) as manager:
        await manager.send(READ, tally=tally)
    assert clock.slept == [0.5, 1.0]
    assert (tally.operations, tally.attempts, tally.retries, tally.waiting_seconds) == (1, 3, 2, 1.5)


def SessionManagerOf(clock: ManualClock) -> _managed:  # noqa: N802 - stands for the class, with full jitter
    made = _managed(clock)
    made._manager._recovery._jitter = lambda: 1.0
    return made


async def test_a_read_that_keeps_failing_raises_what_came_last(http: Any, manager: SessionManager) -> None:
    """The error has the number of attempts."""
    http.post(TOKEN, payload=ISSUED)
    http.get(CUSTOMER, status=500, body="<html>oops</html>", content_type="text/html", repeat=True)
    with pytest.raises(ServerError, match="500") as caught:
        await manager.send(READ)
    assert (caught.value.attempts, caught.value.maybe_applied) == (4, False)


@pytest.mark.parametrize(("status", "expected"), [(500, True), (429, False), (422, False)])
async def test_a_write_is_sent_once(http: Any, manager: SessionManager, status: int, expected: bool) -> None:
    """Whatever comes back; the error says whether it may have been applied."""
    http.post(TOKEN, payload=ISSUED)
    http.post(CONTACTS, status=status, payload={"errors": [{"title": "no"}]}, repeat=True)
    with pytest.raises(KajabiError) as caught:
        await manager.send(WRITE)
    assert len(_sent(http, "POST", CONTACTS)) == 1
    assert caught.value.maybe_applied is expected


async def test_retry_after_pauses_everyone(http: Any, manager: SessionManager, clock: ManualClock) -> None:
    """Not only the request that was refused."""
    http.post(TOKEN, payload=ISSUED)
    http.get(CUSTOMER, status=429, headers={"Retry-After": "7"})
    http.get(CUSTOMER, payload={}, repeat=True)
    began = clock.now
    await asyncio.gather(manager.send(READ), manager.send(READ))
    assert 7.0 <= clock.now - began < 8.0
    assert manager.stats.rate_limited == 1


async def test_a_retry_after_beyond_the_limit_fails_at_once(http: Any, manager: SessionManager) -> None:
    """The error has the seconds that the server asked for."""
    http.post(TOKEN, payload=ISSUED)
    http.get(CUSTOMER, status=429, headers={"Retry-After": "3600"})
    with pytest.raises(RateLimitError) as caught:
        await manager.send(READ)
    assert (caught.value.retry_after, caught.value.attempts) == (3600.0, 1)


@pytest.mark.parametrize(("status", "kind"), [(401, AuthenticationError), (400, BadRequestError)])
async def test_refused_credentials_say_what_to_check(
    http: Any, manager: SessionManager, status: int, kind: type[KajabiError]
) -> None:
    """They are not tried again."""
    http.post(TOKEN, status=status, payload={"error": "Invalid client credentials"}, repeat=True)
    with pytest.raises(kind, match="KAJABI_CLIENT_SECRET"):
        await manager.send(READ)
    assert manager.stats.token_requests == 1


async def test_a_busy_token_endpoint_is_asked_again(http: Any, manager: SessionManager) -> None:
    """It is retried as a read is."""
    http.post(TOKEN, status=429)
    http.post(TOKEN, status=503)
    http.post(TOKEN, payload=ISSUED)
    http.get(CUSTOMER, payload={})
    assert (await manager.send(READ)).status == 200
    assert manager.stats.token_requests == 3


async def test_a_token_endpoint_that_stays_down_ends_the_request(http: Any, manager: SessionManager) -> None:
    """Its attempts are counted by themselves, not multiplied by those of the request."""
    http.post(TOKEN, status=503, repeat=True)
    with pytest.raises(ServerError):
        await manager.send(READ)
    assert manager.stats.token_requests == 4


async def test_revoking_ends_the_token_and_the_next_request_fetches_another(http: Any, manager: SessionManager) -> None:
    """By the first grant, as the refresh token is revoked too."""
    await manager.revoke()
    http.post(TOKEN, payload=ISSUED, repeat=True)
    http.get(CUSTOMER, payload={}, repeat=True)
    http.post(f"{BASE}/v1/oauth/revoke", status=200)
    await manager.send(READ)
    await manager.revoke()
    await manager.send(READ)
    (revoked,) = _sent(http, "POST", f"{BASE}/v1/oauth/revoke")
    assert revoked.kwargs["data"] == b"token=access-canary"
    assert b"client_credentials" in _sent(http, "POST", TOKEN)[1].kwargs["data"]


@pytest.mark.parametrize("status", [200, 401])
async def test_revoking_what_is_revoked_already_is_success(http: Any, manager: SessionManager, status: int) -> None:
    """Any other refusal is an error; the next request requests another token."""
    http.post(TOKEN, payload={**ISSUED, "refresh_token": None}, repeat=True)
    http.get(CUSTOMER, payload={}, repeat=True)
    await manager.send(READ)
    http.post(f"{BASE}/v1/oauth/revoke", status=status)
    await manager.revoke()
    assert len(_sent(http, "POST", f"{BASE}/v1/oauth/revoke")) == 1
    await manager.send(READ)
    assert manager.stats.token_requests == 2


async def test_a_revocation_that_fails_is_raised(http: Any, manager: SessionManager) -> None:
    """It was not confirmed, so it may not have been applied."""
    http.post(TOKEN, payload=ISSUED)
    http.get(CUSTOMER, payload={})
    await manager.send(READ)
    http.post(f"{BASE}/v1/oauth/revoke", status=500)
    with pytest.raises(ServerError):
        await manager.revoke()


def test_a_session_is_open_from_the_start_until_it_is_closed() -> None:
    """To ask is not to use: it may be asked without an event loop, and belongs to that of its first request."""
    manager = SessionManager(credentials=ClientCredentials("a", "b"))

    async def ask() -> None:
        manager.check_open()

    async def use() -> None:
        with answering() as http:
            http.get(CUSTOMER, payload={})
            await manager.send(Request("GET", "/v1/customers/1", authorized=False))
        manager.check_open()
        with pytest.raises(WrongLoopError):
            await asyncio.to_thread(asyncio.run, ask())
        await manager.aclose()
        with pytest.raises(ClientClosedError):
            manager.check_open()

    manager.check_open()
    asyncio.run(ask())
    asyncio.run(use())
    with pytest.raises(ClientClosedError):
        manager.check_open()


def _key(*, client_id: str = "a", secret: str = "b", base_url: str = BASE, purpose: str = "records") -> bytes:
    return SessionManager(credentials=ClientCredentials(client_id, secret), base_url=base_url).derive_key(purpose)


def test_a_key_is_the_same_for_all_clients_of_one_account() -> None:
    """And another one for other credentials, for another API and for another purpose."""
    others = [_key(client_id="c"), _key(secret="c"), _key(base_url="https://proxy.example"), _key(purpose="lists")]
    assert _key() == _key()
    assert len({_key(), *others}) == 5
    assert {len(key) for key in (_key(), *others)} == {32}


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, pickle.dumps])
def test_a_session_can_be_neither_copied_nor_pickled(duplicate: Callable[[object], object]) -> None:
    """Its token and connections would have two owners; the error says what to do."""
    manager = SessionManager(credentials=ClientCredentials("a", "b"))
    with pytest.raises(TypeError, match=r"^a session owns a token and connections .*: share it$"):
        duplicate(manager)


FAILURES: dict[str, Any] = {
    "a wrong secret": [("POST", TOKEN, {"status": 401, "payload": {"error": "no"}})],
    "a missing customer": [("POST", TOKEN, {"payload": ISSUED}), ("GET", CUSTOMER, {"status": 404})],
    "a broken connection": [("POST", TOKEN, {"payload": ISSUED}), ("GET", CUSTOMER, {"exception": OSError("gone")})],
    "a late answer": [("POST", TOKEN, {"payload": ISSUED}), ("GET", CUSTOMER, {"exception": TimeoutError()})],
    "rubbish for a token": [("POST", TOKEN, {"body": b"access-canary"})],
}


@pytest.mark.parametrize("name", FAILURES)
async def test_no_secret_shows_in_errors_tracebacks_or_logs(
    name: str, http: Any, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    """Not in the text, the representation, the arguments or the variables of the frames."""
    caplog.set_level(logging.DEBUG)
    for method, url, answer in FAILURES[name]:
        http.add(url, method, **answer, repeat=True)
    async with _managed(clock, retry=RetryPolicy(max_attempts=2)) as manager:
        with pytest.raises(KajabiError) as caught:
            await manager.send(READ)
        report = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
        shown = (
            "".join(_package_frames(report)) + repr(caught.value) + str(caught.value.args) + caplog.text + repr(manager)
        )
    assert re.search("canary", shown) is None
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def _package_frames(report: traceback.TracebackException) -> list[str]:
    """Return the frames of the package; those of this test hold its own canaries."""
    frames = frames_of_the_package(report)
    assert frames
    return [f"{frame.name} {frame.locals}" for frame in frames] + list(report.format_exception_only())


async def test_a_missing_resource_is_not_found(http: Any, manager: SessionManager) -> None:
    """The error has the request's id, for Kajabi's support."""
    http.post(TOKEN, payload=ISSUED)
    http.get(CUSTOMER, status=404, payload={"errors": [{"title": "Not Found"}]}, headers={"x-request-id": "abc"})
    with pytest.raises(NotFoundError, match="abc") as caught:
        await manager.send(READ)
    assert caught.value.request_id == "abc"


async def test_a_query_goes_to_the_same_scheme_and_host(http: Any, manager: SessionManager) -> None:
    """With TLS as any other request."""
    url = f"{CONTACTS}?page=2"
    http.get(url, payload={})
    await manager.send(Request("GET", "/v1/contacts", query="page=2", authorized=False))
    assert len(_sent(http, "GET", url)) == 1
