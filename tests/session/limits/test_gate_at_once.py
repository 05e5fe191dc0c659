"""The gate as requests pass it that need not wait: by calls and by lookups of runs, without an await."""

import asyncio
from collections.abc import Callable

import pytest

from kajabi_async.session.limits.gate import Gate
from kajabi_async.session.limits.rate import FixedRate
from tests.clocks import ManualClock


class Watched(FixedRate):
    """Has as many permits as it is given, and records who asks for one."""

    def __init__(self, permits: int) -> None:
        super().__init__(1.0)
        self.permits = permits
        self.asked: list[tuple[float, bool]] = []
        self.take_at_once = self._take

    def _take(self, now: float, spares: bool = False) -> float:
        self.asked.append((now, spares))
        self.permits -= 1
        return 0.25 if self.permits < 0 else 0.0


def test_a_lookup_of_a_run_takes_a_slot_and_a_permit() -> None:
    """Its permit is one of those that calls can spare; without a slot or a permit nothing is taken."""
    clock = ManualClock()
    rate = Watched(3)
    gate = Gate(2, rate, clock)
    assert gate.enter_run_at_once(clock.now)
    assert gate.enter_run_at_once(clock.now)
    assert not gate.is_open
    # No slot: the rate is not asked.
    assert not gate.enter_run_at_once(clock.now)
    assert rate.asked == [(1000.0, True)] * 2
    gate.leave_for_run()
    assert gate.enter_run_at_once(clock.now)
    gate.leave_for_run()
    assert not gate.enter_run_at_once(clock.now)
    assert (gate.is_open, rate.asked) == (True, [(1000.0, True)] * 4)
    assert (gate._slots.free, gate._slots.in_runs) == (1, 1)


def test_a_call_takes_a_slot_and_a_permit() -> None:
    """Without a permit the slot stays free."""
    clock = ManualClock()
    rate = Watched(2)
    gate = Gate(2, rate, clock)
    assert gate.enter_at_once(clock.now)
    assert gate._slots.free == 1
    assert gate.enter_at_once(clock.now)
    assert not gate.enter_at_once(clock.now)
    assert rate.asked == [(1000.0, False)] * 2
    gate.leave()
    assert not gate.enter_at_once(clock.now)
    assert (gate.is_open, rate.asked) == (True, [(1000.0, False)] * 3)
    rate.permits = 2
    assert gate.enter_at_once(clock.now)


async def test_a_call_takes_first_what_is_kept_for_calls() -> None:
    """Slot by slot, so the others are left to runs; what stayed unused all the while goes back to them."""
    clock = ManualClock()
    gate = Gate(10, None, clock)
    slots = gate._slots
    for _ in range(4):
        assert gate.enter_at_once(clock.now)
    for _ in range(4):
        gate.leave()
    # The review of each second begins to count what is not needed.
    await gate.enter_for_run()
    left: list[tuple[int, int, int]] = []
    for _ in range(3):
        assert gate.enter_at_once(clock.now)
        left.append((slots.kept, slots.unneeded, slots.free))
    assert left == [(3, 3, 5), (2, 2, 5), (1, 1, 5)]
    gate.leave()
    assert gate.enter_at_once(clock.now)
    assert (slots.kept, slots.unneeded, slots.free) == (1, 1, 5)
    for _ in range(3):
        gate.leave()
    assert gate.enter_at_once(clock.now)
    assert (slots.kept, slots.unneeded) == (3, 1)
    clock.advance(1.0)
    await gate.enter_for_run()
    assert (slots.kept, slots.free) == (2, 5)
    for _ in range(3):
        assert gate.enter_at_once(clock.now)
    assert (slots.kept, slots.free) == (0, 4)


@pytest.mark.parametrize("enter", [Gate.enter_at_once, Gate.enter_run_at_once])
def test_a_pause_keeps_all_back_to_its_end(enter: Callable[[Gate, float], bool]) -> None:
    """At the moment of its end requests may go again."""
    clock = ManualClock()
    gate = Gate(2, None, clock)
    gate.pause(5.0)
    for now, goes in ((1000.0, False), (1004.75, False), (1005.0, True)):
        assert enter(gate, now) is goes
    assert gate._slots.free == 1


def test_a_clock_may_begin_at_any_moment() -> None:
    """A new gate is not paused, whatever the clock shows."""
    clock = ManualClock()
    clock.now = 0.0
    gate = Gate(2, None, clock)
    assert (gate.is_paused, gate.paused_for()) == (False, 0.0)
    assert gate.enter_at_once(clock.now)


async def test_a_lookup_passes_no_request_that_waits_for_a_permit() -> None:
    """A call does, unless calls wait as well."""
    clock = ManualClock()
    rate = FixedRate(1.0)
    gate = Gate(9, rate, clock)
    assert gate.enter_at_once(clock.now)
    waiting = [asyncio.create_task(gate.enter_for_run()) for _ in range(2)]
    await asyncio.sleep(0)
    assert gate._asking is gate._lookups
    clock.advance(10)
    assert not gate.enter_run_at_once(clock.now)
    assert gate.enter_at_once(clock.now)
    assert gate._passed == 1
    await asyncio.gather(*waiting)


def test_the_line_says_what_is_short() -> None:
    """Slots, unless one is free; then the rate, if one is known."""
    clock = ManualClock()
    gate = Gate(1, 5.0, clock)
    assert gate.line() == "rate_limit=5 lets 5 requests a second go: raise it, or ask for less"
    assert gate.enter_at_once(clock.now)
    slots = "all 1 slots are in use: raise concurrency=1, or have fewer calls at once"
    assert gate.line() == slots
    gate.leave()
    assert gate.line() != slots
    assert Gate(1, None, clock).line() == slots
