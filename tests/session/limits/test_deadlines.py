"""Deadlines: many share one timer of the event loop."""

import asyncio
import gc
import math
import time
import weakref

import pytest

from kajabi_async import RequestTimeoutError
from kajabi_async.exchange import Request
from kajabi_async.session.limits.deadlines import Deadline, Deadlines, ran_out
from tests.virtual_time import virtually

REQUEST = Request("GET", "/v1/customers/1")


async def forever() -> None:
    """Wait for longer than any deadline here."""
    await asyncio.sleep(5)
    raise AssertionError("the deadline did not end it")


async def test_what_takes_too_long_raises_a_timeout() -> None:
    """The message names the limit and the request; the error keeps no context."""
    with pytest.raises(RequestTimeoutError) as caught:
        await Deadlines().within(0.01, forever(), phase="total", request=REQUEST)
    assert str(caught.value) == "GET /v1/customers/1: not done, waiting and repeating included, within 0.01 s"
    assert (caught.value.phase, caught.value.seconds) == ("total", 0.01)
    assert caught.value.__context__ is None
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_the_queue_has_words_of_its_own() -> None:
    """A timeout in the queue for a slot says so."""
    with pytest.raises(RequestTimeoutError, match=r"no place among the requests under way within 0\.01 s"):
        await Deadlines().within(0.01, forever(), phase="queue", request=REQUEST)


async def test_no_limit_is_none() -> None:
    """A deadline of None never ends and arms no timer."""

    async def soon() -> str:
        await asyncio.sleep(0)
        return "done"

    assert await Deadlines().within(None, soon(), phase="total", request=REQUEST) == "done"


async def test_the_shortest_ends_first_whatever_the_order() -> None:
    """The one timer is armed again for a nearer deadline, and after each that expired."""
    deadlines = Deadlines()
    ended: list[float] = []

    async def wait(seconds: float) -> None:
        with pytest.raises(RequestTimeoutError):
            await deadlines.within(seconds, forever(), phase="total", request=REQUEST)
        ended.append(seconds)

    await asyncio.gather(*(wait(seconds) for seconds in (0.06, 0.02, 0.04, 0.02)))
    assert ended == [0.02, 0.02, 0.04, 0.06]


async def silence(deadline: Deadline) -> bool:
    """Wait until the task is cancelled, and return whether that was for silence alone."""
    try:
        await forever()
    except asyncio.CancelledError:
        return deadline.stop_listening()
    return False


async def test_silence_ends_what_a_block_does_and_not_the_block() -> None:
    """Every sign of life restarts the limit; after the silence the block continues within the rest of its time."""
    deadlines, begun = Deadlines(), asyncio.get_running_loop().time()
    task = asyncio.current_task()
    assert task is not None
    with deadlines.limit(1.0) as limit:
        limit.listen(0.3)
        for _ in range(4):
            await asyncio.sleep(0.1)
            limit.listen(0.3)
        assert await silence(limit)
        assert asyncio.get_running_loop().time() - begun >= 0.6
        assert task.cancelling() == 0
        await forever()
    assert task.cancelling() == 0
    assert asyncio.get_running_loop().time() - begun >= 1.0


async def test_silence_may_end_several_things_in_turn() -> None:
    """Each attempt starts its own limit on silence; without a limit on the block it is the only one."""
    with Deadlines().limit(None) as limit:
        for _ in range(3):
            limit.listen(0.01)
            assert await silence(limit)


async def test_silence_is_not_limited_after_the_answer() -> None:
    """What the block does after the answer is not cut short."""
    with Deadlines().limit(60.0) as limit:
        limit.listen(0.01)
        assert not limit.stop_listening()
        assert limit.silent_at == math.inf
        await asyncio.sleep(0.03)


async def test_the_end_of_all_goes_before_silence() -> None:
    """The block does not go on, although silence came first."""
    deadlines, went_on = Deadlines(), None
    with deadlines.limit(None) as limit:
        limit.listen(0.01)
        try:
            await forever()
        except asyncio.CancelledError:
            deadlines.end_all()
            went_on = limit.stop_listening()
            raise
    assert went_on is False


async def test_time_that_is_up_goes_before_silence() -> None:
    """If both expire in the same moment, the block has no time left to continue."""
    ended_by_silence = None
    with Deadlines().limit(0.01) as limit:
        limit.listen(0.001)
        time.sleep(0.02)  # noqa: ASYNC251 - so that both moments have passed when the loop looks
        ended_by_silence = await silence(limit)
        raise asyncio.CancelledError
    assert ended_by_silence is False


