"""What an operation's timeout counts: all of it, or only the time outside the client's own queue."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from kajabi_async.errors import ApiError, PausedError, RateLimitError, RequestTimeoutError, ServerError
from kajabi_async.exchange import Request
from kajabi_async.session import AdaptiveRate, ClientCredentials, RetryPolicy, SessionManager, Timeouts
from tests.clocks import ManualClock
from tests.session.serving import GET, answer, read_request, serving, session

Respond = Callable[[int], bytes | float]


@asynccontextmanager
async def _talking(respond: Respond, **settings: Any) -> AsyncGenerator[SessionManager]:
    """Yield a session whose n-th request gets the answer of *respond*, or one after that many real seconds."""
    seen = 0

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal seen
        while True:
            request = await read_request(reader)
            if b"/oauth/token" in request:
                await asyncio.sleep(0.2)
                writer.write(answer(b'{"access_token": "a", "expires_in": 9999}'))
                continue
            seen += 1
            response = respond(seen)
            if not isinstance(response, bytes):
                await asyncio.sleep(response)
                response = answer()
            writer.write(response)

    settings.setdefault("retry", RetryPolicy(base_seconds=0.0))
    async with serving(handle) as base_url, session(base_url, **settings) as manager:
        yield manager


def _busy(retry_after: int, status: str = "429 Too Many Requests") -> bytes:
    return answer(b"", status=status, headers=f"Retry-After: {retry_after}\r\n")


async def test_waiting_for_a_slot_takes_no_time_of_an_operation_that_starts_when_it_is_sent() -> None:
    """Seven requests of 0.1 s one after the other, with 0.5 s for each and no patience for the queue."""
    limits = Timeouts(total=0.5, queue=0.2)
    async with _talking(lambda _: 0.1, concurrency=1, timeouts=limits) as manager:
        answers = await asyncio.gather(*(manager.send(GET, timeout_starts="sent") for _ in range(7)))
        assert [each.status for each in answers] == [200] * 7


async def test_waiting_for_a_permit_takes_no_time_of_an_operation_that_starts_when_it_is_sent() -> None:
    """At 20 a second the last of 60 leaves after three seconds; each has 1.5 s."""
    async with _talking(lambda _: 0.0, rate_limit=20, clock=ManualClock()) as manager:
        answers = await asyncio.gather(*(manager.send(GET, timeout=1.5, timeout_starts="sent") for _ in range(60)))
        assert [each.status for each in answers] == [200] * 60


async def test_waiting_for_a_token_takes_no_time_of_an_operation_that_starts_when_it_is_sent() -> None:
    """Asking for a token has a time limit of its own."""
    authorized = Request("GET", "/v1/customers/1")
    credentials = ClientCredentials("id", "secret")
    async with _talking(lambda _: 0.0, credentials=credentials) as manager:
        assert (await manager.send(authorized, timeout=0.1, timeout_starts="sent")).status == 200


@pytest.mark.parametrize("status", ["429 Too Many Requests", "503 Service Unavailable"])
async def test_a_pause_is_waited_out_by_an_operation_that_starts_when_it_is_sent(status: str) -> None:
    """By the one that was refused, and by those that start during the pause; a call with less time fails."""
    clock = ManualClock()

    def respond(number: int) -> bytes:
        return _busy(40, status) if number == 1 else answer()

    async with _talking(respond, clock=clock) as manager:
        began = clock.now
        answers = await asyncio.gather(*(manager.send(GET, timeout=5, timeout_starts="sent") for _ in range(3)))
        assert [each.status for each in answers] == [200] * 3
        assert clock.now - began >= 40
    async with _talking(respond, clock=clock) as manager:
        with pytest.raises(ApiError) as caught:
            await manager.send(GET, timeout=5)
        assert (caught.value.gave_up, caught.value.retry_after) == ("deadline", 40)
        with pytest.raises(PausedError):
            await manager.send(GET, timeout=5)
        assert (await manager.send(GET, timeout=5, timeout_starts="sent")).status == 200


async def test_the_line_before_a_later_attempt_takes_no_time_either() -> None:
    """After three refusals in a row, each with a pause longer than the operation's whole time."""
    clock = ManualClock()
    async with _talking(lambda number: _busy(30) if number <= 3 else answer(), clock=clock) as manager:
        assert (await manager.send(GET, timeout=10, timeout_starts="sent")).status == 200
        assert clock.now - 1000.0 >= 90


async def test_what_happens_outside_of_the_line_is_limited_still() -> None:
    """A server that does not answer ends it, also after the queue, and the error says what was counted."""
    async with _talking(lambda number: 0.3 if number == 1 else 5.0, concurrency=1) as manager:
        first = asyncio.create_task(manager.send(GET))
        await asyncio.sleep(0.05)
        with pytest.raises(RequestTimeoutError, match=r"sent, but not done, .* within 0\.2 s") as caught:
            await manager.send(GET, timeout=0.2, timeout_starts="sent")
        assert (caught.value.phase, caught.value.attempts) == ("total", 1)
        await first


