"""Side by side in one run: interleaved repeats, medians, ratios."""

import asyncio
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

Contender = Callable[[], Awaitable[None]]


async def interleaved(contenders: Mapping[str, Contender], *, repeats: int) -> dict[str, float]:
    """Run each contender *repeats* times, taking turns, and give the median seconds of each."""
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(repeats):
        for name, run in contenders.items():
            begin = time.perf_counter()
            await run()
            seconds[name].append(time.perf_counter() - begin)
            await asyncio.sleep(0)
    return {name: statistics.median(taken) for name, taken in seconds.items()}


@asynccontextmanager
async def canned_server(*, latency: float = 0.0, pages: int = 10) -> AsyncIterator[str]:
    """Run the server in a process of its own and give its base URL."""
    command = [sys.executable, "-m", "benchmarks.server", "--latency", str(latency), "--pages", str(pages)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: ASYNC220
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
    finally:
        process.stdin.close()
        process.wait(timeout=10)
