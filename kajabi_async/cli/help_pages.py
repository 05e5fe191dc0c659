"""The page of one command or group: its usage, text, arguments, options, filters and examples."""

from collections.abc import Iterator
from typing import Final

from kajabi_async.cli.descriptions import EXAMPLES, Description
from kajabi_async.cli.front import listing, paragraphs

__all__ = ["command_page"]

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
        yield from (f"  {example}" for example in examples)
        yield ""
    yield _ABOUT_ALL


def _summary(description: Description) -> str:
    return next(iter(description["text"]), "")
