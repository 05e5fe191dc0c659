"""Options that many commands share, and what an option takes, in a word for the help."""

from collections.abc import Sequence
from typing import Annotated, Any, NamedTuple

from cyclopts import Parameter

__all__ = ["Json", "Metavar", "Yes", "whole"]


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
