"""Ids from a file or a pipe, read in a thread beside the event loop."""

import asyncio
import io
import sys
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, Self, TextIO

from kajabi_async.cli.columns import values_in
from kajabi_async.errors import ConfigurationError

__all__ = ["IdLines", "count_values", "open_source"]

_STANDARD_INPUT: Final = "-"
_READ_AHEAD: Final = 1000
_UTF_16_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")
_NO_TEXT: Final = "the ids cannot be read, as they are not text in UTF-8: save them as plain text, an id on each line"


@contextmanager
def open_source(source: str) -> Generator[TextIO]:
    """Open the file *source*, or standard input for ``-``; ConfigurationError if it cannot be opened."""
    if source == _STANDARD_INPUT:
        yield _standard_input()
        return
    with _file(source) as file:
        yield file


def count_values(source: str, *, column: str | None = None, default: str = "id") -> int | None:
    """Return the number of values in the file *source*; None for standard input, and for what cannot be read twice."""
    path = Path(source)
    if source == _STANDARD_INPUT or not path.is_file():
        return None
    try:
        with _file(source) as file:
            return sum(1 for _ in values_in(file, column=column, default=default))
    except (OSError, ValueError, ConfigurationError):
        # Reading the values themselves reports it.
        return None


class IdLines:
    """An async iterator over the values in lines, such as ids, as `values_in` reads them.

    Lookups go on while it waits for a slow pipe. ConfigurationError if the lines cannot be read.
    """

    def __init__(self, lines: TextIO, *, column: str | None = None, default: str = "id") -> None:
        self._values = values_in(iter(lines.readline, ""), column=column, default=default)
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
        """Return the ids not yet yielded, and whether the input ended; wait *silence* seconds for each at most."""
        ids: list[str] = []
        try:
            while True:
                ids.append(await asyncio.wait_for(anext(self), silence))
        except StopAsyncIteration:
            return ids, True
        except (TimeoutError, ConfigurationError):
            return ids, False

    def _start(self) -> None:
        self._is_started = True
        loop = asyncio.get_running_loop()

        def hand_over(item: str | ConfigurationError | None) -> None:
            # The loop is closed if the command was interrupted; the rest is not needed then.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(self._arrived.put_nowait, item)

        # A daemon thread: one that waits for a silent pipe must not keep an interrupted command alive.
        threading.Thread(target=_read, args=(self._values, hand_over, self._room), daemon=True).start()


def _read(
    values: Iterator[str], hand_over: Callable[[str | ConfigurationError | None], None], room: threading.Semaphore
) -> None:
    try:
        for value in values:
            room.acquire()
            hand_over(value)
    except ConfigurationError as error:
        hand_over(error)
    except UnicodeDecodeError:
        hand_over(ConfigurationError(_NO_TEXT))
    except (OSError, ValueError) as error:
        hand_over(ConfigurationError(f"the ids cannot be read: {getattr(error, 'strerror', None) or error}"))
    else:
        hand_over(None)


def _file(source: str) -> TextIO:
    path = Path(source)
    try:
        return path.open(encoding=_encoding_of(path), newline="")
    except OSError as error:
        raise ConfigurationError(
            f"cannot read {source} ({error.strerror}): name a file with an id on each line, or - for standard input; "
            "one id is looked up with `kajabi customers get`"
        ) from None


def _encoding_of(path: Path) -> str:
    """Return UTF-16 if a regular file starts with its mark, as the "Unicode text" of Excel does, otherwise UTF-8."""
    if not path.is_file():
        return "utf-8"
    with path.open("rb") as file:
        return "utf-16" if file.read(2) in _UTF_16_MARKS else "utf-8"


def _standard_input() -> TextIO:
    try:
        descriptor = sys.stdin.fileno()
    except io.UnsupportedOperation:
        return sys.stdin
    # Not sys.stdin itself: Python closes it at exit, which fails while a thread reads from it.
    return open(descriptor, encoding="utf-8", closefd=False)
