"""Output to standard output and standard error, in escaped lines.

No other module writes to either, except `kajabi_async.cli.terminal` for tables and progress bars.
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
    """Print *text*, escaped, as one line on standard output, or with *error* on standard error."""
    _stream(error=error).write(f"{escape_line(text)}\n")


def print_json(value: Any, *, error: bool = False, default: Callable[[Any], Any] | None = None) -> None:
    """Print *value* as one line of JSON; *default* converts values that are not JSON serializable."""
    stream = _stream(error=error)
    stream.write(f"{escape_json(value, default=default, ascii_only=not _encodes_unicode(stream))}\n")


def print_script(text: str) -> None:
    """Print trusted lines, such as a script, on standard output; tabs are kept."""
    for line in text.split("\n"):
        sys.stdout.write("\t".join(map(escape_line, line.split("\t"))) + "\n")


def flush() -> None:
    """Flush standard output; OSError if it cannot be written, such as a closed pipe."""
    sys.stdout.flush()


def prepare_streams() -> None:
    """Open streams that the shell closed (``>&-``), and make all of them accept every character.

    A character that the encoding lacks is written as an escape instead of ending the command.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 - open to the end
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def stop_writing() -> None:
    """Discard unwritten output that cannot be written, which would make Python report an error at exit."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            null_device = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null_device, stream.fileno())
            os.close(null_device)


def _stream(*, error: bool) -> TextIO:
    return sys.stderr if error else sys.stdout


def _encodes_unicode(stream: TextIO) -> bool:
    encoding: str | None = getattr(stream, "encoding", None)
    return encoding is None or codecs.lookup(encoding).name.startswith("utf")
