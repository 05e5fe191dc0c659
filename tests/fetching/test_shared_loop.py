"""A run shares the event loop: few lookups start in one of its iterations."""

import asyncio
from collections.abc import Iterator

import pytest

from kajabi_async.decoding.answers import read_resource
from kajabi_async.exchange import Answer
from kajabi_async.fetching.lookups import Lookups
from kajabi_async.models import Customer
from kajabi_async.models.origin import Scope

MOST_STARTED, BESIDE_CALLS = 64, 4


def customer(resource_id: str) -> Customer:
    body = f'{{"data": {{"type": "customers", "id": "{resource_id}"}}}}'.encode()
    return read_resource(body, cls=Customer, scope=Scope(), context="")


class _Iterations:
    """Counts the lookups that start in each iteration of the event loop."""

    def __init__(self) -> None:
        self.started = [0]

    def note(self) -> None:
        if not self.started[-1]:
            asyncio.get_running_loop().call_soon(self.started.append, 0)
        self.started[-1] += 1


@pytest.mark.parametrize(("has_calls", "most"), [(False, MOST_STARTED), (True, BESIDE_CALLS)])
async def test_few_lookups_start_in_one_iteration_of_the_event_loop(has_calls: bool, most: int) -> None:
    """Whatever the concurrency, also if many answers arrive in the same iteration; fewer while calls go on."""
    iterations = _Iterations()

    async def look_up(resource_id: str, _: object) -> Customer | Answer:
        iterations.note()
        await asyncio.sleep(0.001)
        return customer(resource_id)

    ids = map(str, range(2_000))
    run: Lookups[Customer] = Lookups(look_up, _unread, ids, concurrency=1_000, has_calls=lambda: has_calls)
    assert (await run.report()).found == 2_000
    assert max(iterations.started) == most


async def test_answers_that_are_there_at_once_do_not_keep_others_from_the_loop() -> None:
    """Another task runs again and again meanwhile."""

    async def look_up(resource_id: str, _: object) -> Customer | Answer:
        return customer(resource_id)

    run: Lookups[Customer] = Lookups(look_up, _unread, map(str, range(4_000)), concurrency=50)
    reporting = asyncio.create_task(run.report())
    turns = 0
    while not reporting.done():
        await asyncio.sleep(0)
        turns += 1
    assert reporting.result().found == 4_000
    assert turns >= 4_000 // MOST_STARTED


async def test_a_run_reaches_its_concurrency_while_lookups_take_time() -> None:
    """All of them are in flight if the loop has nothing else to do."""
    in_flight = most = 0

    async def look_up(resource_id: str, _: object) -> Customer | Answer:
        nonlocal in_flight, most
        in_flight += 1
        most = max(most, in_flight)
        await asyncio.sleep(0.2)
        in_flight -= 1
        return customer(resource_id)

    run: Lookups[Customer] = Lookups(look_up, _unread, map(str, range(500)), concurrency=200)
    assert (await run.report()).found == 500
    assert most == 200


async def test_a_few_ids_take_a_few_tasks() -> None:
    """No task is started for each lookup that the concurrency would allow."""
    most = 0

    async def look_up(resource_id: str, _: object) -> Customer | Answer:
        nonlocal most
        await asyncio.sleep(0.01)
        most = max(most, len([task for task in asyncio.all_tasks() if task.get_name() == "kajabi_async lookup"]))
        return customer(resource_id)

    run: Lookups[Customer] = Lookups(look_up, _unread, iter(["1", "2", "3"]), concurrency=500)
    assert (await run.report()).found == 3
    assert most <= 3 + MOST_STARTED


async def test_a_run_that_is_left_while_lookups_wait_for_the_loop_leaves_no_task() -> None:
    """Those that have not started are ended as well."""

    async def look_up(resource_id: str, _: object) -> Customer | Answer:
        return customer(resource_id)

    def ids() -> Iterator[str]:
        return map(str, range(10_000))

    run: Lookups[Customer] = Lookups(look_up, _unread, ids(), concurrency=100)
    async for _ in run:
        break
    await run.aclose()
    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("kajabi_async")]


def _unread(_: bytes, resource_id: str) -> Customer:
    raise AssertionError(resource_id)
