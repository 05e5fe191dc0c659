"""One piece of work for each key, however many callers wait for it."""

import asyncio
import gc
import threading
from typing import Any

import pytest

from kajabi_async import ClientClosedError, NotFoundError, WrongLoopError
from kajabi_async.concurrency import SingleFlight

pytestmark = pytest.mark.timeout(10)
"""A call that nothing ends fails soon."""


class Work:
    """Work that ends when the test sets its outcome; it counts its starts and cancellations."""

    def __init__(self, *, lingers: bool = False) -> None:
        self.started = self.cancelled = 0
        self.let_go = asyncio.Event()
        """If it *lingers*, a cancellation takes effect only when this is set."""
        if not lingers:
            self.let_go.set()
        self.outcome: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def __call__(self) -> str:
        self.started += 1
        try:
            return await asyncio.shield(self.outcome)
        except asyncio.CancelledError:
            self.cancelled += 1
            await self.let_go.wait()
            raise


async def waiting(*tasks: "asyncio.Task[Any]") -> None:
    """Let the tasks run until they wait."""
    for _ in range(3):
        await asyncio.sleep(0)
    assert not any(task.done() for task in tasks)


async def settled(*tasks: "asyncio.Task[Any]") -> list[Any]:
    """Return the results of the tasks after a few iterations of the loop."""
    for _ in range(20):
        await asyncio.sleep(0)
    assert all(task.done() for task in tasks)
    return await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture(params=[True, False], ids=["abandoning", "seeing it through"])
def flight(request: pytest.FixtureRequest) -> SingleFlight[str, str]:
    return SingleFlight(abandon=request.param)


async def test_calls_for_one_key_share_the_work(flight: SingleFlight[str, str]) -> None:
    """Another key has its own work, and after the end the next call starts new work."""
    work, other = Work(), Work()
    calls = [asyncio.create_task(flight.run("a", work)) for _ in range(3)]
    elsewhere = asyncio.create_task(flight.run("b", other))
    await waiting(*calls, elsewhere)
    assert (work.started, other.started) == (1, 1)
    work.outcome.set_result("done")
    other.outcome.set_result("too")
    assert await settled(*calls, elsewhere) == ["done"] * 3 + ["too"]
    assert await settled(asyncio.create_task(flight.run("a", work))) == ["done"]
    assert work.started == 2


async def test_each_caller_gets_an_error_of_its_own(flight: SingleFlight[str, str]) -> None:
    """A traceback grows with every raise of the same error; foreign errors cannot be copied safely."""
    work = Work()
    calls = [asyncio.create_task(flight.run("a", work)) for _ in range(3)]
    await waiting(*calls)
    work.outcome.set_exception(NotFoundError(status=404, method="GET", path="/v1/customers/1"))
    errors = await settled(*calls)
    assert [type(error) for error in errors] == [NotFoundError] * 3
    assert len({id(error) for error in errors}) == 3
    assert {str(error) for error in errors} == {str(errors[0])}
    broken = Work()
    error = ZeroDivisionError("x")
    broken.outcome.set_exception(error)
    (raised,) = await settled(asyncio.create_task(flight.run("a", broken)))
    assert raised is error


async def test_an_error_without_a_waiter_is_not_reported(caplog: pytest.LogCaptureFixture) -> None:
    """The work was started ahead of need; the next caller starts it again."""
    # What other tests left is reported now.
    gc.collect()
    caplog.clear()
    flight: SingleFlight[str, str] = SingleFlight(abandon=False)
    work = Work()
    task = flight.begin("a", work).task
    work.outcome.set_exception(ZeroDivisionError())
    await asyncio.wait([task])
    await asyncio.sleep(0)
    del task, work
    gc.collect()
    await asyncio.sleep(0)
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []


async def test_work_that_is_started_ahead_is_joined(flight: SingleFlight[str, str]) -> None:
    """It is started once, by the first caller."""
    work = Work()
    first = flight.begin("a", work)
    assert flight.begin("a", work) is first
    assert first.task.get_name() == "kajabi_async shared request"
    call = asyncio.create_task(flight.run("a", work))
    await waiting(call)
    work.outcome.set_result("done")
    assert await settled(call) == ["done"]
    assert work.started == 1


