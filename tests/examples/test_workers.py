"""The bulk job on each of the three queues, started as in its README, with real workers that are killed."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from examples.workers.fleet import FRAMEWORKS
from kajabi_async.testing import FakeKajabi, RequestLimit

CUSTOMERS = 240
LIMIT = 100


async def _run(framework: str, *options: str, environment: dict[str, str], log: Path) -> tuple[int, dict[str, Any]]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "examples.workers", framework, *options),
        *("--customers", str(CUSTOMERS), "--chunk", "40", "--limit", str(LIMIT), "--timeout", "90", "--log", str(log)),
        env={**os.environ, **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        output, errors = await asyncio.wait_for(process.communicate(), 110)
    finally:
        if process.returncode is None:
            process.terminate()
            await process.communicate()
    assert output, errors.decode()
    account: dict[str, Any] = json.loads(output)
    return process.returncode or 0, account


def _environment(fake: FakeKajabi, redis_url: str) -> dict[str, str]:
    return {
        "REDIS_URL": redis_url,
        "KAJABI_BASE_URL": fake.base_url,
        "KAJABI_CLIENT_ID": fake.client_id,
        "KAJABI_CLIENT_SECRET": fake.client_secret,
    }


@pytest.mark.thorough
@pytest.mark.parametrize("framework", FRAMEWORKS)
async def test_killed_workers_lose_nothing_and_write_nothing_twice(
    framework: str, redis_url: str, tmp_path: Path
) -> None:
    """Two workers, two kills during a chunk: every customer once, one token, and few 429s."""
    async with FakeKajabi(customers=CUSTOMERS, rate_limit=RequestLimit(LIMIT), latency=0.02) as fake:
        environment = _environment(fake, redis_url)
        exit_code, account = await _run(framework, "--kill", "2", environment=environment, log=tmp_path / "log")
        grants, rejected = fake.token_grants, fake.traffic["limited"]
    assert exit_code == 0
    assert (account["customers"], account["customers_written_twice"]) == (CUSTOMERS, 0)
    assert account["failures"] == []
    assert [len(kill["chunks_half_done"]) > 0 for kill in account["kills"]] == [True, True]
    half_done = {key for kill in account["kills"] for key in kill["chunks_half_done"]}
    assert half_done <= set(account["chunks_begun_again"])
    assert grants == 1
    assert rejected < CUSTOMERS / 5


# The workers of the other two take four times as long to start.
@pytest.mark.parametrize(
    "framework", [pytest.param(each, marks=() if each == "arq" else pytest.mark.thorough) for each in FRAMEWORKS]
)
async def test_the_error_of_a_chunk_comes_back_to_its_waiter(framework: str, redis_url: str, tmp_path: Path) -> None:
    """Class and text come through the queue's own results; a permanent error is tried once."""
    async with FakeKajabi(customers=CUSTOMERS) as fake:
        environment = _environment(fake, redis_url) | {"KAJABI_CLIENT_SECRET": "wrong"}
        exit_code, account = await _run(framework, "--kill", "0", environment=environment, log=tmp_path / "log")
    assert exit_code == 1
    assert account["customers"] == 0
    assert len(account["failures"]) == account["chunks"]
    assert all(failure.startswith("AuthenticationError: ") for failure in account["failures"])
