"""A session that shares everything with another one, except for its time limits and its retry policy."""

import asyncio
import gc
import warnings
import weakref
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from kajabi_async import ClientClosedError, ConfigurationError, KajabiError, RequestTimeoutError, ServerError
from kajabi_async.session import ClientCredentials, RetryPolicy, SessionManager, Timeouts
from kajabi_async.session.sharing import SharingSession
from tests.clocks import ManualClock
from tests.session.serving import GET, answer, read_request, serving, session

LIMITS = Timeouts(total=20.0)
FAILING = answer(b"", status="503 Service Unavailable")


@asynccontextmanager
async def _answering(reply: bytes, **settings: Any) -> AsyncGenerator[SessionManager]:
    """Yield a session whose server gives *reply* to every request, and none at all if it is empty."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await read_request(reader)
            writer.write(reply)

    async with serving(handle) as base_url, session(base_url, **settings) as manager:
        yield manager


async def _attempts(manager: SessionManager) -> tuple[int, str | None]:
    """Return how often a request was sent that fails, and why it was given up."""
    with pytest.raises(ServerError) as caught:
        await manager.send(GET)
    return caught.value.attempts, caught.value.gave_up


async def test_what_it_sends_goes_through_the_pool_of_the_other_and_is_counted_there() -> None:
    """The server sees one connection and the session one set of counters."""
    connections = 0

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        while True:
            await read_request(reader)
            writer.write(answer())

    async with serving(handle) as base_url, session(base_url) as parent:
        sharing = SharingSession(parent, timeouts=LIMITS, retry=None)
        for each in (parent, sharing, parent):
            assert (await each.send(GET)).status == 200
        assert (connections, sharing.base_url, sharing.clock) == (1, parent.base_url, parent.clock)
        assert sharing.stats == parent.stats
        assert parent.stats.operations == 3


@pytest.mark.parametrize(("limits", "phase"), [(Timeouts(total=0.05), "total"), (Timeouts(read=0.05), "read")])
async def test_its_time_limits_are_its_own(limits: Timeouts, phase: str) -> None:
    """On a whole call and on the silence of the server; those of the other session stay."""
    async with _answering(b"") as parent:
        sharing = SharingSession(parent, timeouts=limits, retry=RetryPolicy(max_attempts=1))
        with pytest.raises(RequestTimeoutError) as caught:
            await sharing.send(GET)
        assert (caught.value.phase, caught.value.seconds) == (phase, 0.05)
        assert (sharing.timeouts, parent.timeouts) == (limits, LIMITS)


async def test_its_retry_policy_is_its_own() -> None:
    """None is the default one, not that of the other session."""
    async with _answering(FAILING, clock=ManualClock(), jitter=lambda: 0.0) as parent:
        twice = SharingSession(parent, timeouts=LIMITS, retry=RetryPolicy(max_attempts=2))
        assert await _attempts(twice) == (2, "attempts")
        assert await _attempts(SharingSession(parent, timeouts=LIMITS, retry=None)) == (4, "attempts")
        assert await _attempts(parent) == (1, "attempts")
        assert twice.retry == RetryPolicy(max_attempts=2)


async def test_its_retry_policy_is_checked() -> None:
    """As that of any session."""
    wrong: Any = 3
    async with _answering(FAILING) as parent:
        with pytest.raises(ConfigurationError, match=r"^retry must be a RetryPolicy, got int$"):
            SharingSession(parent, timeouts=LIMITS, retry=wrong)


async def test_sessions_that_share_spend_one_retry_budget_unless_it_has_another_size() -> None:
    """Many of them must not multiply the retries of an outage; a policy that is the same keeps everything."""
    stock = RetryPolicy(budget=2.0, max_attempts=9)
    async with _answering(FAILING, clock=ManualClock(), jitter=lambda: 0.0, retry=stock) as parent:
        same = SharingSession(parent, timeouts=LIMITS, retry=stock)
        longer = SharingSession(parent, timeouts=LIMITS, retry=RetryPolicy(budget=2.0, max_attempts=10))
        larger = SharingSession(parent, timeouts=LIMITS, retry=RetryPolicy(budget=3.0, max_attempts=9))
        assert await _attempts(longer) == (3, "budget")
        assert [await _attempts(each) for each in (parent, same, longer)] == [(1, "budget")] * 3
        assert await _attempts(larger) == (4, "budget")


async def test_an_outage_is_logged_once_for_all_that_share_the_budget(caplog: pytest.LogCaptureFixture) -> None:
    """Once more where a policy has a budget of another size."""
    stock = RetryPolicy(budget=1.0, max_attempts=9)
    async with _answering(FAILING, clock=ManualClock(), jitter=lambda: 0.0, retry=stock) as parent:
        for budget, lines in ((1.0, 1), (1.0, 1), (2.0, 2)):
            policy = RetryPolicy(budget=budget, max_attempts=8)
            assert (await _attempts(SharingSession(parent, timeouts=LIMITS, retry=policy)))[1] == "budget"
            said = [record.getMessage() for record in caplog.records]
            assert [text.partition(":")[0] for text in said if "budget" in text] == [
                "the retry budget is spent"
            ] * lines


async def test_closing_it_closes_nothing_and_it_is_closed_with_the_other() -> None:
    """The one who made the other session closes it."""
    async with _answering(answer()) as parent:
        sharing = SharingSession(parent, timeouts=LIMITS, retry=None)
        await sharing.aclose()
        assert [(await each.send(GET)).status for each in (sharing, parent)] == [200, 200]
        await parent.aclose()
        with pytest.raises(ClientClosedError):
            await sharing.send(GET)


async def test_it_keeps_the_other_session_and_is_dropped_without_a_warning() -> None:
    """The pool would otherwise be dropped, open, while it is used."""
    parent = SessionManager(credentials=ClientCredentials("a", "b"), base_url="http://127.0.0.1:1")
    sharing = SharingSession(parent, timeouts=LIMITS, retry=RetryPolicy(max_attempts=1))
    with pytest.raises(KajabiError):
        await sharing.send(GET)
    kept = weakref.ref(parent)
    del parent
    gc.collect()
    parent_again = kept()
    assert parent_again is not None
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        del sharing
        gc.collect()
    assert shown == []
    await parent_again.aclose()
