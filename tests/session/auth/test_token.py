"""One token: fetched once, renewed before it expires, replaced when refused."""

import asyncio
import contextlib
import copy
import json
import logging
from typing import Any

import pytest

from kajabi_async.errors import (
    ApiError,
    AuthenticationError,
    BadRequestError,
    ClientClosedError,
    ConnectionFailedError,
    DecodeError,
    ErrorObject,
    KajabiError,
    PermissionDeniedError,
    RateLimitError,
    RequestTimeoutError,
    ServerError,
)
from kajabi_async.session import RetryPolicy
from kajabi_async.session.auth.backoff import TokenBackoff
from kajabi_async.session.auth.grants import Grants
from kajabi_async.session.auth.keeper import TokenKeeper
from kajabi_async.session.auth.store import StoredToken
from kajabi_async.session.auth.token import Token
from kajabi_async.session.credentials import ClientCredentials, Credentials, RefreshTokenCredentials, Secret
from tests.clocks import ManualClock

LIFE = 1000


class Issuer:
    """Answers token requests in order and records their grants. The life of a token counts from now on its clock."""

    clock: ManualClock | None = None

    def __init__(self, *answers: Any) -> None:
        self.grants: list[str] = []
        self.attempts: list[int] = []
        self.refresh_tokens: list[str] = []
        self.revoked: list[str] = []
        self.hold = asyncio.Event()
        self.hold.set()
        self._answers = list(answers)

    async def ask(self, credentials: Credentials, attempt: int) -> Token:
        self.grants.append(credentials.form().get("grant_type", "password"))
        self.attempts.append(attempt)
        self.refresh_tokens.append(credentials.form().get("refresh_token", ""))
        await self.hold.wait()
        answer = self._answers.pop(0) if self._answers else f"token-{len(self.grants)}"
        if isinstance(answer, Exception):
            raise answer
        body = answer if isinstance(answer, bytes) else issued(answer)
        return Token.from_body(body, asked_at=0.0 if self.clock is None else self.clock.now)

    async def revoke(self, token: Secret) -> None:
        self.revoked.append(token.reveal())


def issued(access: str, **members: Any) -> bytes:
    return json.dumps({"access_token": access, "refresh_token": "r", "expires_in": LIFE, **members}).encode()


def grants(issuer: Issuer, clock: ManualClock | None = None, credentials: Credentials | None = None) -> Grants:
    issuer.clock = clock or issuer.clock or ManualClock()
    backoff = TokenBackoff(RetryPolicy(), issuer.clock, lambda: 0.5, lambda: 0.0)
    return Grants(credentials or ClientCredentials("id", "secret"), issuer, backoff)


def keeper(issuer: Issuer, clock: ManualClock | None = None, credentials: Credentials | None = None) -> TokenKeeper:
    issuer.clock = clock or ManualClock()
    return TokenKeeper(grants(issuer, issuer.clock, credentials), issuer.clock)


async def _held(tokens: TokenKeeper) -> str:
    return (tokens.live() or await tokens.renewed()).access.reveal()


async def test_all_waiters_share_one_request() -> None:
    """A thousand callers on a cold client."""
    issuer = Issuer()
    tokens = keeper(issuer)
    assert set(await asyncio.gather(*(_held(tokens) for _ in range(1000)))) == {"token-1"}
    assert issuer.grants == ["client_credentials"]


async def test_cancelling_those_who_wait_disturbs_neither_the_rest_nor_the_request() -> None:
    """The request completes even if no waiter is left."""
    issuer = Issuer()
    issuer.hold.clear()
    tokens = keeper(issuer)
    waiting = [asyncio.create_task(_held(tokens)) for _ in range(10)]
    await asyncio.sleep(0)
    for task in waiting:
        task.cancel()
    await asyncio.wait(waiting)
    issuer.hold.set()
    assert await _held(tokens) == "token-1"
    assert issuer.grants == ["client_credentials"]


