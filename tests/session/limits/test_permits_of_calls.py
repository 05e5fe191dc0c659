"""Calls before the lookups of runs at the permits of the rate, without stopping a run."""

import asyncio

import pytest

from kajabi_async.session.limits.gate import Gate
from kajabi_async.session.limits.rate import FixedRate
from kajabi_async.session.limits.slots import MOST_PASSED
from tests.session.limits.waits import Order, StuckClock


async def test_a_call_gets_the_permit_that_a_lookup_asked_for() -> None:
    """It comes while the lookup waits, and has the first permit from then on."""
    clock, order = StuckClock(), Order()
    gate = Gate(50, FixedRate(1), clock)
    await gate.enter(None)
    await order.start("lookup", gate.enter_for_run, 5)
    await order.start("call", lambda: gate.enter(None), 2)
    assert order.went == []
    await clock.go_on(4.0)
    assert order.went == ["call", "call", "lookup", "lookup"]
    await order.cancel()


@pytest.mark.parametrize("is_lookup_first", [False, True])
async def test_one_permit_in_ten_goes_to_a_run(*, is_lookup_first: bool) -> None:
    """However many calls wait, and whichever request asks for the permits."""
    clock, order = StuckClock(), Order()
    gate = Gate(100, FixedRate(1), clock)
    await gate.enter(None)
    if is_lookup_first:
        await order.start("lookup", gate.enter_for_run)
    await order.start("call", lambda: gate.enter(None), 40)
    await order.start("lookup", gate.enter_for_run, 5)
    await clock.go_on(30.0)
    assert order.went == [*["call"] * MOST_PASSED, "lookup"] * 3
    await order.cancel()


async def test_calls_that_passed_no_lookup_do_not_count_against_calls() -> None:
    """A lookup that comes later waits for as many calls as any."""
    clock, order = StuckClock(), Order()
    gate = Gate(100, FixedRate(1), clock)
    await gate.enter(None)
    await order.start("call", lambda: gate.enter(None), 40)
    await clock.go_on(5.0)
    await order.start("lookup", gate.enter_for_run, 2)
    await clock.go_on(20.0)
    assert order.went == [*["call"] * (5 + MOST_PASSED), "lookup", *["call"] * MOST_PASSED, "lookup"]
    await order.cancel()


class CancellingRate(FixedRate):
    """One permit a second; the task `next_cancelled` is cancelled in the moment in which one is taken."""

    next_cancelled: asyncio.Task[None] | None = None

    async def take(self, now: float) -> float:
        return self._taken(self.take_at_once(now))

    async def take_for_run(self, now: float) -> float:
        return self._taken(self.take_at_once(now, True))

    def _taken(self, wait: float) -> float:
        if wait == 0.0 and self.next_cancelled is not None:
            asyncio.get_running_loop().call_soon(self.next_cancelled.cancel)
            self.next_cancelled = None
        return wait


@pytest.mark.parametrize("next_call", [["another call"], []])
async def test_a_permit_of_a_call_that_is_cancelled_in_that_moment_goes_to_the_next(next_call: list[str]) -> None:
    """To one alone: another call if there is one, else a lookup that waits."""
    clock, order, rate = StuckClock(), Order(), CancellingRate(1)
    gate = Gate(50, rate, clock)
    await gate.enter(None)
    await order.start("asking lookup", gate.enter_for_run)
    await order.start("call", lambda: gate.enter(None))
    for name in next_call:
        await order.start(name, lambda: gate.enter(None))
    await order.start("lookup", gate.enter_for_run)
    rate.next_cancelled = order.tasks[1]
    await clock.go_on(1.0)
    assert order.tasks[1].cancelled()
    assert order.went == [*next_call, "lookup"][:1]
    await clock.go_on(1.0)
    assert order.went == ([*next_call, "asking lookup"] if next_call else ["lookup", "asking lookup"])
    await order.cancel()


async def test_a_run_leaves_permits_for_calls() -> None:
    """At 100 a second ten may leave at once: a run takes seven of them, and the next three calls do not wait."""
    clock, order = StuckClock(), Order()
    gate = Gate(100, FixedRate(100), clock)
    await order.start("lookup", gate.enter_for_run, 30)
    assert len(order.went) == 7
    assert [gate.enter_at_once(clock.now) for _ in range(4)] == [True, True, True, False]
    await clock.go_on(0.1)
    assert len(order.went) == 14
    await clock.go_on(0.1)
    assert len(order.went) == 24
    await order.cancel()


