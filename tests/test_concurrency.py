"""What the package builds its concurrent work from, apart from calls that share one task."""

import asyncio
import gc
import threading
import weakref
from collections.abc import Awaitable, Iterator
from typing import Any

import pytest

from kajabi_async.concurrency import Guarded, Quota, TooLateError, Waiters, WaitingLine, cancel_tasks, for_each, on_loop

pytestmark = pytest.mark.timeout(10)
"""A wait that nothing ends fails soon."""


def never(value: object) -> None:
    """Fail: what this is passed to has nothing to pass on."""
    pytest.fail(f"called with {value!r}")


async def turns(count: int = 3) -> None:
    """Let the other tasks run for some iterations of the loop."""
    for _ in range(count):
        await asyncio.sleep(0)


async def test_each_item_is_done_once_and_no_more_than_allowed_at_a_time() -> None:
    """Items are taken from an iterable only when there is room for them."""
    taken: list[int] = []
    done: list[int] = []
    running = most = 0

    def items() -> Iterator[int]:
        for item in range(7):
            taken.append(item)
            yield item

    async def act(item: int) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        assert len(taken) <= item + 3
        running -= 1
        done.append(item)

    await for_each(items(), act, at_once=3)
    assert (sorted(done), most) == (list(range(7)), 3)
    await for_each([], act, at_once=3)
    await for_each([7], act, at_once=3)
    assert done[7:] == [7]


async def test_the_first_failure_ends_the_rest_and_is_raised_itself() -> None:
    """No further item is started, what runs is cancelled, and the error has no group around it."""
    started: list[int] = []
    ended: list[int] = []

    async def act(item: int) -> None:
        started.append(item)
        try:
            if item == 1:
                raise ZeroDivisionError
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            ended.append(item)
            raise

    with pytest.raises(ZeroDivisionError) as caught:
        await for_each(range(9), act, at_once=3)
    assert (started, sorted(ended)) == ([0, 1, 2], [0, 2])
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


async def test_waiters_are_woken_in_order_with_a_value() -> None:
    """One for each value; a value for an empty queue stays with its owner."""
    waiters: Waiters[str] = Waiters()
    assert not waiters
    assert not waiters.wake("early")
    tasks = [asyncio.create_task(waiters.wait(None, never)) for _ in range(3)]
    await turns()
    assert len(waiters) == 3
    assert waiters.wake("first")
    assert waiters.wake("second")
    await turns()
    assert [task.done() for task in tasks] == [True, True, False]
    assert [tasks[0].result(), tasks[1].result()] == ["first", "second"]
    assert waiters.wake("third")
    assert await tasks[2] == "third"
    assert not waiters


async def test_a_waiter_that_leaves_takes_no_value() -> None:
    """Cancelled in the queue it is passed over; cancelled with a value, it passes that on."""
    waiters: Waiters[str] = Waiters()
    handed_back: list[str] = []
    tasks = [asyncio.create_task(waiters.wait(None, handed_back.append)) for _ in range(3)]
    await turns()
    tasks[0].cancel()
    # Both before the task has run: the first in the queue has ended, and the next one gets the value.
    assert waiters.wake("value")
    tasks[1].cancel()
    await turns()
    assert all(task.cancelled() for task in tasks[:2])
    assert (handed_back, len(waiters)) == (["value"], 1)
    tasks[2].cancel()
    await turns()
    assert (handed_back, len(waiters)) == (["value"], 0)


async def test_waits_that_cannot_end_in_time_end_at_once() -> None:
    """Those whose deadline is not after the moment given, with the seconds that they would still have waited."""
    waiters: Waiters[str] = Waiters()
    deadlines = [None, 5.0, 6.0, 7.0]
    tasks = [asyncio.create_task(waiters.wait(deadline, never)) for deadline in deadlines]
    await turns()
    waiters.refuse_late(6.0, 2.0)
    # A second time, before the tasks have run, finds them ended.
    waiters.refuse_late(6.0, 2.5)
    await turns()
    assert [task.done() for task in tasks] == [False, True, True, False]
    for task in tasks[1:3]:
        with pytest.raises(TooLateError) as caught:
            await task
        assert (caught.value.seconds_left, str(caught.value)) == (4.0, "")
    assert waiters.wake("value")
    assert await tasks[0] == "value"
    assert waiters.wake("value")
    assert await tasks[3] == "value"


async def test_a_waiter_refused_and_cancelled_in_one_moment_hands_nothing_back() -> None:
    """It has no value."""
    waiters: Waiters[str] = Waiters()
    task = asyncio.create_task(waiters.wait(1.0, never))
    await turns()
    (future,) = waiters
    del waiters[future]
    future.set_exception(TooLateError(1.0))
    task.cancel()
    await turns()
    assert task.cancelled()


async def test_a_line_has_so_many_slots_and_wakes_one_for_each_that_comes_free() -> None:
    """In order; a slot that is returned while others wait is not free in between."""
    line = WaitingLine(2)
    entered: list[int] = []

    async def enter(number: int) -> None:
        await line.enter()
        entered.append(number)

    tasks = [asyncio.create_task(enter(number)) for number in range(4)]
    await turns()
    assert (entered, line.free) == ([0, 1], 0)
    line.leave()
    assert line.free == 0
    await turns()
    assert entered == [0, 1, 2]
    line.leave()
    await asyncio.gather(*tasks)
    assert (entered, line.free) == ([0, 1, 2, 3], 0)
    line.leave()
    line.leave()
    assert line.free == 2


