"""The server of a measurement: nginx if it is installed and suitable, else `benchmarks.server`, on its own core."""

import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

import psutil

from benchmarks import nginx
from benchmarks.machine import SERVER_CORE, tie


@dataclass(frozen=True)
class Server:
    base_url: str
    process: int

    def busy_seconds(self) -> float:
        """Return the processor time of the server so far."""
        times = psutil.Process(self.process).cpu_times()
        return times.user + times.system


def name() -> str:
    """Return the name and version of the server for answers without a latency."""
    return f"nginx {nginx.version()}" if nginx.installed() else "a canned asyncio server"


@contextmanager
def fastest(*, pages: int = 1) -> Generator[Server]:
    """Run the server that adds least to the measurements."""
    if not nginx.installed():
        with with_latency(0.0, pages=pages) as server:
            yield server
        return
    with nginx.running(pages) as (port, process):
        tie(SERVER_CORE, process=process)
        yield Server(f"http://127.0.0.1:{port}", process)


@contextmanager
def with_latency(seconds: float, *, pages: int = 1) -> Generator[Server]:
    """Run `benchmarks.server`, which answers every request after *seconds* and counts the tokens that it issues."""
    command = [sys.executable, "-m", "benchmarks.server", "--latency", str(seconds), "--pages", str(pages)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        tie(SERVER_CORE, process=process.pid)
        try:
            yield Server(f"http://127.0.0.1:{process.stdout.readline().strip()}", process.pid)
        finally:
            process.stdin.close()
            process.wait(timeout=10)
