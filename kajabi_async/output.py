"""The way to standard output and standard error, in lines that only show.

Nothing else of the package writes to either, but for tables and progress bars: `kajabi_async.cli.terminal`.
"""

import codecs
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

from kajabi_async.escaping.text import escape_json, escape_line

__all__ = ["flush", "prepare_streams", "print_json", "print_line", "print_script", "stop_writing"]


def print_line(text: str, *, error: bool = False) -> None:
    """Print *text* as one line, whatever it holds, on standard output, or with *error* on standard error."""
    _stream(error=error).write(f"{escape_line(text)}\n")


def print_json(value: Any, *, error: bool = False, default: Callable[[Any], Any] | None = None) -> None:
    """Print *value* as one line of JSON; *default* turns what JSON has no form for into what it has."""
    stream = _stream(error=error)
    stream.write(f"{escape_json(value, default=default, ascii_only=not _takes_all_of_unicode(stream))}\n")


def print_script(text: str) -> None:
    """Print lines of our own, such as a script, on standard output; tabs are kept."""
    for line in text.split("\n"):
        sys.stdout.write("\t".join(map(escape_line, line.split("\t"))) + "\n")


def flush() -> None:
    """Send off what was printed on standard output; OSError if nobody takes it."""
    sys.stdout.flush()


def prepare_streams() -> None:
    """Open streams that the shell closed (``>&-``), and have them take every character.

    One that their encoding lacks is shown as an escape instead of ending the command.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 - open to the end
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def stop_writing() -> None:
    """Send what is left of the output nowhere: it cannot be written, and Python would complain at exit."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)


def _stream(*, error: bool) -> TextIO:
    return sys.stderr if error else sys.stdout


def _takes_all_of_unicode(stream: TextIO) -> bool:
    encoding: str | None = getattr(stream, "encoding", None)
    return encoding is None or codecs.lookup(encoding).name.startswith("utf")
