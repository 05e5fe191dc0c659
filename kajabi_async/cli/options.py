"""Options that many commands share."""

from typing import Annotated

from cyclopts import Parameter

__all__ = ["Json"]

Json = Annotated[bool, Parameter(name="--json", help="Print one line of JSON; errors, too.", negative=())]
"""A result as one line with one JSON object."""
