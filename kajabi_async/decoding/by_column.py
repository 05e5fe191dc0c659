"""Conversions of the values of one attribute in all rows of a page.

What is done for a whole column at once runs in C, and takes a fraction of the same done row by row.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from operator import attrgetter
from typing import Any, Final, TypeAlias

from kajabi_async.decoding.values import decimal_of

__all__ = ["AFTER_SECONDS", "IN_UTC", "Column", "converter_of_columns", "times_of"]

Column: TypeAlias = Sequence[Any]
"""The values of one attribute, in the order of the rows; None for null."""

IN_UTC: Final = len("2026-08-02T20:26:32.123456Z")
_OF_MOST_YEARS: Final = "12345678"
"""The first digits of the years from 1000 to 8999."""
AFTER_SECONDS: Final = ".Z+-"
_time_of: Final = datetime.fromisoformat
_zone_of: Final = attrgetter("tzinfo")


def converter_of_columns(value_type: Any, convert: Callable[[Any, Any], Any]) -> Callable[[Column], Column]:
    """Return a function that converts each value of a column, null aside, to *value_type*.

    *convert* does so with one value and the type. Both raise ValueError for a value that needs a closer look.
    """

    def each(column: Column) -> Column:
        return [None if value is None else convert(value, value_type) for value in column]

    def decimals(column: Column) -> Column:
        return list(map(decimal_of, column)) if {*map(type, column)} == {str} else each(column)

    return decimals if value_type is Decimal else each


def times_of(column: Column) -> Column:
    """Return the times that the texts in *column* are, each of 20 to 32 characters; null stays.

    ValueError if one needs a closer look: `values` checks the first and last years, and a fraction that may have more
    than six digits. It has no more if an offset follows it within that length.
    """
    texts: Column = column if all(column) else list(filter(None, column))
    if not texts:
        return column
    alike = [texts] if len({*map(len, texts)}) == 1 else [[text] for text in texts]
    times = [time for each in alike for time in _times_of(each)]
    if len(times) == len(column):
        return times
    following = iter(times)
    return [text and next(following) for text in column]


def _times_of(texts: Sequence[str]) -> list[datetime]:
    """Return the times of *texts*, which are equally long."""
    size, joined = len(texts[0]), "".join(texts)
    # A slice with this step has the characters at one place of all texts; stripped, it has those not allowed there.
    odd = joined[19::size].strip(AFTER_SECONDS) or joined[::size].strip(_OF_MOST_YEARS)
    if odd or (size > IN_UTC and joined[size - 6 :: size].strip("+-")):
        raise ValueError(odd)
    times = list(map(_time_of, texts))
    if not all(map(_zone_of, times)):
        raise ValueError(texts[0])
    return times
