"""Calls before the lookups of runs: at the slots, in a pause and on the wire, without stopping a run."""

import asyncio
import copy
import random

import pytest

from kajabi_async.concurrency import TooLateError
from kajabi_async.exchange import Request
from kajabi_async.session import SessionManager
from kajabi_async.session.limits.gate import Gate
from kajabi_async.session.limits.pace import Pace
from kajabi_async.session.limits.rate import RateLimit
from kajabi_async.session.limits.slots import MOST_PASSED, Slots
from tests.clocks import ManualClock
from tests.session.limits.waits import Order, StuckClock, turns
from tests.session.serving import answer, read_request, serving, session


async def test_a_run_that_has_no_slot_gets_the_next_though_calls_could_use_it() -> None:
    """Otherwise it would stand still for as long as the remaining calls take."""
    slots, order = Slots(2), Order()
    await slots.enter(None)
    await slots.enter(None)
    await order.start("lookup", lambda: slots.enter_for_run(0.0), 2)
    slots.leave()
    await turns()
    assert order.went == ["lookup"]
    assert (slots.free, slots.kept, slots.in_runs) == (0, 0, 1)
    await order.cancel()


async def test_a_run_that_has_no_slot_takes_one_that_is_kept() -> None:
    """While calls have all others, however long these take."""
    slots, order = Slots(2), Order()
    await slots.enter(None)
    slots.leave()
    await slots.enter(None)
    await slots.enter(None)
    slots.leave()
    assert (slots.free, slots.kept) == (0, 1)
    await order.start("lookup", lambda: slots.enter_for_run(0.5), 2)
    assert order.went == ["lookup"]
    await order.cancel()


async def test_a_lookup_that_is_cancelled_leaves_every_slot_and_its_count() -> None:
    """Whether it still waits, or was woken in the same moment."""
    slots, order = Slots(2), Order()
    await slots.enter(None)
    await slots.enter(None)
    await order.start("lookup", lambda: slots.enter_for_run(0.0), 2)
    slots.leave()
    await order.cancel()
    assert (slots.free, slots.in_runs, slots.waiting) == (1, 0, 0)
    await slots.enter_for_run(0.0)
    assert (slots.free, slots.in_runs) == (0, 1)


def _learned() -> Pace:
    """Return the pace of a client that has taken all that it might for a while after a refusal."""
    pace = Pace()
    pace.take_one(1000.0)
    pace.refused(1000.0, None)
    for tick in range(400):
        now = 1000.0 + tick / 20
        for _ in range(pace.take(now, 1000)[0]):
            pace.answered(now)
    return pace


@pytest.mark.parametrize(
    ("pace", "are_left"), [(_learned(), False), (Pace(fixed=100.0), True)], ids=["learned", "fixed"]
)
def test_a_run_leaves_a_part_of_the_stock_of_a_fixed_rate_alone(pace: Pace, are_left: bool) -> None:
    """A learned rate would be learned from another rhythm than that of calls."""
    of_calls, of_runs = copy.copy(pace), copy.copy(pace)
    granted, _ = of_calls.take(1020.0, 100_000)
    assert 1 < granted < 100_000
    assert (of_runs.take(1020.0, 100_000, True)[0] < granted) is are_left


async def test_a_call_gets_the_next_slot_before_the_lookups_that_wait() -> None:
    """For any slot that is returned, and however many lookups came first."""
    slots, order = Slots(2), Order()
    await slots.enter(None)
    await slots.enter_for_run(0.0)
    await order.start("lookup", lambda: slots.enter_for_run(0.0), 20)
    await order.start("call", lambda: slots.enter(None), 2)
    assert slots.waiting == 22
    slots.leave()
    await turns()
    slots.leave_for_run()
    await turns()
    slots.leave_for_run()
    await turns()
    assert order.went == ["call", "call", "lookup"]
    await order.cancel()


async def test_a_run_goes_on_however_many_calls_there_are() -> None:
    """One slot in ten goes to a lookup that waits."""
    slots, order = Slots(1), Order()
    await slots.enter(None)
    await order.start("lookup", lambda: slots.enter_for_run(0.0), 3)
    await order.start("call", lambda: slots.enter(None), 40)
    for _ in range(30):
        slots.leave()
        await turns(2)
    assert order.went == [*["call"] * MOST_PASSED, "lookup"] * 3
    await order.cancel()


async def test_as_many_slots_as_calls_needed_are_kept_for_the_next_calls() -> None:
    """A lookup of a run waits for another slot; the calls do not wait."""
    slots, order = Slots(10), Order()
    for _ in range(3):
        await slots.enter(None)
    for _ in range(3):
        slots.leave()
    for _ in range(7):
        await slots.enter_for_run(0.0)
    await order.start("lookup", lambda: slots.enter_for_run(0.0))
    assert (slots.free, slots.kept, order.went, slots.any_free) == (0, 3, [], True)
    for _ in range(3):
        await slots.enter(None)
    assert not slots.any_free
    for _ in range(3):
        slots.leave()
    slots.leave_for_run()
    await turns()
    assert (slots.kept, order.went) == (3, ["lookup"])


