"""The application of cyclopts, with all commands or the one that is called."""

import inspect
from collections.abc import Iterable
from importlib import import_module
from typing import Any

from cyclopts import App

from kajabi_async.cli.contents import COMMANDS, Command
from kajabi_async.cli.descriptions import EXAMPLES
from kajabi_async.cli.front import ABOUT

__all__ = ["app_of"]

_NO_CONSOLE: Any = object()


def app_of(commands: Iterable[Command] = COMMANDS) -> App:
    """Return the application with *commands*, whose modules are imported.

    The target of a row is a function, which becomes the command, or for a group a function that returns its App.
    Examples stand at the end of a docstring, below ``Examples:``.
    """
    app = App(
        name="kajabi",
        help="\n\n".join(ABOUT),
        # `front` and `descriptions` have the pages: those of cyclopts break words.
        help_flags=[],
        version_flags=[],
        suppress_keyboard_interrupt=False,
        # Nothing is printed there, and making them would import rich.
        console=_NO_CONSOLE,
        error_console=_NO_CONSOLE,
    )
    for command in commands:
        target = _target(command)
        if command.is_group:
            app.command(target(command))
        else:
            app.command(target, name=command.name)
    _reflow(app)
    return app


def _reflow(app: App) -> None:
    """Make each paragraph of a command's help one line, as the page is wrapped by itself; examples stay as they are."""
    for name in app:
        command = app[name]
        about, heading, examples = inspect.cleandoc(command.help or "").partition(EXAMPLES)
        paragraphs = [" ".join(paragraph.split()) for paragraph in about.split("\n\n")]
        lines = [f"  {line.strip()}" for line in examples.strip().splitlines()]
        command.help = "\n\n".join([*filter(None, paragraphs), *(["\n".join([heading, *lines])] if lines else [])])
        _reflow(command)


def _target(command: Command) -> Any:
    module, _, attribute = command.target.partition(":")
    return getattr(import_module(f"kajabi_async.cli.{module}"), attribute)