async def test_a_token_is_renewed_ahead_of_its_end_while_the_old_one_serves() -> None:
    """In the last tenth of its life, by the refresh token, and without a waiter."""
    issuer, clock = Issuer(), ManualClock()
    tokens = keeper(issuer, clock)
    await _held(tokens)
    clock.advance(LIFE * 0.89)
    assert await _held(tokens) == "token-1"
    assert len(issuer.grants) == 1
    clock.advance(LIFE * 0.02)
    issuer.hold.clear()
    assert [await _held(tokens) for _ in range(5)] == ["token-1"] * 5
    await asyncio.sleep(0)
    issuer.hold.set()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert await _held(tokens) == "token-2"
    assert issuer.grants == ["client_credentials", "refresh_token"]


async def test_a_renewal_ahead_that_fails_ends_no_request_and_is_not_retried_on_each() -> None:
    """The old token is used until it expires; the next try is half a minute later, by the same refresh token."""
    failing = ServerError(status=503)
    issuer, clock = Issuer("token-1", failing, failing), ManualClock()
    tokens = keeper(issuer, clock)
    await _held(tokens)
    clock.advance(LIFE * 0.91)
    for _ in range(20):
        assert await _held(tokens) == "token-1"
        await asyncio.sleep(0)
    assert issuer.grants == ["client_credentials", "refresh_token"]
    clock.advance(31)
    await _held(tokens)
    await asyncio.sleep(0)
    assert issuer.grants == ["client_credentials", "refresh_token", "refresh_token"]


async def test_an_expired_token_is_renewed_before_anything_is_sent() -> None:
    """By the refresh token, and by the first grant if that one is refused."""
    issuer, clock = Issuer("token-1", AuthenticationError(status=401), "token-3"), ManualClock()
    tokens = keeper(issuer, clock)
    await _held(tokens)
    clock.advance(LIFE + 1)
    assert await _held(tokens) == "token-3"
    assert issuer.grants == ["client_credentials", "refresh_token", "client_credentials"]


async def test_a_refused_token_is_replaced_only_where_it_is_still_the_current_one() -> None:
    """A caller with an older one gets the current one; the first grant is used, as the key may be gone."""
    issuer = Issuer()
    tokens = keeper(issuer)
    first = await tokens.renewed()
    replaced = await asyncio.gather(*(tokens.replace(first) for _ in range(50)))
    assert {token.access.reveal() for token in replaced} == {"token-2"}
    assert (await tokens.replace(first)).access.reveal() == "token-2"
    assert issuer.grants == ["client_credentials", "client_credentials"]


async def test_a_refresh_token_given_by_the_user_is_exchanged_for_later_ones() -> None:
    """The newest one is used; an answer without one keeps the old."""
    issuer, clock = Issuer(issued("a", refresh_token="r2"), issued("b", refresh_token=None)), ManualClock()
    tokens = keeper(issuer, clock, RefreshTokenCredentials("r1"))
    token = await tokens.renewed()
    assert (await tokens.replace(token)).access.reveal() == "b"
    assert tokens._grants.refresh_token == Secret("r2")


async def test_each_waiter_gets_an_error_of_its_own() -> None:
    """Otherwise tracebacks would grow with the number of waiters."""
    tokens = keeper(Issuer(AuthenticationError(status=401)))
    errors = await asyncio.gather(*(_held(tokens) for _ in range(3)), return_exceptions=True)
    assert all(isinstance(error, AuthenticationError) for error in errors)
    assert len({id(error) for error in errors}) == 3


async def test_forgetting_requests_the_next_token_by_the_first_grant() -> None:
    """The revocation ends the refresh token too."""
    issuer = Issuer()
    tokens = keeper(issuer)
    await _held(tokens)
    await tokens.forget()
    assert tokens.live() is None
    assert await _held(tokens) == "token-2"
    assert issuer.grants == ["client_credentials", "client_credentials"]


async def test_forgetting_nothing_is_no_error() -> None:
    """No token may ever have been fetched."""
    tokens = keeper(Issuer())
    await tokens.forget()
    assert tokens.live() is None
    assert await _held(tokens) == "token-1"


