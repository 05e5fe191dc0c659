"""One command, built and run; a mistake in the call is reported in the words of the command, not of a function."""

from collections.abc import Sequence
from typing import Any, Final

from cyclopts import CycloptsError
from cyclopts.exceptions import (
    CoercionError,
    MissingArgumentError,
    UnknownOptionError,
    UnusedCliTokensError,
)

from kajabi_async.cli.building import app_of
from kajabi_async.cli.contents import Command
from kajabi_async.cli.front import ExitCode
from kajabi_async.cli.refusals import NUMBERS, suggestion
from kajabi_async.cli.usage import LONGEST_SHOWN, misuse
from kajabi_async.errors import InvalidArgumentError

__all__ = ["call_command", "usage_error"]

_NUMBERS: Final = {int: NUMBERS["whole number"], float: NUMBERS["number"]}


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


def usage_error(error: CycloptsError, names: Sequence[str]) -> InvalidArgumentError:
    """Return *error*, of the command called *names*, as one that names what was typed and the page of the command."""
    return misuse(_message(error), names)


def _message(error: CycloptsError) -> str:
    if isinstance(error, UnknownOptionError):
        message = str(error)
        return message if "Did you mean" in message else message + _suggestion(error)
    if isinstance(error, UnusedCliTokensError):
        unused = [str(token) for token in error.unused_tokens or ()]
        return f"Unexpected argument{'' if len(unused) == 1 else 's'}: {' '.join(unused)}"
    if isinstance(error, MissingArgumentError):
        return _missing(error)
    if isinstance(error, CoercionError):
        return _wrong_type(error) or str(error)
    return str(error)


def _missing(error: MissingArgumentError) -> str:
    argument: Any = error.argument
    if argument is None:
        return str(error)
    if error.keyword is not None or argument.tokens:
        return f"{error.keyword or argument.name} needs a value"
    if argument.index is not None:
        return f"Missing argument: {argument.field_info.name.upper().replace('_', '-')}"
    return f"Missing option: {argument.name}"


def _wrong_type(error: CoercionError) -> str | None:
    """Return the message for a value that is no number, None if it should be something else."""
    expected = _NUMBERS.get(_innermost(error.target_type))
    if expected is None or error.token is None:
        return None
    return f"{error.token.keyword or 'the argument'} takes {expected}, got {error.token.value[:LONGEST_SHOWN]!r}"


def _innermost(annotation: Any) -> Any:
    arms = [each for each in getattr(annotation, "__args__", ()) if each is not type(None)]
    return arms[0] if arms else annotation


def _suggestion(error: UnknownOptionError) -> str:
    known = (name for argument in error.argument_collection for name in argument.names)
    return suggestion(error.token.keyword or error.token.value or "", known)
