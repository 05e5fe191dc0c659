"""What a command shows to people: tables, bars and times on a terminal, lines with tabs in a pipe.

In a pipe nothing is cut, wrapped or padded, and a table has no header: one row a line, as `cut` and `awk` read it.
"""

import sys
from collections.abc import Collection, Generator, Iterable, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime

from kajabi_async.output import print_cells, print_line

__all__ = [
    "Bars",
    "Screen",
    "clock_time",
    "error_screen",
    "minute",
    "output_screen",
    "second",
    "silent_screen",
]

Row = Sequence[str]


class Bars:
    """The progress bars of a screen, by name: none in a pipe."""

    def show(self, name: str, *, completed: int, total: int | None = None) -> None:
        """Show the progress of the bar called *name*."""


class Screen:
    """A screen for people: this one is a pipe or a file. Everything it is passed is text, and is shown escaped."""

    is_terminal = False

    def __init__(self, *, error: bool) -> None:
        self._error = error

    def line(self, text: str, *, style: str = "") -> None:
        """Print a sentence."""
        del style
        print_line(text, error=self._error)

    def heading(self, text: str) -> None:
        """Print a heading."""
        self.line(text)

    def fields(self, rows: Iterable[tuple[str, str]], *, title: str | None = None) -> None:
        """Print names and values; with *title*, in a box below it on a terminal."""
        del title
        self._print(rows)

    def table(
        self, header: Row, rows: Sequence[Row], *, keep: int = 2, numbers: Collection[str] = frozenset[str]()
    ) -> None:
        """Print rows; on a terminal, of the columns after the first *keep* those for which there is room.

        The columns called *numbers* are flush right there.
        """
        del header, keep, numbers
        self._print(rows)

    def aligned(self, cells: Sequence[tuple[str, str]], *, widths: Sequence[int]) -> None:
        """Print cells, each a text and its style, in one row: *widths* are those of all but the last."""
        del widths
        self._print([[text for text, _ in cells]])

    @contextmanager
    def progress(self, *, is_shown: bool = True, redirect: bool = True) -> Generator[Bars]:
        """Show progress bars while the block runs, on a terminal only.

        Without *redirect* other output goes straight to its own stream meanwhile.
        """
        del is_shown, redirect
        yield Bars()

    def _print(self, rows: Iterable[Row]) -> None:
        for row in rows:
            print_cells(row, error=self._error)


class _Silence(Screen):
    """A screen that shows nothing."""

    def line(self, text: str, *, style: str = "") -> None:
        pass

    def _print(self, rows: Iterable[Row]) -> None:
        pass


def output_screen() -> Screen:
    """Return the screen for results."""
    return _screen(error=False)


def error_screen() -> Screen:
    """Return the screen for progress, reports and errors."""
    return _screen(error=True)


def silent_screen() -> Screen:
    """Return a screen that shows nothing."""
    return _Silence(error=False)


def _screen(*, error: bool) -> Screen:
    if not (sys.stderr if error else sys.stdout).isatty():
        return Screen(error=error)
    # rich takes longer to import than most of the rest, and a pipe needs none of it.
    from kajabi_async.cli.terminal import terminal_screen  # noqa: PLC0415

    return terminal_screen(error=error)


def clock_time(timestamp: float) -> str:
    """Return a time as of ``time.time`` as hours, minutes and seconds in UTC."""
    return f"{datetime.fromtimestamp(timestamp, UTC):%H:%M:%S} UTC"


def second(value: datetime) -> str:
    """Return a time to the second in UTC."""
    return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def minute(value: date) -> str:
    """Return a time to the minute in UTC, a date alone as it is."""
    if not isinstance(value, datetime):
        return value.isoformat()
    return f"{value.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