async def test_a_slot_of_a_task_that_was_cancelled_goes_to_the_next() -> None:
    """Also if it got the slot in the moment in which it was cancelled."""
    line = WaitingLine(1)
    await line.enter()
    first, second = (asyncio.create_task(line.enter()) for _ in range(2))
    await turns()
    line.leave()
    first.cancel()
    await second
    assert line.free == 0
    third = asyncio.create_task(line.enter())
    await turns()
    line.leave()
    third.cancel()
    await turns()
    assert (third.cancelled(), line.free) == (True, 1)


async def test_a_quota_lets_so_many_steps_start_in_one_iteration() -> None:
    """As many waiters as there are steps go on in the next one, the latest first; what they leave is reported."""
    renewed: list[int] = []
    quota = Quota(lambda: 2, renewed.append)
    assert (quota.left, quota.is_counting) == (2, False)
    went: list[int] = []

    async def wait(number: int) -> None:
        await quota.wait()
        went.append(number)

    tasks = [asyncio.create_task(wait(number)) for number in range(3)]
    await turns()
    quota.left = 0
    loop = asyncio.get_running_loop()
    quota.count(loop)
    assert (quota.is_counting, quota.left, went) == (True, 0, [])
    await turns()
    assert (quota.is_counting, quota.left) == (False, 2)
    assert (went, renewed) == ([2, 1], [])
    quota.count(loop)
    await turns()
    assert (went, renewed) == ([2, 1, 0], [1])
    quota.count(loop)
    await turns()
    assert renewed == [1, 2]
    assert all(task.done() for task in tasks)


async def test_the_end_of_a_quota_lets_all_go_on() -> None:
    """However few steps are left."""
    quota = Quota(lambda: 1, never)
    tasks = [asyncio.ensure_future(quota.wait()) for _ in range(5)]
    await turns()
    quota.end()
    await asyncio.wait_for(asyncio.gather(*tasks), 5)
    quota.end()


async def test_a_waiter_of_a_quota_that_is_cancelled_takes_no_step_of_others() -> None:
    """Neither before nor in the moment in which it is let go: it had nothing to hand back."""

    async def wait() -> None:
        await quota.wait()

    quota = Quota(lambda: 1, never)
    first, second, third = (asyncio.create_task(wait()) for _ in range(3))
    await turns()
    first.cancel()
    await turns()
    quota.count(asyncio.get_running_loop())
    await turns()
    assert (second.done(), third.done()) == (False, True)
    quota.end()
    second.cancel()
    await turns()
    assert (first.cancelled(), second.cancelled(), third.cancelled()) == (True, True, False)


class _Counting:
    def __init__(self) -> None:
        self.given = self.closed = 0

    def next(self) -> Awaitable[int]:
        return self._next()

    def close(self) -> None:
        self.closed += 1

    async def _next(self) -> int:
        if self.given == 3:
            raise StopAsyncIteration
        self.given += 1
        return self.given


async def test_an_iterator_that_is_dropped_closes_its_source() -> None:
    """At once and a single time; one that is read to its end is closed as it is dropped, too."""
    source = _Counting()
    iterator = Guarded(source)
    assert aiter(iterator) is iterator
    assert await anext(iterator) == 1
    assert source.closed == 0
    del iterator
    gc.collect()
    assert source.closed == 1
    whole = _Counting()
    assert [item async for item in Guarded(whole)] == [1, 2, 3]
    gc.collect()
    assert whole.closed == 1


def test_an_iterator_is_not_closed_at_the_end_of_the_program() -> None:
    """Its loop is closed by then."""
    source = _Counting()
    iterator = Guarded(source)
    objects: list[Any] = gc.get_objects()
    (at_exit,) = (
        each.atexit for each in objects if type(each) is weakref.finalize and (each.peek() or [0])[0] is iterator
    )
    assert at_exit is False


@pytest.mark.parametrize(("use", "advice"), [(iter, "write 'async for', not 'for'"), (list, "write 'async for'")])
def test_an_iterator_says_how_it_is_read(use: type, advice: str) -> None:
    """A plain loop would otherwise fail without a word about the cause."""
    with pytest.raises(TypeError, match=advice):
        use(Guarded(_Counting()))


async def test_what_is_called_on_its_own_loop_is_done_before_the_call_returns() -> None:
    """With the arguments given."""
    called: list[tuple[int, ...]] = []
    loop = asyncio.get_running_loop()
    on_loop(loop, lambda *arguments: called.append(arguments), 1, 2)
    assert called == [(1, 2)]
    tasks = [asyncio.create_task(asyncio.sleep(3600)) for _ in range(3)]
    cancel_tasks(loop, set(tasks))
    assert all(task.cancelling() for task in tasks)
    await turns()
    assert all(task.cancelled() for task in tasks)


async def test_what_is_called_from_another_thread_is_done_in_the_thread_of_the_loop() -> None:
    """Also if a loop of its own runs in that thread."""
    loop, here = asyncio.get_running_loop(), threading.get_ident()
    called: asyncio.Future[tuple[int, str]] = loop.create_future()

    def act(argument: str) -> None:
        if not called.done():
            called.set_result((threading.get_ident(), argument))

    async def elsewhere() -> None:
        on_loop(loop, act, "from a loop")

    thread = threading.Thread(target=asyncio.run, args=(elsewhere(),))
    thread.start()
    assert await asyncio.wait_for(called, 5) == (here, "from a loop")
    thread.join()
    called = loop.create_future()
    thread = threading.Thread(target=on_loop, args=(loop, act, "from none"))
    thread.start()
    assert await asyncio.wait_for(called, 5) == (here, "from none")
    thread.join()
