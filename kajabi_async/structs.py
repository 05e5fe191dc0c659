"""The bases of the classes of which one or more is made for every request or row: `Struct` and `Value`."""

from typing import Any

import msgspec

__all__ = ["Struct", "Value"]


class Struct(msgspec.Struct, eq=False):
    """A record that is made in C: before Python 3.13, calling an attrs class takes two to three times as long.

    Setting a field takes longer, so it is for what is made more often than it is changed. Printed, also by rich, it
    shows no field, as any of them may lead to a token or to what users wrote.
    """

    __repr__ = object.__repr__

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return []


class Value(msgspec.Struct, frozen=True):
    """A record that is made in C, cannot be changed, and equals another with the same fields."""
