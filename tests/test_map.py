"""The map in CONTRIBUTING.md leads where the code goes."""

import logging
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from kajabi_async import Kajabi
from tests.trips import FakeInAThread, Trip, follow

CONTRIBUTING = Path(__file__).parents[1] / "CONTRIBUTING.md"
STOP = re.compile(r"^\d+\. `([\w/]+\.py)` `([\w.<>]+)`", re.MULTILINE)
MOST_STOPS = 10


def trip_in(heading: str) -> list[tuple[str, str]]:
    section = CONTRIBUTING.read_text("utf-8").partition(f"### {heading}\n")[2].partition("\n#")[0]
    return STOP.findall(section)


@pytest.fixture(scope="module")
def server() -> Generator[FakeInAThread]:
    with FakeInAThread() as running:
        yield running


@pytest_asyncio.fixture
async def api(server: FakeInAThread, caplog: pytest.LogCaptureFixture) -> AsyncGenerator[Kajabi]:
    # A log that is written is a trip of its own.
    caplog.set_level(logging.WARNING, "kajabi_async")
    fake = server.fake
    async with Kajabi(client_id=fake.client_id, client_secret=fake.client_secret, base_url=fake.base_url) as client:
        # What is read or made once for the whole process is no part of a trip.
        for resource_id in ("1", "2"):
            customer = await client.customers.get(resource_id)
            await customer.contact
        yield client


async def one_found(api: Kajabi) -> None:
    async for lookup in api.customers.get_many(["5"]):
        assert lookup.found


@pytest.mark.parametrize(
    ("heading", "most_files", "most_changes"),
    [
        ('`await api.customers.get("123")`', 17, 24),
        ("`await customer.contact`", 24, 47),
        ("`async for lookup in api.customers.get_many(ids)`", 24, 78),
        ("A token that is refused", 25, 70),
    ],
)
async def test_a_trip_goes_where_the_map_says(
    api: Kajabi, server: FakeInAThread, heading: str, most_files: int, most_changes: int
) -> None:
    """Each stop is called after the one before it, and the whole trip is no longer than it was."""
    stops = trip_in(heading)
    assert 0 < len(stops) <= MOST_STOPS
    trips = [await one_trip(api, server, heading, resource_id) for resource_id in map(str, range(6, 12))]
    assert [trip.first_missing(stops) for trip in trips] == [None] * len(trips)
    # A body that comes later than its head, as it may on a busy machine, takes a few calls more.
    shortest = min(trips, key=lambda trip: trip.changes)
    assert len(shortest.files) <= most_files, shortest.files
    assert shortest.changes <= most_changes


async def one_trip(api: Kajabi, server: FakeInAThread, heading: str, resource_id: str) -> Trip:
    customer = await api.customers.get(resource_id)
    calls: dict[str, Callable[[], Awaitable[Any]]] = {
        '`await api.customers.get("123")`': lambda: api.customers.get(resource_id),
        "`await customer.contact`": lambda: awaited(customer.contact),
        "`async for lookup in api.customers.get_many(ids)`": lambda: one_found(api),
        "A token that is refused": lambda: api.customers.get(resource_id),
    }
    if heading == "A token that is refused":
        server.fake.expire_tokens()
    return await follow(calls[heading])


async def awaited(value: Awaitable[Any]) -> Any:
    return await value


async def test_a_stop_that_is_not_called_is_found(api: Kajabi) -> None:
    """So that a wrong map fails."""
    trip = await follow(lambda: api.customers.get("7"))
    stops = trip_in('`await api.customers.get("123")`')
    assert trip.first_missing([*reversed(stops)]) is not None
    assert trip.first_missing([*stops, ("client.py", "Kajabi.request")]) == ("client.py", "Kajabi.request")
