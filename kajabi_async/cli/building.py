"""The application of cyclopts, with all commands or the one that is called."""

from collections.abc import Iterable
from importlib import import_module
from typing import Any

from cyclopts import App

from kajabi_async.cli.contents import COMMANDS, Command

__all__ = ["app_of"]

_NO_CONSOLE: Any = object()


def app_of(commands: Iterable[Command] = COMMANDS) -> App:
    """Return the application with *commands*, whose modules are imported.

    The target of a row is a function, which becomes the command, or for a group a function that returns its App.
    Examples stand at the end of a docstring, below ``Examples:``.
    """
    app = App(
        name="kajabi",
        # `front` and `help_pages` print the pages: those of cyclopts break words.
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
    return app


def _target(command: Command) -> Any:
    module, _, attribute = command.target.partition(":")
    return getattr(import_module(f"kajabi_async.cli.{module}"), attribute)
