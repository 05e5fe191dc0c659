"""One token: fetched once, renewed ahead of its end, replaced when refused."""

import asyncio
import json
import logging
from typing import Any

import pytest

from kajabi_async.errors import AuthenticationError, ClientClosedError, DecodeError, KajabiError, ServerError
from kajabi_async.session.credentials import ClientCredentials, Credentials, RefreshTokenCredentials, Secret
from kajabi_async.session.token import Token
from kajabi_async.session.token_keeper import TokenKeeper
from kajabi_async.session.token_store import StoredToken
from tests.clocks import ManualClock

LIFE = 1000


class Issuer:
    """Answers token requests in turn; keeps the grants it was asked for."""

    def __init__(self, *answers: Any) -> None:
        self.grants: list[str] = []
        self.may_repeat: list[bool] = []
        self.hold = asyncio.Event()
        self.hold.set()
        self._answers = list(answers)

    async def __call__(self, credentials: Credentials, may_repeat: bool) -> bytes:
        self.grants.append(credentials.form().get("grant_type", "password"))
        self.may_repeat.append(may_repeat)
        await self.hold.wait()
        answer = self._answers.pop(0) if self._answers else f"token-{len(self.grants)}"
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, bytes) else issued(answer)


def issued(access: str, **members: Any) -> bytes:
    return json.dumps({"access_token": access, "refresh_token": "r", "expires_in": LIFE, **members}).encode()


def keeper(issuer: Issuer, clock: ManualClock | None = None, credentials: Credentials | None = None) -> TokenKeeper:
    return TokenKeeper(credentials or ClientCredentials("id", "secret"), issuer, clock or ManualClock())


async def _held(tokens: TokenKeeper) -> str:
    return (tokens.live() or await tokens.renewed()).access.reveal()


async def test_everybody_who_waits_shares_one_request() -> None:
    """A thousand callers on a cold client."""
    issuer = Issuer()
    tokens = keeper(issuer)
    assert set(await asyncio.gather(*(_held(tokens) for _ in range(1000)))) == {"token-1"}
    assert issuer.grants == ["client_credentials"]


async def test_cancelling_those_who_wait_disturbs_neither_the_rest_nor_the_request() -> None:
    """Even where nobody waits any more, it is seen through."""
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
    """In the last tenth of its life, by the refresh token; nobody waits for it."""
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


async def test_a_renewal_ahead_that_fails_hurts_nobody_and_is_not_begun_on_every_request() -> None:
    """The old token serves to its end; the next try is half a minute later."""
    failing = ServerError(status=503)
    issuer, clock = Issuer("token-1", failing, failing), ManualClock()
    tokens = keeper(issuer, clock)
    await _held(tokens)
    clock.advance(LIFE * 0.91)
    for _ in range(20):
        assert await _held(tokens) == "token-1"
        await asyncio.sleep(0)
    assert issuer.grants == ["client_credentials", "refresh_token", "client_credentials"]
    clock.advance(31)
    await _held(tokens)
    await asyncio.sleep(0)
    assert len(issuer.grants) == 4


async def test_an_expired_token_is_renewed_before_anything_is_sent() -> None:
    """By the refresh token, and by the first grant where that one is not accepted."""
    issuer, clock = Issuer("token-1", AuthenticationError(status=401), "token-3"), ManualClock()
    tokens = keeper(issuer, clock)
    await _held(tokens)
    clock.advance(LIFE + 1)
    assert await _held(tokens) == "token-3"
    assert issuer.grants == ["client_credentials", "refresh_token", "client_credentials"]


async def test_a_refused_token_is_replaced_only_where_it_is_still_the_current_one() -> None:
    """Whoever comes with an older one gets the current one; the first grant is used, as the key may be gone."""
    issuer = Issuer()
    tokens = keeper(issuer)
    first = await tokens.renewed()
    replaced = await asyncio.gather(*(tokens.replace(first) for _ in range(50)))
    assert {token.access.reveal() for token in replaced} == {"token-2"}
    assert (await tokens.replace(first)).access.reveal() == "token-2"
    assert issuer.grants == ["client_credentials", "client_credentials"]


