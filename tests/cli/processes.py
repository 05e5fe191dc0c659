"""The command as a process, with pipes or on a terminal."""

import asyncio
import os
import pty
import sys
from collections.abc import Mapping

import attrs

from kajabi_async.testing import FakeKajabi

COMMAND = (sys.executable, "-W", "error", "-m", "kajabi_async.cli")

# The terminal must be the controlling one for Ctrl-C to send a signal.
_TAKING_THE_TERMINAL = """\
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execvp(sys.argv[1], sys.argv[1:])
"""


def settings(fake: FakeKajabi) -> dict[str, str]:
    """Return the environment variables for a client of *fake*."""
    return {
        "KAJABI_BASE_URL": fake.base_url,
        "KAJABI_CLIENT_ID": fake.client_id,
        "KAJABI_CLIENT_SECRET": fake.client_secret,
    }


async def started(
    *arguments: str, stdin: int | None = None, environment: Mapping[str, str] | None = None
) -> asyncio.subprocess.Process:
    """Start the command with both outputs on pipes."""
    return await asyncio.create_subprocess_exec(
        *COMMAND,
        *arguments,
        stdin=stdin,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "COLUMNS": "80", **(environment or {})},
    )


@attrs.frozen
class Shown:
    code: int | None
    screen: str
    """All that was written to the terminal, control sequences included."""


async def on_terminal(
    *command: str, typed: tuple[tuple[str, str], ...] = (), environment: Mapping[str, str] | None = None
) -> Shown:
    """Run *command* with its three streams on a pseudo-terminal.

    For each pair in *typed*, the second text is typed after the first one appears in new output.
    """
    controlling, terminal = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _TAKING_THE_TERMINAL, *command),
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        start_new_session=True,
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "80", **(environment or {})},
    )
    os.close(terminal)
    screen = ""
    try:
        for awaited, keys in typed:
            seen = len(screen)
            while awaited not in screen[seen:]:
                piece = await asyncio.to_thread(_read, controlling)
                assert piece, f"ended without showing {awaited!r}: {screen!r}"
                screen += piece
            os.write(controlling, keys.encode())
        while piece := await asyncio.to_thread(_read, controlling):
            screen += piece
        return Shown(await process.wait(), screen)
    finally:
        os.close(controlling)
        if process.returncode is None:
            process.kill()
            await process.wait()


def _read(descriptor: int) -> str:
    try:
        return os.read(descriptor, 65_536).decode(errors="replace")
    except OSError:
        # Linux reports the end of a terminal as an error.
        return ""
