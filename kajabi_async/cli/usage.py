"""A command that was typed wrongly, told with what may have been meant and where to read on."""

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import Final

from cyclopts import CycloptsError
from cyclopts.exceptions import UnknownOptionError

from kajabi_async.errors import InvalidArgumentError

__all__ = ["usage_error"]

_MOST_MEANT: Final = 3
_SENTENCE_ENDS: Final = (".", "?")


def usage_error(error: CycloptsError) -> InvalidArgumentError:
    """Give *error* as one of ours, with the help to read."""
    command = " ".join(["kajabi", *(error.command_chain or ())])
    told = " ".join(str(error).split())
    if isinstance(error, UnknownOptionError) and "Did you mean" not in told:
        told += _suggestion(error)
    ended = told if told.endswith(_SENTENCE_ENDS) else f"{told}."
    return InvalidArgumentError(f"{ended} `{command} --help` tells what there is")


def _suggestion(error: UnknownOptionError) -> str:
    typed = (error.token.keyword or error.token.value or "").partition("=")[0]
    known = (name for argument in error.argument_collection for name in argument.names)
    meant = list(_beginning_like(typed, known))[:_MOST_MEANT]
    return f" Did you mean {' or '.join(meant)}?" if meant else ""


def _beginning_like(typed: str, known: Iterable[str]) -> Iterator[str]:
    """Give the options that begin with the words that *typed* is nearest to: ``--email-contains`` for ``--emial``."""
    words = typed.strip("-").split("-")
    beginnings: dict[str, list[str]] = {}
    for name in known:
        beginnings.setdefault("-".join(name.strip("-").split("-")[: len(words)]), []).append(name)
    for beginning in get_close_matches("-".join(words), beginnings, n=1, cutoff=0.7):
        yield from beginnings[beginning]
