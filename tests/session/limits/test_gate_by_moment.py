"""The gate, moment by moment: who is let through, who fails as too late, and what the rate is notified of."""

import asyncio

import pytest

from kajabi_async.concurrency import TooLateError
from kajabi_async.session.limits.gate import Gate
from kajabi_async.session.limits.rate import AdaptiveRate, FixedRate, RateLimit
from tests.clocks import ManualClock


class ScriptedRate:
    """A rate with fixed answers that records its calls."""

    def __init__(self, *waits: float) -> None:
        self.calls: list[tuple[object, ...]] = []
        self._waits = list(waits)

    async def take(self, now: float) -> float:
        self.calls.append(("take", now))
        return self._waits.pop(0) if self._waits else 0.0

    def answered(self, now: float) -> None:
        self.calls.append(("answered", now))

    def refused(self, now: float, pause_seconds: float | None) -> None:
        self.calls.append(("refused", now, pause_seconds))

    def per_second(self, now: float) -> float | None:
        self.calls.append(("per_second", now))
        return 7.5


def _gate(clock: ManualClock, places: int = 2, rate: RateLimit | None = None) -> Gate:
    return Gate(places, rate or AdaptiveRate(), clock)


async def _turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_it_is_open_while_there_are_places() -> None:
    """Each who enters takes a slot, and each who leaves returns it."""
    gate = _gate(ManualClock())
    open_ = [gate.is_open]
    for _ in range(2):
        await gate.enter(None)
        open_.append(gate.is_open)
    gate.leave()
    assert [*open_, gate.is_open, gate.waiting] == [True, True, False, True, 0]


async def test_a_pause_lasts_to_its_moment() -> None:
    """It is reported until then."""
    clock = ManualClock()
    gate = _gate(clock)
    assert not gate.is_paused
    gate.pause(5.0)
    clock.advance(4.75)
    assert gate.is_paused
    clock.advance(0.25)
    assert not gate.is_paused
    await gate.enter(None)
    assert clock.slept == []


@pytest.mark.parametrize(
    ("pauses", "seconds"),
    [([5.0], 5.0), ([5.0, 3.0], 5.0), ([3.0, 5.0], 5.0), ([600.0], 600.0), ([601.0], 600.0), ([1e9], 600.0)],
)
async def test_the_longest_pause_counts_ten_minutes_at_most(pauses: list[float], seconds: float) -> None:
    """One answer must not stop a client for good."""
    clock = ManualClock()
    gate = _gate(clock)
    for pause in pauses:
        gate.pause(pause)
    await gate.enter(None)
    assert clock.slept == [seconds]


async def test_the_rate_is_notified_of_answers_and_refusals() -> None:
    """With the moment, and the pause that is respected."""
    clock, rate = ManualClock(), ScriptedRate()
    gate = _gate(clock, rate=rate)
    gate.answered(clock.now)
    for retry_after in (None, 0.0, 7.0, 600.0, 1e9):
        gate.refused(retry_after)
    assert gate.per_second() == 7.5
    assert rate.calls == [
        ("answered", 1000.0),
        *(("refused", 1000.0, pause) for pause in (None, 0.0, 7.0, 600.0, 600.0)),
        ("per_second", 1000.0),
    ]


@pytest.mark.parametrize("retry_after", [None, 0.0])
async def test_a_refusal_without_a_pause_pauses_no_request(retry_after: float | None) -> None:
    """The rate alone reacts to it."""
    clock = ManualClock()
    gate = _gate(clock, rate=ScriptedRate())
    gate.refused(retry_after)
    assert not gate.is_paused
    await gate.enter(None)
    assert clock.slept == []


async def test_a_refusal_with_a_pause_pauses_all_requests() -> None:
    """For the seconds of its Retry-After."""
    clock = ManualClock()
    gate = _gate(clock, rate=ScriptedRate())
    gate.refused(7.0)
    await gate.enter(None)
    await gate.enter(None)
    assert clock.slept == [7.0]


@pytest.mark.parametrize(("seconds", "left"), [(4.75, 5.0), (5.0, 5.0), (5.25, None)])
async def test_who_comes_during_a_pause_needs_time_for_it(seconds: float, left: float | None) -> None:
    """More than the pause lasts; the error of the others has its length."""
    clock = ManualClock()
    gate = _gate(clock)
    gate.pause(5.0)
    if left is None:
        await gate.enter(clock.now + seconds)
        assert clock.slept == [5.0]
        return
    with pytest.raises(TooLateError) as caught:
        await gate.enter(clock.now + seconds)
    assert caught.value.seconds_left == left
    assert clock.slept == []
    assert gate.is_open


