"""Ids or emails from a file or a pipe, read in a thread beside the event loop."""

import asyncio
import io
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, Protocol, Self, TextIO

from kajabi_async.cli.value_lines import Content
from kajabi_async.errors import ConfigurationError

__all__ = ["STANDARD_INPUT", "IdLines", "LineSource", "count_values", "open_source"]

STANDARD_INPUT: Final = "-"
"""What stands for standard input in place of a file."""
_READ_AHEAD: Final = 1000
_MARK_LENGTH: Final = 2
_UTF_16_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")


class LineSource(Protocol):
    """What lines are read from."""

    def readline(self) -> str:
        """Return the next line with its end, "" if there is none."""
        ...


@contextmanager
def open_source(source: str, content: Content) -> Generator[LineSource]:
    """Open the file *source*, or standard input for ``-``; ConfigurationError if it cannot be opened."""
    if source == STANDARD_INPUT:
        yield _standard_input()
        return
    with _file(source, content) as file:
        yield file


def count_values(source: str, content: Content) -> int | None:
    """Return the number of values in the file *source*; None for standard input, and for what cannot be read twice."""
    if source == STANDARD_INPUT or not Path(source).is_file():
        return None
    try:
        with _file(source, content) as file:
            return sum(1 for _ in content.values(file))
    except (OSError, ValueError, ConfigurationError):
        # Reading the values themselves reports it.
        return None


class IdLines:
    """An async iterator over the ids, or other *content*, in lines.

    Lookups go on while it waits for a slow pipe. ConfigurationError if the lines cannot be read.
    """

    def __init__(self, lines: LineSource, content: Content) -> None:
        self._values, self._content = content.values(iter(lines.readline, "")), content
        self._arrived: asyncio.Queue[str | ConfigurationError | None] = asyncio.Queue()
        self._room = threading.Semaphore(_READ_AHEAD)
        self._is_started = self._is_finished = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> str:
        if not self._is_started:
            self._start()
        while not self._is_finished:
            item = await self._arrived.get()
            if isinstance(item, ConfigurationError):
                self._is_finished = True
                raise item
            if item is None:
                self._is_finished = True
                break
            self._room.release()
            return item
        raise StopAsyncIteration

    async def rest(self, silence: float) -> tuple[list[str], bool]:
        """Return the values not yet yielded, and whether the input ended; wait *silence* seconds for each at most."""
        values: list[str] = []
        try:
            while True:
                values.append(await asyncio.wait_for(anext(self), silence))
        except StopAsyncIteration:
            return values, True
        except (TimeoutError, ConfigurationError):
            return values, False

    def _start(self) -> None:
        self._is_started = True
        loop = asyncio.get_running_loop()

        def hand_over(item: str | ConfigurationError | None) -> None:
            # The loop is closed if the command was interrupted; the rest is not needed then.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(self._arrived.put_nowait, item)

        # A daemon thread: one that waits for a silent pipe must not keep an interrupted command alive.
        threading.Thread(target=self._read, args=(hand_over,), daemon=True).start()

    def _read(self, hand_over: Callable[[str | ConfigurationError | None], None]) -> None:
        content = self._content
        try:
            for value in self._values:
                self._room.acquire()
                hand_over(value)
        except ConfigurationError as error:
            hand_over(error)
        except UnicodeDecodeError:
            hand_over(
                ConfigurationError(
                    f"the {content.plural} cannot be read, as they are not text in UTF-8: save a spreadsheet as CSV, "
                    f"anything else as plain text with an {content.noun} on each line"
                )
            )
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            hand_over(ConfigurationError(f"the {content.plural} cannot be read: {reason}"))
        else:
            hand_over(None)


def _file(source: str, content: Content) -> TextIO:
    path = Path(source)
    try:
        return path.open(encoding=_encoding_of(path), newline="")
    except OSError as error:
        raise ConfigurationError(
            f"cannot read {source} ({error.strerror}): name a file with an {content.noun} on each line, or - for "
            f"standard input; {content.alone}"
        ) from None


def _encoding_of(path: Path) -> str:
    """Return UTF-16 if a regular file starts with its mark, as the "Unicode text" of Excel does, otherwise UTF-8."""
    if not path.is_file():
        return "utf-8"
    with path.open("rb") as file:
        return _encoding_after(file.read(_MARK_LENGTH))


def _encoding_after(start: bytes) -> str:
    return "utf-16" if start in _UTF_16_MARKS else "utf-8"


def _standard_input() -> LineSource:
    try:
        descriptor = sys.stdin.fileno()
    except io.UnsupportedOperation:
        return sys.stdin
    # Not sys.stdin itself: Python closes it at exit, which fails while a thread reads from it.
    return _UndecodedLines(io.FileIO(descriptor, closefd=False))


class _UndecodedLines:
    """The lines of a stream, which is first read, and its encoding found, by the thread that asks for a line."""

    def __init__(self, stream: io.RawIOBase) -> None:
        self._stream = stream
        self._lines: io.TextIOWrapper | None = None

    def readline(self) -> str:
        """Return the next line with its end, "" at the end of the stream."""
        if self._lines is None:
            self._lines = self._decoded()
        return self._lines.readline()

    def _decoded(self) -> io.TextIOWrapper:
        start = b""
        while len(start) < _MARK_LENGTH and (piece := self._stream.read(_MARK_LENGTH - len(start))):
            start += piece
        whole = io.BufferedReader(_Continued(start, self._stream))
        return io.TextIOWrapper(whole, encoding=_encoding_after(start), newline="")


class _Continued(io.RawIOBase):
    """A stream that begins with bytes which were read from it already."""

    def __init__(self, start: bytes, rest: io.RawIOBase) -> None:
        self._start, self._rest = start, rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        size = len(buffer)
        piece = self._start[:size] or self._rest.read(size) or b""
        self._start = self._start[size:]
        buffer[: len(piece)] = piece
        return len(piece)
