"""Clients closed at random moments send and leave nothing afterwards."""

import asyncio
import gc
import random
import warnings

import psutil

from kajabi_async import ClientClosedError, Kajabi
from kajabi_async.testing import FakeKajabi
from tests.soak.figures import Figure

_CALLS = 6
_STEPS = 60


async def closings(number: int, *, seed: int = 7) -> Figure:
    """Close *number* clients at a random step of their calls: with one call, several, or one that is cancelled."""
    chance = random.Random(seed)
    tasks, sockets = asyncio.all_tasks(), _sockets()
    late = wrong = 0
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        async with FakeKajabi(customers=30) as fake:
            for _ in range(number):
                sent, other = await _closed_at_random(fake, chance)
                late, wrong = late + sent, wrong + other
        for _ in range(5):
            await asyncio.sleep(0.01)
        gc.collect()
    left = len(asyncio.all_tasks() - tasks), max(0, _sockets() - sockets), len(warned)
    seen = (
        f"{late} requests after it returned, {wrong} calls ended otherwise, {left[0]} tasks, {left[1]} sockets and "
        f"{left[2]} warnings are left"
    )
    return Figure(f"{number:,} closings at random moments", seen, "none", (late, wrong, *left) == (0, 0, 0, 0, 0))


async def _closed_at_random(fake: FakeKajabi, chance: random.Random) -> tuple[int, int]:
    """Return the number of requests after closing returned, and of calls that ended any other way."""
    api = Kajabi(
        client_id=fake.client_id,
        client_secret=fake.client_secret,
        base_url=fake.base_url,
        concurrency=chance.choice([1, 2, 50]),
        rate_limit=chance.choice([None, None, 200.0]),
    )
    if not chance.randrange(10):
        fake.expire_tokens()
    calls = [asyncio.create_task(_call(api, chance)) for _ in range(_CALLS)]
    for _ in range(chance.randrange(_STEPS)):
        await asyncio.sleep(0)
    await _close(api, chance)
    # Requests sent before may still be in transit, because the fake runs in the same event loop.
    for _ in range(3):
        await asyncio.sleep(0)
    before = len(fake.requests)
    ended = await asyncio.gather(*calls, return_exceptions=True)
    for _ in range(3):
        await asyncio.sleep(0)
    wrong = sum(each is not None and not isinstance(each, ClientClosedError) for each in ended)
    return len(fake.requests) - before, wrong


async def _close(api: Kajabi, chance: random.Random) -> None:
    way = chance.randrange(4)
    if way == 0:
        await asyncio.gather(*(api.aclose() for _ in range(3)))
    elif way == 1:
        closing = asyncio.create_task(api.aclose())
        for _ in range(1 + chance.randrange(5)):
            await asyncio.sleep(0)
        closing.cancel()
        await asyncio.wait([closing])
    await api.aclose()


async def _call(api: Kajabi, chance: random.Random) -> None:
    kind = chance.randrange(6)
    if kind == 0:
        await api.customers.get("1", include=["offers"])
    elif kind == 1:
        customer = await api.customers.get("2")
        await customer.contact
    elif kind == 2:
        async for _ in api.customers.get_many(range(1, 30), concurrency=5):
            pass
    elif kind == 3:
        async for _ in api.customers.list(page_size=5, prefetch=2):
            pass
    elif kind == 4:
        await api.contact_notes.create(contact_id="2150000001", body="x")
    else:
        await api.prefetch([await api.customers.get("3"), await api.customers.get("4")], "contact", "offers")


def _sockets() -> int:
    return len(psutil.Process().net_connections(kind="tcp"))
