"""How many slots are free, kept for calls and used by runs, after each that is taken or returned."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from kajabi_async.session.limits.slots import MOST_PASSED, Slots


def at_once(entering: Coroutine[Any, Any, None]) -> None:
    """Run *entering*, which must not wait."""
    with pytest.raises(StopIteration):
        entering.send(None)


def test_each_slot_is_counted_once() -> None:
    """Taken by calls and by lookups of runs; half of those that calls return are kept for calls."""
    slots = Slots(5)
    for left in (4, 3, 2):
        at_once(slots.enter(None))
        assert (slots.free, slots.kept, slots.in_runs) == (left, 0, 0)
    for left, runs in ((1, 1), (0, 2)):
        assert slots.any_free
        at_once(slots.enter_for_run(0.0))
        assert (slots.free, slots.kept, slots.in_runs) == (left, 0, runs)
    assert not slots.any_free
    for free, kept in ((0, 1), (0, 2), (1, 2)):
        slots.leave()
        assert (slots.free, slots.kept, slots.in_runs, slots.any_free) == (free, kept, 2, True)
    for free, runs in ((2, 1), (3, 0)):
        slots.leave_for_run()
        assert (slots.free, slots.kept, slots.in_runs) == (free, 2, runs)


def test_a_call_takes_a_slot_that_is_kept_before_one_that_is_free() -> None:
    """What is left of the kept ones at least, is what calls did not need."""
    slots = Slots(6)
    for _ in range(3):
        at_once(slots.enter(None))
    for _ in range(3):
        slots.leave()
    at_once(slots.enter_for_run(0.0))
    assert (slots.free, slots.kept, slots.unneeded) == (2, 3, 3)
    at_once(slots.enter(None))
    at_once(slots.enter(None))
    assert (slots.free, slots.kept, slots.unneeded) == (2, 1, 1)
    slots.leave()
    assert (slots.kept, slots.unneeded) == (2, 1)
    at_once(slots.enter(None))
    at_once(slots.enter(None))
    at_once(slots.enter(None))
    assert (slots.free, slots.kept, slots.unneeded) == (1, 0, 0)


def test_runs_without_a_slot_take_kept_ones_one_by_one() -> None:
    """The first; the next one finds a run under way, and waits."""
    slots = Slots(4)
    for _ in range(4):
        at_once(slots.enter(None))
    for _ in range(2):
        slots.leave()
    at_once(slots.enter_for_run(-1.0))
    assert (slots.free, slots.kept, slots.in_runs) == (0, 1, 1)
    waiting = slots.enter_for_run(-1.0)
    with pytest.raises(RuntimeError, match="no running event loop"):
        waiting.send(None)
    assert (slots.free, slots.kept, slots.in_runs) == (0, 1, 1)


@pytest.mark.parametrize("unobserved", [0, 5, MOST_PASSED + 1])
async def test_only_calls_that_pass_a_waiting_lookup_are_counted(unobserved: int) -> None:
    """However many calls got a slot before it came: so many pass each lookup, and then it has its slot."""
    slots = Slots(1)
    went: list[str] = []

    async def call() -> None:
        await slots.enter(None)
        went.append("call")

    async def look_up() -> None:
        await slots.enter_for_run(0.0)
        went.append("lookup")

    async def turns() -> None:
        for _ in range(3):
            await asyncio.sleep(0)

    await slots.enter(None)
    tasks = [asyncio.create_task(call()) for _ in range(unobserved + 2 * MOST_PASSED)]
    await turns()
    for _ in range(unobserved):
        slots.leave()
        await turns()
    went.clear()
    tasks.append(asyncio.create_task(look_up()))
    await turns()
    for _ in range(MOST_PASSED + 1):
        slots.leave()
        await turns()
    assert went == [*["call"] * MOST_PASSED, "lookup"]
    slots.leave_for_run()
    await turns()
    assert went[-1] == "call"
    for task in tasks:
        task.cancel()
