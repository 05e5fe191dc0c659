"""Options that many commands share."""

from typing import Annotated

from cyclopts import Parameter

__all__ = ["Json"]

Json = Annotated[bool, Parameter(name="--json", help="Print one line of JSON; errors, too.", negative=())]
"""The option that prints a result as one JSON object on one line."""
