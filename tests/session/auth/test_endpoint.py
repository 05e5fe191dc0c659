"""The two requests that no caller makes: what is sent, how often, what observers see, and what a failure says."""

import asyncio
import contextlib
import json
from typing import Any, cast

import pytest

from kajabi_async.errors import (
    ApiError,
    AuthenticationError,
    BadRequestError,
    ClientClosedError,
    ConnectionFailedError,
    KajabiError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    RequestTimeoutError,
    ServerError,
)
from kajabi_async.exchange import FORM, Answer, Request
from kajabi_async.session import SessionEvent, SessionStats, TokenRequestAnswered
from kajabi_async.session.auth.endpoint import OAuthEndpoint
from kajabi_async.session.auth.grants import is_unusable, spends_refresh_token
from kajabi_async.session.auth.token import Token
from kajabi_async.session.credentials import ClientCredentials, Secret
from kajabi_async.session.error_answers import error_of
from kajabi_async.session.limits.deadlines import Deadline, Deadlines
from kajabi_async.session.limits.gate import Gate
from kajabi_async.session.limits.rate import RateLimit, as_rate
from tests.clocks import ManualClock
from tests.session.limits.test_gate_by_moment import ScriptedRate

BASE = "https://api.kajabi.com"
CREDENTIALS = ClientCredentials("id", "p&w")
ISSUED = b'{"access_token":"a1","expires_in":100}'
HINT = (
    "The credentials were not accepted: check client id and secret (KAJABI_CLIENT_ID, KAJABI_CLIENT_SECRET) under "
    "Settings, Security, User API Keys"
)
PLAN_HINT = "The API key lacks the permission for this, or the account's plan does not include the API"


class Wire:
    """A transport that returns prepared answers in order, each after a quarter of a second, and records requests."""

    place = "api.example"

    def __init__(self, clock: ManualClock, *answers: Any) -> None:
        self.sent: list[tuple[Request, Secret | None]] = []
        self._clock = clock
        self._answers = list(answers)

    async def send(self, request: Request, token: Secret | None, _: Deadline) -> Answer:
        self.sent.append((request, token))
        self._clock.advance(0.25)
        answer = self._answers.pop(0)
        if answer is None:
            await asyncio.Event().wait()
        if isinstance(answer, Exception):
            raise answer
        return Answer(answer, {}, ISSUED) if isinstance(answer, int) else cast("Answer", answer)


class Harness:
    """Token requests over a `Wire`, with every event and report that they produce."""

    def __init__(self, *answers: Any, watched: bool = True, rate: float | RateLimit | None = None) -> None:
        self.clock = ManualClock()
        self.wire = Wire(self.clock, *answers)
        self.gate = Gate(1, as_rate(rate), self.clock)
        self.stats = SessionStats()
        self.seen: list[SessionEvent] = []
        self.heeded: list[tuple[int, str]] = []
        self.requests = OAuthEndpoint(
            cast("Any", self.wire),
            Deadlines(),
            self.gate,
            self.clock,
            self.stats,
            BASE,
            lambda: self.seen.append if watched else None,
            lambda error, name: self.heeded.append((cast("ApiError", error).status, name)),
        )


def _answered(name: str, attempt: int, status: int | None, error: str) -> TokenRequestAnswered:
    return TokenRequestAnswered(name, "POST", f"/v1/{name.replace('.', '/')}", BASE, attempt, status, error, 0.25)


async def test_a_token_is_requested_by_a_form() -> None:
    """Without a token; its life counts from the moment the request was sent."""
    asked = Harness(200)
    began = asked.clock.now
    assert await asked.requests.ask(CREDENTIALS, 1) == Token(Secret("a1"), None, began + 90.0, began + 100.0)
    ((request, token),) = asked.wire.sent
    assert (request.method, request.path, request.query) == ("POST", "/v1/oauth/token", "")
    assert request.body == b"client_id=id&client_secret=p%26w&grant_type=client_credentials"
    assert (request.content_type, token) == (FORM, None)
    assert asked.stats.token_requests == 1
    assert asked.seen == [_answered("oauth.token", 1, 200, "")]


