"""Cancellations at random points leave nothing behind."""

import asyncio
import gc
import random

import psutil

from kajabi_async import Kajabi
from kajabi_async.testing import FakeKajabi
from tests.soak.figures import Figure

CONCURRENCY = 50


async def cancellations(number: int, *, seed: int = 5) -> Figure:
    """Cancel *number* calls at random points, then use the whole pool at once."""
    chance = random.Random(seed)
    before_tasks = asyncio.all_tasks()
    before_sockets = _sockets()
    async with (
        FakeKajabi() as fake,
        Kajabi(
            client_id=fake.client_id,
            client_secret=fake.client_secret,
            base_url=fake.base_url,
            concurrency=CONCURRENCY,
        ) as api,
    ):
        cancelled = 0
        while cancelled < number:
            calls = [asyncio.create_task(_call(api, chance)) for _ in range(100)]
            for _ in range(chance.randrange(40)):
                await asyncio.sleep(0)
            if not chance.randrange(20):
                fake.expire_tokens()
            cancelled += sum(call.cancel() for call in calls)
            await asyncio.wait(calls)
        answers = await asyncio.gather(*(api.customers.get("1") for _ in range(CONCURRENCY)))
        queued = api.stats.queued
    for _ in range(5):
        await asyncio.sleep(0.01)
    gc.collect()
    tasks = len(asyncio.all_tasks() - before_tasks)
    # Earlier sockets may have closed meanwhile.
    sockets = max(0, _sockets() - before_sockets)
    seen = f"{len(answers)} of {CONCURRENCY} calls succeed, {tasks} tasks, {sockets} sockets, {queued} queued are left"
    holds = (len(answers), tasks, sockets, queued) == (CONCURRENCY, 0, 0, 0)
    return Figure(f"{cancelled:,} cancellations at random points", seen, "all, and none left", holds)


async def _call(api: Kajabi, chance: random.Random) -> None:
    kind = chance.randrange(4)
    if kind == 0:
        await api.customers.get("1", include=["offers"])
    elif kind == 1:
        customer = await api.customers.get("2")
        await customer.contact
    elif kind == 2:
        async for _ in api.customers.get_many(range(1, 30), concurrency=5):
            pass
    else:
        async for _ in api.customers.list(page_size=5, prefetch=2):
            pass


def _sockets() -> int:
    return len(psutil.Process().net_connections(kind="tcp"))
