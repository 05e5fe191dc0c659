"""Faults of the server's state: the tokens that it accepts, and its clock."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
import attrs
import pytest
import pytest_asyncio

from kajabi_async.testing import FakeKajabi, faults
from tests.testing.caller import Caller, caller_for, contact_body
from tests.testing.clocks import StoppedClock

_NOON = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)


@attrs.frozen
class _Stopped:
    """A fake with a stopped clock, and a caller."""

    fake: FakeKajabi
    call: Caller


@pytest_asyncio.fixture
async def stopped() -> AsyncIterator[_Stopped]:
    async with (
        FakeKajabi(customers=5, clock=StoppedClock(), now=lambda: _NOON, token_lifetime=600.0) as fake,
        aiohttp.ClientSession(fake.base_url) as session,
    ):
        yield _Stopped(fake, caller_for(fake, session))


async def _statuses(call: Caller, times: int) -> list[int]:
    return [(await call.get("/v1/customers/1")).status for _ in range(times)]


async def _refreshed(call: Caller, fake: FakeKajabi) -> int:
    fields = {"grant_type": "refresh_token", "refresh_token": fake.tokens[0].refresh_token}
    return (await call.post("/v1/oauth/token", data=fields)).status


async def test_a_token_dies_in_the_middle_of_the_work(fake: FakeKajabi, call: Caller) -> None:
    """It stays expired; its refresh token and other tokens are unaffected."""
    other = fake.issue_token()
    fake.inject("token_expired")
    assert await _statuses(call, 2) == [401, 401]
    assert (await call.get("/v1/customers/1", token=other)).status == 200
    assert await _refreshed(call, fake) == 200


async def test_a_good_token_is_refused_once(fake: FakeKajabi, call: Caller) -> None:
    """The answer is the one for an expired token; the token stays valid."""
    fake.expire_tokens()
    dead = await call.get("/v1/customers/1")
    fake.inject("token_refused")
    fresh = fake.issue_token()
    rejected = await call.get("/v1/customers/1", token=fresh)
    assert (rejected.status, rejected.error) == (401, dead.error)
    assert (await call.get("/v1/customers/1", token=fresh)).status == 200


async def test_token_faults_happen_to_requests_that_carry_a_token(fake: FakeKajabi, call: Caller) -> None:
    """They wait for one."""
    fake.inject("token_expired")
    fake.inject("token_refused")
    async with call.session.get("/v1/version") as response:
        assert response.status == 200
    assert await _refreshed(call, fake) == 200
    assert fake.injected == {}


async def test_a_token_expires_after_its_number_of_requests(fake: FakeKajabi, call: Caller) -> None:
    """Each token has its own count; the number can be changed and removed."""
    fake.token_uses = 2
    assert await _statuses(call, 3) == [200, 200, 401]
    assert not fake.is_live(call.token)
    fresh = fake.issue_token()
    assert (await call.get("/v1/customers/1", token=fresh)).status == 200
    assert await _refreshed(call, fake) == 200
    fake.token_uses = None
    assert await _statuses(call, 1) == [200]


async def test_a_fake_can_be_made_with_tokens_that_wear_out() -> None:
    """The constructor sets the number of requests."""
    async with FakeKajabi(customers=1, token_uses=1) as fake, aiohttp.ClientSession(fake.base_url) as session:
        assert await _statuses(caller_for(fake, session), 2) == [200, 401]
        assert fake.token_uses == 1


async def test_a_forward_jump_kills_tokens_and_a_backward_one_revives_them(stopped: _Stopped) -> None:
    """A server that counts by its wall clock does so; a token expired by a fault stays expired."""
    fake, call = stopped.fake, stopped.call
    fake.inject(faults.ClockJump(600.0))
    assert await _statuses(call, 1) == [401]
    fake.inject(faults.ClockJump(-1.0))
    assert await _statuses(call, 1) == [200]
    fake.expire_tokens()
    fake.clock.jump(-3600.0)
    assert await _statuses(call, 1) == [401]
    assert fake.injected == {"clock_forward": 1, "clock_back": 1}


async def test_a_jump_moves_the_dates_of_answers_and_of_what_writes_create(stopped: _Stopped) -> None:
    """All of them move together, forward and back."""
    fake, call = stopped.fake, stopped.call
    for hours in (1, -3):
        fake.clock.jump(hours * 3600.0)
        got = await call.post("/v1/contacts", contact_body(email=f"{hours}@example.org"), token=fake.issue_token())
        now = _NOON + timedelta(seconds=fake.clock.offset)
        assert parsedate_to_datetime(got.headers["Date"]) == now
        created: Any = datetime.fromisoformat(got.data["attributes"]["created_at"])
        assert created == now
    assert fake.clock.offset == -7200.0


async def test_a_jump_beyond_the_calendar_still_answers(stopped: _Stopped) -> None:
    """The answer has the first or last date that can be written."""
    for jump, date in ((1e15, "Fri, 31 Dec 9999 23:59:59 GMT"), (-2e15, "Mon, 01 Jan 0001 00:00:00 GMT")):
        stopped.fake.clock.jump(jump)
        got = await stopped.call.get("/v1/customers", token=stopped.fake.issue_token())
        assert (got.status, got.headers["Date"]) == (200, date)
    with pytest.raises(ValueError, match="finite"):
        stopped.fake.clock.jump(float("nan"))


async def test_every_answer_is_dated_by_the_clock_of_the_fake(stopped: _Stopped) -> None:
    """This holds for faults, rejections and real answers."""
    fake, call = stopped.fake, stopped.call
    fake.inject("html_error")
    fake.inject(faults.Bomb(decoded_bytes=100))
    fake.rate_limit = 3
    dates = [(await call.get("/v1/customers/1")).headers["Date"] for _ in range(4)]
    assert dates == ["Fri, 02 Jan 2026 12:00:00 GMT"] * 4
    assert fake.traffic == {"answered": 3, "limited": 1}
