"""The page of one command or group: its usage, text, arguments, options, filters and examples."""

import re
from collections.abc import Iterator
from typing import Final

from kajabi_async.cli.descriptions import EXAMPLES, Description
from kajabi_async.cli.front import listing, page_width, paragraphs

__all__ = ["command_page"]

_INDENT: Final = "  "
_CONTINUED: Final = " \\"
"""The end of a line that a shell reads on with the next."""
_SHELL_WORD: Final = re.compile(r"""(?:'[^']*'|"[^"]*"|[^\s'"])+""")
_ABOUT_ALL: Final = "Exit codes, --profile and the variables: kajabi --help"


def command_page(description: Description) -> Iterator[str]:
    """Yield the lines of the page of a command or group."""
    yield f"Usage: {description['usage']}"
    yield ""
    yield from paragraphs(description["text"])
    if commands := description["commands"]:
        yield "Commands:"
        yield from listing([(name, _summary(commands[name])) for name in sorted(commands)])
        yield ""
    for title, rows in description["tables"].items():
        yield f"{title}:"
        yield from listing([(name, text) for name, text in rows])
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


def _summary(description: Description) -> str:
    return next(iter(description["text"]), "")
