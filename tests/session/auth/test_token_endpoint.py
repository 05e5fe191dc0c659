"""The token endpoint as part of the API: the effect of its failures on all requests, on real sockets."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from kajabi_async.errors import (
    ApiError,
    AuthenticationError,
    BadRequestError,
    ConnectionFailedError,
    DecodeError,
    KajabiError,
    PausedError,
    PermissionDeniedError,
    RateLimitError,
    RequestTimeoutError,
    ServerError,
)
from kajabi_async.exchange import Request
from kajabi_async.session import ClientCredentials, RefreshTokenCredentials, RetryPolicy, SessionManager
from kajabi_async.session.auth.store import MemoryTokenStore
from tests.clocks import ManualClock
from tests.session.serving import answer, read_request, serving

READ = Request("GET", "/v1/customers/1")
ANOTHER = Request("GET", "/v1/offers/1")
WRITE = Request("POST", "/v1/contacts", body=b"{}")
REFUSED = answer(b'{"errors":[{"title":"Unauthorized"}]}', status="401 Unauthorized")
HANGS = b"hangs"

Answers = Callable[[int, str], bytes]
"""Returns the answer to the request of that number, counted from 1, with that head and body."""


def issued(number: int, _: str = "") -> bytes:
    return answer(b'{"access_token":"t%d","refresh_token":"r%d","expires_in":1000}' % (number, number))


def always(status: str, body: bytes = b"", headers: str = "") -> Answers:
    return lambda _, __: answer(body, status=status, headers=headers)


def first(number: int, reply: bytes, then: Answers) -> Answers:
    return lambda count, text: reply if count <= number else then(count, text)


class Api:
    """A server with prepared answers for the token endpoint, revocations and all else, which records requests."""

    def __init__(self) -> None:
        self.token: Answers = issued
        self.revoke: Answers = always("200 OK")
        self.resource: Answers = always("200 OK", b"{}")
        self.seen: dict[str, list[str]] = {"token": [], "revoke": [], "resource": []}
        self.base_url = ""
        self.clock = ManualClock()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            text = (await read_request(reader)).decode()
            line = text.partition("\r\n")[0]
            name = "token" if "/oauth/token" in line else "revoke" if "/oauth/revoke" in line else "resource"
            self.seen[name].append(text)
            replies: Answers = getattr(self, name)
            reply = replies(len(self.seen[name]), text)
            if reply == HANGS:
                await asyncio.sleep(60)
            if not reply:
                return
            writer.write(reply)
            await writer.drain()

    @asynccontextmanager
    async def session(self, **settings: Any) -> AsyncGenerator[SessionManager]:
        settings.setdefault("credentials", ClientCredentials("id", "secret"))
        settings.setdefault("clock", self.clock)
        manager = SessionManager(base_url=self.base_url, jitter=lambda: 1.0, **settings)
        try:
            async with asyncio.timeout(20):
                yield manager
        finally:
            await manager.aclose()


@pytest.fixture
async def api() -> AsyncGenerator[Api]:
    made = Api()
    async with serving(made) as made.base_url:
        yield made


HTML = "Content-Type: text/html\r\n"
FAILURES: dict[str, tuple[Answers, type[KajabiError]]] = {
    "429": (always("429 Too Many Requests"), RateLimitError),
    "500": (always("500 Internal Server Error"), ServerError),
    "502 HTML": (always("502 Bad Gateway", b"<html>", HTML), ServerError),
    "503": (always("503 Service Unavailable"), ServerError),
    "a broken connection": (lambda _, __: b"", ConnectionFailedError),
    "200 HTML": (always("200 OK", b"<html>", HTML), DecodeError),
    "200 without a token": (always("200 OK", b"{}"), DecodeError),
    "400": (always("400 Bad Request", b'{"error":"invalid_request"}'), BadRequestError),
    "403 HTML": (always("403 Forbidden", b"<html>", HTML), PermissionDeniedError),
    "302": (always("302 Found", headers="Location: http://127.0.0.1:1/\r\n"), ApiError),
    "401": (always("401 Unauthorized", b'{"error":"Invalid client credentials"}'), AuthenticationError),
    "400 invalid_client": (always("400 Bad Request", b'{"error":"invalid_client"}'), AuthenticationError),
}


@pytest.mark.parametrize("name", FAILURES)
async def test_hundreds_of_calls_at_a_broken_token_endpoint_make_a_handful_of_requests(name: str, api: Api) -> None:
    """Twenty at a time; each call gets an error of its own class that names the token endpoint."""
    api.token, kind = FAILURES[name]
    limit = asyncio.Semaphore(20)

    async def call(manager: SessionManager) -> KajabiError:
        async with limit:
            try:
                await manager.send(READ)
            except KajabiError as error:
                return error
        raise AssertionError

    async with api.session() as manager:
        errors = await asyncio.gather(*(call(manager) for _ in range(400)))
    assert {type(error) for error in errors} == {kind}
    assert all(error.at_token_endpoint and not error.maybe_applied for error in errors)
    assert kind is DecodeError or {vars(error)["path"] for error in errors} == {"/v1/oauth/token"}
    assert len(api.seen["token"]) <= 8
    assert api.seen["resource"] == []


@pytest.mark.parametrize("name", [name for name, (_, kind) in FAILURES.items() if kind is not AuthenticationError])
async def test_calls_succeed_as_soon_as_a_temporary_failure_ends(name: str, api: Api) -> None:
    """After one failing answer and after twenty; whether or not the policy retries it."""
    api.token = first(1, FAILURES[name][0](1, ""), issued)
    async with api.session() as manager:
        for _ in range(2):
            with contextlib.suppress(KajabiError):
                await manager.send(READ)
        assert (await manager.send(READ)).status == 200
    api.seen["token"].clear()
    api.token = first(20, FAILURES[name][0](1, ""), issued)
    async with api.session() as manager:
        while len(api.seen["token"]) <= 20:
            try:
                await manager.send(READ)
            except KajabiError:
                api.clock.advance(10.0)
        assert (await manager.send(READ)).status == 200


@pytest.mark.parametrize("name", [name for name, (_, kind) in FAILURES.items() if kind is not AuthenticationError])
async def test_a_rotated_refresh_token_outlives_the_failures_of_the_endpoint(name: str, api: Api) -> None:
    """Nothing else leads to another token."""
    failing = FAILURES[name][0](1, "")
    api.token = lambda count, _: failing if count in (2, 3) else issued(count)
    async with api.session(credentials=RefreshTokenCredentials("r0")) as manager:
        await manager.send(READ)
        api.clock.advance(1001)
        for _ in range(4):
            try:
                await manager.send(READ)
            except KajabiError:
                api.clock.advance(10.0)
        assert (await manager.send(READ)).status == 200
    sent = [text.partition("refresh_token=")[2].partition("&")[0] for text in api.seen["token"]]
    assert sent == ["r0", "r1", "r1", "r1"]


async def test_what_failed_before_a_call_is_not_counted_against_it(api: Api) -> None:
    """Each call has all attempts of the policy, whatever earlier calls met."""
    api.token = first(4, answer(status="429 Too Many Requests"), issued)
    async with api.session(retry=RetryPolicy(max_attempts=3, base_seconds=0.01)) as manager:
        with pytest.raises(RateLimitError):
            await manager.send(READ)
        assert len(api.seen["token"]) == 3
        assert (await manager.send(READ)).status == 200
        assert len(api.seen["token"]) == 5


async def test_a_pause_that_the_token_endpoint_asks_for_holds_all_requests(api: Api) -> None:
    """Requests that need no token wait too, and those with too little time fail at once."""
    api.token = first(1, answer(status="429 Too Many Requests", headers="Retry-After: 20\r\n"), issued)
    version = Request("GET", "/v1/version", authorized=False)
    async with api.session() as manager:
        with pytest.raises(RateLimitError) as refused:
            await manager.send(READ, timeout=10)
        with pytest.raises(PausedError) as paused:
            await manager.send(READ, timeout=10)
        with pytest.raises(PausedError):
            await manager.send(version, timeout=10)
        assert (refused.value.retry_after, refused.value.gave_up) == (20.0, "deadline")
        assert (paused.value.path, paused.value.at_token_endpoint) == ("/v1/oauth/token", True)
        assert (len(api.seen["token"]), api.seen["resource"], api.clock.slept) == (1, [], [])
        began = api.clock.now
        assert (await manager.send(READ)).status == 200
        assert 19.0 < api.clock.now - began < 22.0
        assert (manager.stats.rate_limited, manager.stats.pauses) == (1, 1)
        # A pause of the token endpoint says nothing about the rate of resources.
        assert manager.stats.requests_per_second is None


async def test_a_pause_that_a_resource_asks_for_holds_for_the_token_endpoint(api: Api) -> None:
    """Both belong to the same API."""
    api.resource = first(
        1, answer(status="503 Service Unavailable", headers="Retry-After: 30\r\n"), always("200 OK", b"{}")
    )
    async with api.session(retry=RetryPolicy(max_attempts=1)) as manager:
        with pytest.raises(ServerError):
            await manager.send(Request("GET", "/v1/version", authorized=False))
        with pytest.raises(PausedError):
            await manager.send(READ, timeout=10)
        assert api.seen["token"] == []
        await manager.send(READ)
        assert 29.0 < sum(api.clock.slept) < 32.0


async def test_a_failure_of_the_token_endpoint_costs_no_retry_of_the_budget(api: Api) -> None:
    """Its attempts are few, however many calls wait for them."""
    api.token = first(3, answer(status="503 Service Unavailable"), issued)
    async with api.session(retry=RetryPolicy(budget=0)) as manager:
        assert (await manager.send(READ)).status == 200
        assert manager.stats.retries_denied == 0


async def test_a_timeout_while_waiting_for_a_token_says_so(api: Api) -> None:
    """The error names the token endpoint only if the time ran out there."""
    api.token = lambda _, __: HANGS
    async with api.session() as manager:
        with pytest.raises(RequestTimeoutError) as caught:
            await manager.send(READ, timeout=0.1)
        assert caught.value.at_token_endpoint
    api.token, api.resource = issued, lambda _, __: HANGS
    async with api.session() as manager:
        with pytest.raises(RequestTimeoutError) as caught:
            await manager.send(READ, timeout=0.2)
        assert not caught.value.at_token_endpoint


async def test_an_operation_that_refuses_every_token_costs_few_of_them(api: Api) -> None:
    """One after the other or at once; the operation's own error is raised, and other operations continue."""
    api.resource = lambda _, text: REFUSED if "customers" in text else answer()
    async with api.session() as manager:
        for round_ in range(4):
            errors = await asyncio.gather(*(manager.send(READ) for _ in range(25)), return_exceptions=True)
            assert {type(error) for error in errors} == {AuthenticationError}
            assert not any(error.at_token_endpoint for error in errors if isinstance(error, KajabiError))
            assert (await manager.send(ANOTHER)).status == 200
            assert len(api.seen["token"]) == 2, round_
        for _ in range(600):
            api.clock.advance(1.0)
            with pytest.raises(AuthenticationError):
                await manager.send(READ)
    assert len(api.seen["token"]) <= 2 + 600 / 60 + 6


