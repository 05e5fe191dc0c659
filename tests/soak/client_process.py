"""A client in its own process: read commands as lines of JSON, and answer each with one."""

import asyncio
import json
import sys
import time
from contextlib import AsyncExitStack
from typing import Any

from kajabi_async import Kajabi, KajabiError, RateLimit, RateLimitError, RetryPolicy, TokenStore
from kajabi_async.stores.file import FileTokenStore
from kajabi_async.stores.redis import RedisRate, RedisTokenStore


async def _store(location: dict[str, Any], stack: AsyncExitStack) -> TokenStore:
    lease = location.get("lease_seconds", 20.0)
    if location["kind"] == "file":
        return FileTokenStore(location["folder"], lease_seconds=lease)
    prefix = f"soak{location.get('folder', '')}"
    return await stack.enter_async_context(RedisTokenStore(location["url"], lease_seconds=lease, prefix=prefix))


async def _look_up(api: Kajabi, tasks: int) -> dict[str, Any]:
    done = await asyncio.gather(*(api.customers.get("1") for _ in range(tasks)), return_exceptions=True)
    return {"answered": sum(not isinstance(each, BaseException) for each in done)}


async def _keep_requesting(api: Kajabi, seconds: float) -> dict[str, Any]:
    until = time.monotonic() + seconds
    failed = 0

    async def request() -> None:
        nonlocal failed
        while time.monotonic() < until:
            try:
                await api.customers.get("1")
            except RateLimitError:
                failed += 1

    await asyncio.gather(*(request() for _ in range(50)))
    return {"failed": failed}


async def main(settings: dict[str, Any]) -> None:
    location, rate = settings.pop("store", None), settings.pop("rate", None)
    async with AsyncExitStack() as stack:
        store = await _store(location, stack) if location else None
        limit: RateLimit | None = None
        if rate:
            limit = await stack.enter_async_context(RedisRate(rate, name="soak"))
        policy = RetryPolicy(max_attempts=10)
        api = await stack.enter_async_context(Kajabi(**settings, token_store=store, rate_limit=limit, retry=policy))
        _say("ready")
        loop = asyncio.get_running_loop()
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            message = json.loads(line)
            try:
                if message["do"] == "look up":
                    _say(await _look_up(api, message["tasks"]))
                else:
                    _say(await _keep_requesting(api, message["seconds"]))
            except KajabiError as error:
                _say({"answered": 0, "error": repr(error)})


def _say(message: Any) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