PASSING: dict[str, KajabiError] = {
    "429": RateLimitError(status=429),
    "502": ServerError(status=502),
    "503": ServerError(status=503),
    "403": PermissionDeniedError(status=403),
    "400 of another kind": BadRequestError(status=400, errors=[ErrorObject(title="invalid_request")]),
    "HTML": DecodeError("not JSON", context="the token answer"),
    "a broken connection": ConnectionFailedError("gone"),
    "a timeout": RequestTimeoutError("late", phase="read", seconds=30.0),
}


@pytest.mark.parametrize("name", PASSING)
async def test_a_refresh_token_outlives_temporary_failures(name: str) -> None:
    """It rotates: the user's own is long spent, and only the newest leads to another token."""
    rotated = issued("a1", refresh_token="r1")
    issuer, clock = Issuer(rotated, PASSING[name], issued("a2", refresh_token="r2")), ManualClock()
    tokens = keeper(issuer, clock, RefreshTokenCredentials("r0"))
    await _held(tokens)
    clock.advance(LIFE + 1)
    with contextlib.suppress(KajabiError):
        await _held(tokens)
    clock.advance(60)
    assert await _held(tokens) == "a2"
    assert issuer.refresh_tokens == ["r0", "r1", "r1"]


@pytest.mark.parametrize(
    "refusal",
    [
        AuthenticationError(status=401),
        AuthenticationError(status=400, errors=[ErrorObject(title="invalid_grant")]),
    ],
)
async def test_a_refresh_token_that_is_refused_is_spent(refusal: ApiError) -> None:
    """It is not sent again; the first grant replaces it at once."""
    issuer, clock = Issuer("token-1", refusal, issued("token-3", refresh_token=None), refusal), ManualClock()
    tokens = keeper(issuer, clock)
    await _held(tokens)
    clock.advance(LIFE + 1)
    assert await _held(tokens) == "token-3"
    clock.advance(LIFE + 1)
    with pytest.raises(AuthenticationError):
        await _held(tokens)
    assert issuer.grants == ["client_credentials", "refresh_token", "client_credentials", "client_credentials"]
    assert clock.slept == []


async def test_a_refusal_that_is_not_about_the_refresh_token_leaves_it_and_tries_the_first_grant() -> None:
    """Otherwise a 400 without a known code would return for ever."""
    odd = BadRequestError(status=400, errors=[ErrorObject(title="Invalid refresh token")])
    issuer, clock = Issuer("token-1", odd, ServerError(status=503), odd, "token-5"), ManualClock()
    tokens = keeper(issuer, clock)
    await _held(tokens)
    clock.advance(LIFE + 1)
    assert await _held(tokens) == "token-5"
    assert issuer.grants == ["client_credentials", *["refresh_token", "client_credentials"] * 2]


async def test_the_refresh_token_of_the_user_is_sent_once_for_each_try() -> None:
    """It is the first grant itself."""
    issuer, clock = Issuer(issued("a1", refresh_token=None), AuthenticationError(status=401)), ManualClock()
    tokens = keeper(issuer, clock, RefreshTokenCredentials("r0"))
    tokens._grants.refresh_token = Secret("r0")
    await _held(tokens)
    clock.advance(LIFE + 1)
    with pytest.raises(AuthenticationError):
        await _held(tokens)
    assert issuer.refresh_tokens == ["r0", "r0"]


async def test_a_failing_endpoint_is_asked_again_after_growing_pauses_that_all_callers_share() -> None:
    """A hundred callers cause as many requests as one, and each gets an error of its own."""
    failing = [ServerError(status=503) for _ in range(4)]
    issuer, clock = Issuer(*failing), ManualClock()
    tokens = keeper(issuer, clock)
    errors = await asyncio.gather(*(tokens.renewed() for _ in range(100)), return_exceptions=True)
    assert len({id(error) for error in errors}) == 100
    assert all(isinstance(error, ServerError) and error.at_token_endpoint for error in errors)
    assert {(error.attempts, error.gave_up) for error in errors if isinstance(error, KajabiError)} == {(4, "attempts")}
    assert issuer.attempts == [1, 2, 3, 4]


