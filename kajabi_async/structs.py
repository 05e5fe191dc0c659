"""The bases of records: `Struct` and `FrozenStruct`, of which many are made for each answer, `Value`, `ChangingValue`.

A record that leads to nothing that may lead back to it can be a class with ``gc=False``: the garbage collector then has
less to look through.
"""

from typing import Any

import msgspec

__all__ = ["ChangingValue", "FrozenStruct", "Struct", "Value"]


class Struct(msgspec.Struct, eq=False):
    """A record that is made in C: before Python 3.13, calling an attrs class takes two to three times as long.

    Setting a field takes longer, so it is for what is made more often than it is changed. Printed, also by rich, it
    shows no field, as any of them may lead to a token or to what users wrote.
    """

    __repr__ = object.__repr__

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return []


class FrozenStruct(msgspec.Struct, frozen=True):
    """A record that is made in C, cannot be changed, and equals another with the same fields."""


class Value:
    """The base of attrs classes that are compared, hashed and printed by their fields, as attrs does it.

    attrs would write and compile these methods for each class, which is two thirds of the time of importing one: pass
    it ``eq=False, repr=False``. They take longer here, so it is for classes that are seldom compared.
    """

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return _fields(self) == _fields(other) if other.__class__ is self.__class__ else NotImplemented

    def __hash__(self) -> int:
        return hash((self.__class__, _fields(self)))

    def __repr__(self) -> str:
        record: Any = self
        shown = (field.name for field in record.__attrs_attrs__ if field.repr)
        return f"{type(self).__qualname__}({', '.join(f'{name}={getattr(self, name)!r}' for name in shown)})"


class ChangingValue(Value):
    """The same for classes whose fields change: they can be no keys of a dict."""

    __slots__ = ()

    __hash__ = None  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]


def _fields(record: Any) -> tuple[Any, ...]:
    return tuple(getattr(record, field.name) for field in record.__attrs_attrs__)