def test_time_that_is_up_to_the_moment_goes_before_silence() -> None:
    """On a clock that stands exactly at both moments."""

    async def work() -> bool | None:
        ended_by_silence = None
        with Deadlines().limit(2.0) as limit:
            limit.listen(2.0)
            ended_by_silence = await silence(limit)
            raise asyncio.CancelledError
        return ended_by_silence

    assert virtually(work()) is False


async def test_the_cancellation_of_others_goes_before_silence() -> None:
    """In either order."""
    deadlines, running = Deadlines(), list[Deadline]()

    async def work() -> None:
        with deadlines.limit(60.0) as limit:
            running.append(limit)
            if await silence(limit):
                return
            raise asyncio.CancelledError

    for silenced_first in (True, False):
        task = asyncio.create_task(work())
        await asyncio.sleep(0)
        if silenced_first:
            running[-1].run_out(silenced=True)
        task.cancel()
        if not silenced_first:
            running[-1].run_out(silenced=True)
        with pytest.raises(asyncio.CancelledError):
            await task
        assert task.cancelled()


async def test_the_timer_is_armed_for_silence_too() -> None:
    """It is armed for whichever expires first, and after a silence for the rest of the time."""
    deadlines = Deadlines()
    with deadlines.limit(60.0) as limit:
        limit.listen(30.0)
        assert deadlines.armed_for == limit.silent_at
        limit.listen(0.01)
        assert deadlines.armed_for == limit.silent_at
        with deadlines.limit(None) as other:
            other.listen(90.0)
            assert deadlines.armed_for == limit.silent_at
            assert await silence(limit)
            assert deadlines.armed_for == limit.at
            limit.at += 60.0
            deadlines._go_off()
            assert deadlines.armed_for == other.silent_at
    deadlines.close()


async def test_the_cancellation_of_others_passes_through() -> None:
    """Also if the deadline expires in the same moment."""
    deadlines = Deadlines()
    begun = asyncio.Event()

    async def work() -> None:
        with deadlines.limit(None) as deadline:
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


async def test_the_cancellation_of_others_passes_through_though_time_is_up_before_it_is_seen() -> None:
    """Both arrive while the task sleeps."""
    deadlines, running = Deadlines(), list[Deadline]()

    async def work() -> None:
        with deadlines.limit(None) as deadline:
            running.append(deadline)
            await forever()

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    running[0].run_out()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert task.cancelled()


async def test_an_error_that_the_end_of_time_led_to_passes_through() -> None:
    """It says more than the timeout would."""
    with pytest.raises(ValueError, match="while cleaning up"):  # noqa: SIM117 - the inner block is what is tested
        with Deadlines().limit(0.01):
            try:
                await forever()
            finally:
                raise ValueError("while cleaning up")


async def test_the_inner_of_two_leaves_the_outer_alone() -> None:
    """If both expire at once, the outer one is raised."""
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
    """A block that was left is not cancelled later."""
    deadlines = Deadlines()

    async def fail() -> None:
        raise ValueError("as it was")

    with pytest.raises(ValueError, match="as it was"):
        await deadlines.within(0.01, fail(), phase="total", request=REQUEST)
    await asyncio.sleep(0.03)


async def test_closing_leaves_no_timer_behind() -> None:
    """Unless a block is still running, whose limit stands."""
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


async def test_when_the_last_deadline_has_run_out_nothing_more_happens() -> None:
    """The loop reports no error and keeps no timer."""
    deadlines, reported = Deadlines(), list[object]()
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))
    for _ in range(2):
        with pytest.raises(RequestTimeoutError):
            await deadlines.within(0.01, forever(), phase="total", request=REQUEST)
        await asyncio.sleep(0)
    assert reported == []
    assert deadlines._timer is None


async def test_who_takes_their_time_to_leave_is_cancelled_once() -> None:
    """The cleanup that closes a connection must not be cancelled too."""
    deadlines, left = Deadlines(), list[str]()
    with deadlines.limit(0.01):
        try:
            await forever()
        finally:
            await asyncio.sleep(0.02)
            left.append("in order")
    assert left == ["in order"]