async def test_a_token_is_revoked_with_itself() -> None:
    """As a form field, and as the bearer token."""
    asked = Harness(200)
    await asked.requests.revoke(Secret("a&b"))
    ((request, token),) = asked.wire.sent
    assert (request.method, request.path, request.body) == ("POST", "/v1/oauth/revoke", b"token=a%26b")
    assert (request.content_type, token) == (FORM, Secret("a&b"))
    assert asked.seen == [_answered("oauth.revoke", 1, 200, "")]
    assert asked.stats.token_requests == 0


async def test_nothing_is_notified_without_an_observer() -> None:
    """Nothing fails without one either."""
    asked = Harness(200, 200, watched=False)
    assert (await asked.requests.ask(CREDENTIALS, 1)).access == Secret("a1")
    await asked.requests.revoke(Secret("a"))
    assert asked.seen == []


@pytest.mark.parametrize(
    ("status", "kind"), [(401, AuthenticationError), (403, PermissionDeniedError), (404, NotFoundError)]
)
async def test_a_revocation_that_is_refused_is_raised_without_a_hint(status: int, kind: type[ApiError]) -> None:
    """The refusal concerns that token, neither the key nor the plan."""
    asked = Harness(Answer(status, {}, b'{"error":"unauthorized_client"}'))
    with pytest.raises(kind) as caught:
        await asked.requests.revoke(Secret("a"))
    assert str(caught.value) == f"POST /v1/oauth/revoke was answered {status}: unauthorized_client"
    assert (caught.value.method, caught.value.path, caught.value.status) == ("POST", "/v1/oauth/revoke", status)
    assert asked.seen == [_answered("oauth.revoke", 1, status, kind.__name__)]


async def test_one_call_sends_one_request_and_observers_get_its_number() -> None:
    """The waiter for a token decides about the next request."""
    asked = Harness(503, ConnectionFailedError("gone"), 200)
    with pytest.raises(ServerError) as caught:
        await asked.requests.ask(CREDENTIALS, 1)
    assert (caught.value.method, caught.value.path, caught.value.hint) == ("POST", "/v1/oauth/token", "")
    with pytest.raises(ConnectionFailedError):
        await asked.requests.ask(CREDENTIALS, 2)
    await asked.requests.ask(CREDENTIALS, 3)
    assert (asked.clock.slept, asked.stats.token_requests) == ([], 3)
    assert asked.seen == [
        _answered("oauth.token", 1, 503, "ServerError"),
        _answered("oauth.token", 2, None, "ConnectionFailedError"),
        _answered("oauth.token", 3, 200, ""),
    ]


async def test_what_these_endpoints_answer_slows_everyone_down_as_any_other_answer_does() -> None:
    """A pause of the token endpoint is a pause of the API."""
    asked = Harness(429, 503, 200)
    with pytest.raises(RateLimitError):
        await asked.requests.ask(CREDENTIALS, 1)
    with pytest.raises(ServerError):
        await asked.requests.revoke(Secret("a"))
    await asked.requests.ask(CREDENTIALS, 1)
    assert asked.heeded == [(429, "oauth.token"), (503, "oauth.revoke")]


async def test_a_pause_holds_for_token_requests_too() -> None:
    """Whichever answer caused it; the life of the token counts from after the pause."""
    asked = Harness(200, 200)
    asked.gate.pause(7.0)
    began = asked.clock.now
    token = await asked.requests.ask(CREDENTIALS, 1)
    assert token.expires_at == began + 107.0
    asked.gate.pause(5.0)
    await asked.requests.revoke(Secret("a"))
    assert asked.clock.slept == [7.0, pytest.approx(5.0)]


async def test_token_requests_count_for_the_rate_and_need_no_slot() -> None:
    """Requests that wait for the token may hold all slots."""
    asked = Harness(200, 200, rate=2.0)
    await asked.gate.enter(None)
    await asked.requests.ask(CREDENTIALS, 1)
    await asked.requests.ask(CREDENTIALS, 1)
    assert asked.wire.sent
    assert sum(asked.clock.slept) == pytest.approx(0.75)


