"""Comparison of attributes with the values of filters and sort keys, as Ransack does it on a database."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

__all__ = ["SUFFIXES", "compare", "is_true", "moment"]

_Test = Callable[[Any, str], bool]


def is_true(text: str) -> bool:
    """Return the boolean that Rails reads from *text* in a query string."""
    return text.strip().casefold() not in {"", "0", "f", "false", "off", "no"}


def moment(text: Any) -> datetime | None:
    """Return the time in ISO 8601 *text*, for a date its start in UTC; None for anything else."""
    # Every such text begins with a digit: most of what a scan compares is refused without the cost of an exception.
    if not isinstance(text, str) or not text[:1].isdecimal():
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def compare(suffix: str, value: Any, expected: str) -> bool:
    """Return whether an attribute's *value* passes the filter with that *suffix*; False for a value of another kind."""
    try:
        return SUFFIXES[suffix](value, expected)
    except (ValueError, TypeError):
        return False


def _like(value: Any, expected: str) -> Any:
    """Return *expected* converted to the type of *value*."""
    if isinstance(value, bool):
        return is_true(expected)
    if isinstance(value, int):
        return int(expected)
    return expected


def _equal(value: Any, expected: str) -> bool:
    if value is None:
        return False
    time, expected_time = moment(value), moment(expected)
    return time == expected_time if time and expected_time else bool(value == _like(value, expected))


def _order(value: Any, expected: str) -> int:
    if value is None:
        raise TypeError("null is neither before nor after anything")
    time, expected_time = moment(value), moment(expected)
    left, right = (time, expected_time) if time and expected_time else (value, _like(value, expected))
    return int(left > right) - int(left < right)


def _contains(value: Any, expected: str) -> bool:
    return value is not None and expected.casefold() in str(value).casefold()


def _one_of(value: Any, expected: str) -> bool:
    return any(compare("eq", value, part.strip()) for part in expected.split(","))


SUFFIXES: Final[dict[str, _Test]] = {
    "eq": _equal,
    "not_eq": lambda value, expected: not compare("eq", value, expected),
    "cont": _contains,
    "i_cont": _contains,
    "not_cont": lambda value, expected: not _contains(value, expected),
    "start": lambda value, expected: value is not None and str(value).casefold().startswith(expected.casefold()),
    "end": lambda value, expected: value is not None and str(value).casefold().endswith(expected.casefold()),
    "in": _one_of,
    "not_in": lambda value, expected: not _one_of(value, expected),
    "null": lambda value, expected: (value is None) is is_true(expected),
    "gt": lambda value, expected: _order(value, expected) > 0,
    "gte": lambda value, expected: _order(value, expected) >= 0,
    "gteq": lambda value, expected: _order(value, expected) >= 0,
    "lt": lambda value, expected: _order(value, expected) < 0,
    "lte": lambda value, expected: _order(value, expected) <= 0,
    "lteq": lambda value, expected: _order(value, expected) <= 0,
}
"""The Ransack predicates that the API's prose names, by suffix."""
