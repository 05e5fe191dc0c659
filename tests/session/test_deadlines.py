"""Deadlines: many of them, one timer of the event loop."""

import asyncio
import gc
import weakref

import pytest

from kajabi_async import RequestTimeoutError
from kajabi_async.exchange import Request
from kajabi_async.session.deadlines import Deadline, Deadlines

REQUEST = Request("GET", "/v1/customers/1")


async def forever() -> None:
    """Wait for longer than any deadline here."""
    await asyncio.sleep(5)
    raise AssertionError("nobody ended it")


async def test_what_takes_too_long_is_ended_and_told() -> None:
    """The message names the limit and the request; nothing hangs on the error."""
    with pytest.raises(RequestTimeoutError) as caught:
        await Deadlines().within(0.01, forever(), phase="total", request=REQUEST)
    assert str(caught.value) == "GET /v1/customers/1: not done, waiting and repeating included, within 0.01 s"
    assert (caught.value.phase, caught.value.seconds) == ("total", 0.01)
    assert caught.value.__context__ is None
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_the_queue_has_words_of_its_own() -> None:
    """Who waits for a place is told that."""
    with pytest.raises(RequestTimeoutError, match=r"no place among the requests under way within 0\.01 s"):
        await Deadlines().within(0.01, forever(), phase="queue", request=REQUEST)


async def test_no_limit_is_none() -> None:
    """None waits for as long as it takes, and arms nothing."""

    async def soon() -> str:
        await asyncio.sleep(0)
        return "done"

    assert await Deadlines().within(None, soon(), phase="total", request=REQUEST) == "done"


async def test_the_shortest_ends_first_whatever_the_order() -> None:
    """The one timer is armed anew where a nearer deadline comes, and after each that ran out."""
    deadlines = Deadlines()
    ended: list[float] = []

    async def wait(seconds: float) -> None:
        with pytest.raises(RequestTimeoutError):
            await deadlines.within(seconds, forever(), phase="total", request=REQUEST)
        ended.append(seconds)

    await asyncio.gather(*(wait(seconds) for seconds in (0.06, 0.02, 0.04, 0.02)))
    assert ended == [0.02, 0.02, 0.04, 0.06]


async def test_a_deadline_is_put_off() -> None:
    """What goes on is given time again; the block sees no exception when its time is up."""
    deadlines, begun = Deadlines(), asyncio.get_running_loop().time()
    with Deadline(deadlines) as deadline:
        deadline.put(0.02)
        for _ in range(4):
            await asyncio.sleep(0.01)
            deadline.put(0.02)
        await forever()
    assert asyncio.get_running_loop().time() - begun >= 0.06


async def test_the_cancellation_of_others_passes_through() -> None:
    """Also where the deadline runs out in the same moment."""
    deadlines = Deadlines()
    begun = asyncio.Event()

    async def work() -> None:
        with Deadline(deadlines) as deadline:
            begun.set()
            try:
                await forever()
            except asyncio.CancelledError:
                deadline.run_out()
                raise

    task = asyncio.create_task(work())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_the_inner_of_two_leaves_the_outer_alone() -> None:
    """Both may run out at once: then it is the outer one that is told."""
    deadlines = Deadlines()
    with pytest.raises(RequestTimeoutError) as caught:
        await deadlines.within(
            0.01,
            deadlines.within(0.01, forever(), phase="queue", request=REQUEST),
            phase="total",
            request=REQUEST,
        )
    assert caught.value.phase == "total"
    with pytest.raises(RequestTimeoutError) as caught:
        await deadlines.within(
            5.0,
            deadlines.within(0.01, forever(), phase="queue", request=REQUEST),
            phase="total",
            request=REQUEST,
        )
    assert caught.value.phase == "queue"


async def test_errors_pass_through_and_end_the_deadline() -> None:
    """Nothing is cancelled later for a block that has been left."""
    deadlines = Deadlines()

    async def fail() -> None:
        raise ValueError("as it was")

    with pytest.raises(ValueError, match="as it was"):
        await deadlines.within(0.01, fail(), phase="total", request=REQUEST)
    await asyncio.sleep(0.03)


async def test_closing_leaves_no_timer_behind() -> None:
    """Unless something is under way, whose limit stands."""
    deadlines = Deadlines()
    await deadlines.within(60.0, asyncio.sleep(0), phase="total", request=REQUEST)
    left = weakref.ref(deadlines)
    deadlines.close()
    del deadlines
    gc.collect()
    assert left() is None
    deadlines = Deadlines()
    under_way = asyncio.create_task(deadlines.within(0.02, forever(), phase="total", request=REQUEST))
    await asyncio.sleep(0)
    deadlines.close()
    with pytest.raises(RequestTimeoutError):
        await under_way
