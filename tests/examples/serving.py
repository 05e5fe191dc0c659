"""An example on its real server in its own process, against a fake in this process."""

import asyncio
import os
import re
import resource
import shlex
import signal
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

import attrs

from kajabi_async.testing import FakeKajabi

__all__ = ["APPS", "ROOT", "SECRET", "Served", "Settings", "ended", "serve", "settings_for", "start"]

ROOT: Final = Path(__file__).parents[2]
SECRET: Final = "0123456789abcdefghijklmnopqrstuv"
APPS: Final = ("fastapi_app", "aiohttp_app")

Settings = Mapping[str, str]

_LISTENS: Final = re.compile(r"unning on (http://127\.0\.0\.1:\d+)")
# Uvicorn shuts down first, and then raises the signal again.
_EXIT_CODES: Final = {"fastapi_app": -signal.SIGTERM, "aiohttp_app": 0}
_OPEN_FILES: Final = 8192


@attrs.define
class Served:
    """A running example."""

    name: str
    process: asyncio.subprocess.Process
    lines: list[str] = attrs.field(factory=list)
    base_url: str = ""
    _reading: "asyncio.Task[None] | None" = None
    _news: asyncio.Event = attrs.field(factory=asyncio.Event)
    _has_ended: bool = False

    @property
    def log(self) -> str:
        """All of its output so far."""
        return "".join(self.lines)

    async def listening(self) -> None:
        """Wait until it accepts requests; AssertionError if it exits before."""
        self._reading = asyncio.create_task(self._read())
        self.base_url = (await self.logged(_LISTENS))[1]

    async def logged(self, pattern: str | re.Pattern[str], *, after: int = 0) -> re.Match[str]:
        """Wait for a line from number *after* on that matches *pattern*; AssertionError if none comes within 30 s."""
        with suppress(TimeoutError):
            async with asyncio.timeout(30):
                while True:
                    self._news.clear()
                    for line in self.lines[after:]:
                        if found := re.search(pattern, line):
                            return found
                    if self._has_ended:
                        break
                    await self._news.wait()
        raise AssertionError(f"no line matches {pattern!r} in:\n{self.log}")

    async def stopped(self) -> None:
        """Terminate it like a supervisor; it must shut down in order."""
        self.process.send_signal(signal.SIGTERM)
        await self.ended_in_order()

    async def ended_in_order(self) -> None:
        """Wait for its exit after SIGTERM; its output has no error and never shows the secret."""
        assert await self.exit_code() == _EXIT_CODES[self.name], self.log
        assert "Traceback" not in self.log, self.log
        assert "Warning" not in self.log, self.log
        assert SECRET not in self.log

    async def exit_code(self) -> int:
        """Wait for its exit; return the code."""
        async with asyncio.timeout(60):
            code = await self.process.wait()
            assert self._reading is not None
            await self._reading
        return code

    async def killed(self) -> None:
        """Kill the process if it still runs."""
        if self.process.returncode is None:
            with suppress(ProcessLookupError):
                self.process.kill()
        await self.exit_code()

    async def _read(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            self.lines.append(line.decode())
            self._news.set()
        self._has_ended = True
        self._news.set()


def settings_for(fake: FakeKajabi) -> Settings:
    """Return the environment variables that an example reads."""
    return {
        "KAJABI_CLIENT_ID": fake.client_id,
        "KAJABI_CLIENT_SECRET": fake.client_secret,
        "KAJABI_BASE_URL": fake.base_url,
        "WEBHOOK_SECRET": SECRET,
    }


async def start(name: str, settings: Settings) -> Served:
    """Start the example with the command in its README, on a free port."""
    _allow_open_files()
    outside = {key: value for key, value in os.environ.items() if not key.startswith("KAJABI_")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "error::ResourceWarning", "-m"),
        *_command(name),
        cwd=ROOT,
        env={**outside, "PYTHONUNBUFFERED": "1", "PORT": "0", **settings},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    return Served(name, process)


async def ended(name: str, settings: Settings) -> tuple[int, str]:
    """Start an example that must not listen; return its exit code and output."""
    served = await start(name, settings)
    try:
        with suppress(AssertionError):
            await served.listening()
        assert not served.base_url
        return await served.exit_code(), served.log
    finally:
        await served.killed()


@asynccontextmanager
async def serve(name: str, fake: FakeKajabi) -> AsyncGenerator[Served]:
    """Run the example until the end of the block, then terminate it."""
    served = await start(name, settings_for(fake))
    try:
        await served.listening()
        yield served
        if served.process.returncode is None:
            await served.stopped()
    finally:
        await served.killed()


def _command(name: str) -> list[str]:
    """Return the arguments of the README's command, without the interpreter, on a free port."""
    readme = (ROOT / "examples" / name / "README.md").read_text("utf-8")
    commands = re.findall(r"^\$ ((?:python -m|uvicorn) .*)$", readme, re.MULTILINE)
    command = next(each for each in commands if f"examples.{name}" in each)
    program, *arguments = shlex.split(command)
    return ["uvicorn", *arguments, "--port", "0"] if program == "uvicorn" else arguments[1:]


def _allow_open_files() -> None:
    # A process may need two thousand connections; the usual limit is 1024 open files.
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    target = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(_OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < target:
        resource.setrlimit(resource.RLIMIT_NOFILE, (target, hard))
