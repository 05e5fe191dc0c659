"""A hundred thousand lookups against a fake in a process of its own, and how much memory they took.

``python -m tests.resources.hundred_thousand`` prints the growth in bytes of this process after the first 5,000. It is
run by `test_memory` without coverage measurement, which would take most of the time.
"""

import asyncio
import json
import sys

import psutil

from kajabi_async import Kajabi

LOOKUPS = 100_000
SETTLED = 5_000


async def growth() -> int:
    """Look all of them up and give the bytes that resident memory grew by."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "kajabi_async.testing", "--port", "0", "--customers", "1000000"),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    settings = json.loads(await process.stdout.readline())
    try:
        async with Kajabi(**settings) as api:
            return await _growth_of(api)
    finally:
        process.terminate()
        await process.communicate()


async def _growth_of(api: Kajabi) -> int:
    memory = psutil.Process().memory_info
    settled = found = 0
    async for lookup in api.customers.get_many(range(1, LOOKUPS + 1)):
        found += lookup.found
        if found == SETTLED:
            settled = memory().rss
    assert found == LOOKUPS
    return memory().rss - settled


if __name__ == "__main__":
    print(asyncio.run(growth()))  # noqa: T201 - its one result
