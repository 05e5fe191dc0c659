"""One command, built, and either run or shown as a page."""

from collections.abc import Sequence
from typing import Any

from cyclopts import App, CycloptsError

from kajabi_async.cli.building import app_of
from kajabi_async.cli.contents import Command
from kajabi_async.cli.exit_codes import ExitCode
from kajabi_async.cli.front import print_page
from kajabi_async.cli.help_pages import command_page, is_group, subcommands
from kajabi_async.cli.mistakes import usage_error
from kajabi_async.cli.usage import leading_words, misuse, unknown_command

__all__ = ["call_command", "show_page"]


def show_page(command: Command, words: Sequence[str]) -> ExitCode:
    """Print the page of the command or group that *words* name, beginning with *command*."""
    names, app = _named(app_of([command]), command, words)
    print_page(command_page(app, names))
    return ExitCode.DONE


def call_command(command: Command, words: Sequence[str]) -> int:
    """Run *words*, beginning with *command*, and return the exit code; a group alone prints its page.

    InvalidArgumentError for an argument or option that the command does not have.
    """
    whole = app_of([command])
    names, app = _named(whole, command, words)
    if is_group(app):
        if len(words) > len(names):
            raise misuse(f"A command is missing: one of {', '.join(sorted(subcommands(app)))}.", names)
        return show_page(command, words)
    try:
        code: Any = whole(
            words, exit_on_error=False, print_error=False, help_on_error=False, result_action="return_value"
        )
    except CycloptsError as error:
        raise usage_error(error, names) from None
    return code if isinstance(code, int) else ExitCode.DONE


def _named(whole: App, command: Command, words: Sequence[str]) -> tuple[list[str], App]:
    """Return the names that lead to a command or group, and its application."""
    names, app = [command.name], whole[command.name]
    for word in leading_words(words[1:]):
        if not is_group(app):
            break
        if word not in subcommands(app):
            raise unknown_command(word, subcommands(app), names)
        names.append(word)
        app = app[word]
    return names, app
