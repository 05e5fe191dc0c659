"""An unannounced rate limit: for all clients together, changed while the fake runs, counted."""

import asyncio
from collections.abc import AsyncIterator, Callable
from email.utils import parsedate_to_datetime

import aiohttp
import attrs
import pytest
import pytest_asyncio

from kajabi_async.testing import FakeKajabi, RequestLimit, RetryAfter
from tests.testing.caller import Caller, caller_for
from tests.testing.clocks import StoppedClock


@attrs.frozen
class _Limited:
    """A fake with a stopped clock, and a caller."""

    fake: FakeKajabi
    call: Caller
    clock: StoppedClock

    async def statuses(self, times: int) -> list[int]:
        return [(await self.call.get("/v1/customers/1")).status for _ in range(times)]


@pytest_asyncio.fixture
async def limited() -> AsyncIterator[_Limited]:
    clock = StoppedClock()
    async with (
        FakeKajabi(customers=5, clock=clock, rate_limit=2) as fake,
        aiohttp.ClientSession(fake.base_url) as session,
    ):
        yield _Limited(fake, caller_for(fake, session), clock)


async def test_more_requests_than_the_limit_are_refused(limited: _Limited) -> None:
    """The 429 is an API error without a Retry-After."""
    assert await limited.statuses(2) == [200, 200]
    got = await limited.call.get("/v1/customers/1")
    assert (got.status, got.error["title"], "Retry-After" in got.headers) == (429, "Too Many Requests", False)
    assert limited.fake.traffic == {"answered": 2, "limited": 1}


async def test_the_window_slides(limited: _Limited) -> None:
    """In no second does the fake accept more requests than the limit."""
    assert await limited.statuses(1) == [200]
    limited.clock.seconds += 0.6
    assert await limited.statuses(2) == [200, 429]
    limited.clock.seconds += 0.4
    assert await limited.statuses(2) == [200, 429]
    limited.clock.seconds += 0.6
    assert await limited.statuses(2) == [200, 429]


async def test_refused_requests_do_not_count(limited: _Limited) -> None:
    """A client that keeps sending still gets its share."""
    await limited.statuses(50)
    limited.clock.seconds += 1.0
    assert await limited.statuses(3) == [200, 200, 429]


async def test_all_clients_and_operations_share_the_limit(limited: _Limited) -> None:
    """The token endpoint is included; its 429 is flat JSON."""
    fake = limited.fake
    async with aiohttp.ClientSession(fake.base_url) as other:
        assert (await caller_for(fake, other).get("/v1/offers/1")).status == 200
    assert await limited.statuses(1) == [200]
    got = await limited.call.post("/v1/oauth/token", data={"grant_type": "client_credentials"})
    assert (got.status, list(got.document)) == (429, ["error"])
    assert (await limited.call.get("/v1/nothing")).status == 429
    assert fake.token_grants == 0


async def test_a_burst_at_once_gets_no_more_than_the_limit() -> None:
    """The number of connections does not matter."""
    async with (
        FakeKajabi(customers=5, clock=StoppedClock(), rate_limit=7) as fake,
        aiohttp.ClientSession(fake.base_url) as session,
    ):
        call = caller_for(fake, session)
        got = await asyncio.gather(*(call.get("/v1/customers/1") for _ in range(40)))
        assert sorted(answer.status for answer in got) == [200] * 7 + [429] * 33
        assert fake.traffic == {"answered": 7, "limited": 33}


async def test_the_limit_can_be_changed_while_the_fake_runs(limited: _Limited) -> None:
    """Earlier requests count under the new limit; None is no limit, and 0 rejects all."""
    fake = limited.fake
    assert fake.rate_limit == RequestLimit(2)
    assert await limited.statuses(3) == [200, 200, 429]
    fake.rate_limit = 3
    assert await limited.statuses(2) == [200, 429]
    fake.rate_limit = RequestLimit(1, 10.0)
    limited.clock.seconds += 9.9
    assert await limited.statuses(1) == [429]
    limited.clock.seconds += 0.1
    assert await limited.statuses(2) == [200, 429]
    fake.rate_limit = None
    assert await limited.statuses(5) == [200] * 5
    fake.rate_limit = 0
    limited.clock.seconds += 100.0
    assert await limited.statuses(1) == [429]


@pytest.mark.parametrize(("form", "value"), [("seconds", "7"), ("float", "6.500"), ("garbage", "soon, maybe")])
async def test_a_refusal_can_say_how_long_the_wait_really_is(limited: _Limited, form: RetryAfter, value: str) -> None:
    """The wait is the time until the window has room, in any form; a request after it is accepted."""
    limited.fake.rate_limit = RequestLimit(1, 10.0, retry_after=form)
    assert await limited.statuses(1) == [200]
    limited.clock.seconds += 3.5
    assert (await limited.call.get("/v1/customers/1")).headers["Retry-After"] == value
    limited.clock.seconds += 6.5
    assert await limited.statuses(1) == [200]


async def test_a_lowered_limit_announces_the_wait_until_all_of_the_surplus_is_over(limited: _Limited) -> None:
    """The wait is not only until the oldest request leaves the window."""
    fake, clock = limited.fake, limited.clock
    fake.rate_limit = RequestLimit(3, 10.0)
    for _ in range(3):
        assert await limited.statuses(1) == [200]
        clock.seconds += 1.0
    fake.rate_limit = RequestLimit(1, 10.0, retry_after="float")
    assert (await limited.call.get("/v1/customers/1")).headers["Retry-After"] == "9.000"


async def test_a_date_is_never_before_the_window_has_room(limited: _Limited) -> None:
    """The date is rounded up to whole seconds, by the clock of the Date header."""
    limited.fake.rate_limit = RequestLimit(1, 10.0, retry_after="date")
    await limited.statuses(1)
    got = await limited.call.get("/v1/customers/1")
    wait = parsedate_to_datetime(got.headers["Retry-After"]) - parsedate_to_datetime(got.headers["Date"])
    assert 10 <= wait.total_seconds() <= 11


async def test_a_jump_of_the_clock_leaves_the_window_alone(limited: _Limited) -> None:
    """A jump neither empties the window nor blocks it for an hour."""
    await limited.statuses(2)
    limited.fake.clock.jump(3600.0)
    assert await limited.statuses(1) == [429]
    limited.fake.clock.jump(-7200.0)
    limited.clock.seconds += 1.0
    assert await limited.statuses(1) == [200]


async def test_a_refused_request_takes_no_effect_and_uses_up_no_fault(limited: _Limited) -> None:
    """The limit applies before everything else."""
    fake = limited.fake
    fake.inject("failure")
    fake.rate_limit = 0
    assert await limited.statuses(1) == [429]
    assert (fake.injected, fake.counts["customers.get"]) == ({}, 1)
    fake.rate_limit = None
    assert await limited.statuses(2) == [503, 200]


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: RequestLimit(-1),
        lambda: RequestLimit(1, 0.0),
        lambda: RequestLimit(1, retry_after="later"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    ],
)
def test_a_limit_that_makes_no_sense_is_refused(wrong: Callable[[], RequestLimit]) -> None:
    """The constructor raises ValueError."""
    with pytest.raises(ValueError, match="must be"):
        wrong()