async def test_a_caller_that_leaves_disturbs_no_other(flight: SingleFlight[str, str]) -> None:
    """The work continues for the remaining callers."""
    work = Work()
    leaving, staying = (asyncio.create_task(flight.run("a", work)) for _ in range(2))
    await waiting(leaving, staying)
    leaving.cancel()
    await asyncio.wait([leaving])
    await waiting(staying)
    work.outcome.set_result("done")
    assert await settled(staying) == ["done"]
    assert (leaving.cancelled(), work.cancelled) == (True, 0)


async def test_abandoned_work_is_cancelled_if_requested() -> None:
    """The next caller does not join work that is being cancelled, even if that takes time."""
    flight: SingleFlight[str, str] = SingleFlight(abandon=True)
    work, again = Work(lingers=True), Work()
    call = asyncio.create_task(flight.run("a", work))
    await waiting(call)
    call.cancel()
    await settled(call)
    later = asyncio.create_task(flight.run("a", again))
    await waiting(later)
    assert (work.cancelled, again.started) == (1, 1)
    # Its end does not affect the new work.
    work.let_go.set()
    await waiting(later)
    third = asyncio.create_task(flight.run("a", again))
    await waiting(later, third)
    again.outcome.set_result("done")
    assert await settled(later, third) == ["done", "done"]
    assert again.started == 1


async def test_abandoned_work_is_completed_if_requested() -> None:
    """The next caller gets its result."""
    flight: SingleFlight[str, str] = SingleFlight(abandon=False)
    work = Work()
    call = asyncio.create_task(flight.run("a", work))
    await waiting(call)
    call.cancel()
    await settled(call)
    later = asyncio.create_task(flight.run("a", work))
    await waiting(later)
    assert (work.started, work.cancelled) == (1, 0)
    work.outcome.set_result("done")
    assert await settled(later) == ["done"]


async def test_closing_cancels_the_work_and_notifies_the_waiters(flight: SingleFlight[str, str]) -> None:
    """When it returns the work has ended; later calls are rejected, and start nothing."""
    work, other = Work(), Work()
    calls = [asyncio.create_task(flight.run(key, each)) for key, each in (("a", work), ("a", work), ("b", other))]
    await waiting(*calls)
    await flight.aclose()
    assert (work.cancelled, other.cancelled) == (1, 1)
    errors = await settled(*calls)
    assert [type(error) for error in errors] == [ClientClosedError] * 3
    assert str(errors[0]) == "the client was closed while the request was under way"
    (rejected,) = await settled(asyncio.create_task(flight.run("a", work)))
    assert (type(rejected), str(rejected)) == (ClientClosedError, "the client is closed")
    with pytest.raises(ClientClosedError, match=r"^the client is closed$"):
        flight.begin("c", work)
    assert work.started == 1
    await flight.aclose()


def test_a_caller_from_another_loop_gets_an_error_and_does_not_hang() -> None:
    """The loop of the work would never wake it."""
    flights: SingleFlight[str, int] = SingleFlight(abandon=True)
    started, released = threading.Event(), threading.Event()

    async def work() -> int:
        started.set()
        while not released.is_set():
            await asyncio.sleep(0.01)
        return 7

    answers: list[int] = []
    thread = threading.Thread(target=lambda: answers.append(asyncio.run(flights.run("key", work))))
    thread.start()
    started.wait(10)

    async def join() -> None:
        await asyncio.wait_for(flights.run("key", work), 5)

    with pytest.raises(WrongLoopError, match="another event loop"):
        asyncio.run(join())
    released.set()
    thread.join(10)
    assert answers == [7]


def test_work_of_a_closed_loop_is_started_again() -> None:
    """Its task can never finish."""
    flights: SingleFlight[str, int] = SingleFlight(abandon=False)

    async def never() -> int:
        await asyncio.sleep(3600)
        return 0

    async def seven() -> int:
        return 7

    loop = asyncio.new_event_loop()
    loop.run_until_complete(_start(flights, never))
    flight = flights._flights["key"]
    loop.close()
    assert asyncio.run(flights.run("key", seven)) == 7
    assert "key" not in flights._flights
    # Otherwise Python logs that a pending task was destroyed.
    flight.task._log_destroy_pending = False  # type: ignore[attr-defined]


async def _start(flights: SingleFlight[str, int], work: object) -> None:
    flights.begin("key", work)  # type: ignore[arg-type]
    await asyncio.sleep(0)
