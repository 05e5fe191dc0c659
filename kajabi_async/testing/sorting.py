"""Sorting of long lists in small steps, with the order that ``list.sort`` would have."""

from bisect import bisect_left, bisect_right
from collections.abc import Generator, Sequence
from typing import Any, Final

from kajabi_async.testing.comparing import moment
from kajabi_async.testing.dataset.family import Readable

__all__ = ["KINDS", "Key", "comparable", "merge_sorted", "sort_key"]

_STEP: Final = 2000
"""The number of items that are sorted or merged without a pause."""

Key = tuple[Any, ...]
"""A sort key of a row: one entry for each attribute, comparable with those of all other rows."""

_NUMBER, _TEXT, _NULL = KINDS = range(3)
"""The kinds of values in the order in which they sort; values of one kind are comparable."""


class _Descending:
    """A value that sorts in reverse."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        """Sort by *value*."""
        self.value = value

    def __lt__(self, other: "_Descending") -> bool:
        return bool(other.value < self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Descending) and bool(self.value == other.value)

    __hash__ = None  # type: ignore[assignment]


def sort_key(attributes: Sequence[str], row: Readable) -> Key:
    """Return the key of *row* for sorting by *attributes*, a minus for descending: nulls last, times as times."""
    return tuple(
        _Descending(comparable(name[1:], row)) if name.startswith("-") else comparable(name, row) for name in attributes
    )


def comparable(attribute: str, row: Readable) -> tuple[int, Any]:
    """Return the kind of an attribute's value, and what to compare with others of its kind."""
    value = row.value(attribute)
    if value is None:
        return _NULL, 0
    if attribute == "net_revenue":
        value = _number(value)
    time = moment(value) if attribute.endswith("_at") else None
    if time is not None:
        return _NUMBER, time.timestamp()
    return (_NUMBER, value) if isinstance(value, int | float) else (_TEXT, str(value))


def _number(value: Any) -> Any:
    try:
        return float(value)
    except (ValueError, TypeError):
        return value


def merge_sorted(
    items: list[int], keys: Sequence[Any], start: int = 0, stop: int | None = None
) -> Generator[None, None, list[int]]:
    """Return *items*, or those from *start* to *stop*, sorted by the keys at their indexes.

    Equal ones keep their order. Yields between small steps.
    """
    stop = len(items) if stop is None else stop
    if stop - start <= _STEP:
        yield
        return sorted(items[start:stop], key=keys.__getitem__)
    middle = (start + stop) // 2
    left = yield from merge_sorted(items, keys, start, middle)
    right = yield from merge_sorted(items, keys, middle, stop)
    return (yield from _merge(left, right, keys))


def _merge(left: list[int], right: list[int], keys: Sequence[Any]) -> Generator[None, None, list[int]]:
    key = keys.__getitem__
    merged: list[int] = []
    at_left = at_right = 0
    while at_left < len(left) and at_right < len(right):
        left_end, right_end = min(at_left + _STEP, len(left)), min(at_right + _STEP, len(right))
        if key(right[right_end - 1]) < key(left[left_end - 1]):
            left_end = bisect_right(left, key(right[right_end - 1]), at_left, left_end, key=key)
        else:
            right_end = bisect_left(right, key(left[left_end - 1]), at_right, right_end, key=key)
        part = left[at_left:left_end] + right[at_right:right_end]
        part.sort(key=key)
        merged += part
        at_left, at_right = left_end, right_end
        yield
    merged += left[at_left:]
    merged += right[at_right:]
    for used in (left, right):
        # Half a million references take some time to let go.
        used.clear()
        yield
    return merged
