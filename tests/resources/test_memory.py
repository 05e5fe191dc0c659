"""A hundred thousand lookups against a fake in a process of its own."""

import asyncio
import json
import sys

import psutil
import pytest

from kajabi_async import Kajabi

LOOKUPS = 100_000
SETTLED = 5_000
ALLOWED_BYTES = 20 * 2**20


@pytest.mark.timeout(280)
async def test_memory_does_not_grow_with_the_number_of_lookups() -> None:
    """Resident memory grows by less than 20 MB after the first 5,000 of 100,000."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "kajabi_async.testing", "--port", "0", "--customers", "1000000"),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    settings = json.loads(await process.stdout.readline())
    try:
        async with Kajabi(**settings) as api:
            assert await _growth(api) < ALLOWED_BYTES
    finally:
        process.terminate()
        await process.communicate()


async def _growth(api: Kajabi) -> int:
    memory = psutil.Process().memory_info
    settled = given = 0
    async for lookup in api.customers.get_many(range(1, LOOKUPS + 1)):
        given += 1
        assert lookup.found
        if given == SETTLED:
            settled = memory().rss
    assert given == LOOKUPS
    return memory().rss - settled
