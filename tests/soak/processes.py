"""Separate processes: a fake of the API with its control endpoint, and clients that take commands by line."""

import asyncio
import json
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Self

import aiohttp
import attrs

__all__ = ["FakeProcess", "Worker", "fake_process", "worker"]


@attrs.frozen
class FakeProcess:
    """A fake in its own process."""

    settings: dict[str, Any]
    http: aiohttp.ClientSession

    async def counts(self) -> dict[str, Any]:
        counts: dict[str, Any] = await self.control("GET", "counts")
        return counts

    async def control(self, method: str, what: str, value: Any = None) -> Any:
        async with self.http.request(method, f"{self.settings['base_url']}/_fake/{what}", json=value) as response:
            assert response.status == 200, await response.text()
            return await response.json()


@asynccontextmanager
async def fake_process(*flags: str) -> AsyncGenerator[FakeProcess]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "kajabi_async.testing", "--port", "0", *flags), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        settings = json.loads(await process.stdout.readline())
        async with aiohttp.ClientSession() as http:
            yield FakeProcess(settings, http)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()


class Worker:
    """A Python module in its own process that reads and writes JSON by line."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def send(self, **message: Any) -> Self:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(message).encode() + b"\n")
        await self.process.stdin.drain()
        return self

    async def receive(self) -> Any:
        assert self.process.stdout is not None
        line = await self.process.stdout.readline()
        assert line, "the worker has ended"
        return json.loads(line)


@asynccontextmanager
async def worker(module: str, **settings: Any) -> AsyncGenerator[Worker]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module, json.dumps(settings)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield Worker(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()
