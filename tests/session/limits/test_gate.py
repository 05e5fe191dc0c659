"""The gate: slots, permits and pauses."""

import asyncio
import random
from typing import Any

import pytest

from kajabi_async.clock import SystemClock
from kajabi_async.concurrency import TooLateError
from kajabi_async.errors import ConfigurationError
from kajabi_async.session.limits.gate import Gate
from kajabi_async.session.limits.rate import AdaptiveRate, FixedRate
from tests.clocks import ManualClock


def _gate(places: int = 2, clock: Any = None, rate: Any = None) -> Gate:
    return Gate(places, rate or AdaptiveRate(), clock or ManualClock())


async def test_a_place_that_comes_free_wakes_one_and_in_order() -> None:
    """First come, first served."""
    gate = _gate(1)
    came: list[int] = []

    async def go(number: int) -> None:
        await gate.enter(None)
        came.append(number)

    await gate.enter(None)
    assert not gate.is_open
    tasks = [asyncio.create_task(go(number)) for number in range(3)]
    await asyncio.sleep(0)
    assert gate.waiting == 3
    for expected in ([0], [0, 1], [0, 1, 2]):
        gate.leave()
        for _ in range(5):
            await asyncio.sleep(0)
        assert came == expected
    await asyncio.gather(*tasks)


@pytest.mark.parametrize("waiters", [10_000, pytest.param(100_000, marks=pytest.mark.thorough)])
async def test_many_wait_and_each_is_woken_once(waiters: int) -> None:
    """The cost of a wake-up does not grow with the number of waiters."""
    gate = _gate(10)
    running = most = done = 0

    async def go() -> None:
        nonlocal running, most, done
        await gate.enter(None)
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        done += 1
        gate.leave()

    await asyncio.gather(*(go() for _ in range(waiters)))
    assert (done, most, gate.waiting) == (waiters, 10, 0)


async def test_cancelling_at_any_moment_loses_no_place() -> None:
    """Neither of waiters, nor of those who just received a slot, nor of those inside."""
    chance = random.Random(5)
    gate = _gate(3)

    async def go() -> None:
        await gate.enter(None)
        try:
            for _ in range(chance.randrange(3)):
                await asyncio.sleep(0)
        finally:
            gate.leave()

    for _ in range(300):
        tasks = [asyncio.create_task(go()) for _ in range(10)]
        for _ in range(chance.randrange(6)):
            await asyncio.sleep(0)
        for task in chance.sample(tasks, 5):
            task.cancel()
        await asyncio.wait(tasks)
    await asyncio.gather(*(asyncio.wait_for(gate.enter(None), 1) for _ in range(3)))
    assert not gate.is_open


async def test_a_pause_holds_everyone_and_ends() -> None:
    """A later pause does not shorten an earlier one."""
    clock = ManualClock()
    gate = _gate(clock=clock)
    gate.refused(7.0)
    gate.pause(2.0)
    began = clock.now
    await gate.enter(None)
    assert 7.0 <= clock.now - began < 8.0


async def test_who_has_no_time_for_a_pause_fails_at_once() -> None:
    """A newcomer, a waiter for a slot and a waiter for a permit alike."""
    clock = ManualClock()
    gate = _gate(1, clock)
    await gate.enter(None)
    waiting = asyncio.create_task(gate.enter(clock.now + 30))
    patient = asyncio.create_task(gate.enter(clock.now + 300))
    await asyncio.sleep(0)
    gate.pause(60)
    with pytest.raises(TooLateError) as caught:
        await asyncio.wait_for(waiting, 5)
    assert caught.value.seconds_left == 60
    with pytest.raises(TooLateError):
        await gate.enter(clock.now + 59)
    assert not patient.done()
    gate.leave()
    await asyncio.wait_for(patient, 5)
    assert clock.slept == [60]


async def test_who_waits_for_a_turn_fails_as_well() -> None:
    """The pause began while they waited for a permit."""

    class Stuck(ManualClock):
        async def sleep(self, seconds: float) -> None:
            self.slept.append(seconds)
            await asyncio.Event().wait()

    clock = Stuck()
    gate = _gate(5, clock, FixedRate(1))
    await gate.enter(None)
    first = asyncio.create_task(gate.enter(None))
    await asyncio.sleep(0)
    second = asyncio.create_task(gate.enter(clock.now + 30))
    await asyncio.sleep(0)
    gate.pause(60)
    with pytest.raises(TooLateError):
        await asyncio.wait_for(second, 5)
    first.cancel()
    await asyncio.wait([first])


async def test_a_turn_beyond_the_deadline_fails_at_once() -> None:
    """At one request in ten seconds no permit comes within five."""
    clock = ManualClock()
    gate = _gate(5, clock, FixedRate(0.1))
    await gate.enter(None)
    with pytest.raises(TooLateError):
        await gate.enter(clock.now + 5)
    assert clock.slept == []


async def test_a_pause_without_end_is_cut_to_ten_minutes() -> None:
    """One answer must not stop a client for good."""
    clock = ManualClock()
    gate = _gate(clock=clock)
    gate.refused(1e9)
    began = clock.now
    await gate.enter(None)
    assert 600 <= clock.now - began <= 601


async def test_cancelled_waiters_do_not_change_the_rate_of_turns() -> None:
    """The next waiter gets a permit that was not taken."""
    clock = ManualClock()
    gate = _gate(50, clock, FixedRate(10))
    began = clock.now
    tasks = [asyncio.create_task(gate.enter(None)) for _ in range(40)]
    await asyncio.sleep(0)
    for task in tasks[10:20]:
        task.cancel()
    await asyncio.wait(tasks)
    assert 2.7 <= clock.now - began <= 3.0


@pytest.mark.parametrize("places", [0, -1, True, 1.5, "3"])
def test_places_are_a_whole_number(places: Any) -> None:
    """At least one, and any more; the error names the option."""
    with pytest.raises(ConfigurationError, match=r"^concurrency must"):
        Gate(places, AdaptiveRate(), SystemClock())
    assert Gate(10**10, AdaptiveRate(), SystemClock()).slots == 10**10