async def test_every_answer_but_a_refusal_tells_the_rate_that_the_api_keeps_up() -> None:
    """A request without an answer tells it nothing."""
    rate = ScriptedRate()
    asked = Harness(200, 429, 503, ConnectionFailedError("gone"), rate=rate)
    for _ in range(4):
        with contextlib.suppress(KajabiError):
            await asked.requests.ask(CREDENTIALS, 1)
    began = asked.clock.now - 1.0
    assert [call for call in rate.calls if call[0] == "answered"] == [
        ("answered", began + 0.25),
        ("answered", began + 0.75),
    ]


OAUTH = b'{"error":"%s"}'


@pytest.mark.parametrize(
    ("status", "body", "kind", "hint"),
    [
        (401, OAUTH % b"Invalid client credentials", AuthenticationError, HINT),
        (401, b"", AuthenticationError, ""),
        (401, b"<html>", AuthenticationError, ""),
        (400, OAUTH % b"invalid_client", AuthenticationError, HINT),
        (400, OAUTH % b"invalid_grant", AuthenticationError, HINT),
        (400, OAUTH % b"unauthorized_client", AuthenticationError, HINT),
        (400, OAUTH % b"invalid_request", BadRequestError, HINT),
        (400, OAUTH % b"Invalid client credentials", BadRequestError, HINT),
        (400, b"", BadRequestError, ""),
        (403, b"<html>", PermissionDeniedError, ""),
        (403, OAUTH % b"invalid_client", PermissionDeniedError, PLAN_HINT),
        (404, b"", NotFoundError, ""),
        (503, OAUTH % b"invalid_client", ServerError, ""),
    ],
)
async def test_only_refused_credentials_are_an_authentication_error(
    status: int, body: bytes, kind: type[ApiError], hint: str
) -> None:
    """By 401, or by OAuth's codes with 400; only OAuth's own codes earn a hint about keys and plans."""
    asked = Harness(Answer(status, {"x-request-id": "abc", "retry-after": "7"}, body))
    with pytest.raises(kind) as caught:
        await asked.requests.ask(CREDENTIALS, 1)
    error = caught.value
    assert type(error) is kind
    assert (error.status, error.hint, error.request_id) == (status, hint, "abc")
    assert (error.method, error.path) == ("POST", "/v1/oauth/token")
    assert (error.retry_after, error.retry_at) == (7.0, asked.clock.time() + 7.0)
    titles = [json.loads(body)["error"]] if body.startswith(b"{") else []
    assert [each.title for each in error.errors] == titles


@pytest.mark.parametrize("status", [401, 403, 404])
@pytest.mark.parametrize(("content_type", "is_html"), [("text/html", True), ("application/json", False)])
async def test_the_error_of_a_token_request_says_whether_a_page_came(
    content_type: str, status: int, *, is_html: bool
) -> None:
    """Such a page is of what stands before the API, and passes."""
    asked = Harness(Answer(status, {"content-type": content_type}, b"<html>"))
    with pytest.raises(ApiError) as caught:
        await asked.requests.ask(CREDENTIALS, 1)
    assert caught.value.is_html is is_html


@pytest.mark.parametrize(
    ("status", "body", "spends", "unusable"),
    [
        (401, b"", True, True),
        (400, OAUTH % b"invalid_grant", True, True),
        (400, OAUTH % b"invalid_request", False, True),
        (400, b"", False, True),
        (403, OAUTH % b"invalid_grant", False, False),
        (404, b"", False, True),
        (408, b"", False, False),
        (429, OAUTH % b"invalid_grant", False, False),
        (500, OAUTH % b"invalid_grant", False, False),
        (302, b"", False, False),
    ],
)
def test_only_401_and_invalid_grant_spend_a_refresh_token(
    status: int, body: bytes, *, spends: bool, unusable: bool
) -> None:
    """A temporary failure says nothing about it; after other refusals the first grant may still succeed."""
    error = error_of(Answer(status, {}, body), Request("POST", "/v1/oauth/token"), ManualClock())
    assert (spends_refresh_token(error), is_unusable(error)) == (spends, unusable)


