"""The server of a measurement: nginx where it is installed and can do it, else our own, on a core of its own."""

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
        """Give the time the server has spent on a processor so far."""
        times = psutil.Process(self.process).cpu_times()
        return times.user + times.system


def name() -> str:
    """Give what answers where no latency is asked for, with its version."""
    return f"nginx {nginx.version()}" if nginx.installed() else "a canned asyncio server"


@contextmanager
def fastest(*, pages: int = 1) -> Generator[Server]:
    """Run the server that adds least to what is measured."""
    if not nginx.installed():
        with with_latency(0.0, pages=pages) as server:
            yield server
        return
    with nginx.running(pages) as (port, process):
        tie(SERVER_CORE, process=process)
        yield Server(f"http://127.0.0.1:{port}", process)


@contextmanager
def with_latency(seconds: float, *, pages: int = 1) -> Generator[Server]:
    """Run our own server, which answers every request *seconds* late and counts the tokens it gives."""
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
