"""What the values of a run name its resources by: their ids, or anything else that identifies them, such as emails."""

from collections.abc import Callable
from typing import Any, Final

import attrs

from kajabi_async.fetching.outcomes import Lookup
from kajabi_async.jsonapi.ids import checked_id

__all__ = ["IDS", "Naming"]


@attrs.frozen
class Naming:
    """How the values of a run are checked and compared, and its outcomes made."""

    noun: str
    """The values in words, such as ``ids``."""
    verb: str
    """The call that starts the run."""
    key: Callable[[Any], str]
    """Returns the form of a value that is equal for all values of one resource; InvalidArgumentError for no value."""
    has_spellings: bool = False
    """Whether several values may have one key, and an outcome has the value as it was given."""
    outcome: Callable[[str, Lookup[Any]], Any] | None = None
    """Returns the outcome of a value from the lookup of its key; None if they are the same."""


IDS: Final = Naming("ids", "get_many", checked_id)