async def test_callers_that_come_while_it_fails_get_the_failure_without_a_request() -> None:
    """If the pause is a long one; a later caller finds out whether it is over."""
    issuer, clock = Issuer(*(ServerError(status=503) for _ in range(5))), ManualClock()
    tokens = keeper(issuer, clock)
    for _ in range(100):
        with pytest.raises(ServerError) as caught:
            await tokens.renewed()
        assert caught.value.at_token_endpoint
    assert len(issuer.attempts) == 4
    clock.advance(5)
    with pytest.raises(ServerError):
        await tokens.renewed()
    assert len(issuer.attempts) == 5
    clock.advance(60)
    assert await _held(tokens) == "token-6"
    assert issuer.attempts[-1] == 6
    assert (await tokens.renewed()).access.reveal() == "token-7"
    assert issuer.attempts[-1] == 1


@pytest.mark.parametrize(
    "error", [PermissionDeniedError(status=403), BadRequestError(status=400), AuthenticationError(status=401)]
)
async def test_what_is_not_repeated_is_not_asked_again_at_each_call_either(error: ApiError) -> None:
    """Five thousand calls, one after the other, cause a handful of requests."""
    issuer, clock = Issuer(*([error] * 20)), ManualClock()
    tokens = keeper(issuer, clock)
    for _ in range(5000):
        with pytest.raises(type(error)) as caught:
            await tokens.renewed()
        assert caught.value.at_token_endpoint
    assert len(issuer.attempts) <= 6


async def test_a_caller_waits_no_longer_than_its_own_time_allows() -> None:
    """It gets the failure at once, instead of a timeout later."""
    issuer, clock = Issuer(*([ServerError(status=503)] * 20)), ManualClock()
    tokens = keeper(issuer, clock)
    with pytest.raises(ServerError) as caught:
        await tokens.renewed(clock.now + 0.2)
    assert (caught.value.gave_up, caught.value.attempts, clock.slept) == ("deadline", 1, [])
    with pytest.raises(ServerError) as caught:
        await tokens.renewed(clock.now + 0.2)
    assert (caught.value.gave_up, len(issuer.attempts), clock.slept) == ("deadline", 1, [])


async def test_a_caller_that_waited_takes_the_token_that_came_meanwhile() -> None:
    """The first caller to leave the pause requests the token for all."""
    issuer, clock = Issuer(ServerError(status=503)), ManualClock()
    tokens = keeper(issuer, clock)
    assert {token.access.reveal() for token in await asyncio.gather(*(tokens.renewed() for _ in range(50)))} == {
        "token-2"
    }
    assert len(issuer.attempts) == 2


