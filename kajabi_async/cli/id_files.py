"""Ids or emails from a file or a pipe, one per line, read in a thread beside the event loop."""

import asyncio
import io
import re
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, Self, TextIO

import attrs

from kajabi_async.errors import ConfigurationError

__all__ = ["IDS", "STANDARD_INPUT", "Content", "IdLines", "open_source"]

STANDARD_INPUT: Final = "-"
"""What stands for standard input in place of a file."""
_READ_AHEAD: Final = 1000
_ENCODING: Final = "utf-8-sig"
"""UTF-8, with or without the mark that some editors and spreadsheets put at the beginning."""


@attrs.frozen
class Content:
    """What the lines of a file hold."""

    noun: str
    """It in words, such as ``ids``."""
    one: str
    """One of it in words, such as ``an id``."""
    command: str
    """The command that takes the file."""
    alone: str
    """What to do with a single one, in a clause."""
    comment: re.Pattern[str]
    """The beginning of what is no part of a line."""


IDS: Final = Content(
    "ids", "an id", "customers lookup", "one id is looked up with `kajabi customers get`", re.compile("#")
)


@contextmanager
def open_source(source: str, content: Content) -> Generator[TextIO]:
    """Open the file *source*, or standard input for ``-``; ConfigurationError if it cannot be opened."""
    if source == STANDARD_INPUT:
        yield _standard_input()
        return
    with _file(source, content) as file:
        yield file


class IdLines:
    """An async iterator over the ids, or other *content*, in lines; empty lines and comments are skipped.

    Lookups go on while it waits for a slow pipe. ConfigurationError if the lines cannot be read.
    """

    def __init__(self, lines: TextIO, content: Content) -> None:
        self._lines, self._content = lines, content
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
            if value := self._content.comment.split(item, maxsplit=1)[0].strip():
                return value
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
        threading.Thread(target=self._read, args=(hand_over,), daemon=True).start()

    def _read(self, hand_over: Callable[[str | ConfigurationError | None], None]) -> None:
        content = self._content
        try:
            while line := self._lines.readline():
                self._room.acquire()
                hand_over(line)
        except UnicodeDecodeError:
            hand_over(
                ConfigurationError(
                    f"the {content.noun} cannot be read, as they are not text in UTF-8: save them as plain text, "
                    f"{content.one} on each line"
                )
            )
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            hand_over(ConfigurationError(f"the {content.noun} cannot be read: {reason}"))
        else:
            hand_over(None)


def _file(source: str, content: Content) -> TextIO:
    try:
        return Path(source).open(encoding=_ENCODING)
    except OSError as error:
        raise ConfigurationError(
            f"cannot read {source} ({error.strerror}): name a file with {content.one} on each line, or - for standard "
            f"input; {content.alone}"
        ) from None


def _standard_input() -> TextIO:
    try:
        descriptor = sys.stdin.fileno()
    except io.UnsupportedOperation:
        return sys.stdin
    # Not sys.stdin itself: Python closes it at exit, which fails while a thread reads from it.
    return open(descriptor, encoding=_ENCODING, closefd=False)
