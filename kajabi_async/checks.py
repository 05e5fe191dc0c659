"""Whole numbers that callers hand in, checked before anything is sent."""

from typing import Any, Final

from kajabi_async.errors import InvalidArgumentError

__all__ = ["whole_number"]

_MOST: Final = 10**9


def whole_number(value: Any, *, of: str, at_least: int) -> int:
    """Give *value*; InvalidArgumentError, which calls it *of*, where it is no whole number or out of range."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidArgumentError(f"{of} must be a whole number, got {value!r:.60}")
    if not at_least <= value <= _MOST:
        # The number itself may have more digits than Python prints.
        raise InvalidArgumentError(f"{of} must be a whole number of at least {at_least} and at most {_MOST}")
    return value
