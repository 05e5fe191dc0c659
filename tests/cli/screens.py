"""The command within this process, on a pseudo-terminal or in a pipe, and its output."""

import os
import pty
import re
import sys
import threading
import unicodedata
from collections.abc import Mapping, Sequence
from contextlib import nullcontext, suppress
from typing import Final, TextIO
from unittest import mock

import attrs

from kajabi_async.cli.app import run

__all__ = ["Printed", "acting_in", "on_pipe", "on_terminal"]

_STYLING: Final = re.compile(
    r"\x1b\[(?:0|1|2|3|[39][0-7]|1;3[0-7]|[\d;]*38;5;\d+|39)(?:;\d+)*m|\x1b\[(?:\?25[lh]|2K|\d*A)"
)
"""What rich writes by itself: styles, and what moves and hides the cursor under a progress bar."""
_ACTING: Final = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


@attrs.frozen
class Printed:
    code: int
    out: str
    err: str
    is_piped: bool = False

    @property
    def acting(self) -> set[str]:
        """The characters in the output that may act, besides the tabs between the cells in a pipe."""
        return (acting_in(self.out) | acting_in(self.err)) - ({"\t"} if self.is_piped else set[str]())


def acting_in(text: str) -> set[str]:
    """Return the control and invisible characters in *text*, except line ends and the styling of rich."""
    plain = _STYLING.sub("", text).replace("\r", "").replace("\n", "")
    return {each for each in plain if unicodedata.category(each) in _ACTING}


def on_terminal(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    *,
    columns: int = 120,
    typed: tuple[str, str] | None = None,
    out: TextIO | None = None,
) -> Printed:
    """Run the command with both outputs on a pseudo-terminal; all output is in ``out``.

    With *typed* standard input is on it too, and the second text is typed after the first one appears. With *out*
    standard output goes there.
    """
    controlling, terminal = pty.openpty()
    keyboard = os.fdopen(os.dup(terminal), encoding="utf-8") if typed else None
    with os.fdopen(terminal, "w", encoding="utf-8") as stream, keyboard or nullcontext(sys.stdin) as stdin:
        reader = _Reader(controlling, typed)
        code = _run(arguments, environment, [reader], (stdin, out or stream, stream), columns=columns)
    return Printed(code, reader.text, "")


def on_pipe(arguments: Sequence[str], environment: Mapping[str, str], *, columns: int = 120) -> Printed:
    """Run the command with each output on a pipe."""
    ends = [os.pipe() for _ in range(2)]
    with os.fdopen(ends[0][1], "w", encoding="utf-8") as out, os.fdopen(ends[1][1], "w", encoding="utf-8") as err:
        readers = [_Reader(end) for end, _ in ends]
        code = _run(arguments, environment, readers, (sys.stdin, out, err), columns=columns)
    printed, message = (each.text for each in readers)
    return Printed(code, printed, message, is_piped=True)


class _Reader(threading.Thread):
    """A thread that reads a descriptor to its end and closes it; on a terminal it may type."""

    def __init__(self, descriptor: int, typed: tuple[str, str] | None = None) -> None:
        super().__init__()
        self._descriptor, self._typed = descriptor, typed
        self._seen = b""

    @property
    def text(self) -> str:
        """All that was read, complete when the thread has ended."""
        return self._seen.decode()

    def run(self) -> None:
        # Linux reports the end of a terminal as an error.
        with suppress(OSError):
            while piece := os.read(self._descriptor, 65_536):
                self._seen += piece
                if self._typed and self._typed[0].encode() in self._seen:
                    os.write(self._descriptor, self._typed[1].encode())
                    self._typed = None
        os.close(self._descriptor)


def _run(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    readers: Sequence[_Reader],
    streams: tuple[TextIO, TextIO, TextIO],
    *,
    columns: int,
) -> int:
    settings = {"TERM": "xterm-256color", "COLUMNS": str(columns), **environment}
    stdin, out, err = streams
    for reader in readers:
        reader.start()
    try:
        with mock.patch.dict(os.environ, settings), mock.patch.multiple(sys, stdin=stdin, stdout=out, stderr=err):
            code = run(list(arguments))
    finally:
        # The readers end when no stream is open any more.
        for stream in {stdin, out, err} - {sys.stdin}:
            stream.close()
        for reader in readers:
            reader.join()
    return code
