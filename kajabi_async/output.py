"""Output to standard output and standard error, in escaped lines.

No other module writes to either, except `kajabi_async.cli.terminal` for tables and progress bars.
"""

import codecs
import os
import stat
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, TextIO

from kajabi_async.escaping.text import escape_json, escape_line

__all__ = [
    "flush",
    "output_is_stored",
    "prepare_streams",
    "print_cells",
    "print_file",
    "print_json",
    "print_line",
    "print_prompt",
    "print_script",
    "stop_writing",
]


_PIECE: Final = 1 << 16


def print_line(text: str, *, error: bool = False) -> None:
    """Print *text*, escaped, as one line on standard output, or with *error* on standard error."""
    _stream(error=error).write(f"{escape_line(text)}\n")


def print_cells(cells: Iterable[str], *, error: bool = False) -> None:
    """Print *cells*, each escaped, as one line with tabs between them."""
    row = "\t".join(map(escape_line, cells))
    _stream(error=error).write(f"{row}\n")


def print_json(value: Any, *, error: bool = False, indent: int | None = None) -> None:
    """Print *value* as JSON, on one line without *indent*."""
    stream = _stream(error=error)
    stream.write(f"{escape_json(value, ascii_only=not _encodes_unicode(stream), indent=indent)}\n")


def print_file(path: Path) -> None:
    """Copy a file of text to standard output; on a terminal each line of it is escaped."""
    with path.open(encoding="utf-8", newline="") as file:
        if sys.stdout.isatty():
            for line in file:
                print_line(line.removesuffix("\n"))
            return
        while piece := file.read(_PIECE):
            sys.stdout.write(piece)


def print_prompt(text: str) -> None:
    """Print *text*, escaped, on standard error without ending the line, for an answer to be typed."""
    sys.stderr.write(escape_line(text))
    sys.stderr.flush()


def print_script(text: str) -> None:
    """Print trusted lines, such as a script, on standard output; tabs are kept."""
    for line in text.split("\n"):
        sys.stdout.write("\t".join(map(escape_line, line.split("\t"))) + "\n")


def flush() -> None:
    """Flush standard output; OSError if it cannot be written, such as a closed pipe."""
    sys.stdout.flush()


def output_is_stored() -> bool:
    """Return whether standard output goes to a file, or nowhere, not to a terminal or in a pipe to a program."""
    stream = sys.stdout
    try:
        mode = os.fstat(stream.fileno()).st_mode
    except (OSError, ValueError):
        return False
    return stat.S_ISREG(mode) or (stat.S_ISCHR(mode) and not stream.isatty())


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