async def test_an_operation_that_accepts_a_token_again_is_believed(api: Api) -> None:
    """At once, and its next refusal leads to a new token again."""
    refuses = True
    dead: set[str] = set()
    api.resource = lambda _, text: REFUSED if refuses or any(f"Bearer {each}\r" in text for each in dead) else answer()
    async with api.session() as manager:
        for _ in range(5):
            with pytest.raises(AuthenticationError):
                await manager.send(READ)
        refuses = False
        assert (await manager.send(READ)).status == 200
        dead = {"t1", "t2"}
        assert (await manager.send(READ)).status == 200
    assert len(api.seen["token"]) == 3


async def test_a_token_that_ended_after_it_was_accepted_is_replaced_again() -> None:
    """Another client, or a revocation, may end tokens faster than answers come back."""
    accepted = [asyncio.Event() for _ in range(4)]
    issued_so_far = 0

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal issued_so_far
        while True:
            text = (await read_request(reader)).decode()
            reply = answer()
            if "/oauth/token" in text:
                issued_so_far += 1
                reply = issued(issued_so_far)
            elif "customers" in text and issued_so_far < 3:
                await accepted[issued_so_far].wait()
                reply = REFUSED
            writer.write(reply)

    async def ask_for_another() -> None:
        number = issued_so_far
        await manager.send(ANOTHER)
        accepted[number].set()

    others: list[asyncio.Task[None]] = []
    async with serving(handle) as base_url:
        manager = SessionManager(base_url=base_url, credentials=ClientCredentials("id", "secret"))
        manager._tokens.on_new = lambda _: others.append(asyncio.ensure_future(ask_for_another()))
        try:
            async with asyncio.timeout(20):
                assert (await manager.send(READ)).status == 200
                await asyncio.gather(*others)
        finally:
            await manager.aclose()
    assert issued_so_far == 3


