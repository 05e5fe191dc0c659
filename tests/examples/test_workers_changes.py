"""The example of changes on taskiq, with two real workers of which one is killed in the middle of its work."""

import asyncio
import signal
import sys
from collections import Counter
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from examples.workers.changes import ChangesJob
from examples.workers.fleet import Fleet
from kajabi_async import Kajabi
from kajabi_async.access import AccessGate, RedisCache
from kajabi_async.changes import Change
from kajabi_async.testing import FakeKajabi

FEED, CURSOR, LEASE = (f"{{changes}}:{name}" for name in ("feed", "cursor", "lease"))
CONTACTS = 300


def add_contacts(fake: FakeKajabi) -> set[str]:
    now = datetime.now(UTC).isoformat()
    ids = [str(3_000_000_000 + number) for number in range(CONTACTS)]
    for each in ids:
        fake.add({"type": "contacts", "id": each, "attributes": {"created_at": now, "updated_at": now}})
    return {f"contacts:{each}:contact_added" for each in ids}


@pytest.mark.thorough
async def test_a_killed_worker_loses_no_change_and_the_gate_forgets_whose_access_ended(
    redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other worker takes over when the lease ends; only the change in hand is handled twice."""
    async with (
        FakeKajabi(customers=30) as fake,
        ChangesJob.connect(redis_url) as redis,
        RedisCache(redis_url) as cache,
        Kajabi(client_id=fake.client_id, client_secret=fake.client_secret, base_url=fake.base_url) as api,
    ):
        for name, value in {
            "REDIS_URL": redis_url,
            "KAJABI_BASE_URL": fake.base_url,
            "KAJABI_CLIENT_ID": fake.client_id,
            "KAJABI_CLIENT_SECRET": fake.client_secret,
            "CHANGES_LEASE_SECONDS": "4",
        }.items():
            monkeypatch.setenv(name, value)
        monkeypatch.delitem(sys.modules, "examples.workers.changes_worker", raising=False)
        module: Any = import_module("examples.workers.changes_worker")
        await module.broker.startup()
        async with Fleet("changes", log=tmp_path / "log") as fleet:
            running = {await fleet.start() for _ in range(2)}

            async def until(done: Any) -> None:
                """Run the task as the scheduler does, if more often, until *done*."""
                async with asyncio.timeout(60):
                    while not await done():
                        await module.handle_changes.kiq()
                        for _ in range(10):
                            await asyncio.sleep(0.02)
                            if await done():
                                return

            await until(lambda: redis.exists(CURSOR))
            expected = add_contacts(fake)
            purchase = await api.purchases.list(active=True).first()
            assert purchase is not None
            customer = purchase.customer.id
            assert customer is not None
            assert await requests_of_a_check(api, cache, customer) > 0
            assert await requests_of_a_check(api, cache, customer) == 0
            await api.purchases.deactivate(purchase.id)

            async def has_handled_some() -> bool:
                return bool(await redis.llen(FEED) > CONTACTS / 4)

            await until(has_handled_some)
            first = (await redis.lindex(FEED, -1)).split()[1]
            assert first in running
            await fleet._end(first, signal.SIGKILL)

            async def has_handled_all() -> bool:
                keys = {line.split()[0] for line in await redis.lrange(FEED, 0, -1)}
                return expected <= keys and any(":access_ended:" in key for key in keys)

            await until(has_handled_all)
            feed = [line.split() for line in await redis.lrange(FEED, 0, -1)]
        await module.broker.shutdown()
        assert {worker for _, worker in feed} == running
        counted = Counter(key for key, _ in feed)
        assert [key for key, count in counted.items() if count > 2] == []
        assert sum(count > 1 for count in counted.values()) <= 1
        assert await requests_of_a_check(api, cache, customer) > 0


async def requests_of_a_check(api: Kajabi, cache: RedisCache, customer_id: str) -> int:
    """Return the number of requests that a gate of another process sends for a check: 0 from the shared cache."""
    # Of this client alone: the workers ask the fake for changes meanwhile.
    before = api.stats.attempts
    await AccessGate(api, cache=cache).check(customer_id=customer_id)
    return api.stats.attempts - before


async def test_only_the_holder_of_the_lease_polls_and_moves_the_cursor(redis_url: str) -> None:
    """A run that finds it taken does nothing; one that has lost it stops, and leaves the cursor as it is."""
    async with (
        FakeKajabi(customers=10) as fake,
        ChangesJob.connect(redis_url) as redis,
        Kajabi(client_id=fake.client_id, client_secret=fake.client_secret, base_url=fake.base_url) as api,
    ):
        handled: list[str] = []

        async def handle(change: Change) -> None:
            handled.append(change.key)
            if len(handled) == 3:
                await redis.set("{lost}:lease", "another's")

        job = ChangesJob(api, redis, handle, name="lost")
        await redis.set("{lost}:lease", "another's")
        assert await job.run() == 0
        assert fake.counts.total() == 0
        await redis.delete("{lost}:lease")
        assert await job.run() == 0
        assert await redis.get("{lost}:lease") is None
        add_contacts(fake)
        assert await job.run() == 2
        assert await redis.get("{lost}:lease") == "another's"
        await redis.delete("{lost}:lease")
        assert await job.run() == CONTACTS - 2
        assert Counter(handled).most_common(1)[0] == (handled[2], 2)
