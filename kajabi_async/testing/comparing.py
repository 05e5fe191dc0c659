"""Comparing attributes with what a filter or a sort key says, as Ransack does on a database."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

__all__ = ["SUFFIXES", "compare", "is_true", "moment", "sort_value"]

_Test = Callable[[Any, str], bool]


def is_true(text: str) -> bool:
    """Read a boolean the way Rails reads one from a query string."""
    return text.strip().casefold() not in {"", "0", "f", "false", "off", "no"}


def moment(text: Any) -> datetime | None:
    """Read an ISO 8601 time or date, which counts as its start in UTC; None for anything else."""
    if not isinstance(text, str):
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def sort_value(value: Any) -> tuple[bool, Any]:
    """Give what to sort an attribute by: nulls last, times as times, numbers written as text as numbers."""
    if value is None:
        return True, ""
    time = moment(value)
    if time is not None:
        return False, time.timestamp()
    return False, value


def compare(suffix: str, value: Any, wanted: str) -> bool:
    """Tell whether an attribute's *value* passes the filter with that *suffix*; a value of the wrong kind does not."""
    try:
        return SUFFIXES[suffix](value, wanted)
    except (ValueError, TypeError):
        return False


def _like(value: Any, wanted: str) -> Any:
    """Read *wanted* as what *value* is."""
    if isinstance(value, bool):
        return is_true(wanted)
    if isinstance(value, int):
        return int(wanted)
    return wanted


def _equal(value: Any, wanted: str) -> bool:
    if value is None:
        return False
    time, sought = moment(value), moment(wanted)
    return time == sought if time and sought else bool(value == _like(value, wanted))


def _order(value: Any, wanted: str) -> int:
    if value is None:
        raise TypeError("null is neither before nor after anything")
    time, sought = moment(value), moment(wanted)
    left, right = (time, sought) if time and sought else (value, _like(value, wanted))
    return int(left > right) - int(left < right)


def _contains(value: Any, wanted: str) -> bool:
    return value is not None and wanted.casefold() in str(value).casefold()


def _one_of(value: Any, wanted: str) -> bool:
    return any(compare("eq", value, part.strip()) for part in wanted.split(","))


SUFFIXES: Final[dict[str, _Test]] = {
    "eq": _equal,
    "not_eq": lambda value, wanted: not compare("eq", value, wanted),
    "cont": _contains,
    "i_cont": _contains,
    "not_cont": lambda value, wanted: not _contains(value, wanted),
    "start": lambda value, wanted: value is not None and str(value).casefold().startswith(wanted.casefold()),
    "end": lambda value, wanted: value is not None and str(value).casefold().endswith(wanted.casefold()),
    "in": _one_of,
    "not_in": lambda value, wanted: not _one_of(value, wanted),
    "null": lambda value, wanted: (value is None) is is_true(wanted),
    "gt": lambda value, wanted: _order(value, wanted) > 0,
    "gte": lambda value, wanted: _order(value, wanted) >= 0,
    "gteq": lambda value, wanted: _order(value, wanted) >= 0,
    "lt": lambda value, wanted: _order(value, wanted) < 0,
    "lte": lambda value, wanted: _order(value, wanted) <= 0,
    "lteq": lambda value, wanted: _order(value, wanted) <= 0,
}
"""The Ransack predicates that the API's prose names, by suffix."""
