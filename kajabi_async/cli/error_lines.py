"""How an error ends a command: the exit code, and the line that it prints, in the words of the command."""

import re
import sys
from typing import Any, Final

from kajabi_async.cli.credentials import CredentialsError
from kajabi_async.cli.front import ExitCode, screen_width, wrapped
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

__all__ = ["code_for", "message_of", "print_error", "print_sentence"]

_INDENT: Final = "  "
_PHRASES: Final = {
    "site_id=, here or on the client (KAJABI_SITE_ID)": "--site-id or KAJABI_SITE_ID",
    "restart=True (--restart)": "--restart",
    "add one, such as UTC, or pass a date": "write 2024-05-01T16:00:00Z, or a date alone",
    " (extra_filters= sends a filter that the SDK does not know yet)": "",
    "True or False": "true or false",
    "an amount: a Decimal, a whole number, or text such as '12.50'": "an amount such as 12.50",
    "a date, a time with its zone, or either in ISO 8601": (
        "a date such as 2024-05-01, or a time with its zone such as 2024-05-01T16:00:00Z"
    ),
    "customers and contacts have find_by_email and find_many": (
        "`kajabi customers find` and `kajabi contacts find` take emails"
    ),
    "or set the format to one of": "or write --format and one of",
    "check() takes either email= or customer_id=": "write either an email or --customer-id",
    "cursor is not text that api.changes() wrote, or not all of it": (
        "--cursor names a file that `kajabi changes` did not write, or not all of it"
    ),
    "cursor is damaged: it is not what api.changes() wrote": (
        "--cursor names a file that is damaged: it is not what `kajabi changes` wrote"
    ),
    "another base_url: store one cursor for each client": (
        "another KAJABI_BASE_URL: name a file of its own for each with --cursor"
    ),
    "start with since= instead": "remove the file that --cursor names, and start with --since",
}
_OPERATION: Final = re.compile(r"^([a-z][a-z_]*)\.([a-z][a-z_]*)(?= (?:needs|has no) )")
_FILTER: Final = re.compile(r"filter\[([a-z_]+)\]")
_ARGUMENT: Final = re.compile(r"(?<![\w-])([a-z]+(?:_[a-z]+)*)=(?=[\s,:;.)]|$)")
_SUBJECT: Final = re.compile(
    r"^(page_size|limit|concurrency|patience|site_id|sort|include|fields|strategy|target_url|format|every|sweep)"
    r"(?= must )"
)


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
    return text if isinstance(error, ApiError) else _in_own_words(text)


def _in_own_words(text: str) -> str:
    """Return the text of an error of the SDK with the command's options in place of arguments and filters."""
    for phrase, own in _PHRASES.items():
        text = text.replace(phrase, own)
    text = _OPERATION.sub(lambda match: f"{_dashed(match[1])} {_dashed(match[2])}", text)
    for pattern in (_FILTER, _ARGUMENT, _SUBJECT):
        text = pattern.sub(lambda match: f"--{_dashed(match[1])}", text)
    return text


def _dashed(name: str) -> str:
    return name.replace("_", "-")


def print_sentence(text: str) -> None:
    """Print *text* on standard error, after the name of the command; wrapped between words on a terminal."""
    shown = escape_line(f"kajabi: {text}")
    first, *others = wrapped(shown, screen_width() - len(_INDENT)) if sys.stderr.isatty() else [shown]
    print_line(first, error=True)
    for line in others:
        # Indented, so that no text of the API can look like a line of the command.
        print_line(f"{_INDENT}{line}", error=True)


def _facts(error: BaseException) -> dict[str, Any]:
    facts: dict[str, Any] = {"type": type(error).__name__}
    if isinstance(error, ApiError):
        facts |= {"status": error.status, "request_id": error.request_id, "retry_after": error.retry_after}
    if isinstance(error, CredentialsError):
        facts["cure"] = error.cure
    if isinstance(error, KajabiError):
        facts |= {"attempts": error.attempts, "maybe_applied": error.maybe_applied}
    return facts
