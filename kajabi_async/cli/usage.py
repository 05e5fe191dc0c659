"""Usage errors, with suggestions and a pointer to the help."""

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import Final

from cyclopts import CycloptsError
from cyclopts.exceptions import UnknownOptionError

from kajabi_async.errors import InvalidArgumentError

__all__ = ["usage_error"]

_MAX_SUGGESTIONS: Final = 3
_SENTENCE_ENDS: Final = (".", "?")


def usage_error(error: CycloptsError) -> InvalidArgumentError:
    """Return *error* as an InvalidArgumentError that names the help of its command."""
    command = " ".join(["kajabi", *(error.command_chain or ())])
    message = " ".join(str(error).split())
    if isinstance(error, UnknownOptionError) and "Did you mean" not in message:
        message += _suggestion(error)
    sentence = message if message.endswith(_SENTENCE_ENDS) else f"{message}."
    return InvalidArgumentError(f"{sentence} See `{command} --help`")


def _suggestion(error: UnknownOptionError) -> str:
    typed = (error.token.keyword or error.token.value or "").partition("=")[0]
    known = (name for argument in error.argument_collection for name in argument.names)
    suggestions = list(_options_starting_like(typed, known))[:_MAX_SUGGESTIONS]
    return f" Did you mean {' or '.join(suggestions)}?" if suggestions else ""


def _options_starting_like(typed: str, known: Iterable[str]) -> Iterator[str]:
    """Yield the options whose first words are closest to *typed*: ``--email-contains`` for ``--emial``."""
    words = typed.strip("-").split("-")
    prefixes: dict[str, list[str]] = {}
    for name in known:
        prefixes.setdefault("-".join(name.strip("-").split("-")[: len(words)]), []).append(name)
    for prefix in get_close_matches("-".join(words), prefixes, n=1, cutoff=0.7):
        yield from prefixes[prefix]
