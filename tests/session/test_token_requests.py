"""The two requests that no caller makes: what is sent, how often, what is told of it, and what its failure says."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

import pytest

from kajabi_async.errors import (
    AuthenticationError,
    BadRequestError,
    ConnectionFailedError,
    NotFoundError,
    RateLimitError,
    RequestTimeoutError,
    ServerError,
)
from kajabi_async.exchange import FORM, Answer, Request
from kajabi_async.session import RetryPolicy, SessionEvent, SessionStats, TokenRequestAnswered
from kajabi_async.session.credentials import ClientCredentials, RefreshTokenCredentials, Secret
from kajabi_async.session.deadlines import Deadline, Deadlines
from kajabi_async.session.token_requests import TokenRequests, error_of, is_success
from tests.clocks import ManualClock

BASE = "https://api.kajabi.com"
CREDENTIALS = ClientCredentials("id", "p&w")
HINT = (
    "The credentials were not accepted: check client id and secret (KAJABI_CLIENT_ID, KAJABI_CLIENT_SECRET) under "
    "Settings, Security, User API Keys"
)


class Wire:
    """Stands for the transport: gives answers in turn, each after a quarter of a second, and keeps what was sent."""

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
        return Answer(answer, {}, b"the body") if isinstance(answer, int) else cast("Answer", answer)


class Asked:
    """Token requests over a wire, with everything that they are told to."""

    def __init__(self, *answers: Any, jitter: Callable[[], float] = lambda: 1.0, watched: bool = True) -> None:
        self.clock = ManualClock()
        self.wire = Wire(self.clock, *answers)
        self.stats = SessionStats()
        self.seen: list[SessionEvent] = []
        self.requests = TokenRequests(
            cast("Any", self.wire),
            Deadlines(),
            RetryPolicy(),
            self.clock,
            jitter,
            self.stats,
            BASE,
            lambda: self.seen.append if watched else None,
        )


def _answered(name: str, attempt: int, status: int | None, error: str) -> TokenRequestAnswered:
    return TokenRequestAnswered(name, "POST", f"/v1/{name.replace('.', '/')}", BASE, attempt, status, error, 0.25)


async def test_a_token_is_asked_for_by_a_form() -> None:
    """Without a token, and the answer's body is what comes back."""
    asked = Asked(200)
    assert await asked.requests.ask(CREDENTIALS, True) == b"the body"
    ((request, token),) = asked.wire.sent
    assert (request.method, request.path, request.query) == ("POST", "/v1/oauth/token", "")
    assert request.body == b"client_id=id&client_secret=p%26w&grant_type=client_credentials"
    assert (request.content_type, token) == (FORM, None)
    assert asked.stats.token_requests == 1
    assert asked.seen == [_answered("oauth.token", 1, 200, "")]


async def test_a_token_is_revoked_with_itself() -> None:
    """As a form, and as the bearer."""
    asked = Asked(200)
    await asked.requests.revoke(Secret("a&b"))
    ((request, token),) = asked.wire.sent
    assert (request.method, request.path, request.body) == ("POST", "/v1/oauth/revoke", b"token=a%26b")
    assert (request.content_type, token) == (FORM, Secret("a&b"))
    assert asked.seen == [_answered("oauth.revoke", 1, 200, "")]
    assert asked.stats.token_requests == 0


async def test_nothing_is_told_where_nobody_watches() -> None:
    """Nor does anything fail for it."""
    asked = Asked(200, 200, watched=False)
    assert await asked.requests.ask(CREDENTIALS, True) == b"the body"
    await asked.requests.revoke(Secret("a"))
    assert asked.seen == []


async def test_a_revocation_that_is_refused_is_told() -> None:
    """But for 401: that token is dead already."""
    asked = Asked(401, 404)
    await asked.requests.revoke(Secret("a"))
    with pytest.raises(NotFoundError) as caught:
        await asked.requests.revoke(Secret("a"))
    assert str(caught.value) == "POST /v1/oauth/revoke was answered 404"
    assert (caught.value.method, caught.value.path, caught.value.status) == ("POST", "/v1/oauth/revoke", 404)
    assert asked.seen == [
        _answered("oauth.revoke", 1, 401, "AuthenticationError"),
        _answered("oauth.revoke", 1, 404, "NotFoundError"),
    ]


async def test_a_busy_endpoint_is_asked_again_and_each_attempt_is_told() -> None:
    """As the policy says, with its waits."""
    asked = Asked(503, ConnectionFailedError("gone"), 200)
    assert await asked.requests.ask(CREDENTIALS, True) == b"the body"
    assert asked.clock.slept == [0.5, 1.0]
    assert asked.stats.token_requests == 3
    assert asked.seen == [
        _answered("oauth.token", 1, 503, "ServerError"),
        _answered("oauth.token", 2, None, "ConnectionFailedError"),
        _answered("oauth.token", 3, 200, ""),
    ]


