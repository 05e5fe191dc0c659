"""Lookups against a fake in a process of its own, and how much memory they took.

``python -m tests.fetching.growth 100000`` prints the growth in bytes of this process after the first 5,000. It is run
by `test_memory` with fewer, and without coverage measurement, which would take most of the time.
"""

import asyncio
import json
import sys

import psutil

from kajabi_async import Kajabi

SETTLED = 5_000


async def growth(lookups: int) -> int:
    """Look all of them up, and return the growth of resident memory in bytes."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "kajabi_async.testing", "--port", "0", "--customers", str(lookups)),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    settings = json.loads(await process.stdout.readline())
    try:
        async with Kajabi(**settings) as api:
            return await _growth_of(api, lookups)
    finally:
        process.terminate()
        await process.communicate()


async def _growth_of(api: Kajabi, lookups: int) -> int:
    memory = psutil.Process().memory_info
    settled = found = 0
    async for lookup in api.customers.get_many(range(1, lookups + 1)):
        found += lookup.found
        if found == SETTLED:
            settled = memory().rss
    assert found == lookups
    return memory().rss - settled


if __name__ == "__main__":
    print(asyncio.run(growth(int(sys.argv[1]))))  # noqa: T201 - its one result
