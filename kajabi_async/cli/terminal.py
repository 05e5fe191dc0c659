"""Tables, styled lines and progress bars. The only module that names rich.

All arguments are text, never markup: control characters and escape sequences are shown escaped.
"""

from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from kajabi_async.escaping.text import escape_line

__all__ = ["Bars", "Screen", "error_screen", "help_console", "output_screen", "silent_screen"]


class _Console(Console):
    """A console that raises BrokenPipeError; rich would end the process with 1."""

    def on_broken_pipe(self) -> NoReturn:
        """Raise BrokenPipeError again."""
        raise BrokenPipeError


class Screen:
    """A screen for people; colours only on a terminal, and not if NO_COLOR is set."""

    def __init__(self, console: Console) -> None:
        self._console = console

    @property
    def is_terminal(self) -> bool:
        """Whether the output goes to a terminal."""
        return self._console.is_terminal

    def line(self, text: str, *, style: str = "") -> None:
        """Print a sentence, wrapped at the width of the screen."""
        self._console.print(_text(text, style))

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

    def table(self, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Print rows under a header; long cells are wrapped, never cut."""
        table = Table()
        for name in header:
            table.add_column(_text(name), overflow="fold")
        for row in rows:
            table.add_row(*map(_text, row))
        self._console.print(table)

    def aligned(self, cells: Sequence[tuple[str, str]], *, widths: Sequence[int]) -> None:
        """Print cells, each a text and its style, in one row: *widths* are those of all but the last."""
        row = Table.grid(padding=(0, 2))
        for width in widths:
            row.add_column(width=width, no_wrap=True)
        row.add_column(overflow="fold")
        row.add_row(*(_text(text, style) for text, style in cells))
        self._console.print(row)

    @contextmanager
    def progress(self, *, is_shown: bool = True, redirect: bool = True) -> Generator["Bars"]:
        """Show progress bars while the block runs, on a terminal only.

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
            disable=not (is_shown and self.is_terminal),
        ) as progress:
            yield Bars(progress)


class Bars:
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


def output_screen() -> Screen:
    """Return the screen for results."""
    return Screen(_console())


def error_screen() -> Screen:
    """Return the screen for progress, reports and errors."""
    return Screen(_console(stderr=True))


def silent_screen() -> Screen:
    """Return a screen that shows nothing."""
    return Screen(_console(quiet=True))


def help_console(*, stderr: bool = False) -> Any:
    """Return the console for the help texts, which are trusted and not escaped."""
    return _console(stderr=stderr)


def _console(**settings: Any) -> Console:
    return _Console(markup=False, emoji=False, highlight=False, **settings)


def _text(text: str, style: str = "") -> Text:
    return Text(escape_line(text), style)