async def test_a_refresh_token_given_by_the_user_is_exchanged_for_later_ones() -> None:
    """The newest one is used, and an answer without one keeps the old."""
    issuer, clock = Issuer(issued("a", refresh_token="r2"), issued("b", refresh_token=None)), ManualClock()
    tokens = keeper(issuer, clock, RefreshTokenCredentials("r1"))
    token = await tokens.renewed()
    assert (await tokens.replace(token)).access.reveal() == "b"
    assert tokens._refresh is not None
    assert tokens._refresh.reveal() == "r2"


async def test_each_waiter_gets_an_error_of_its_own() -> None:
    """No traceback grows with the number of waiters."""
    tokens = keeper(Issuer(AuthenticationError(status=401)))
    errors = await asyncio.gather(*(_held(tokens) for _ in range(3)), return_exceptions=True)
    assert all(isinstance(error, AuthenticationError) for error in errors)
    assert len({id(error) for error in errors}) == 3


async def test_forgetting_asks_anew_by_the_first_grant() -> None:
    """After a revocation the refresh token is dead."""
    issuer = Issuer()
    tokens = keeper(issuer)
    await _held(tokens)
    await tokens.forget()
    assert tokens.held is None
    assert await _held(tokens) == "token-2"
    assert issuer.grants == ["client_credentials", "client_credentials"]


async def test_forgetting_nothing_is_no_error() -> None:
    """There may never have been a token."""
    tokens = keeper(Issuer())
    await tokens.forget()
    assert tokens.held is None
    assert await _held(tokens) == "token-1"


async def test_only_what_serves_more_than_once_is_asked_for_again() -> None:
    """A refresh token is used up by the first request, whether its answer arrives or not."""
    issuer, clock = Issuer("token-1", AuthenticationError(status=401)), ManualClock()
    tokens = keeper(issuer, clock)
    await _held(tokens)
    clock.advance(LIFE + 1)
    await _held(tokens)
    assert list(zip(issuer.grants, issuer.may_repeat, strict=True)) == [
        ("client_credentials", True),
        ("refresh_token", False),
        ("client_credentials", True),
    ]
    theirs = Issuer()
    await _held(keeper(theirs, credentials=RefreshTokenCredentials("r1")))
    assert theirs.may_repeat == [False]


async def test_a_refresh_token_that_is_not_accepted_is_told_with_the_reason(caplog: pytest.LogCaptureFixture) -> None:
    """At INFO: the first grant takes its place."""
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
    """It is renewed ahead from nine tenths of its life on, and no longer used when that is over."""
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
    """A tenth of a week would be much."""
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
    """Where monotonic time counts from the start of the machine, or of a container."""
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


async def test_whoever_wants_to_know_is_given_each_new_token() -> None:
    """As it was fetched."""
    told: list[Token] = []
    tokens = keeper(Issuer())
    tokens.on_new = told.append
    first = await tokens.renewed()
    second = await tokens.replace(first)
    assert told == [first, second]
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
    """Those who wait are told that the client was closed."""
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
    ],
)
def test_the_stated_life_is_taken_for_what_it_is_worth(expires_in: Any, life: float | None) -> None:
    """A number, or text of one; anything else states none, and the token serves until it is refused."""
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


def test_what_is_wrong_with_a_token_answer_is_said() -> None:
    """And where."""
    with pytest.raises(DecodeError) as caught:
        Token.from_body(b"[]", asked_at=0.0)
    assert str(caught.value) == "the token answer: an object was expected"
    with pytest.raises(DecodeError) as caught:
        Token.from_body(b"{}", asked_at=0.0)
    assert str(caught.value) == "the token answer: no usable access_token at access_token"
    assert caught.value.path == "access_token"


def test_a_token_without_a_life_is_whole() -> None:
    """But for its two moments."""
    token = Token.from_body(issued("a", expires_in=None), asked_at=100.0)
    assert token == Token(Secret("a"), Secret("r"), None, None)


@pytest.mark.parametrize("value", ["", " r", "r ", "r\n", "\u00e9", 5, None])
def test_a_refresh_token_that_could_not_be_sent_is_none(value: Any) -> None:
    """The access token serves all the same."""
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
