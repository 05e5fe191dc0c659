"""The application of cyclopts, with all commands or the one that is called."""

from collections.abc import Iterable
from importlib import import_module
from typing import Any

from cyclopts import App

from kajabi_async.cli.contents import COMMANDS, Command

__all__ = ["app_of"]


def app_of(commands: Iterable[Command] = COMMANDS) -> App:
    """Return the application with *commands*, whose modules are imported.

    The target of a row is a function, which becomes the command, or for a group a function that returns its App.
    Examples stand at the end of a docstring, below ``Examples:``.
    """
    # The parser exits with errors of its own otherwise, and prints help that is wrapped in the middle of words.
    app = App(name="kajabi", help_flags=[], version_flags=[], suppress_keyboard_interrupt=False)
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
