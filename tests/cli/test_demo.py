"""The command as a process of its own: the demo, the fake, and output that nobody reads."""

import asyncio
import os
import signal
import sys

from kajabi_async import Kajabi
from kajabi_async.testing import FakeKajabi


async def test_the_demo_runs_without_an_account_in_80_columns() -> None:
    """One customer, a lazy link that costs one request, two thousand lookups on one token."""
    process = await _started("demo")
    out, err = (text.decode() for text in await process.communicate())
    assert (process.returncode, err) == (0, "")
    assert "requests it cost: 1" in out
    assert "requests it cost the second time: 0" in out
    assert "2,000 found, 0 missing, 0 failed" in out
    assert "token requests, all in all: 1" in out
    assert max(map(len, out.splitlines())) <= 80


async def test_output_that_nobody_reads_any_more_ends_quietly(kajabi_fake: FakeKajabi) -> None:
    """As ``| head -1`` does."""
    reading_end, writing_end = os.pipe()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "kajabi_async.cli", "customers", "list", "--limit", "900", "--json"),
        stdout=writing_end,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **_settings(kajabi_fake)},
    )
    os.close(writing_end)
    os.close(reading_end)
    _, err = await process.communicate()
    assert (process.returncode, err) == (0, b"")


async def test_the_fake_is_served_until_interrupted() -> None:
    """What it prints is all a client needs."""
    process = await _started("fake", "--customers", "7")
    assert process.stdout is not None
    lines = [(await process.stdout.readline()).decode().strip() for _ in range(3)]
    told = dict(line.removeprefix("export ").split("=", 1) for line in lines)
    async with Kajabi(
        client_id=told["KAJABI_CLIENT_ID"],
        client_secret=told["KAJABI_CLIENT_SECRET"],
        base_url=told["KAJABI_BASE_URL"],
    ) as api:
        assert await api.customers.list().count() == 7
    process.send_signal(signal.SIGINT)
    _, err = await process.communicate()
    assert (process.returncode, err.decode()) == (130, "kajabi: interrupted\n")


async def _started(*arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "error", "-m", "kajabi_async.cli", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "COLUMNS": "80"},
    )


def _settings(fake: FakeKajabi) -> dict[str, str]:
    return {
        "KAJABI_BASE_URL": fake.base_url,
        "KAJABI_CLIENT_ID": fake.client_id,
        "KAJABI_CLIENT_SECRET": fake.client_secret,
    }
