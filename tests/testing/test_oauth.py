"""Tokens: three grants, two kinds of bodies, expiry by an injected clock, rotation, revocation."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio

from kajabi_async.testing import FakeKajabi
from tests.testing.caller import Caller, Got, caller_for
from tests.testing.clocks import StoppedClock


def _client(fake: FakeKajabi) -> dict[str, str]:
    return {"grant_type": "client_credentials", "client_id": fake.client_id, "client_secret": fake.client_secret}


async def _request_token(call: Caller, **fields: str) -> Got:
    return await call.post("/v1/oauth/token", data=fields)


async def _status(call: Caller, token: str) -> int:
    return (await call.get("/v1/me", token=token)).status


@pytest_asyncio.fixture
async def timed() -> AsyncIterator[tuple[FakeKajabi, Caller, StoppedClock]]:
    clock = StoppedClock()
    fake = FakeKajabi(customers=1, clock=clock, token_lifetime=60, refresh_token_lifetime=600)
    async with fake, aiohttp.ClientSession(fake.base_url) as session:
        yield fake, caller_for(fake, session), clock


async def test_client_credentials_return_a_valid_pair_of_tokens(fake: FakeKajabi, call: Caller) -> None:
    """The answer is plain JSON with the four members of the document, valid for a week."""
    got = await _request_token(call, **_client(fake))
    assert (got.status, got.headers["Content-Type"]) == (200, "application/json")
    assert set(got.document) == {"access_token", "refresh_token", "token_type", "expires_in"}
    assert (got.document["token_type"], got.document["expires_in"]) == ("Bearer", 604_800)
    assert await _status(call, got.document["access_token"]) == 200


async def test_a_json_body_is_taken_as_well_as_a_form(fake: FakeKajabi, call: Caller) -> None:
    """Integrators send JSON to the token endpoint, and it works."""
    got = await call.post("/v1/oauth/token", json=_client(fake))
    assert got.status == 200


async def test_username_and_password_need_no_grant_type(fake: FakeKajabi, call: Caller) -> None:
    """The third grant of the document has no name."""
    assert (await _request_token(call, username=fake.username, password=fake.password)).status == 200
    assert (await _request_token(call, username=fake.username, password="wrong")).status == 401


async def test_a_wrong_secret_is_a_flat_401(fake: FakeKajabi, call: Caller) -> None:
    """OAuth errors are not JSON:API."""
    got = await _request_token(call, **_client(fake) | {"client_secret": "wrong"})
    assert (got.status, got.headers["Content-Type"]) == (401, "application/json")
    assert got.document == {"error": "Invalid client credentials"}


async def test_an_empty_body_is_a_400_without_a_body(call: Caller) -> None:
    """Observed live."""
    got = await call.post("/v1/oauth/token")
    assert (got.status, got.body) == (400, b"")


@pytest.mark.parametrize("fields", [{"grant_type": "password"}, {"client_id": "x"}])
async def test_an_unknown_or_missing_grant_type_is_a_flat_400(call: Caller, fields: dict[str, str]) -> None:
    """The error is a single string."""
    got = await _request_token(call, **fields)
    assert got.status == 400
    assert isinstance(got.document["error"], str)


async def test_tokens_live_as_long_as_the_clock_says(timed: tuple[FakeKajabi, Caller, StoppedClock]) -> None:
    """Access and refresh tokens expire after their own lifetimes; the test does not wait for either."""
    fake, call, clock = timed
    pair = (await _request_token(call, **_client(fake))).document
    assert pair["expires_in"] == 60
    clock.seconds += 59.9
    assert await _status(call, pair["access_token"]) == 200
    clock.seconds += 0.1
    assert await _status(call, pair["access_token"]) == 401
    renewal = {"grant_type": "refresh_token", "refresh_token": pair["refresh_token"]}
    renewed = await _request_token(call, **renewal)
    assert await _status(call, renewed.document["access_token"]) == 200
    clock.seconds += 600
    assert (await _request_token(call, **renewal)).status == 401


async def test_a_refresh_token_stays_good_unless_rotation_is_on(fake: FakeKajabi, call: Caller) -> None:
    """Without rotation the same refresh token comes back and works again."""
    pair = (await _request_token(call, **_client(fake))).document
    renewal = {"grant_type": "refresh_token", "refresh_token": pair["refresh_token"]}
    again = [(await _request_token(call, **renewal)).document["refresh_token"] for _ in range(2)]
    assert again == [pair["refresh_token"]] * 2


async def test_with_rotation_a_refresh_token_works_once() -> None:
    """The old one is rejected with a flat 401; the new one differs and works."""
    async with (
        FakeKajabi(customers=1, rotate_refresh_tokens=True) as fake,
        aiohttp.ClientSession(fake.base_url) as session,
    ):
        call = caller_for(fake, session)
        first = (await _request_token(call, **_client(fake))).document["refresh_token"]
        second = (await _request_token(call, grant_type="refresh_token", refresh_token=first)).document["refresh_token"]
        assert second != first
        rejected = await _request_token(call, grant_type="refresh_token", refresh_token=first)
        assert (rejected.status, list(rejected.document)) == (401, ["error"])
        assert (await _request_token(call, grant_type="refresh_token", refresh_token=second)).status == 200


async def test_the_answer_can_leave_the_refresh_token_out() -> None:
    """Some answers do; a client then keeps its current one."""
    async with (
        FakeKajabi(customers=1, omit_refresh_token=True) as fake,
        aiohttp.ClientSession(fake.base_url) as session,
    ):
        got = await _request_token(caller_for(fake, session), **_client(fake))
        assert "refresh_token" not in got.document


@pytest.mark.parametrize("revoked", ["access_token", "refresh_token"])
async def test_revoking_either_token_kills_both(fake: FakeKajabi, call: Caller, revoked: str) -> None:
    """The answer is 200 and empty; a bearer token is needed, and may be the revoked one."""
    pair = (await _request_token(call, **_client(fake))).document
    other = (await _request_token(call, **_client(fake))).document["access_token"]
    got = await call.post("/v1/oauth/revoke", data={"token": pair[revoked]}, token=pair["access_token"])
    assert (got.status, got.body) == (200, b"")
    assert await _status(call, pair["access_token"]) == 401
    rejected = await _request_token(call, grant_type="refresh_token", refresh_token=pair["refresh_token"])
    assert rejected.status == 401
    assert await _status(call, other) == 200


async def test_revoking_needs_a_token_to_revoke_and_does_not_mind_an_unknown_one(call: Caller) -> None:
    """RFC 7009 requires this."""
    assert (await call.post("/v1/oauth/revoke", data={"token": ""})).status == 400
    assert (await call.post("/v1/oauth/revoke", data={"token": "unknown"})).status == 200


@pytest.mark.parametrize("body", [b"[]", b"{", b"5"])
async def test_a_json_body_that_is_no_object_is_as_good_as_none(call: Caller, body: bytes) -> None:
    """400, without a body."""
    got = await call.send("POST", "/v1/oauth/token", data=body, headers={"Content-Type": "application/json"})
    assert (got.status, got.body) == (400, b"")


def test_the_oldest_tokens_are_forgotten_after_ten_thousand() -> None:
    """The memory of a fake that runs for days does not grow."""
    fake = FakeKajabi(customers=1)
    first = fake.issue_token()
    tokens = [fake.issue_token() for _ in range(10_000)]
    assert (len(fake.tokens), fake.is_live(first), fake.is_live(tokens[0])) == (10_000, False, True)


async def test_expired_tokens_can_be_refreshed_revoked_ones_cannot(fake: FakeKajabi, call: Caller) -> None:
    """expire_tokens leaves refresh tokens valid; rotate_key and revoke_all leave only the credentials."""
    pair = (await _request_token(call, **_client(fake))).document
    renewal = {"grant_type": "refresh_token", "refresh_token": pair["refresh_token"]}
    fake.expire_tokens()
    assert not fake.is_live(pair["access_token"])
    assert await _status(call, pair["access_token"]) == 401
    assert (await _request_token(call, **renewal)).status == 200
    for kill in (fake.rotate_key, fake.revoke_all):
        kill()
        assert (await _request_token(call, **renewal)).status == 401
        renewed = (await _request_token(call, **_client(fake))).document
        assert await _status(call, renewed["access_token"]) == 200
        renewal["refresh_token"] = renewed["refresh_token"]


async def test_issued_pairs_can_be_inspected(fake: FakeKajabi, call: Caller) -> None:
    """A test can count and compare them, and their repr shows no token."""
    pair = (await _request_token(call, **_client(fake))).document
    issued = fake.tokens[-1]
    assert (issued.access_token, issued.refresh_token) == (pair["access_token"], pair["refresh_token"])
    assert pair["access_token"] not in repr(issued)


async def test_a_key_without_a_scope_is_refused_with_403(fake: FakeKajabi, call: Caller) -> None:
    """Only that path is denied, and the setting can be changed while the fake runs."""
    fake.denied_types.add("orders")
    assert [(await call.get(path)).status for path in ("/v1/orders", "/v1/orders/20", "/v1/offers")] == [403, 403, 200]
    fake.denied_types.clear()
    assert (await call.get("/v1/orders")).status == 200
