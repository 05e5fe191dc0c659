"""The command within this process, on a pseudo-terminal or in a pipe, and its output."""

import os
import pty
import re
import sys
import threading
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final
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


def on_terminal(arguments: Sequence[str], environment: Mapping[str, str], *, columns: int = 120) -> Printed:
    """Run the command with both outputs on a pseudo-terminal; all output is in ``out``."""
    controlling, terminal = pty.openpty()
    with os.fdopen(terminal, "w", encoding="utf-8") as stream:
        code, (shown,) = _run(arguments, environment, [controlling], stream, stream, columns=columns)
    return Printed(code, shown, "")


def on_pipe(arguments: Sequence[str], environment: Mapping[str, str], *, columns: int = 120) -> Printed:
    """Run the command with each output on a pipe."""
    ends = [os.pipe() for _ in range(2)]
    with os.fdopen(ends[0][1], "w", encoding="utf-8") as out, os.fdopen(ends[1][1], "w", encoding="utf-8") as err:
        code, (printed, message) = _run(arguments, environment, [read for read, _ in ends], out, err, columns=columns)
    return Printed(code, printed, message, is_piped=True)


def _run(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    descriptors: list[int],
    out: Any,
    err: Any,
    *,
    columns: int,
) -> tuple[int, list[str]]:
    pieces: list[list[bytes]] = [[] for _ in descriptors]
    readers = [
        threading.Thread(target=_drain, args=(descriptor, into.append))
        for descriptor, into in zip(descriptors, pieces, strict=True)
    ]
    settings = {"TERM": "xterm-256color", "COLUMNS": str(columns), **environment}
    for reader in readers:
        reader.start()
    try:
        with mock.patch.dict(os.environ, settings), mock.patch.multiple(sys, stdout=out, stderr=err):
            code = run(list(arguments))
            for stream in (out, err):
                stream.flush()
    finally:
        for stream in (out, err):
            stream.close()
        for reader in readers:
            reader.join()
    return code, [b"".join(each).decode() for each in pieces]


def _drain(descriptor: int, take: Callable[[bytes], None]) -> None:
    # Linux reports the end of a terminal as an error.
    with suppress(OSError):
        while piece := os.read(descriptor, 65_536):
            take(piece)
    os.close(descriptor)