async def test_calls_that_need_the_whole_rate_do_not_stop_a_run() -> None:
    """Each call finds a permit at once, yet lookups leave."""
    clock, order = StuckClock(), Order()
    gate = Gate(100, FixedRate(100), clock)
    await order.start("lookup", gate.enter_for_run, 30)
    calls = 0
    for _ in range(100):
        await clock.go_on(0.01)
        if gate.enter_at_once(clock.now):
            calls += 1
            gate.leave()
    assert calls + len(order.went) >= 100
    assert len(order.went) - 7 >= 100 // (MOST_PASSED + 1) - 1
    assert calls >= 80
    await order.cancel()


async def test_calls_come_first_at_a_rate_that_was_handed_in() -> None:
    """It has one method for both; the order is that of the gate."""

    class Slow:
        """One permit a second."""

        def __init__(self) -> None:
            self.next_at = 0.0

        async def take(self, now: float) -> float:
            if now < self.next_at:
                return self.next_at - now
            self.next_at = now + 1.0
            return 0.0

        def answered(self, now: float) -> None: ...

        def refused(self, now: float, pause_seconds: float | None) -> None: ...

        def per_second(self, now: float) -> float | None:
            return 1.0

    clock, order, rate = StuckClock(), Order(), Slow()
    gate = Gate(50, rate, clock)
    await gate.enter(None)
    await order.start("lookup", gate.enter_for_run, 5)
    await order.start("call", lambda: gate.enter(None), 2)
    await clock.go_on(3.5)
    assert order.went == ["call", "call", "lookup"]
    await order.cancel()


@pytest.mark.parametrize("more_calls", [0, 1])
async def test_nine_calls_pass_a_lookup_that_waits_for_a_permit(more_calls: int) -> None:
    """They find permits that came meanwhile; then it is the lookup's turn, also if it would leave the permit."""
    clock, order, rate = StuckClock(), Order(), FixedRate(100)
    gate = Gate(50, rate, clock)
    rate._pace.stock, rate._pace.stocked_at = 0.0, clock.now
    await order.start("lookup", gate.enter_for_run)
    clock.advance(0.1)
    await order.start("call", lambda: gate.enter(None), MOST_PASSED + more_calls)
    assert order.went == ["call"] * MOST_PASSED
    await clock.go_on(0.0)
    assert order.went[MOST_PASSED:] == ["lookup"]
    await clock.go_on(0.01)
    assert order.went[MOST_PASSED:] == ["lookup", *["call"] * more_calls]


async def test_a_lookup_asks_for_a_call_without_leaving_permits_for_others() -> None:
    """At 40 a second it would leave one; a call takes it, whether it asks itself or a lookup does."""
    clock, order, rate = StuckClock(), Order(), FixedRate(40)
    gate = Gate(50, rate, clock)
    rate._pace.stock, rate._pace.stocked_at = 1.875, clock.now
    await order.start("call", lambda: gate.enter(None))
    assert (order.went, clock.slept) == (["call"], [])
    rate._pace.stock = 0.0
    await order.start("lookup", gate.enter_for_run)
    await order.start("second call", lambda: gate.enter(None))
    await clock.go_on(0.025)
    assert order.went == ["call", "second call"]
    await clock.go_on(0.025)
    assert order.went == ["call", "second call"]
    await clock.go_on(0.025)
    assert order.went == ["call", "second call", "lookup"]


async def test_the_next_lookup_asks_when_a_call_has_its_permit() -> None:
    """No other passes it meanwhile, although there are permits; if none waits, the way is free."""
    clock, order, rate = StuckClock(), Order(), FixedRate(100)
    gate = Gate(50, rate, clock)
    rate._pace.stock, rate._pace.stocked_at = 0.0, clock.now
    passed: list[bool] = []

    async def call() -> None:
        await gate.enter(None)
        passed.append(gate.enter_run_at_once(clock.now))

    await order.start("call", call)
    await order.start("lookup", gate.enter_for_run)
    clock.advance(0.1)
    await clock.go_on(0.0)
    assert (order.went, passed) == (["call", "lookup"], [False])
    assert gate.enter_run_at_once(clock.now)
