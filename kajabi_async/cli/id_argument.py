"""Ids as people type them: an email in place of one leads to the command that takes emails."""

import shlex
from typing import Final

from kajabi_async.cli.credentials.profiles import profile_option
from kajabi_async.errors import InvalidArgumentError

__all__ = ["checked_not_email"]

_PEOPLE: Final = frozenset({"customers", "contacts"})


def checked_not_email(typed: str, command: str) -> str:
    """Return *typed*, an id for *command*; InvalidArgumentError if it is an email, which no id is."""
    if "@" not in typed:
        return typed
    cure = f": `kajabi {command} find {shlex.quote(typed)}{profile_option()}` shows it" if command in _PEOPLE else ""
    raise InvalidArgumentError(f"{typed[:100]!r} is an email, and an id is needed{cure}")