async def test_a_timer_that_fires_for_an_ended_block_leaves_the_others() -> None:
    """The block ended before its deadline, or the deadline was moved."""
    deadlines = Deadlines()
    with deadlines.limit(60.0) as patient, deadlines.limit(0.01) as quick:
        quick.at += 60.0
        await asyncio.sleep(0.03)
        assert patient.at < quick.at
        assert deadlines.armed_for == patient.at


async def test_one_timer_is_armed_for_the_nearest() -> None:
    """Later deadlines leave it unchanged."""
    deadlines, loop = Deadlines(), asyncio.get_running_loop()

    def timer() -> asyncio.TimerHandle:
        assert deadlines._timer is not None
        return deadlines._timer

    with deadlines.limit(60.0) as late:
        first = timer()
        # The timers of uvloop are of whole milliseconds.
        assert first.when() == pytest.approx(late.at, abs=0.001)
        assert deadlines.armed_for == late.at
        with deadlines.limit(90.0):
            assert timer() is first
        with deadlines.limit(30.0) as soon:
            assert first.cancelled()
            assert timer().when() == pytest.approx(soon.at, abs=0.001)
            assert deadlines.armed_for == soon.at
            assert loop.time() < soon.at <= loop.time() + 30.0
    second = timer()
    deadlines.close()
    assert second.cancelled()
    assert (deadlines._timer, deadlines.armed_for) == (None, math.inf)
    deadlines.close()


async def test_no_limit_arms_nothing() -> None:
    """Without a limit there is nothing to wait for."""
    deadlines = Deadlines()
    with deadlines.limit(None) as limit:
        assert (limit.at, deadlines._timer) == (math.inf, None)


@pytest.mark.parametrize("moment", ["at", "silent_at"])
async def test_a_deadline_that_has_come_to_the_moment_has_run_out(moment: str) -> None:
    """The loop's clock may lag a moment behind the timer."""
    deadlines = Deadlines()
    now = asyncio.get_running_loop().time() + 60.0
    went_on: list[float] = []
    for later in (0.0, 1.0):
        deadlines.armed_for = now
        with deadlines.limit(None) as deadline:
            setattr(deadline, moment, now + later)
            deadlines._go_off()
            await asyncio.sleep(0)
            went_on.append(later)
    deadlines.close()
    assert went_on == [1.0]


def test_a_timeout_names_its_phase() -> None:
    """A timeout in the queue for a slot says so; each names the request."""
    queue, total = ran_out(0.5, "queue", REQUEST), ran_out(2.0, "total", REQUEST)
    assert [str(queue), str(total)] == [
        "GET /v1/customers/1: no place among the requests under way within 0.5 s",
        "GET /v1/customers/1: not done, waiting and repeating included, within 2.0 s",
    ]
    assert [(each.phase, each.seconds, each.method, each.path) for each in (queue, total)] == [
        ("queue", 0.5, "GET", "/v1/customers/1"),
        ("total", 2.0, "GET", "/v1/customers/1"),
    ]


async def test_the_time_of_a_suspended_block_stands_still() -> None:
    """What was left of it runs from the moment at which it is resumed, and the timer is armed for it."""
    deadlines, loop = Deadlines(), asyncio.get_running_loop()
    with deadlines.limit(60.0) as limit:
        before = limit.at
        limit.suspend()
        assert limit.at == math.inf
        deadlines.close()
        deadlines.armed_for = math.inf
        limit.resume()
        assert before <= limit.at <= loop.time() + 60.0
        assert deadlines.armed_for == limit.at
        with deadlines.limit(30.0) as nearer:
            limit.suspend()
            limit.resume()
            assert deadlines.armed_for == nearer.at < limit.at
    deadlines.end_all()
    deadlines.close()


async def test_the_end_of_all_is_waited_for_but_not_the_own_block() -> None:
    """A client that is closed in the middle of a call of its own would otherwise wait for itself."""
    deadlines = Deadlines()
    ended: list[str] = []

    async def work() -> None:
        with deadlines.limit(60.0):
            try:
                await asyncio.sleep(60)
            finally:
                await asyncio.sleep(0)
                ended.append("work")

    working = asyncio.create_task(work())
    await asyncio.sleep(0)
    deadlines.end_all()
    await asyncio.wait_for(deadlines.all_ended(), 5)
    assert ended == ["work"]
    await working
    with deadlines.limit(None):
        await deadlines.all_ended()
        ended.append("alone")
    assert ended == ["work", "alone"]