async def test_a_caller_that_wakes_up_late_takes_the_token_that_came_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its pause took longer, and no further token is requested."""
    issuer, clock = Issuer(ServerError(status=503)), ManualClock()
    tokens = keeper(issuer, clock)
    alarms = [asyncio.Event(), asyncio.Event()]
    asleep: list[asyncio.Event] = []

    async def sleep(_: float) -> None:
        asleep.append(alarms[len(asleep)])
        await asleep[-1].wait()

    monkeypatch.setattr(clock, "sleep", sleep)
    callers = [asyncio.create_task(tokens.renewed()) for _ in alarms]
    while len(asleep) < len(alarms):
        await asyncio.sleep(0)
    clock.advance(1.0)
    alarms[0].set()
    await asyncio.wait(callers, return_when=asyncio.FIRST_COMPLETED)
    alarms[1].set()
    early, late = await asyncio.gather(*callers)
    assert early is late
    assert issuer.attempts == [1, 2]


@pytest.mark.parametrize("name", PASSING)
async def test_a_call_that_got_no_token_has_applied_nothing(name: str) -> None:
    """Whatever the request for the token met: the call itself was not sent."""
    error = copy.copy(PASSING[name]).sent(attempts=1, maybe_applied=True)
    tokens = keeper(Issuer(*[error] * 4))
    with pytest.raises(type(error)) as caught:
        await tokens.renewed()
    assert caught.value.maybe_applied is False


async def test_forgetting_leaves_a_newer_token() -> None:
    """Another token was revoked."""
    tokens = keeper(Issuer())
    old = await tokens.renewed()
    new = await tokens.replace(old)
    await tokens.forget(old)
    assert tokens.live() is new


async def test_a_refresh_token_is_exchanged_on_demand() -> None:
    """For a revocation with a valid token; None if it is missing or spent."""
    issuer = Issuer("token-1", AuthenticationError(status=401), ServerError(status=503))
    known = grants(issuer)
    assert await known.exchange() is None
    known.refresh_token = Secret("r0")
    assert await known.exchange() is not None
    assert issuer.refresh_tokens == ["r0"]
    assert known.refresh_token == Secret("r")
    assert await known.exchange() is None
    with pytest.raises(ServerError) as caught:
        await known.exchange()
    assert caught.value.at_token_endpoint
    assert issuer.grants == ["refresh_token"] * 3


async def test_a_token_is_replaced_within_the_time_of_the_call() -> None:
    """A pause of the token endpoint that outlasts it is not waited for."""
    issuer, clock = Issuer("token-1", ServerError(status=503)), ManualClock()
    tokens = keeper(issuer, clock)
    rejected = await tokens.renewed()
    with pytest.raises(ServerError) as caught:
        await tokens.replace(rejected, clock.now + 0.25)
    assert (caught.value.gave_up, clock.slept) == ("deadline", [])


class Overtaken(Issuer):
    """An issuer whose token is replaced while it is revoked; the first of two revocations may be rejected."""

    def __init__(self, *, rejects: bool) -> None:
        super().__init__()
        self.tokens = keeper(self)
        self._rejects = rejects

    async def revoke(self, token: Secret) -> None:
        await super().revoke(token)
        if self._rejects:
            self._rejects = False
            raise AuthenticationError(status=401)
        current = self.tokens.live()
        assert current is not None
        assert current.access == token
        await self.tokens.replace(current)


@pytest.mark.parametrize(("rejects", "revoked"), [(False, ["token-1"]), (True, ["token-1", "token-2"])])
async def test_a_revocation_drops_no_token_that_came_meanwhile(rejects: bool, revoked: list[str]) -> None:
    """Nor one that came while the successor of a token was revoked that had reached its end."""
    issuer = Overtaken(rejects=rejects)
    await _held(issuer.tokens)
    await issuer.tokens.revoke()
    assert issuer.revoked == revoked
    kept = issuer.tokens.live()
    assert kept is not None
    assert kept.access.reveal() == f"token-{len(revoked) + 1}"


async def test_revoking_waits_for_the_request_under_way() -> None:
    """Its token is the one to revoke; without any token, nothing is sent."""
    issuer = Issuer()
    tokens = keeper(issuer)
    await tokens.revoke()
    assert not issuer.revoked
    issuer.hold.clear()
    renewing = asyncio.create_task(tokens.renewed())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    revoking = asyncio.create_task(tokens.revoke())
    await asyncio.sleep(0)
    assert not revoking.done()
    issuer.hold.set()
    await revoking
    assert issuer.revoked == ["token-1"]
    assert tokens.live() is None
    assert (await renewing).access.reveal() == "token-1"


async def test_a_refused_refresh_token_is_logged_with_the_reason(caplog: pytest.LogCaptureFixture) -> None:
    """At INFO, as the first grant replaces it."""
    issuer, clock = Issuer("token-1", AuthenticationError(status=401)), ManualClock()
    tokens = keeper(issuer, clock)
    await _held(tokens)
    clock.advance(LIFE + 1)
    caplog.clear()
    with caplog.at_level(logging.INFO, logger="kajabi_async"):
        await _held(tokens)
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("INFO", "the refresh token was not accepted (AuthenticationError), falling back to the first grant"),
        ("INFO", "fetched a token"),
    ]
    assert vars(caplog.records[1])["shared"] is False


async def test_a_token_without_a_stated_life_serves_until_it_is_refused() -> None:
    """Whichever of the two moments is missing."""
    clock = ManualClock()
    for token in (
        Token(Secret("a"), None, None, None),
        Token(Secret("a"), None, None, clock.now - 1),
        Token(Secret("a"), None, clock.now - 1, None),
    ):
        tokens = keeper(Issuer(), clock)
        tokens._token = token
        assert tokens.live() is token


async def test_a_token_serves_to_the_moment() -> None:
    """It is renewed after nine tenths of its life, and no longer used after its whole life."""
    issuer, clock = Issuer(), ManualClock()
    tokens = keeper(issuer, clock)
    token = await tokens.renewed()
    assert (token.renew_at, token.expires_at) == (clock.now + 900.0, clock.now + 1000.0)
    issuer.hold.clear()
    clock.advance(899.5)
    assert tokens.live() is token
    await asyncio.sleep(0)
    assert len(issuer.grants) == 1
    clock.advance(0.5)
    assert tokens.live() is token
    await asyncio.sleep(0)
    assert len(issuer.grants) == 2
    clock.advance(99.5)
    assert tokens.live() is token
    clock.advance(0.5)
    assert tokens.live() is None
    await tokens.aclose()


async def test_a_token_of_a_long_life_is_renewed_five_minutes_ahead() -> None:
    """A tenth of a week would be too early."""
    token = Token.from_body(issued("a", expires_in=604_800), asked_at=100.0)
    assert (token.renew_at, token.expires_at) == (100.0 + 604_500.0, 100.0 + 604_800.0)


async def test_the_next_try_to_renew_ahead_is_half_a_minute_later() -> None:
    """To the moment."""
    failing = ServerError(status=503)
    issuer, clock = Issuer(issued("a", refresh_token=None), failing, failing), ManualClock()
    tokens = keeper(issuer, clock)
    await _held(tokens)
    clock.advance(LIFE * 0.9)
    for seconds, asked in ((0.0, 2), (29.5, 2), (0.5, 3)):
        clock.advance(seconds)
        assert tokens.live() is not None
        for _ in range(5):
            await asyncio.sleep(0)
        assert len(issuer.grants) == asked


async def test_a_token_is_renewed_ahead_on_a_clock_that_has_just_begun() -> None:
    """Monotonic time may count from the start of the machine or container."""
    issuer, clock = Issuer(issued("a", expires_in=0.5), issued("b", expires_in=0.5)), ManualClock()
    clock.now = 0.0
    tokens = keeper(issuer, clock)
    for access in ("a", "b"):
        assert await _held(tokens) == access
        clock.advance(0.46)
        assert tokens.live() is not None
        for _ in range(5):
            await asyncio.sleep(0)
    assert len(issuer.grants) == 3


async def test_the_callback_receives_each_new_token() -> None:
    """As it was fetched; a token from elsewhere would be counted as taken."""
    received: list[Token] = []
    tokens = keeper(Issuer())
    tokens.on_new = received.append
    first = await tokens.renewed()
    second = await tokens.replace(first)
    assert received == [first, second]
    assert tokens.taken == 0


def test_a_token_goes_to_a_store_and_comes_back_with_its_moments_moved() -> None:
    """From the monotonic clock to wall time, which machines share."""
    clock = ManualClock(wall=5000.0)
    token = Token(Secret("a"), Secret("r"), 1100.0, 1200.0)
    stored = StoredToken(Secret("a"), Secret("r"), 6100.0, 6200.0)
    assert token.to_store(clock) == stored
    assert Token.from_store(stored, clock) == Token(Secret("a"), Secret("r"), 1100.0, 1200.0, shared=True)
    bare = Token(Secret("a"), None, None, None)
    assert bare.to_store(clock) == StoredToken(Secret("a"), None, None, None)
    assert Token.from_store(bare.to_store(clock), clock) == Token(Secret("a"), None, None, None, shared=True)


async def test_closing_ends_a_request_under_way() -> None:
    """Waiters get an error that says the client was closed."""
    issuer = Issuer()
    issuer.hold.clear()
    tokens = keeper(issuer)
    waiting = asyncio.create_task(_held(tokens))
    await asyncio.sleep(0)
    await tokens.aclose()
    with pytest.raises(ClientClosedError):
        await waiting
    with pytest.raises(ClientClosedError):
        await tokens.renewed()


@pytest.mark.parametrize(
    ("expires_in", "life"),
    [
        (7, 7),
        ("604800", 604800),
        (None, None),
        (0, None),
        (-1, None),
        (True, None),
        ("soon", None),
        ([], None),
        (1e300, 1e9),
        (10**18, 1e9),
        ("3600.0", 3600),
        ("3600.", 3600),
        ("1e3", None),
        ("-7", None),
        ("nan", None),
        (" 7", None),
        ("9" * 5000, 1e9),
        (1e-320, 1e-320),
    ],
)
def test_the_stated_life_is_taken_for_what_it_is_worth(expires_in: Any, life: float | None) -> None:
    """A number, or its text; any other value counts as unknown, and the token is used until it is refused."""
    token = Token.from_body(issued("a", expires_in=expires_in), asked_at=100.0)
    assert token.expires_at == (None if life is None else 100.0 + life)


@pytest.mark.parametrize(
    "body",
    [b"[]", b"{}", b"", b"<html>", b'{"access_token":""}', b'{"access_token":"a b\\n"}', b'{"access_token":5}'],
)
def test_an_answer_without_a_usable_token_is_refused_and_not_shown(body: bytes) -> None:
    """It would become a header."""
    with pytest.raises(DecodeError) as caught:
        Token.from_body(body, asked_at=0.0)
    assert "a b" not in str(caught.value)
    assert isinstance(caught.value, KajabiError)
    assert caught.value.context == "the token answer"


def test_the_error_says_what_is_wrong_with_a_token_answer() -> None:
    """And in which member."""
    with pytest.raises(DecodeError) as caught:
        Token.from_body(b"[]", asked_at=0.0)
    assert str(caught.value) == "the token answer: an object was expected"
    with pytest.raises(DecodeError) as caught:
        Token.from_body(b"{}", asked_at=0.0)
    assert str(caught.value) == "the token answer: no usable access_token at access_token"
    assert caught.value.path == "access_token"


def test_a_token_without_a_life_is_whole() -> None:
    """Only its two moments are missing."""
    token = Token.from_body(issued("a", expires_in=None), asked_at=100.0)
    assert token == Token(Secret("a"), Secret("r"), None, None)


@pytest.mark.parametrize(
    "life", [b"1" * 400, b"9" * 19, b"1e400", b"NaN", b"Infinity", b"-Infinity", b'"' + b"1" * 400 + b'"']
)
def test_a_life_of_any_length_is_read_or_raises_an_error_of_the_package(life: bytes) -> None:
    """No number is too large to be read."""
    try:
        token = Token.from_body(b'{"access_token":"a","expires_in":%s}' % life, asked_at=0.0)
    except DecodeError:
        return
    assert token.expires_at == 1e9


@pytest.mark.parametrize(("length", "serves"), [(16_384, True), (16_385, False)])
def test_a_token_fits_into_a_header(length: int, *, serves: bool) -> None:
    """A longer one would make every request fail."""
    body = issued("x" * length, refresh_token="y" * length)
    if serves:
        assert Token.from_body(body, asked_at=0.0).refresh == Secret("y" * length)
    else:
        with pytest.raises(DecodeError):
            Token.from_body(body, asked_at=0.0)


@pytest.mark.parametrize("value", ["", " r", "r ", "r\n", "\u00e9", 5, None])
def test_a_refresh_token_that_could_not_be_sent_is_none(value: Any) -> None:
    """The access token is used all the same."""
    token = Token.from_body(issued("a", refresh_token=value), asked_at=0.0)
    assert (token.access, token.refresh, token.expires_at) == (Secret("a"), None, 1000.0)
    assert Token.from_body(issued("a", refresh_token="r"), asked_at=0.0).refresh == Secret("r")


@pytest.mark.parametrize(
    ("expires_in", "life"),
    [
        ("123456789012", 1e9),
        ("1234567890123", 1e9),
        ("0", None),
        ("\u0661", None),
        (7.5, 7.5),
        (1, 1),
        (0.5, 0.5),
        ("0" * 12 + "7", None),
    ],
)
def test_a_stated_life_is_bounded(expires_in: Any, life: float | None) -> None:
    """However many digits it has; only plain ones count."""
    token = Token.from_body(issued("a", expires_in=expires_in, refresh_token="r"), asked_at=0.0)
    assert (token.expires_at, token.refresh) == (life, Secret("r"))
