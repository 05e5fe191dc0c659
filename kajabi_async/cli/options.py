"""Options and arguments that many commands share, and what one takes, in a word for the help."""

import shlex
from collections.abc import Sequence
from typing import Annotated, Any, Final, NamedTuple

from cyclopts import Parameter

from kajabi_async.cli.credentials.profiles import profile_option
from kajabi_async.errors import InvalidArgumentError

__all__ = ["Json", "Metavar", "Yes", "refuse_email", "whole"]

_PEOPLE: Final = frozenset({"customers", "contacts"})


class Metavar(NamedTuple):
    """The word for what an option or argument takes, such as ``DAYS``, in its type; that of the type by default."""

    word: str


Json = Annotated[bool, Parameter(name="--json", help="Print one line of JSON; errors, too.", negative=())]
"""The option that prints a result as one JSON object on one line."""
Yes = Annotated[bool, Parameter(name="--yes", help="Do it without asking.", negative=())]
"""The option that answers the question of `kajabi_async.cli.confirming.confirm` beforehand."""


def whole(_: Any, tokens: Sequence[Any]) -> int:
    """Return the whole number that was typed; ValueError for another, which cyclopts by itself would round."""
    return int(tokens[0].value)


def refuse_email(typed: str, command: str) -> None:
    """Raise InvalidArgumentError if *typed*, an id for *command*, is an email, which no id is."""
    if "@" in typed:
        find = f": `kajabi {command} find {shlex.quote(typed)}{profile_option()}` shows it"
        cure = find if command in _PEOPLE else ""
        raise InvalidArgumentError(f"{typed[:100]!r} is an email, and an id is needed{cure}")
