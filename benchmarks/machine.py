"""What the figures were measured on and with, and which core does what."""

import os
import platform
import resource
import sys
from collections.abc import Generator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

LIBRARIES = ("aiohttp", "kajabi-async", "kajabi-py", "httpx", "orjson", "msgspec", "uvloop")


def cores() -> list[int]:
    """Give the cores this process may use, where the system lets processes be tied to them."""
    return sorted(os.sched_getaffinity(0)) if sys.platform == "linux" else []


CORES = cores()
CLIENT_CORE, SERVER_CORE = (CORES[0], CORES[-1]) if len(CORES) > 1 else (None, None)


def tie(core: int | None, *, process: int = 0) -> None:
    """Keep a process (0: this one) to *core*, so that client and server never take turns on one."""
    if core is not None and sys.platform == "linux":
        os.sched_setaffinity(process, {core})


@contextmanager
def client_core() -> Generator[None]:
    """Keep this process to a core of its own meanwhile."""
    tie(CLIENT_CORE)
    try:
        yield
    finally:
        if CLIENT_CORE is not None and sys.platform == "linux":
            os.sched_setaffinity(0, CORES)


def allow_sockets(number: int) -> None:
    """Let this process and those it starts open *number* files, as far as the system allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = number if hard == resource.RLIM_INFINITY else min(number, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def described() -> str:
    """Give processor, cores and kernel; neither names nor paths."""
    kernel = ".".join(platform.release().split(".")[:2])
    return f"{_processor()}, {os.cpu_count()} cores, {platform.system()} {kernel}"


def versions(server: str) -> str:
    """Give the versions of everything that takes part; *server* is what answered."""
    told = [f"Python {platform.python_version()}", *(f"{name} {version(name)}" for name in LIBRARIES)]
    return ", ".join([*told, server])


def load() -> float:
    """Give how many processes wanted a processor in the last minute."""
    return os.getloadavg()[0]


def tying() -> str:
    """Say which core did what."""
    if CLIENT_CORE is None:
        return "Client and server were not tied to cores."
    return "The server was tied to one core and the client to another."


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, platform.processor() or platform.machine())