async def test_a_write_whose_new_token_does_not_come_was_not_applied(api: Api) -> None:
    """The old token was refused, and the token endpoint is asked as often as for one call."""
    api.token = first(1, issued(1), always("503 Service Unavailable"))
    api.resource = lambda _, __: REFUSED
    async with api.session() as manager:
        with pytest.raises(ServerError) as caught:
            await manager.send(WRITE)
    assert (caught.value.maybe_applied, caught.value.attempts) == (False, 1)
    assert (len(api.seen["token"]), len(api.seen["resource"])) == (5, 1)


REVOKED = "POST /v1/oauth/revoke"


async def test_a_revocation_that_was_not_confirmed_can_be_repeated(api: Api) -> None:
    """Until then the token stays in use; afterwards it is forgotten, in the store too."""
    store = MemoryTokenStore()
    api.revoke = first(2, answer(status="503 Service Unavailable"), always("200 OK"))
    async with api.session(token_store=store) as manager:
        await manager.send(READ)
        for _ in range(2):
            with pytest.raises(ServerError):
                await manager.revoke()
            assert len(store._tokens) == 1
        await manager.send(READ)
        assert len(api.seen["token"]) == 1
        await manager.revoke()
        assert not store._tokens
        assert [text.partition(" HTTP")[0] for text in api.seen["revoke"]] == [REVOKED] * 3
        assert all("token=t1" in text for text in api.seen["revoke"])
        await manager.revoke()
        assert len(api.seen["revoke"]) == 3
        await manager.send(READ)
        assert "client_credentials" in api.seen["token"][1]


