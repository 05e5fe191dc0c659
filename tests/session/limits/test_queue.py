"""The wait of an operation in the client's queue: how it ends, and what its error says."""

import asyncio

import pytest

from kajabi_async.errors import PausedError, RequestTimeoutError
from kajabi_async.exchange import Request
from kajabi_async.session.limits.deadlines import Deadlines
from kajabi_async.session.limits.gate import Gate
from kajabi_async.session.limits.queue import Queue
from kajabi_async.session.limits.rate import AdaptiveRate
from kajabi_async.session.running_operation import RunningOperation
from tests.clocks import ManualClock

pytestmark = pytest.mark.timeout(10)

GET = Request("GET", "/v1/customers/1")
ONCE = Request("POST", "/v1/contacts", once=True)
HEAD = "GET /v1/customers/1: not sent within"
LINE = "to api.example, as it stood in the client's own line:"


def _queue(gate: Gate, clock: ManualClock) -> Queue:
    return Queue(gate, Deadlines(), clock, "api.example")


def _running(request: Request = GET, seconds: float | None = 60.0, *, counts: bool = True) -> RunningOperation:
    deadline = None if seconds is None else 1000.0 + seconds
    return RunningOperation(request, 1000.0, seconds, deadline, line_counts=counts)


async def test_an_operation_that_got_through_is_no_longer_in_line() -> None:
    """While it waits it is, so that its timeout can name what it waited for."""
    clock = ManualClock()
    gate = Gate(1, None, clock)
    queue, first, second = _queue(gate, clock), _running(), _running()
    await queue.enter(first, 5.0)
    assert first.in_line is False
    entering = asyncio.create_task(queue.enter(second, 5.0))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert second.in_line is True
    gate.leave()
    await entering
    assert second.in_line is False


async def test_a_call_waits_for_a_slot_no_longer_than_it_may() -> None:
    """The error has the limit of the queue; the operation is marked as one that ended there."""
    clock = ManualClock()
    gate = Gate(1, None, clock)
    queue, late = _queue(gate, clock), _running()
    await queue.enter(_running(), 5.0)
    with pytest.raises(RequestTimeoutError) as caught:
        await queue.enter(late, 0.01)
    error = caught.value
    assert str(error).startswith(f"{HEAD} 0.01 s {LINE} all 1 slots are in use")
    assert (error.phase, error.seconds, error.method, error.path) == ("queue", 0.01, "GET", "/v1/customers/1")
    assert late.in_line is True
    assert error.__context__ is None
    gate.leave()
    # A free slot is taken at once: the limit is not on the wait for a permit.
    await queue.enter(_running(), 0.0)


async def test_a_call_that_finds_a_slot_waits_for_a_permit_as_long_as_it_has_time() -> None:
    """The limit of the queue is on the wait for a slot: here eight waits for a learned rate pass it."""
    clock, rate = ManualClock(), AdaptiveRate()
    rate._pace.start = rate._pace.borne = 0.5
    rate._pace.stock, rate._pace.stocked_at, rate._pace.refused_at = 0.0, clock.now, clock.now
    running = _running()
    await _queue(Gate(5, rate, clock), clock).enter(running, 0.0)
    assert (clock.slept, running.in_line) == ([0.25] * 8, False)


async def test_a_call_for_which_the_rate_has_no_permit_in_time_fails_at_once() -> None:
    """The error has the limit on the whole call."""
    clock = ManualClock()
    gate = Gate(5, 0.5, clock)
    queue = _queue(gate, clock)
    await queue.enter(_running(), None)
    with pytest.raises(RequestTimeoutError) as caught:
        await queue.enter(_running(seconds=1.5), None)
    assert str(caught.value).startswith(f"{HEAD} 1.5 s {LINE} rate_limit=0.5 lets 0.5 requests a second go")
    assert (caught.value.seconds, clock.slept) == (1.5, [])


async def test_a_call_whose_time_ends_within_a_pause_is_not_kept_waiting() -> None:
    """The error says how long the pause lasts, and until when."""
    clock = ManualClock()
    gate = Gate(5, None, clock)
    gate.pause(40.0)
    with pytest.raises(PausedError) as caught:
        await _queue(gate, clock).enter(_running(seconds=30.0), None)
    error = caught.value
    assert (error.status, error.method, error.path) == (429, "GET", "/v1/customers/1")
    assert (error.retry_after, error.retry_at) == (40.0, clock.time() + 40.0)
    assert clock.slept == []


async def test_what_its_caller_retries_is_not_sent_during_a_pause() -> None:
    """However much time it has; after the pause it is."""
    clock = ManualClock()
    gate = Gate(5, None, clock)
    gate.pause(40.0)
    clock.advance(10.0)
    queue = _queue(gate, clock)
    with pytest.raises(PausedError) as caught:
        await queue.enter(_running(ONCE, None), None)
    error = caught.value
    assert (error.method, error.path) == ("POST", "/v1/contacts")
    assert (error.retry_after, error.retry_at) == (30.0, clock.time() + 30.0)
    clock.advance(30.0)
    await queue.enter(_running(ONCE, None), None)
    assert clock.slept == []


async def test_an_operation_whose_wait_does_not_count_waits_a_pause_out() -> None:
    """As a lookup of a run, without being in line: no limit of the queue ends it."""
    clock = ManualClock()
    gate = Gate(5, None, clock)
    gate.pause(40.0)
    running = _running(seconds=5.0, counts=False)
    await _queue(gate, clock).enter(running, 0.0)
    assert (clock.slept, running.in_line, gate._slots.in_runs) == ([40.0], False, 1)
