"""What was typed: secrets rejected before it is parsed, and usage errors with suggestions."""

import re
from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from typing import Final

from cyclopts import CycloptsError
from cyclopts.exceptions import UnknownOptionError

from kajabi_async.errors import InvalidArgumentError

__all__ = ["refuse_secrets", "usage_error", "wants_json"]

_SECRET_OPTION: Final = re.compile(
    r"--?(?:[\w-]*(?:secret|passw|token|api[-_]?key|client[-_]?id)[\w-]*)(?:=|$)", re.IGNORECASE
)
_SECRET_ASSIGNMENT: Final = re.compile(r"(?:kajabi_)?client_(?:id|secret)=", re.IGNORECASE)
_LOGIN: Final = "login"
_LOGIN_FLAGS: Final = frozenset({"--stdin", "--keyring", "--json", "--help", "-h"})


def refuse_secrets(tokens: Sequence[str]) -> None:
    """Raise InvalidArgumentError, whose text does not repeat it, if an argument looks like a secret.

    That is an option with a name such as --client-secret, an assignment such as KAJABI_CLIENT_SECRET=..., and any
    argument of login other than its flags.
    """
    before_names = _until_end_of_options(tokens)
    for_login = tokens[:1] == [_LOGIN] and not _LOGIN_FLAGS.issuperset(tokens[1:])
    if for_login or any(_SECRET_OPTION.match(token) or _SECRET_ASSIGNMENT.match(token) for token in before_names):
        raise InvalidArgumentError(
            "secrets are never taken from arguments, which other users of this machine and the shell's history can "
            "see: set KAJABI_CLIENT_ID and KAJABI_CLIENT_SECRET in the environment, or store both with `kajabi "
            "login`, which asks for them, or reads them from a pipe with --stdin. If what you typed was a real secret, "
            "make a new key"
        )


def wants_json(tokens: Sequence[str]) -> bool:
    """Return whether errors are printed as JSON, too."""
    return "--json" in _until_end_of_options(tokens)


def _until_end_of_options(tokens: Sequence[str]) -> Iterable[str]:
    return tokens[: tokens.index("--")] if "--" in tokens else tokens


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
