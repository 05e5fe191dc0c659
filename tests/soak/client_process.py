"""A client in a process of its own: reads a line of JSON, does what it says, answers with one."""

import asyncio
import json
import sys
import time
from contextlib import AsyncExitStack
from typing import Any

from kajabi_async import Kajabi, KajabiError, RateLimit, RateLimitError, RetryPolicy, TokenStore
from kajabi_async.stores.file import FileTokenStore
from kajabi_async.stores.redis import RedisRate, RedisTokenStore


async def _store(where: dict[str, Any], stack: AsyncExitStack) -> TokenStore:
    lease = where.get("lease_seconds", 20.0)
    if where["kind"] == "file":
        return FileTokenStore(where["folder"], lease_seconds=lease)
    prefix = f"soak{where.get('folder', '')}"
    return await stack.enter_async_context(RedisTokenStore(where["url"], lease_seconds=lease, prefix=prefix))


async def _look_up(api: Kajabi, tasks: int) -> dict[str, Any]:
    done = await asyncio.gather(*(api.customers.get("1") for _ in range(tasks)), return_exceptions=True)
    return {"answered": sum(not isinstance(each, BaseException) for each in done)}


async def _keep_asking(api: Kajabi, seconds: float) -> dict[str, Any]:
    until = time.monotonic() + seconds
    failed = 0

    async def ask() -> None:
        nonlocal failed
        while time.monotonic() < until:
            try:
                await api.customers.get("1")
            except RateLimitError:
                failed += 1

    await asyncio.gather(*(ask() for _ in range(50)))
    return {"failed": failed}


async def main(settings: dict[str, Any]) -> None:
    where, rate = settings.pop("store", None), settings.pop("rate", None)
    async with AsyncExitStack() as stack:
        store = await _store(where, stack) if where else None
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
                    _say(await _keep_asking(api, message["seconds"]))
            except KajabiError as error:
                _say({"answered": 0, "error": repr(error)})


def _say(message: Any) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