async def test_what_serves_once_is_sent_once() -> None:
    """A refresh token may be used up although no good answer came."""
    asked = Asked(503)
    with pytest.raises(ServerError) as caught:
        await asked.requests.ask(RefreshTokenCredentials("r"), False)
    error = caught.value
    assert (error.attempts, error.maybe_applied, error.gave_up) == (1, False, "write")
    assert len(asked.wire.sent) == 1


async def test_a_refresh_token_that_never_left_is_sent_again() -> None:
    """Nothing was used up."""
    refused = ConnectionFailedError("refused")
    refused.never_sent = True
    asked = Asked(refused, 200)
    assert await asked.requests.ask(RefreshTokenCredentials("r"), False) == b"the body"


async def test_an_endpoint_that_stays_down_is_given_up() -> None:
    """The error says how often it was asked, and that nothing was applied."""
    asked = Asked(503, 503, 503, 503)
    with pytest.raises(ServerError) as caught:
        await asked.requests.ask(CREDENTIALS, True)
    error = caught.value
    assert (error.attempts, error.maybe_applied, error.gave_up) == (4, False, "attempts")
    assert (error.method, error.path, error.hint) == ("POST", "/v1/oauth/token", "")
    assert str(error) == "POST /v1/oauth/token was answered 503 (4 attempts; no more are allowed)"
    assert asked.clock.slept == [0.5, 1.0, 2.0]


async def test_a_token_is_asked_for_half_a_minute_at_most() -> None:
    """Pauses that the endpoint asks for are within it."""
    busy = Answer(429, {"retry-after": "20"}, b"")
    asked = Asked(busy, busy, jitter=lambda: 0.0)
    with pytest.raises(RateLimitError) as caught:
        await asked.requests.ask(CREDENTIALS, True)
    assert (caught.value.gave_up, caught.value.attempts, asked.clock.slept) == ("deadline", 2, [20.0])


@pytest.mark.parametrize(("status", "kind"), [(400, BadRequestError), (401, AuthenticationError)])
async def test_refused_credentials_say_what_to_check(status: int, kind: type[BadRequestError]) -> None:
    """And where to look."""
    asked = Asked(status)
    with pytest.raises(kind) as caught:
        await asked.requests.ask(CREDENTIALS, True)
    assert (caught.value.hint, caught.value.gave_up) == (HINT, "final")
    assert str(caught.value) == f"POST /v1/oauth/token was answered {status}. {HINT}"


async def test_other_failures_say_nothing_of_credentials() -> None:
    """They have nothing to do with them."""
    with pytest.raises(NotFoundError) as caught:
        await Asked(404).requests.ask(CREDENTIALS, True)
    assert caught.value.hint == ""


async def test_one_attempt_ends_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits for the token may wait for as long as they like."""
    monkeypatch.setattr("kajabi_async.session.token_requests._TOKEN_SECONDS", 0.05)
    asked = Asked(None)
    async with asyncio.timeout(5):
        with pytest.raises(RequestTimeoutError) as caught:
            await asked.requests.ask(CREDENTIALS, True)
    assert str(caught.value) == "POST /v1/oauth/token: not done, waiting and repeating included, within 0.05 s"
    assert (caught.value.phase, caught.value.seconds) == ("total", 0.05)
    assert asked.seen == [_answered("oauth.token", 1, None, "RequestTimeoutError")]


async def test_a_request_that_nobody_waits_for_any_more_has_ended_too() -> None:
    """Whoever watches never has to close what is still open."""
    asked = Asked(None)
    asking = asyncio.create_task(asked.requests.ask(CREDENTIALS, True))
    await asyncio.sleep(0)
    asking.cancel()
    await asyncio.wait([asking])
    assert asking.cancelled()
    assert asked.seen == [_answered("oauth.token", 1, None, "CancelledError")]


@pytest.mark.parametrize(("status", "success"), [(199, False), (200, True), (299, True), (300, False), (404, False)])
def test_success_is_2xx(status: int, *, success: bool) -> None:
    """And nothing else."""
    assert is_success(Answer(status, {}, b"")) is success


def test_an_error_tells_all_that_the_answer_told() -> None:
    """And when the pause that it asks for is over, by the clock of this machine."""
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
    """Where the answer bears no date of its own."""
    clock = ManualClock()
    clock.now = 0.0
    answer = Answer(503, {"retry-after": "Tue, 14 Nov 2023 22:13:30 GMT"}, b"")
    assert error_of(answer, Request("GET", "/v1/customers"), clock).retry_after == 10.0
