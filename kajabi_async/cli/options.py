"""Options that many commands share, and what an option takes, in a word for the help."""

from typing import Annotated, NamedTuple

from cyclopts import Parameter

__all__ = ["Json", "Metavar", "Yes"]


class Metavar(NamedTuple):
    """The word for what an option or argument takes, such as ``DAYS``, in its type; that of the type by default."""

    word: str


Json = Annotated[bool, Parameter(name="--json", help="Print one line of JSON; errors, too.", negative=())]
"""The option that prints a result as one JSON object on one line."""
Yes = Annotated[bool, Parameter(name="--yes", help="Do it without asking.", negative=())]
"""The option that answers the question of `kajabi_async.cli.confirming.confirm` beforehand."""
