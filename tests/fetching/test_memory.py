"""Memory grows with concurrency, not with ids."""

import asyncio
import os
import sys

import pytest

ALLOWED_BYTES = 20 * 2**20


@pytest.mark.thorough
@pytest.mark.timeout(280)
async def test_memory_does_not_grow_with_the_number_of_lookups() -> None:
    """Resident memory grows by less than 20 MB after the first 5,000 of 15,000 lookups; `make soak` does a million."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "error", "-m", "tests.fetching.growth", "15000"),
        stdout=asyncio.subprocess.PIPE,
        env={name: value for name, value in os.environ.items() if not name.startswith(("COVERAGE_", "COV_"))},
    )
    out, _ = await process.communicate()
    assert process.returncode == 0
    assert int(out) < ALLOWED_BYTES
