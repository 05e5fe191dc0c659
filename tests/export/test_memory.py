"""Memory does not grow with the rows of an export."""

import asyncio
import os
import sys

import pytest

ALLOWED_BYTES = 12 * 2**20
"""A fifth of what the 80,000 rows weigh."""


@pytest.mark.thorough
async def test_memory_does_not_grow_with_the_rows() -> None:
    """Neither while rows are kept nor while the file is written."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "error", "-m", "tests.export.growth"),
        stdout=asyncio.subprocess.PIPE,
        env={name: value for name, value in os.environ.items() if not name.startswith(("COVERAGE_", "COV_"))},
    )
    out, _ = await process.communicate()
    assert process.returncode == 0
    while_keeping, while_writing = map(int, out.split())
    assert while_keeping < ALLOWED_BYTES
    assert while_writing < ALLOWED_BYTES
