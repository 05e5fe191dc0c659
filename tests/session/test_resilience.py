"""What a session does when the server fails, slows down or closes connections, seen on real sockets."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from kajabi_async.errors import (
    ConnectionFailedError,
    KajabiError,
    PausedError,
    RateLimitError,
    RequestTimeoutError,
    ServerError,
    UnprocessableEntityError,
)
from kajabi_async.exchange import Request
from kajabi_async.session import RetryPolicy, SessionManager, Timeouts
from tests.clocks import ManualClock
from tests.session.serving import GET, POST, answer, read_request, serving, session

Respond = Callable[[int], bytes | None]
FAST = RetryPolicy(base_seconds=0.0)


class Server:
    """Answers the n-th request with what a function returns; closes the connection instead if that is None."""

    def __init__(self, respond: Respond) -> None:
        self._respond = respond
        self.seen: list[bytes] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            self.seen.append(await read_request(reader))
            respond = self._respond(len(self.seen))
            if respond is None:
                return
            writer.write(respond)


@asynccontextmanager
async def _talking(respond: Respond, **settings: Any) -> AsyncGenerator[tuple[SessionManager, Server]]:
    server = Server(respond)
    settings.setdefault("retry", FAST)
    async with serving(server) as base_url, session(base_url, **settings) as manager:
        yield manager, server


def _busy(retry_after: str | None = None, status: str = "429 Too Many Requests") -> bytes:
    return answer(b"", status=status, headers="" if retry_after is None else f"Retry-After: {retry_after}\r\n")


async def test_a_read_on_a_connection_that_the_server_had_closed_is_sent_again_at_once() -> None:
    """Row R17: it costs no budget and no wait; every attempt is counted."""

    def respond(number: int) -> bytes | None:
        return None if number == 2 else answer()

    clock = ManualClock()
    policy = RetryPolicy(budget=0.0)
    async with _talking(respond, clock=clock, retry=policy) as (manager, server):
        await manager.send(GET)
        await manager.send(GET)
        assert (len(server.seen), manager.stats.attempts, manager.stats.resent) == (3, 3, 1)
    assert clock.slept == []


async def test_a_write_on_a_connection_that_the_server_had_closed_is_not_sent_again() -> None:
    """Rows R18 and R19: it may have been applied, and aiohttp is prevented from resending it."""
    async with _talking(lambda number: answer() if number == 1 else None) as (manager, server):
        await manager.send(GET)
        with pytest.raises(ConnectionFailedError) as caught:
            await manager.send(POST)
        assert caught.value.maybe_applied
        assert (caught.value.gave_up, len(server.seen)) == ("write", 2)


async def test_a_fresh_connection_that_breaks_costs_budget() -> None:
    """The cause is then the server, not an idle connection."""
    async with _talking(lambda _: None, retry=RetryPolicy(base_seconds=0.0, budget=0.0)) as (manager, server):
        with pytest.raises(ConnectionFailedError) as caught:
            await manager.send(GET)
    assert (caught.value.gave_up, len(server.seen)) == ("budget", 1)


async def test_an_outage_is_not_made_worse_by_repeats() -> None:
    """Row R22: once the budget is spent, each call is one request, and its error says why."""
    clock = ManualClock()
    failing = answer(b"", status="503 Service Unavailable")
    async with _talking(lambda _: failing, clock=clock, retry=RetryPolicy(budget=20.0)) as (manager, server):
        errors: list[ServerError] = []
        for _ in range(100):
            with pytest.raises(ServerError) as caught:
                await manager.send(GET)
            errors.append(caught.value)
        assert len(server.seen) == 120
        assert manager.stats.retries_denied == len(errors) - 6
    assert errors[-1].attempts == 1
    assert errors[-1].gave_up == "budget"
    assert "4 attempts; no more are allowed" in str(errors[0])
    assert "the retry budget is spent" in str(errors[6])


async def test_a_refusal_for_the_rate_costs_no_budget() -> None:
    """The pace handles it."""
    clock = ManualClock()
    policy = RetryPolicy(budget=0.0)
    async with _talking(lambda number: _busy("1") if number < 3 else answer(), clock=clock, retry=policy) as (
        manager,
        server,
    ):
        await manager.send(GET)
        assert (len(server.seen), manager.stats.rate_limited, manager.stats.pauses) == (3, 2, 2)
        assert manager.stats.requests_per_second is not None


@pytest.mark.parametrize("request_", [GET, POST], ids=["read", "write"])
async def test_a_pause_holds_whatever_happens_to_the_request_that_was_refused(request_: Request) -> None:
    """Row R21: a write is not retried, and yet all requests wait."""
    clock = ManualClock()
    async with _talking(lambda number: _busy("40") if number == 1 else answer(), clock=clock) as (manager, server):
        with pytest.raises(RateLimitError) as caught:
            await manager.send(request_, timeout=30)
        assert caught.value.retry_at == pytest.approx(clock.time() + 40)
        with pytest.raises(PausedError, match=r"was not sent.* 40\.0 s are left") as paused:
            await manager.send(GET, timeout=30)
        assert (paused.value.attempts, paused.value.maybe_applied, paused.value.status) == (0, False, 429)
        assert paused.value.retry_at == pytest.approx(clock.time() + 40)
        assert len(server.seen) == 1
        began = clock.now
        await manager.send(GET, timeout=60)
        assert clock.now - began >= 40
    assert (manager.stats.rate_limited, manager.stats.pauses) == (1, 1)


async def test_a_server_in_maintenance_pauses_all_requests_too() -> None:
    """503 with Retry-After asks for a pause as 429 does."""
    clock = ManualClock()
    maintenance = _busy("5", status="503 Service Unavailable")
    async with _talking(lambda number: maintenance if number == 1 else answer(), clock=clock) as (manager, _):
        began = clock.now
        await manager.send(GET)
        assert 5 <= clock.now - began <= 7
        assert (manager.stats.rate_limited, manager.stats.pauses) == (0, 1)


async def test_a_refusal_for_another_reason_pauses_no_request() -> None:
    """Retry-After counts with 429 and 5xx only."""
    refused = _busy("40", status="422 Unprocessable Entity")
    async with _talking(lambda number: refused if number == 1 else answer(), clock=ManualClock()) as (manager, _):
        with pytest.raises(UnprocessableEntityError):
            await manager.send(GET)
        await manager.send(GET, timeout=1)
    assert manager.stats.pauses == 0


@pytest.mark.parametrize("value", ["-3", "0", "soon", "", "Wed, 21 Oct 2015 07:28:00 GMT"])
async def test_a_pause_that_is_none_is_not_waited_for(value: str) -> None:
    """Row R21: a time in the past, a negative one or rubbish leaves the usual back-off."""
    clock = ManualClock()
    async with _talking(lambda number: _busy(value) if number == 1 else answer(), clock=clock) as (manager, _):
        began = clock.now
        await manager.send(GET)
        assert clock.now - began < 2


async def test_no_attempt_is_begun_without_time_left_for_it() -> None:
    """Row R23: the error says so."""
    clock = ManualClock()
    failing = answer(b"", status="503 Service Unavailable")
    policy = RetryPolicy(base_seconds=8.0, max_attempts=9)
    settings: dict[str, Any] = {"clock": clock, "retry": policy, "jitter": lambda: 1.0}
    async with _talking(lambda _: failing, **settings) as (manager, server):
        with pytest.raises(ServerError, match="2 attempts; no time for another") as caught:
            await manager.send(GET, timeout=20)
        assert (caught.value.gave_up, len(server.seen)) == ("deadline", 2)
        assert clock.slept == [8.0]


async def test_waiting_for_a_place_names_itself_and_never_counts_for_the_connection() -> None:
    """Row R15: ten calls of which two run at once end well under a limit for connecting that fits one call."""
    hold = asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await read_request(reader)
            await hold.wait()
            writer.write(answer())

    limits = Timeouts(total=20, connect=0.2, queue=None)
    async with serving(handle) as base_url, session(base_url, concurrency=2, timeouts=limits) as manager:
        calls = [asyncio.create_task(manager.send(GET)) for _ in range(10)]
        while manager.stats.queued < 8:
            await asyncio.sleep(0)
        await asyncio.sleep(0.4)
        hold.set()
        assert [(await call).status for call in calls] == [200] * 10
    async with serving(handle) as base_url, session(base_url, concurrency=1) as manager:
        hold.clear()
        first = asyncio.create_task(manager.send(GET))
        await asyncio.sleep(0)
        with pytest.raises(RequestTimeoutError) as caught:
            await manager.send(GET, timeout=0.05)
        assert caught.value.phase == "queue"
        assert not caught.value.maybe_applied
        hold.set()
        await first


async def test_what_its_caller_retries_is_sent_once() -> None:
    """The error says so; only what an idle connection has cost is sent again, as that says nothing about the server."""
    once = Request("GET", "/v1/customers/1", authorized=False, once=True)
    failing = answer(b"", status="503 Service Unavailable")
    async with _talking(lambda _: failing) as (manager, server):
        with pytest.raises(ServerError) as caught:
            await manager.send(once)
        assert (caught.value.gave_up, caught.value.attempts, len(server.seen)) == ("caller", 1, 1)
        assert (manager.stats.retries, manager.stats.retries_denied) == (0, 0)
    async with _talking(lambda number: None if number == 2 else answer()) as (manager, server):
        await manager.send(once)
        await manager.send(once)
        assert (len(server.seen), manager.stats.resent) == (3, 1)


class Holding:
    """A server that answers requests for ``/held`` when `release` is set, and all others at once."""

    def __init__(self) -> None:
        self.release = asyncio.Event()
        self.seen: list[bytes] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            path = (await read_request(reader)).split(b" ")[1]
            self.seen.append(path)
            if path == b"/held":
                await self.release.wait()
            writer.write(answer())

    async def has_seen(self, number: int) -> None:
        async with asyncio.timeout(5):
            while len(self.seen) < number:
                await asyncio.sleep(0)


HELD = Request("GET", "/held", authorized=False)


async def test_a_call_waits_for_a_place_no_longer_than_the_limit_on_the_queue() -> None:
    """It ends well before its whole time does."""
    server = Holding()
    limits = Timeouts(total=20.0, queue=0.05)
    async with serving(server) as base_url, session(base_url, concurrency=1, timeouts=limits) as manager:
        held = asyncio.create_task(manager.send(HELD))
        await server.has_seen(1)
        late = asyncio.create_task(manager.send(GET))
        await asyncio.wait([late], timeout=5)
        server.release.set()
        await asyncio.wait([late, held])
        error = late.exception()
        assert isinstance(error, RequestTimeoutError)
        assert (error.phase, error.seconds, error.attempts) == ("queue", 0.05, 0)


async def test_a_lookup_of_a_run_gets_the_place_that_a_call_has_left() -> None:
    """Although it is kept for calls, as long as no run has a place."""
    server = Holding()
    async with serving(server) as base_url, session(base_url, concurrency=2, clock=ManualClock()) as manager:
        held = asyncio.create_task(manager.send(HELD))
        await server.has_seen(1)
        await manager.send(GET)
        lookup = asyncio.create_task(manager.send(GET, timeout_starts="sent"))
        await asyncio.wait([lookup], timeout=5)
        assert lookup.done()
        server.release.set()
        await asyncio.gather(lookup, held)


async def test_a_run_leaves_the_places_alone_that_calls_have_needed_lately() -> None:
    """The next call does not wait for an answer to one of its lookups."""
    server = Holding()
    async with serving(server) as base_url, session(base_url, concurrency=4, clock=ManualClock()) as manager:
        await asyncio.gather(manager.send(GET), manager.send(GET))
        lookups = [asyncio.create_task(manager.send(HELD, timeout_starts="sent")) for _ in range(4)]
        await server.has_seen(4)
        call = asyncio.create_task(manager.send(GET))
        await asyncio.wait([call], timeout=5)
        assert call.done()
        server.release.set()
        await asyncio.gather(call, *lookups)
    assert server.seen.count(b"/held") == 4


async def test_ten_thousand_cancellations_leave_the_whole_pool_usable() -> None:
    """Row R13, on a small scale: no slot is lost, and no connection is left half-open."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await read_request(reader)
            await asyncio.sleep(0)
            writer.write(answer())

    async with serving(handle) as base_url, session(base_url, concurrency=20) as manager:
        for round_ in range(60):
            calls = [asyncio.create_task(manager.send(GET)) for _ in range(25)]
            for _ in range(round_ % 12):
                await asyncio.sleep(0)
            for call in calls:
                call.cancel()
            await asyncio.wait(calls)
        answers = await asyncio.gather(*(manager.send(GET) for _ in range(20)))
        assert [each.status for each in answers] == [200] * 20
        assert manager.stats.queued == 0


async def test_an_idle_connection_outlives_the_limit_for_reading() -> None:
    """Row R14: the timer of one answer does not run while no answer is read."""
    limits = Timeouts(total=20, read=0.05)
    async with _talking(lambda _: answer(), timeouts=limits) as (manager, server):
        for _ in range(3):
            await manager.send(GET)
            await asyncio.sleep(0.12)
        assert (len(server.seen), manager.stats.resent) == (3, 0)


def test_the_policy_says_what_it_would_retry() -> None:
    """Row R20: without an attempt."""
    policy = RetryPolicy()
    busy = ServerError(status=503)
    refused = ConnectionFailedError("refused")
    refused.never_sent = True
    assert policy.would_repeat(busy)
    assert not policy.would_repeat(busy, method="POST")
    assert policy.would_repeat(refused, method="POST")
    assert not policy.would_repeat(KajabiError("no"))
    assert not policy.would_repeat(PausedError(status=429, retry_after=1.0))