@pytest.mark.parametrize(("seconds", "late"), [(4.75, True), (5.0, True), (5.25, False)])
async def test_who_has_no_time_for_a_pause_does_not_even_stand_in_line(seconds: float, *, late: bool) -> None:
    """They fail even if no slot is free."""
    clock = ManualClock()
    gate = _gate(clock, places=1)
    await gate.enter(None)
    gate.pause(5.0)
    coming = asyncio.create_task(gate.enter(clock.now + seconds))
    await _turns()
    assert coming.done() is late
    gate.leave()
    await asyncio.wait([coming])
    assert isinstance(coming.exception(), TooLateError) is late


async def test_a_pause_that_is_over_fails_no_request() -> None:
    """Not even one without any time: a permit is free at once."""
    clock = ManualClock()
    gate = _gate(clock)
    gate.pause(5.0)
    clock.advance(5.0)
    await gate.enter(clock.now)
    await gate.enter(clock.now - 1.0)
    assert clock.slept == []


@pytest.mark.parametrize(("seconds", "late"), [(4.75, True), (5.0, True), (5.25, False), (None, False)])
async def test_who_stands_in_line_when_a_pause_begins_needs_time_for_it(seconds: float | None, *, late: bool) -> None:
    """They fail in that moment, and no slot is lost or gained."""
    clock = ManualClock()
    gate = _gate(clock, places=1)
    await gate.enter(None)
    waiting = asyncio.create_task(gate.enter(None if seconds is None else clock.now + seconds))
    await _turns()
    assert gate.waiting == 1
    gate.pause(5.0)
    await _turns()
    assert waiting.done() is late
    gate.leave()
    await _turns()
    assert waiting.done()
    error = waiting.exception()
    assert isinstance(error, TooLateError) is late
    assert (error.seconds_left if isinstance(error, TooLateError) else None) == (5.0 if late else None)
    assert gate.is_open is late
    assert gate.waiting == 0
    if late:
        clock.advance(5.0)
        await gate.enter(None)
        assert not gate.is_open


async def test_a_place_that_comes_free_in_the_moment_of_a_pause_is_given_once() -> None:
    """Not to the waiter that just failed as too late, and not twice."""
    clock = ManualClock()
    gate = _gate(clock, places=1)
    await gate.enter(None)
    waiting = asyncio.create_task(gate.enter(clock.now + 1.0))
    await _turns()
    gate.pause(5.0)
    gate.leave()
    await asyncio.wait([waiting])
    assert isinstance(waiting.exception(), TooLateError)
    clock.advance(5.0)
    await gate.enter(None)
    assert not gate.is_open


async def test_who_is_cancelled_in_line_takes_no_place() -> None:
    """Whether the slot becomes free before, in the same moment, or after."""
    clock = ManualClock()
    for given_first in (True, False):
        gate = _gate(clock, places=1)
        await gate.enter(None)
        waiting = asyncio.create_task(gate.enter(None))
        await _turns()
        if given_first:
            gate.leave()
            waiting.cancel()
        else:
            waiting.cancel()
            gate.leave()
        await _turns()
        assert waiting.cancelled()
        assert gate.is_open
        await gate.enter(None)
        assert not gate.is_open


async def test_a_place_that_is_given_up_goes_to_the_next() -> None:
    """The next may be the only waiter left."""
    gate = _gate(ManualClock(), places=1)
    await gate.enter(None)
    first, second = (asyncio.create_task(gate.enter(None)) for _ in range(2))
    await _turns()
    gate.leave()
    first.cancel()
    await _turns()
    assert second.done()
    assert not gate.is_open


@pytest.mark.parametrize(("seconds", "left"), [(9.75, 10.0), (10.0, 10.0), (10.25, None)])
async def test_who_has_no_time_for_a_turn_learns_how_long_it_would_take(seconds: float, left: float | None) -> None:
    """And returns the slot."""
    clock = ManualClock()
    gate = _gate(clock, rate=FixedRate(0.1))
    await gate.enter(None)
    if left is None:
        await gate.enter(clock.now + seconds)
        assert clock.slept == [pytest.approx(10.0)]
        return
    with pytest.raises(TooLateError) as caught:
        await gate.enter(clock.now + seconds)
    assert caught.value.seconds_left == pytest.approx(left)
    assert gate.is_open


