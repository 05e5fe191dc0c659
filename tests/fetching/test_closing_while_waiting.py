"""The end of a client while work of its own waits for a pause to be over, which may have an hour to go."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from kajabi_async import ClientClosedError, Kajabi
from kajabi_async.export import export
from kajabi_async.testing import FakeKajabi

HOUR = {"retry-after": "3600"}


@pytest.fixture
async def fake() -> AsyncGenerator[FakeKajabi]:
    async with FakeKajabi(customers=300) as started:
        yield started


async def _look_up(api: Kajabi, _: Path) -> None:
    async for _lookup in api.customers.get_many(range(1, 301)):
        pass


async def _scan(api: Kajabi, _: Path) -> None:
    await api.customers.get_many(range(1, 301), strategy="scan").report()


async def _prefetch(api: Kajabi, _: Path) -> None:
    await api.prefetch([each async for each in api.customers.list()], "contact")


async def _export(api: Kajabi, folder: Path) -> None:
    await export(api.customers.list(), folder / "customers.jsonl")


@pytest.mark.parametrize(
    ("operation", "work"),
    [
        pytest.param("customers.get", _look_up, id="lookups"),
        pytest.param("customers.list", _scan, id="a scan"),
        pytest.param("contacts.get", _prefetch, id="prefetch"),
        pytest.param("customers.list", _export, id="an export"),
    ],
)
async def test_closing_ends_what_waits_for_a_pause(
    fake: FakeKajabi, operation: str, work: Callable[[Kajabi, Path], Awaitable[Any]], tmp_path: Path
) -> None:
    """At once, with ClientClosedError, and nothing is left or sent."""
    fake.fail(operation, status=429, headers=HOUR)
    before = asyncio.all_tasks()
    api = Kajabi(client_id=fake.client_id, client_secret=fake.client_secret, base_url=fake.base_url)
    async with asyncio.timeout(20):
        working = asyncio.ensure_future(work(api, tmp_path))
        while not any(request.operation == operation for request in fake.requests):
            await asyncio.sleep(0.01)
        await _all_that_was_sent_has_arrived(fake)
        await api.aclose()
        with pytest.raises(ClientClosedError):
            await working
    sent = len(fake.requests)
    await asyncio.sleep(0.05)
    assert len(fake.requests) == sent
    assert asyncio.all_tasks() - before == set()


async def _all_that_was_sent_has_arrived(fake: FakeKajabi) -> None:
    """Wait until no more requests arrive: how long that takes depends on the event loop and on the machine."""
    before = -1
    while before != len(fake.requests):
        before = len(fake.requests)
        await asyncio.sleep(0.2)


async def test_outcomes_that_have_arrived_can_be_read_after_the_client_is_closed(fake: FakeKajabi) -> None:
    """Nothing waits any more, so that nothing is ended."""
    async with Kajabi(client_id=fake.client_id, client_secret=fake.client_secret, base_url=fake.base_url) as api:
        arriving = aiter(api.customers.get_many(["1", "2", "3"]))
        found = {(await anext(arriving)).id}
        while len(fake.requests) < 3:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)
    found |= {lookup.id async for lookup in arriving if lookup.found}
    assert found == {"1", "2", "3"}
