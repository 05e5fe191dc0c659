"""Tables, styled lines and progress bars on a terminal. The only module that names rich.

All arguments are text, never markup: control characters and escape sequences are shown escaped.
"""

from collections.abc import Collection, Generator, Iterable, Sequence
from contextlib import contextmanager
from typing import Any, Final, Literal, NoReturn

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from kajabi_async.cli.front import wrapped
from kajabi_async.cli.screens import Bars, Screen
from kajabi_async.escaping.text import escape_line

__all__ = ["TerminalScreen", "terminal_screen"]

_BETWEEN: Final = 3
"""Characters that a cell takes besides its text: the line before it, and a space on either side."""
_COMFORTABLE: Final = 28
"""Characters of a long cell that are worth more than one more column."""
_COMFORTABLE_URL: Final = 48
"""The same of an address, of which the end differs."""
_NARROWEST: Final = 4
_CUT: Final = "..."


class _Console(Console):
    """A console that raises BrokenPipeError; rich would end the process with 1."""

    def on_broken_pipe(self) -> NoReturn:
        """Raise BrokenPipeError again."""
        raise BrokenPipeError


class TerminalScreen(Screen):
    """A screen on a terminal; without colours if NO_COLOR is set."""

    is_terminal = True

    def __init__(self, console: Console) -> None:
        super().__init__(error=console.stderr)
        self._console = console

    def line(self, text: str, *, style: str = "") -> None:
        """Print a sentence, wrapped at the width of the screen."""
        for line in wrapped(escape_line(text), self._console.width) or [""]:
            self._console.print(Text(line, style), soft_wrap=True)

    def heading(self, text: str) -> None:
        """Print a line across the screen with *text* in it."""
        self._console.rule(_text(text))

    def fields(self, rows: Iterable[tuple[str, str]], *, title: str | None = None) -> None:
        """Print names and values in two columns; with *title*, in a box below it."""
        if title is None:
            table = Table.grid(padding=(0, 2))
            table.add_column(style="bold", no_wrap=True)
        else:
            table = Table(title=_text(title), title_justify="left", show_header=False)
            table.add_column(style="bold")
        table.add_column(overflow="fold")
        for row in rows:
            table.add_row(*map(_text, row))
        self._console.print(table)

    def table(
        self,
        header: Sequence[str],
        rows: Sequence[Sequence[str]],
        *,
        keep: int = 2,
        numbers: Collection[str] = frozenset[str](),
    ) -> None:
        """Print rows under a header, a line each: cells that are too long for the width of the screen are cut.

        Of the columns after the first *keep* those are left out for which there is no room. Those called *numbers* are
        flush right.
        """
        shown = [[escape_line(cell) for cell in row] for row in (header, *rows)]
        natural = [max(map(cell_len, column)) for column in zip(*shown, strict=True)]
        room = self._console.width - 1
        comfortable = [_COMFORTABLE_URL if name.endswith("url") else _COMFORTABLE for name in header]
        needed = [min(pair) for pair in zip(natural, comfortable, strict=True)]
        widths = _fitted(natural[: _fitting(needed, room, keep)], room)
        table = Table()
        for name, column, width in zip(header, shown[0], widths, strict=False):
            side: Literal["left", "right"] = "right" if name in numbers else "left"
            table.add_column(Text(_cut(column, width)), width=width, no_wrap=True, justify=side)
        for row in shown[1:]:
            table.add_row(*(Text(_cut(cell, width)) for cell, width in zip(row, widths, strict=False)))
        whole = sum(widths) + _BETWEEN * len(widths) + 1
        # Columns that were asked for are shown even if a line is longer than the screen.
        self._console.print(table, width=max(whole, self._console.width), crop=False)

    def aligned(self, cells: Sequence[tuple[str, str]], *, widths: Sequence[int]) -> None:
        """Print cells, each a text and its style, in one row: *widths* are those of all but the last."""
        row = Table.grid(padding=(0, 2))
        for width in widths:
            row.add_column(width=width, no_wrap=True)
        row.add_column(overflow="fold")
        row.add_row(*(_text(text, style) for text, style in cells))
        self._console.print(row)

    @contextmanager
    def progress(self, *, is_shown: bool = True, redirect: bool = True) -> Generator["_RichBars"]:
        """Show progress bars while the block runs.

        Without *redirect* other output goes straight to its own stream meanwhile.
        """
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        with Progress(
            *columns,
            console=self._console,
            transient=True,
            redirect_stdout=redirect,
            redirect_stderr=redirect,
            disable=not is_shown,
        ) as progress:
            yield _RichBars(progress)


def terminal_screen(*, error: bool) -> TerminalScreen:
    """Return the screen of standard output, or with *error* of standard error."""
    return TerminalScreen(_Console(stderr=error, markup=False, emoji=False, highlight=False))


class _RichBars(Bars):
    """The progress bars of a screen, by name."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}

    def show(self, name: str, *, completed: int, total: int | None = None) -> None:
        """Show the progress of the bar called *name*."""
        task = self._tasks.get(name)
        if task is None:
            task = self._tasks[name] = self._progress.add_task(escape_line(name), total=total)
        self._progress.update(task, completed=completed, total=total)


def _fitting(needed: Sequence[int], room: int, keep: int) -> int:
    """Return how many of the columns fit into *room*, each with at least the width that it *needed*."""
    used = sum(width + _BETWEEN for width in needed[:keep])
    number = min(keep, len(needed))
    for width in needed[keep:]:
        used += width + _BETWEEN
        if used > room:
            break
        number += 1
    return number


def _fitted(natural: Sequence[int], room: int) -> list[int]:
    """Return the widths of columns that need *natural* widths, the widest of them cut until all fit into *room*."""
    widths = list(natural)
    room -= _BETWEEN * len(widths)
    while (excess := sum(widths) - room) > 0:
        widest = max(widths)
        if widest <= _NARROWEST:
            break
        at_widest = [at for at, width in enumerate(widths) if width == widest]
        second = max((width for width in widths if width < widest), default=_NARROWEST)
        lower = max(second, _NARROWEST, widest - -(-excess // len(at_widest)))
        for at in at_widest:
            widths[at] = lower
    return widths


def _cut(text: str, width: int) -> str:
    if cell_len(text) <= width:
        return text
    return f"{set_cell_size(text, width - len(_CUT))}{_CUT}" if width > len(_CUT) else set_cell_size(text, width)


def _text(text: str, style: str = "") -> Any:
    return Text(escape_line(text), style)