async def test_waits_between_attempts_are_counted() -> None:
    """Back-off after a server failure is not the client's queue: without time for another attempt none is made."""
    clock = ManualClock()
    failing = answer(b"", status="503 Service Unavailable")
    policy = RetryPolicy(base_seconds=8.0, max_attempts=9)
    settings: dict[str, Any] = {"clock": clock, "retry": policy, "jitter": lambda: 1.0}
    async with _talking(lambda _: failing, **settings) as manager:
        with pytest.raises(ServerError, match="2 attempts; no time for another"):
            await manager.send(GET, timeout=20, timeout_starts="sent")
        assert clock.slept == [8.0]


async def test_a_call_counts_everything() -> None:
    """A caller who waits for a page wants the whole limited."""
    async with _talking(lambda _: 0.3, concurrency=1) as manager:
        first = asyncio.create_task(manager.send(GET))
        await asyncio.sleep(0)
        with pytest.raises(RequestTimeoutError):
            await manager.send(GET, timeout=0.1)
        await first
    async with _talking(lambda _: _busy(40), clock=ManualClock()) as manager:
        with pytest.raises(RateLimitError):
            await manager.send(GET, timeout=10)


async def test_cancelling_in_line_ends_it_at_once() -> None:
    """Its slot goes to the others."""
    async with _talking(lambda _: 0.1, concurrency=1) as manager:
        first = asyncio.create_task(manager.send(GET))
        second = asyncio.create_task(manager.send(GET, timeout=0.5, timeout_starts="sent"))
        await asyncio.sleep(0.02)
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
        await first
        assert (await manager.send(GET, timeout=0.5, timeout_starts="sent")).status == 200


async def test_a_call_whose_time_runs_out_for_lack_of_a_slot_names_concurrency() -> None:
    """It was never sent, and no pause of the API is to blame."""
    async with _talking(lambda _: 0.3, concurrency=1) as manager:
        first = asyncio.create_task(manager.send(GET))
        await asyncio.sleep(0.05)
        with pytest.raises(RequestTimeoutError, match=r"not sent within 0\.1 s.* raise concurrency=1") as caught:
            await manager.send(GET, timeout=0.1)
        assert (caught.value.phase, caught.value.attempts, caught.value.never_sent) == ("queue", 0, True)
        await first


@pytest.mark.parametrize("callers", [1, 5])
async def test_a_call_whose_time_runs_out_for_lack_of_a_permit_names_the_rate(callers: int) -> None:
    """Whether it failed at once or waited behind others."""
    async with _talking(lambda _: 0.0, rate_limit=0.5) as manager:
        await manager.send(GET)
        calls = [asyncio.create_task(manager.send(GET, timeout=0.2)) for _ in range(callers)]
        for call in calls:
            with pytest.raises(RequestTimeoutError, match=r"rate_limit=0\.5 lets 0\.5 requests a second go") as caught:
                await call
            assert caught.value.phase == "queue"


async def test_a_call_whose_time_runs_out_for_the_learned_rate_says_so_with_its_figure() -> None:
    """The cause is the client's own caution, not a pause."""
    busy = answer(b"", status="429 Too Many Requests")
    async with _talking(lambda _: busy, retry=RetryPolicy(max_attempts=1)) as manager:
        for _ in range(2):
            with pytest.raises(RateLimitError):
                await manager.send(GET)
        with pytest.raises(RequestTimeoutError, match=r"keeps to the 5 requests a second that it learned") as caught:
            await manager.send(GET, timeout=0.05)
        assert caught.value.phase == "queue"


async def test_a_refusal_is_not_counted_as_borne() -> None:
    """Only what got through sets the rate."""

    class Noting(AdaptiveRate):
        def __init__(self) -> None:
            super().__init__()
            self.borne = 0
            self.answered = self.note

        def note(self, now: float, times: int = 1) -> None:
            self.borne += times

    rate = Noting()
    busy = answer(b"", status="429 Too Many Requests")
    policy = RetryPolicy(max_attempts=1)
    async with _talking(lambda number: busy if number == 2 else answer(), rate_limit=rate, retry=policy) as manager:
        await manager.send(GET)
        with pytest.raises(RateLimitError):
            await manager.send(GET)
        await manager.send(GET)
    assert rate.borne == 2


async def test_closing_leaves_no_timer_in_the_loop() -> None:
    """A deadline of minutes would otherwise keep the client alive that long."""
    async with _talking(lambda _: 0.0) as manager:
        await manager.send(GET, timeout=600.0)
        timer = manager._deadlines._timer
        assert timer is not None
        await manager.aclose()
        assert timer.cancelled()
