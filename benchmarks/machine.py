"""The machine and the versions of a run, and the cores of client and server."""

import os
import platform
import resource
import sys
from collections.abc import Generator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

LIBRARIES = ("aiohttp", "kajabi-async", "kajabi-py", "httpx", "orjson", "msgspec", "pyarrow", "uvloop")


def cores() -> list[int]:
    """Return the cores that this process may use; empty if the system cannot tie processes to cores."""
    return sorted(os.sched_getaffinity(0)) if sys.platform == "linux" else []


CORES = cores()
CLIENT_CORE, SERVER_CORE = (CORES[0], CORES[-1]) if len(CORES) > 1 else (None, None)


def tie(core: int | None, *, process: int = 0) -> None:
    """Tie a process (0: this one) to *core*, so that client and server never share one."""
    if core is not None and sys.platform == "linux":
        os.sched_setaffinity(process, {core})


@contextmanager
def client_core() -> Generator[None]:
    """Tie this process to its own core during the block."""
    tie(CLIENT_CORE)
    try:
        yield
    finally:
        if CLIENT_CORE is not None and sys.platform == "linux":
            os.sched_setaffinity(0, CORES)


def allow_sockets(number: int) -> None:
    """Allow this process and its children to open *number* files, as far as the system permits."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    possible = number if hard == resource.RLIM_INFINITY else min(number, hard)
    if soft != resource.RLIM_INFINITY and soft < possible:
        resource.setrlimit(resource.RLIMIT_NOFILE, (possible, hard))


def described() -> str:
    """Return processor, cores and kernel, without names and paths."""
    kernel = ".".join(platform.release().split(".")[:2])
    return f"{_processor()}, {os.cpu_count()} cores, {platform.system()} {kernel}"


def versions(server: str) -> str:
    """Return the versions of Python, the libraries and the *server*."""
    names = [f"Python {platform.python_version()}", *map(_version, LIBRARIES)]
    return ", ".join([*names, server])


def load() -> float:
    """Return the load average of the last minute."""
    return os.getloadavg()[0]


def tying() -> str:
    """Return a sentence that says whether client and server were tied to cores."""
    if CLIENT_CORE is None:
        return "Client and server were not tied to cores."
    return "The server was tied to one core and the client to another."


def _version(library: str) -> str:
    try:
        return f"{library} {version(library)}"
    except PackageNotFoundError:
        return f"no {library}"


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, platform.processor() or platform.machine())
