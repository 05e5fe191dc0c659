"""How a command ends: its exit code, whose meanings are in `front`, and the line that an error prints."""

import sys
from collections.abc import Mapping
from enum import IntEnum
from typing import Any, Final

from kajabi_async.cli import front
from kajabi_async.cli.credentials import CredentialsError
from kajabi_async.cli.own_words import in_own_words
from kajabi_async.errors import (
    ApiError,
    BulkStalledError,
    ConfigurationError,
    InvalidArgumentError,
    KajabiError,
    NotFoundError,
    ServerError,
    TransportError,
)
from kajabi_async.escaping.text import escape_line
from kajabi_async.output import print_json, print_line

__all__ = ["MEANINGS", "ExitCode", "code_for", "message_of", "print_error", "print_sentence"]

_INDENT: Final = "  "


class ExitCode(IntEnum):
    """The exit codes; scripts may rely on them."""

    DONE = 0
    INCOMPLETE = 1
    MISUSED = 2
    REFUSED = 3
    UNREACHABLE = 4
    DENIED = 5
    NOT_KNOWN = 6
    INTERRUPTED = 130


MEANINGS: Final[Mapping[ExitCode, str]] = {ExitCode(code): meaning for code, meaning in front.MEANINGS.items()}
"""The meaning of each code, as ``kajabi --help`` prints it."""


def code_for(error: KajabiError) -> ExitCode:
    """Return the exit code of a command that *error* ends."""
    if isinstance(error, ConfigurationError | InvalidArgumentError):
        return ExitCode.MISUSED
    if isinstance(error, ServerError | TransportError | BulkStalledError):
        return ExitCode.UNREACHABLE
    if isinstance(error, ApiError) and not isinstance(error, NotFoundError):
        return ExitCode.REFUSED
    return ExitCode.INCOMPLETE


def print_error(error: BaseException, code: ExitCode, *, json: bool) -> None:
    """Print *error* on standard error: as a sentence, or as JSON on one line with the facts as members.

    The sentence is one line, too, except on a terminal, where it is wrapped between words.
    """
    message = ". ".join([message_of(error), *getattr(error, "__notes__", ())])
    if json:
        print_json({"error": {**_facts(error), "message": message, "exit_code": code.value}}, error=True)
    else:
        print_sentence(message)


def message_of(error: BaseException) -> str:
    """Return the text of *error* in one line, in the words of the command unless it is the API's."""
    text = " ".join(str(error).split())
    return text if isinstance(error, ApiError) else in_own_words(text)


def print_sentence(text: str) -> None:
    """Print *text* on standard error, after the name of the command; wrapped between words on a terminal."""
    shown = escape_line(f"kajabi: {text}")
    first, *others = _wrapped(shown) if sys.stderr.isatty() else [shown]
    print_line(first, error=True)
    for line in others:
        # Indented, so that no text of the API can look like a line of the command.
        print_line(f"{_INDENT}{line}", error=True)


def _wrapped(text: str) -> list[str]:
    return front.wrapped(text, front.screen_width() - len(_INDENT))


def _facts(error: BaseException) -> dict[str, Any]:
    facts: dict[str, Any] = {"type": type(error).__name__}
    if isinstance(error, ApiError):
        facts |= {"status": error.status, "request_id": error.request_id, "retry_after": error.retry_after}
    if isinstance(error, CredentialsError):
        facts["cure"] = error.cure
    if isinstance(error, KajabiError):
        facts |= {"attempts": error.attempts, "maybe_applied": error.maybe_applied}
    return facts
