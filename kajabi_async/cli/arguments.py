"""Checks of the raw arguments before they are parsed: secrets, which are rejected, and --json."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from kajabi_async.errors import InvalidArgumentError

__all__ = ["refuse_secrets", "wants_json"]

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
