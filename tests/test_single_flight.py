"""One piece of work for each key: coalesced in one event loop, refused in another."""

import asyncio
import threading

import pytest

from kajabi_async.errors import WrongLoopError
from kajabi_async.single_flight import SingleFlight


def test_who_joins_from_another_loop_is_told_and_does_not_hang() -> None:
    """The loop in which the work goes on would never wake them."""
    flights: SingleFlight[str, int] = SingleFlight(abandon=True)
    begun, told = threading.Event(), threading.Event()

    async def work() -> int:
        begun.set()
        while not told.is_set():
            await asyncio.sleep(0.01)
        return 7

    answers: list[int] = []
    thread = threading.Thread(target=lambda: answers.append(asyncio.run(flights.run("key", work))))
    thread.start()
    begun.wait(10)

    async def join() -> None:
        await asyncio.wait_for(flights.run("key", work), 5)

    with pytest.raises(WrongLoopError, match="another event loop"):
        asyncio.run(join())
    told.set()
    thread.join(10)
    assert answers == [7]


def test_work_of_a_loop_that_has_ended_is_begun_again() -> None:
    """Nothing is under way there any more."""
    flights: SingleFlight[str, int] = SingleFlight(abandon=False)

    async def never() -> int:
        await asyncio.sleep(3600)
        return 0

    async def seven() -> int:
        return 7

    loop = asyncio.new_event_loop()
    loop.run_until_complete(_begun(flights, never))
    flight = flights._flights["key"]
    loop.close()
    assert asyncio.run(flights.run("key", seven)) == 7
    assert "key" not in flights._flights
    # Or Python would complain of a task that was pending when it was destroyed.
    flight.task._log_destroy_pending = False  # type: ignore[attr-defined]


async def _begun(flights: SingleFlight[str, int], work: object) -> None:
    flights.begin("key", work)  # type: ignore[arg-type]
    await asyncio.sleep(0)
