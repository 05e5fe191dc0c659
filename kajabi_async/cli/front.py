"""The pages that need none of the commands: the version, the list of commands, the exit codes.

Imports no library, so that they show at once.
"""

import os
import re
import sys
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from enum import IntEnum
from shutil import get_terminal_size
from typing import Final

from kajabi_async.cli.contents import COMMANDS
from kajabi_async.output import print_line

__all__ = [
    "ABOUT",
    "HELP_FLAGS",
    "HELP_WORD",
    "MEANINGS",
    "VERSION_FLAGS",
    "ExitCode",
    "front_page",
    "listing",
    "page_width",
    "paragraphs",
    "print_page",
    "screen_width",
    "until_end_of_options",
    "wrapped",
]

HELP_FLAGS: Final = frozenset({"--help", "-h"})
VERSION_FLAGS: Final = frozenset({"--version", "-V"})
HELP_WORD: Final = "help"
_EXIT_CODES: Final = "exit-codes"


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


MEANINGS: Final = {
    ExitCode.DONE: "done, or the reader of the output closed the pipe",
    ExitCode.INCOMPLETE: "something was not found, could not be read, or was not confirmed",
    ExitCode.MISUSED: "wrong usage or configuration",
    ExitCode.REFUSED: "the API rejected the request (4xx)",
    ExitCode.UNREACHABLE: "the API could not be reached or failed (5xx, time limits, a stall)",
    ExitCode.DENIED: "access check: the person has no access",
    ExitCode.NOT_KNOWN: "access check: it is not known whether the person has access",
    ExitCode.INTERRUPTED: "interrupted",
}
"""The meaning of each exit code."""

ABOUT: Final = (
    "Read and write Kajabi data from the command line.",
    (
        "A key comes from the first of these that has one: KAJABI_CLIENT_ID and KAJABI_CLIENT_SECRET in the "
        "environment; a file of mode 0600, $KAJABI_CREDENTIALS_FILE or kajabi/credentials.toml in $XDG_CONFIG_HOME or "
        "~/.config; the system keyring. `kajabi login` writes the file or the keyring. No argument takes a secret. "
        "`kajabi demo` needs no key."
    ),
)
_OPTIONS: Final = (
    ("--profile NAME", "Use the key that `kajabi login --profile NAME` stored; KAJABI_PROFILE does the same."),
    (
        "--json",
        (
            "Print one JSON object on one line; lists print one such line for each row. Errors are then JSON, too, on "
            'standard error: {"error": {"type", "message", "exit_code", ...}}.'
        ),
    ),
    ("-h, --help", "Show the page of a command; `kajabi help COMMAND` does the same."),
    ("-V, --version", "Show the version of this command."),
)
_VARIABLES: Final = (
    ("KAJABI_SITE_ID", "The site for lists and creations."),
    ("KAJABI_BASE_URL", "Another host than https://api.kajabi.com."),
    ("NO_COLOR", "Turns colours off; they and progress show on a terminal only."),
)
_EXAMPLES: Final = (
    "kajabi customers list --limit 50",
    "kajabi customers get 1 --include offers",
    "kajabi help customers lookup",
)
_WIDEST: Final = 100
_NARROWEST: Final = 40
_INDENT: Final = "  "
_COMMAND: Final = re.compile("`[^`]*`")
_UNBROKEN: Final = "\x00"
"""Stands for a space at which no line ends."""
_USUAL_WIDTH: Final = 80
_MAX_NAME: Final = 30
"""Characters of a name up to which its text stands beside it, otherwise below."""


def front_page(tokens: Sequence[str]) -> bool:
    """Print the page that *tokens* ask for, if it is one of this module, and return whether it was."""
    words = [token for token in tokens if token != HELP_WORD and token not in HELP_FLAGS]
    if not VERSION_FLAGS.isdisjoint(until_end_of_options(tokens)):
        print_line(_own_version())
    elif not words:
        print_page(_overview())
    elif words == [_EXIT_CODES] and len(tokens) > 1:
        print_page(_exit_codes())
    else:
        return False
    return True


def until_end_of_options(tokens: Sequence[str]) -> Sequence[str]:
    """Return *tokens* up to ``--``, behind which nothing is an option."""
    return tokens[: tokens.index("--")] if "--" in tokens else tokens


def page_width() -> int:
    """Return the width of a page in characters: that of the terminal, within what is easily read."""
    return max(_NARROWEST, min(_WIDEST, get_terminal_size().columns))


def screen_width() -> int:
    """Return the width of the terminal in characters, also if only standard error goes to one; 80 if none is known."""
    if columns := get_terminal_size((0, 0)).columns:
        return columns
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or _USUAL_WIDTH
    except (OSError, ValueError):
        return _USUAL_WIDTH


def wrapped(text: str, width: int) -> list[str]:
    """Return the lines of *text*, at most *width* characters long: words, and commands in backticks, stay whole.

    What is longer than that has a line of its own, which the terminal breaks, so that it is copied as one.
    """
    width = max(width, _NARROWEST // 2)
    unbroken = _COMMAND.sub(lambda match: match[0].replace(" ", _UNBROKEN), text)
    lines = textwrap.wrap(unbroken, width, break_long_words=False, break_on_hyphens=False)
    return [line.replace(_UNBROKEN, " ") for line in lines]


def paragraphs(texts: Iterable[str]) -> Iterator[str]:
    """Yield the lines of *texts*, wrapped at the width of the page, each text followed by an empty line."""
    for text in texts:
        yield from wrapped(text, page_width())
        yield ""


def listing(rows: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Yield the lines of names and their texts, side by side; below a name that is too long for that."""
    width = max((len(name) for name, _ in rows if len(name) <= _MAX_NAME), default=0)
    beside = len(_INDENT) + width + 2
    for name, text in rows:
        lines = wrapped(text, page_width() - beside) or [""]
        if len(name) > width:
            yield f"{_INDENT}{name}"
        else:
            yield f"{_INDENT}{name:<{width}}  {lines.pop(0)}".rstrip()
        yield from (f"{' ' * beside}{line}" for line in lines)


def _overview() -> Iterator[str]:
    yield from ("Usage: kajabi COMMAND [OPTIONS]", "")
    yield from paragraphs(ABOUT)
    width = max(len(command.name) for command in COMMANDS)
    for section in dict.fromkeys(command.section for command in COMMANDS):
        yield f"{section}:"
        yield from listing([(f"{each.name:<{width}}", each.summary) for each in COMMANDS if each.section == section])
        yield ""
    for title, rows in (("Everywhere", _OPTIONS), ("Variables", _VARIABLES)):
        yield f"{title}:"
        yield from listing(rows)
        yield ""
    yield "Examples:"
    yield from (f"{_INDENT}{example}" for example in _EXAMPLES)
    yield ""
    yield from _exit_codes()


def _exit_codes() -> Iterator[str]:
    yield "Exit codes:"
    yield from listing([(f"{code:>3}", meaning) for code, meaning in MEANINGS.items()])


def print_page(lines: Iterable[str]) -> None:
    """Print the lines of a page on standard output."""
    for line in lines:
        print_line(line)


def _own_version() -> str:
    # The module takes longer to import than all else that is needed here.
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415

    try:
        return version("kajabi-async")
    except PackageNotFoundError:
        return "not installed; run from its source"