async def test_a_revocation_of_a_dead_token_revokes_what_its_refresh_token_leads_to(api: Api) -> None:
    """An expired access token is refused, while its refresh token is still valid."""
    api.revoke = first(1, REFUSED, always("200 OK"))
    async with api.session() as manager:
        await manager.send(READ)
        await manager.revoke()
        assert ["refresh_token=r1" in text for text in api.seen["token"]] == [False, True]
        assert ["token=t1" in text for text in api.seen["revoke"]] == [True, False]
        assert "token=t2" in api.seen["revoke"][1]
        await manager.revoke()
        assert len(api.seen["revoke"]) == 2


async def test_a_revocation_of_what_is_dead_altogether_is_success(api: Api) -> None:
    """Neither token is valid any more."""
    api.revoke = lambda _, __: REFUSED
    api.token = first(1, issued(1), always("401 Unauthorized", b'{"error":"Invalid refresh token"}'))
    async with api.session() as manager:
        await manager.send(READ)
        await manager.revoke()
        assert manager._tokens.live() is None
    assert len(api.seen["revoke"]) == 1


async def test_a_revocation_is_not_done_while_it_is_not_known_what_the_refresh_token_leads_to(api: Api) -> None:
    """The endpoint fails in that moment; the next call finds out."""
    api.revoke = first(1, REFUSED, first(2, REFUSED, always("200 OK")))
    api.token = lambda count, _: answer(status="503 Service Unavailable") if count == 2 else issued(count)
    async with api.session() as manager:
        await manager.send(READ)
        with pytest.raises(ServerError):
            await manager.revoke()
        await manager.revoke()
        assert "token=t3" in api.seen["revoke"][-1]


async def test_a_revocation_that_is_not_allowed_says_so_and_nothing_of_a_plan(api: Api) -> None:
    """OAuth says that the token belongs to another client."""
    api.revoke = always("403 Forbidden", b'{"error":"unauthorized_client"}')
    async with api.session() as manager:
        await manager.send(READ)
        with pytest.raises(PermissionDeniedError) as caught:
            await manager.revoke()
        assert str(caught.value) == "POST /v1/oauth/revoke was answered 403: unauthorized_client"
        await manager.send(READ)
        assert len(api.seen["token"]) == 1


async def test_a_revocation_disturbs_no_request_and_drops_no_newer_token(api: Api) -> None:
    """Requests under way are refused with the old token, and get a new one that the revocation leaves alone."""
    answered = asyncio.Event()
    dead = False

    def revoke(*_: Any) -> bytes:
        nonlocal dead
        dead = True
        return HANGS

    api.revoke = revoke
    api.resource = lambda _, text: REFUSED if dead and "Bearer t1\r" in text else answer()
    async with api.session(token_store=MemoryTokenStore()) as manager:
        await manager.send(READ)
        grants: Any = manager._tokens._grants
        original, grants._endpoint = grants._endpoint, _Slow(grants._endpoint, answered)
        revoking = asyncio.create_task(manager.revoke())
        await asyncio.sleep(0)
        dead = True
        assert {each.status for each in await asyncio.gather(*(manager.send(READ) for _ in range(50)))} == {200}
        answered.set()
        await revoking
        grants._endpoint = original
        assert (await manager.send(READ)).status == 200
    assert len(api.seen["token"]) == 2


class _Slow:
    """A server that confirms a revocation when the test says so."""

    def __init__(self, endpoint: Any, answered: asyncio.Event) -> None:
        self.ask = endpoint.ask
        self._answered = answered

    async def revoke(self, _: Any) -> None:
        await self._answered.wait()