async def test_a_turn_is_asked_for_until_it_is_given() -> None:
    """In the queue again, after as many seconds as the rate says each time; a negative number counts as 0."""
    clock, rate = ManualClock(), ScriptedRate(3.0, 2.0, 0.5, -1.0)
    gate = _gate(clock, rate=rate)
    await gate.enter(None)
    assert clock.slept == [2.0, 0.5]
    assert [moment for name, *moment in rate.calls if name == "take"][-1] == [1002.5]
    await gate.enter(clock.now)
    assert clock.slept == [2.0, 0.5]


@pytest.mark.parametrize(
    ("waits", "slept", "left"),
    [
        pytest.param((10.0, 0.0), [], 10.0, id="when it is first asked for"),
        pytest.param((1.0, 10.0), [], 10.0, id="when it is asked for in line"),
        pytest.param((1.0, 2.0, 4.0), [2.0], 4.0, id="after a first wait"),
        pytest.param((5.0,), [], 5.0, id="at the very deadline"),
    ],
)
async def test_a_turn_that_would_come_too_late_fails_as_soon_as_that_is_known(
    waits: tuple[float, ...], slept: list[float], left: float
) -> None:
    """No caller waits in vain, and the slot is returned."""
    clock = ManualClock()
    gate = _gate(clock, rate=ScriptedRate(*waits), places=1)
    with pytest.raises(TooLateError) as caught:
        await gate.enter(clock.now + 5.0)
    assert (clock.slept, caught.value.seconds_left, gate.is_open) == (slept, left, True)


async def test_a_turn_of_less_than_a_second_may_come_too_late_as_well() -> None:
    """For a caller that has even less time."""
    clock = ManualClock()
    gate = _gate(clock, rate=FixedRate(2))
    await gate.enter(None)
    with pytest.raises(TooLateError) as caught:
        await gate.enter(clock.now + 0.25)
    assert caught.value.seconds_left == 0.5


async def test_a_permit_without_a_slot_is_waited_for_as_calls_do() -> None:
    """It needs no slot, waits for the end of a pause, and takes one that a run would leave for calls."""
    clock = ManualClock()
    gate = _gate(clock, places=1)
    await gate.enter_for_run()
    gate.pause(5.0)
    await gate.take_permit()
    assert clock.slept == [5.0]
    known = FixedRate(40.0)
    gate = _gate(clock, rate=known)
    known._pace.stock, known._pace.stocked_at = 1.875, clock.now
    await gate.take_permit()
    assert clock.slept == [5.0]
    await gate.take_permit()
    assert clock.slept[1:] == [pytest.approx(0.003125)]


async def test_turns_are_given_in_order() -> None:
    """First come, first served, also past a waiter that is cancelled."""
    clock = ManualClock()
    gate = _gate(clock, places=9, rate=FixedRate(1))
    went: list[int] = []

    async def go(number: int) -> None:
        await gate.enter(None)
        went.append(number)

    tasks = [asyncio.create_task(go(number)) for number in range(5)]
    await asyncio.sleep(0)
    tasks[2].cancel()
    await asyncio.wait(tasks)
    assert went == [0, 1, 3, 4]


async def test_a_turn_at_once_is_taken_only_if_the_queue_is_empty() -> None:
    """A slot and a permit are free and no pause holds; the others queue."""
    clock = ManualClock()
    gate = _gate(clock, places=2)
    assert gate.enter_at_once(clock.now)
    gate.pause(5.0)
    assert not gate.enter_at_once(clock.now + 4.75)
    assert gate.enter_at_once(clock.now + 5.0)
    assert not gate.is_open
    assert not gate.enter_at_once(clock.now + 5.0)
    gate.leave()
    assert gate.is_open


async def test_a_turn_at_once_is_one_of_the_rate() -> None:
    """The next comes in its time; a shared rate is always asked in the queue."""
    clock = ManualClock()
    gate = _gate(clock, places=9, rate=FixedRate(1))
    assert gate.enter_at_once(clock.now)
    assert not gate.enter_at_once(clock.now + 0.5)
    assert gate.enter_at_once(clock.now + 1.0)
    assert not _gate(clock, rate=ScriptedRate()).enter_at_once(clock.now)


async def test_no_request_passes_those_that_wait_for_their_turn() -> None:
    """Even if a slot and a permit are free."""

    class Stuck(ManualClock):
        async def sleep(self, seconds: float) -> None:
            await asyncio.Event().wait()

    clock = Stuck()
    gate = _gate(clock, places=9, rate=FixedRate(1))
    await gate.enter(None)
    first = asyncio.create_task(gate.enter(None))
    await _turns()
    assert not gate.enter_at_once(clock.now + 60.0)
    first.cancel()
    await asyncio.wait([first])
    assert gate.enter_at_once(clock.now + 60.0)
