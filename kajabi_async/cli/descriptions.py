"""What each command takes, and its page: read from ``pages/``, so that no command is imported for it.

The files are written from the commands by ``python -m tests.cli.pages``, and a test compares them: without them, a page
or a refused argument would import the SDK, the parser and what they need, which takes ten times as long as the rest.
"""

import json
import re
from collections.abc import Iterator, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any, Final, Literal, NotRequired, TypedDict

from kajabi_async.cli.front import listing, page_width, paragraphs
from kajabi_async.cli.usage import unknown_command

__all__ = [
    "EXAMPLES",
    "FOLDER",
    "Argument",
    "Description",
    "Kind",
    "command_page",
    "description_of",
    "file_of",
    "is_group",
    "named",
]

EXAMPLES: Final = "Examples:"
"""The line of a docstring above the examples of a command."""
FOLDER: Final = Path(__file__).parent / "pages"

_INDENT: Final = "  "
_CONTINUED: Final = " \\"
"""The end of a line that a shell reads on with the next."""
_SHELL_WORD: Final = re.compile(r"""(?:'[^']*'|"[^"]*"|[^\s'"])+""")
_ABOUT_ALL: Final = "Exit codes, --profile and the variables: kajabi --help"

Kind = Literal["flag", "whole number", "number", "choice", "text"]
"""What an argument takes; ``text`` stands for all that only the command itself can judge."""


class Argument(TypedDict):
    """An option, or an argument without a name; a member that is left out is false or empty."""

    names: list[str]
    """As the parser has them: ``--site-id``, or ``CONTACT_ID`` of an argument without a name."""
    is_option: NotRequired[bool]
    kind: Kind
    choices: NotRequired[list[str]]
    is_required: NotRequired[bool]
    takes_many: NotRequired[bool]
    """Whether it may be repeated."""
    takes_hyphens: NotRequired[bool]
    """Whether its value may begin with a hyphen."""


class Description(TypedDict):
    """A command or a group."""

    usage: str
    text: list[str]
    """Paragraphs, each as one line."""
    commands: "dict[str, Description]"
    """Those of a group, by name; empty for a command."""
    tables: dict[str, list[tuple[str, str]]]
    """By heading: the names and texts of arguments and options."""
    examples: list[str]
    arguments: list[Argument]


def is_group(description: Description) -> bool:
    """Return whether it describes a group, which only has commands and does nothing itself."""
    return bool(description["commands"])


def file_of(name: str) -> Path:
    """Return the file with the description of the command called *name*, of the first level."""
    return FOLDER / f"{name}.json"


def description_of(name: str) -> Description:
    """Return the description of the command called *name*, of the first level."""
    # Also from a package in a zip file.
    loader: Any = globals()["__loader__"]
    description: Description = json.loads(loader.get_data(str(file_of(name))))
    return description


def named(words: Sequence[str]) -> tuple[list[str], Description]:
    """Return the names in *words* that lead to a command or group, and its description.

    InvalidArgumentError for a command that a group does not have; the first word must be a command.
    """
    names, description = [words[0]], description_of(words[0])
    for word in takewhile(lambda each: not each.startswith("-"), words[1:]):
        if not is_group(description):
            break
        if word not in description["commands"]:
            raise unknown_command(word, description["commands"], names)
        names.append(word)
        description = description["commands"][word]
    return names, description


def command_page(description: Description) -> Iterator[str]:
    """Yield the lines of the page of a command or group."""
    yield f"Usage: {description['usage']}"
    yield ""
    yield from paragraphs(description["text"])
    if commands := description["commands"]:
        yield "Commands:"
        yield from listing([(name, next(iter(each["text"]), "")) for name, each in commands.items()])
        yield ""
    for title, rows in description["tables"].items():
        yield f"{title}:"
        yield from listing(rows)
        yield ""
    if examples := description["examples"]:
        yield EXAMPLES
        for example in examples:
            yield from _example(example)
        yield ""
    yield _ABOUT_ALL


def _example(command: str) -> Iterator[str]:
    """Yield the lines of an example: one that is too long for the page goes on after a backslash, as shells read it."""
    room = page_width() - len(_CONTINUED)
    line = _INDENT
    for word in _SHELL_WORD.findall(command):
        if line.strip() and len(line) + len(word) > room:
            yield f"{line.rstrip()}{_CONTINUED}"
            line = 2 * _INDENT
        line += f"{word} "
    yield line.rstrip()
