"""What is printed where: results on standard output, everything else on standard error."""

import os
import sys
from pathlib import Path
from typing import Any, NoReturn, TextIO

from rich.console import Console

from kajabi_async.cli.credentials_error import CredentialsError
from kajabi_async.cli.exit_codes import ExitCode
from kajabi_async.cli.rendering import as_json
from kajabi_async.errors import ApiError, KajabiError

__all__ = [
    "PipeConsole",
    "error_console",
    "open_closed_streams",
    "output_console",
    "print_error",
    "print_json",
    "stop_writing",
]


class PipeConsole(Console):
    """A console that lets a broken pipe be told by its name; rich would end the process with 1."""

    def on_broken_pipe(self) -> NoReturn:
        """Raise BrokenPipeError again."""
        raise BrokenPipeError


def output_console() -> Console:
    """Give the console for results; colours only on a terminal, and not where NO_COLOR is set."""
    return PipeConsole()


def error_console() -> Console:
    """Give the console for progress, reports and errors."""
    return PipeConsole(stderr=True)


def print_json(value: Any, *, to: TextIO | None = None) -> None:
    """Print one line of JSON."""
    print(as_json(value), file=to or sys.stdout)


def print_error(error: BaseException, code: ExitCode, *, json: bool) -> None:
    """Tell on standard error what went wrong, in one line: a sentence, or JSON with the facts apart."""
    message = ". ".join([" ".join(str(error).split()), *getattr(error, "__notes__", ())])
    if json:
        print_json({"error": {**_facts(error), "message": message, "exit_code": code.value}}, to=sys.stderr)
    else:
        sys.stderr.write(f"kajabi: {message}\n")


def _facts(error: BaseException) -> dict[str, Any]:
    facts: dict[str, Any] = {"type": type(error).__name__}
    if isinstance(error, ApiError):
        facts |= {"status": error.status, "request_id": error.request_id, "retry_after": error.retry_after}
    if isinstance(error, CredentialsError):
        facts["cure"] = error.cure
    if isinstance(error, KajabiError):
        facts |= {"attempts": error.attempts, "maybe_applied": error.maybe_applied}
    return facts


def stop_writing() -> None:
    """Send what is left of the output nowhere: it cannot be written, and Python would complain at exit."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)


def open_closed_streams() -> None:
    """Put something in the place of streams that the shell closed (``>&-``), which Python has as None."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 - open to the end