async def test_at_most_half_of_the_slots_are_kept_for_calls() -> None:
    """However many calls there were."""
    slots = Slots(10)
    for _ in range(10):
        await slots.enter(None)
    for _ in range(10):
        slots.leave()
    assert (slots.free, slots.kept) == (5, 5)


async def test_slots_that_calls_no_longer_need_go_back_to_runs() -> None:
    """After a second or two; those that calls still use are kept."""
    slots, order = Slots(10), Order()
    for _ in range(4):
        await slots.enter(None)
    for _ in range(4):
        slots.leave()
    for moment in (0.0, 0.5, 0.9):
        await slots.enter_for_run(moment)
        assert slots.kept == 4
    await slots.enter(None)
    slots.leave()
    await slots.enter_for_run(1.0)
    assert slots.kept == 1
    await slots.enter_for_run(2.0)
    assert slots.kept == 0
    for _ in range(5):
        await slots.enter_for_run(2.5)
    assert (slots.free, slots.kept) == (0, 0)
    await order.start("lookup", lambda: slots.enter_for_run(2.6))
    assert order.went == []
    await order.cancel()


async def _briefly(clock: ManualClock, gate: Gate, chance: random.Random) -> None:
    """Go through the gate as a call or as a lookup, and stay for a moment."""
    if chance.random() < 0.5:
        leave = gate.leave
        if not gate.enter_at_once(clock.now):
            await gate.enter(clock.now + 100.0)
    else:
        leave = gate.leave_for_run
        if not gate.enter_run_at_once(clock.now):
            await gate.enter_for_run()
    try:
        await turns(chance.randrange(3))
    finally:
        leave()


@pytest.mark.parametrize("rate", [None, 40.0, 1000.0])
async def test_cancelling_calls_and_lookups_loses_neither_slots_nor_permits(rate: float | None) -> None:
    """At any moment; those that are left all get through."""
    chance, clock = random.Random(7), ManualClock()
    gate = Gate(3, rate, clock)
    for _ in range(300):
        tasks = [asyncio.create_task(_briefly(clock, gate, chance)) for _ in range(12)]
        await turns(chance.randrange(8))
        for task in chance.sample(tasks, 5):
            task.cancel()
        _, late = await asyncio.wait(tasks, timeout=10)
        assert not late
        assert all(task.cancelled() or task.exception() is None for task in tasks)
    assert gate.waiting == 0
    clock.advance(3.0)
    for _ in range(3):
        await asyncio.wait_for(gate.enter(None), 5)
    assert not gate.is_open


async def test_a_pause_ends_the_waits_of_calls_without_time_and_no_others() -> None:
    """A lookup of a run waits it out."""
    clock = StuckClock()
    gate = Gate(1, None, clock)
    await gate.enter_for_run()
    lookup = asyncio.create_task(gate.enter_for_run())
    call = asyncio.create_task(gate.enter(clock.now + 5.0))
    await turns()
    gate.pause(60.0)
    with pytest.raises(TooLateError):
        await asyncio.wait_for(call, 5)
    assert not lookup.done()
    gate.leave_for_run()
    await clock.go_on(60.0)
    await asyncio.wait_for(lookup, 5)


@pytest.mark.parametrize("rate_limit", [None, 20.0])
async def test_on_the_wire_a_call_passes_the_lookups_that_wait(rate_limit: RateLimit | float | None) -> None:
    """Twenty lookups wait, for a slot or for a permit, when a call comes: at most two leave before it."""
    seen: list[bytes] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            seen.append((await read_request(reader)).split(b" ")[1])
            await asyncio.sleep(0.02)
            writer.write(answer())

    async def send(manager: SessionManager, path: str, *, is_call: bool = False) -> None:
        request = Request("GET", path, authorized=False)
        await manager.send(request, timeout_starts="call" if is_call else "sent")

    concurrency = 1 if rate_limit is None else 50
    async with (
        serving(handle) as base_url,
        session(base_url, concurrency=concurrency, rate_limit=rate_limit) as manager,
    ):
        await send(manager, "/first")
        lookups = [asyncio.create_task(send(manager, "/lookup")) for _ in range(20)]
        while len(seen) < 3:
            await asyncio.sleep(0.001)
        left = len(seen)
        await send(manager, "/call", is_call=True)
        assert seen.index(b"/call") <= left + 1
        await asyncio.gather(*lookups)
    assert len(seen) == 22
