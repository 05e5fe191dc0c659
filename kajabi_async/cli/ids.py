"""Ids from a file or a pipe, a line each, read beside the event loop."""

import asyncio
import io
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, Self, TextIO

from kajabi_async.errors import ConfigurationError

__all__ = ["IdLines", "opened"]

_STANDARD_INPUT: Final = "-"
_READ_AHEAD: Final = 1000
_NO_TEXT: Final = "the ids cannot be read, as they are not text in UTF-8: save them as plain text, an id on each line"


@contextmanager
def opened(source: str) -> Generator[TextIO]:
    """Open the file *source*, or standard input for ``-``; ConfigurationError where that cannot be done."""
    if source == _STANDARD_INPUT:
        yield _standard_input()
        return
    with _file(source) as file:
        yield file


class IdLines:
    """The ids in some lines, as they come; empty lines and what follows a # are skipped.

    A pipe may take its time, and lookups go on meanwhile. ConfigurationError if the lines cannot be read.
    """

    def __init__(self, lines: TextIO) -> None:
        self._lines = lines
        self._arrived: asyncio.Queue[str | ConfigurationError | None] = asyncio.Queue()
        self._room = threading.Semaphore(_READ_AHEAD)
        self._is_read = self._is_over = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> str:
        if not self._is_read:
            self._begin()
        while not self._is_over:
            item = await self._arrived.get()
            if isinstance(item, ConfigurationError):
                self._is_over = True
                raise item
            if item is None:
                self._is_over = True
                break
            self._room.release()
            if resource_id := item.partition("#")[0].strip():
                return resource_id
        raise StopAsyncIteration

    async def rest(self, silence: float) -> tuple[list[str], bool]:
        """Return the ids that were not taken, and whether those are all: a pipe may go silent for *silence* seconds."""
        ids: list[str] = []
        try:
            while True:
                ids.append(await asyncio.wait_for(anext(self), silence))
        except StopAsyncIteration:
            return ids, True
        except (TimeoutError, ConfigurationError):
            return ids, False

    def _begin(self) -> None:
        self._is_read = True
        loop = asyncio.get_running_loop()

        def hand_over(item: str | ConfigurationError | None) -> None:
            # The loop is closed when the command was interrupted; then nobody waits for more.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(self._arrived.put_nowait, item)

        # A daemon, as a thread that waits for a silent pipe would keep an interrupted command from ending.
        threading.Thread(target=_read, args=(self._lines, hand_over, self._room), daemon=True).start()


def _read(
    lines: TextIO, hand_over: Callable[[str | ConfigurationError | None], None], room: threading.Semaphore
) -> None:
    try:
        while line := lines.readline():
            room.acquire()
            hand_over(line)
    except UnicodeDecodeError:
        hand_over(ConfigurationError(_NO_TEXT))
    except (OSError, ValueError) as error:
        hand_over(ConfigurationError(f"the ids cannot be read: {getattr(error, 'strerror', None) or error}"))
    else:
        hand_over(None)


def _file(source: str) -> TextIO:
    try:
        return Path(source).open(encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(
            f"cannot read {source} ({error.strerror}): give a file with an id on each line, or - for standard input; "
            "one id is looked up with `kajabi customers get`"
        ) from None


def _standard_input() -> TextIO:
    try:
        descriptor = sys.stdin.fileno()
    except io.UnsupportedOperation:
        return sys.stdin
    # Not sys.stdin itself: Python closes it at exit, which fails while a thread waits on it.
    return open(descriptor, encoding="utf-8", closefd=False)
