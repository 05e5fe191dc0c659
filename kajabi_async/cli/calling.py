"""One command, built and run."""

from collections.abc import Sequence
from typing import Any

from cyclopts import CycloptsError

from kajabi_async.cli.building import app_of
from kajabi_async.cli.contents import Command
from kajabi_async.cli.exit_codes import ExitCode
from kajabi_async.cli.mistakes import usage_error

__all__ = ["call_command"]


def call_command(command: Command, names: Sequence[str], words: Sequence[str]) -> int:
    """Run *words*, which call the command called *names*, within *command*, and return the exit code.

    InvalidArgumentError for an argument or option that the command does not have.
    """
    try:
        code: Any = app_of([command])(
            words, exit_on_error=False, print_error=False, help_on_error=False, result_action="return_value"
        )
    except CycloptsError as error:
        raise usage_error(error, names) from None
    return code if isinstance(code, int) else ExitCode.DONE