async def test_one_attempt_ends_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """A waiter for the token may wait for any time."""
    monkeypatch.setattr("kajabi_async.session.auth.endpoint._SECONDS", 0.05)
    asked = Harness(None)
    async with asyncio.timeout(5):
        with pytest.raises(RequestTimeoutError) as caught:
            await asked.requests.ask(CREDENTIALS, 1)
    assert str(caught.value) == (
        "POST /v1/oauth/token: not done, waiting and repeating included, within 0.05 s (host api.example)"
    )
    assert (caught.value.phase, caught.value.seconds) == ("total", 0.05)
    assert asked.seen == [_answered("oauth.token", 1, None, "RequestTimeoutError")]


async def test_a_revocation_ends_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """After the time that a request for a token has."""
    monkeypatch.setattr("kajabi_async.session.auth.endpoint._SECONDS", 0.05)
    asked = Harness(None)
    async with asyncio.timeout(5):
        with pytest.raises(RequestTimeoutError, match=r"^POST /v1/oauth/revoke: .* within 0\.05 s") as caught:
            await asked.requests.revoke(Secret("a"))
    assert caught.value.seconds == 0.05
    assert asked.seen == [_answered("oauth.revoke", 1, None, "RequestTimeoutError")]


async def test_a_revocation_that_waits_for_a_permit_ends_when_the_client_is_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It was not sent, and says so."""
    asked = Harness(200, rate=0.5)
    await asked.gate.take_permit()
    sleeping = asyncio.Event()

    async def sleep(_: float) -> None:
        sleeping.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(asked.clock, "sleep", sleep)
    revoking = asyncio.create_task(asked.requests.revoke(Secret("a")))
    await sleeping.wait()
    asked.requests.deadlines.end_all()
    with pytest.raises(ClientClosedError) as caught:
        await revoking
    assert str(caught.value) == "POST /v1/oauth/revoke was not sent: the client was closed meanwhile"
    assert (caught.value.attempts, caught.value.maybe_applied, asked.wire.sent) == (0, False, [])


async def test_a_request_without_waiters_still_reports_its_end() -> None:
    """An observer never has to close an open request itself."""
    asked = Harness(None)
    asking = asyncio.create_task(asked.requests.ask(CREDENTIALS, 1))
    await asyncio.sleep(0)
    asking.cancel()
    await asyncio.wait([asking])
    assert asking.cancelled()
    assert asked.seen == [_answered("oauth.token", 1, None, "CancelledError")]


def test_an_error_holds_all_that_the_answer_said() -> None:
    """It also says when the requested pause is over, by the clock of this machine."""
    clock = ManualClock(wall=5000.0)
    body = b'{"errors": [{"title": "Slow down", "detail": "please"}]}'
    headers = {"retry-after": "7", "x-request-id": "abc"}
    error = error_of(Answer(429, headers, body), Request("GET", "/v1/customers"), clock, hint="Look here")
    assert isinstance(error, RateLimitError)
    assert (error.method, error.path, error.status, error.hint) == ("GET", "/v1/customers", 429, "Look here")
    assert (error.retry_after, error.retry_at, error.request_id) == (7.0, 6007.0, "abc")
    assert str(error) == ("GET /v1/customers was answered 429: Slow down: please. Look here [request abc]")
    plain = error_of(Answer(404, {}, b""), Request("GET", "/v1/customers"), clock)
    assert (plain.retry_after, plain.retry_at, plain.hint) == (None, None, "")


def test_a_pause_until_a_date_counts_from_the_clock_of_this_machine() -> None:
    """If the answer has no date of its own."""
    clock = ManualClock()
    clock.now = 0.0
    answer = Answer(503, {"retry-after": "Tue, 14 Nov 2023 22:13:30 GMT"}, b"")
    assert error_of(answer, Request("GET", "/v1/customers"), clock).retry_after == 10.0
