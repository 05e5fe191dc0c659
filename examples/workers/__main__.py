"""``python -m examples.workers taskiq``: a complete run with two workers, of which one is killed twice in mid-chunk.

Starts the fake of the API if KAJABI_CLIENT_ID is not set, and a Redis if REDIS_URL is not set; both end with the run.
Prints the result as JSON, and exits with 1 unless every customer was written exactly once.
"""

import argparse
import asyncio
import json
import os
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from examples.workers.fleet import FRAMEWORKS
from examples.workers.run import Account, run


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m examples.workers", description="A bulk job on a task queue.")
    parser.add_argument("framework", choices=FRAMEWORKS)
    parser.add_argument("ids", nargs="?", type=Path, help="a file with the id of a customer on each line")
    parser.add_argument("--customers", type=int, default=400, help="how many, without a file")
    parser.add_argument("--chunk", type=int, default=50, help="customers in one task")
    parser.add_argument("--kill", type=int, default=2, help="how often a worker is killed in the middle of a chunk")
    parser.add_argument("--limit", type=int, default=100, help="requests a second, all workers together")
    parser.add_argument("--timeout", type=float, default=600.0, help="seconds for the whole run")
    parser.add_argument("--log", type=Path, help="where the workers' output goes")
    return parser.parse_args()


async def _main(options: argparse.Namespace) -> int:
    # On SIGTERM it also stops its workers, its fake and its Redis.
    this = asyncio.current_task()
    assert this is not None  # noqa: S101 - a coroutine runs in one
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, this.cancel)
    async with AsyncExitStack() as stack:
        if "REDIS_URL" not in os.environ:
            os.environ["REDIS_URL"] = await stack.enter_async_context(_redis())
        counts = None
        if "KAJABI_CLIENT_ID" not in os.environ:
            base_url = await stack.enter_async_context(_fake(options.customers, options.limit))
            counts = f"{base_url}/_fake/counts"
        os.environ.setdefault("KAJABI_PER_SECOND", str(options.limit))
        os.environ.setdefault("WORKERS_REDELIVER_SECONDS", "3")
        ids = (
            options.ids.read_text().split() if options.ids else [str(number + 1) for number in range(options.customers)]
        )
        account = await run(
            options.framework,
            f"run-{time.time_ns()}",
            ids,
            size=options.chunk,
            kills=options.kill,
            redis_url=os.environ["REDIS_URL"],
            timeout=options.timeout,
            log=options.log,
        )
        result = _as_json(account) | ({} if counts is None else await asyncio.to_thread(_counted, counts))
        print(json.dumps(result, indent=2))
        return 0 if account.customers == len(set(ids)) and not account.written_twice and not account.failures else 1


def _as_json(account: Account) -> dict[str, Any]:
    return {
        "customers": account.customers,
        "customers_written_twice": account.written_twice,
        "chunks": account.chunks,
        "kills": [{"worker": kill.worker, "chunks_half_done": list(kill.half_done)} for kill in account.kills],
        "chunks_begun_again": sorted(account.started_again),
        "failures": [f"{type(failure).__name__}: {failure}" for failure in account.failures],
        "seconds": round(account.seconds, 1),
        "customers_per_second": round(account.customers / account.seconds, 1),
    }


def _counted(url: str) -> dict[str, Any]:
    with urlopen(url) as answer:  # noqa: S310 - the fake's own address
        counts = json.load(answer)
    return {
        "token_grants": counts["token_grants"],
        "requests_answered": counts["answered"],
        "requests_refused_429": counts["limited"],
    }


@asynccontextmanager
async def _fake(customers: int, limit: int) -> AsyncGenerator[str]:
    """Start the fake in its own process, put its settings into the environment, and yield its URL."""
    sizes = ("--customers", str(customers), "--rate-limit", str(limit), "--latency", "0.02")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "kajabi_async.testing", *sizes), stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None  # noqa: S101 - it was requested above
        settings = json.loads(await process.stdout.readline())
        os.environ.update({f"KAJABI_{name.upper()}": value for name, value in settings.items()})
        yield settings["base_url"]
    finally:
        process.terminate()
        await process.communicate()


@asynccontextmanager
async def _redis() -> AsyncGenerator[str]:
    """Start a Redis without persistence on a free loopback port, and yield its URL."""
    if shutil.which("redis-server") is None:
        sys.exit("no redis-server is installed here: install it, or set REDIS_URL")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        settings = ("--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", folder)
        process = await asyncio.create_subprocess_exec("redis-server", *settings, stdout=asyncio.subprocess.DEVNULL)
        try:
            await _listening(port)
            yield f"redis://127.0.0.1:{port}"
        finally:
            process.terminate()
            await process.wait()


async def _listening(port: int) -> None:
    async with asyncio.timeout(20):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.02)
                continue
            writer.close()
            await writer.wait_closed()
            return


if __name__ == "__main__":
    sys.exit(asyncio.run(_main(_options())))
