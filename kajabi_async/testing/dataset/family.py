"""A family: all resources of one type that the seed gives, made only when asked for."""

from collections.abc import Callable
from typing import Final

import attrs

from kajabi_async.testing.rows import Row

__all__ = ["Family", "PerTen", "number_in", "numbered"]

_TEN: Final = 10


@attrs.frozen
class Family:
    """The seeded resources of one type, in the order of their creation."""

    type: str
    size: int
    id_at: Callable[[int], str]
    """The id of the resource at a position, counted from 0."""
    position_of: Callable[[str], int | None]
    """The position of an id; None where the seed gives no such resource."""
    make: Callable[[int], Row]
    """The resource at a position: a pure function, so two calls give equal rows."""


def number_in(text: str, first: int, size: int) -> int | None:
    """Read *text* as one of the *size* numbers from *first* on; None where it is not written as one."""
    if not (text.isascii() and text.isdecimal()) or (text[0] == "0" and text != "0"):
        return None
    number = int(text) if len(text) <= _TEN * 2 else first - 1
    return number if first <= number < first + size else None


def numbered(type_name: str, size: int, make: Callable[[int], Row], *, first: int = 1, prefix: str = "") -> Family:
    """Give the family whose ids are *prefix* and the numbers from *first* on; *make* takes the number."""

    def position_of(resource_id: str) -> int | None:
        if not resource_id.startswith(prefix):
            return None
        number = number_in(resource_id[len(prefix) :], first, size)
        return None if number is None else number - first

    return Family(
        type=type_name,
        size=size,
        id_at=lambda position: f"{prefix}{first + position}",
        position_of=position_of,
        make=lambda position: make(first + position),
    )


def _suffixes_by_place(entries: tuple[tuple[int, int], ...]) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(suffix for at, suffix in entries if at == place) for place in range(_TEN))


@attrs.frozen
class PerTen:
    """A pattern that repeats with every ten customers, so that the things they own can be counted without looking.

    An entry says that the customer with that last place (0 to 9) owns a thing with that suffix (0 to 9); the id of
    the thing is the customer's number with the suffix behind it.
    """

    customers: int
    entries: tuple[tuple[int, int], ...]
    _by_place: tuple[tuple[int, ...], ...] = attrs.field(
        init=False, default=attrs.Factory(lambda self: _suffixes_by_place(self.entries), takes_self=True)
    )

    @property
    def size(self) -> int:
        """How many things there are in all."""
        tens, rest = divmod(self.customers, _TEN)
        return tens * len(self.entries) + sum(place < rest for place, _ in self.entries)

    def at(self, position: int) -> tuple[int, int]:
        """Give the customer's number and the suffix of the thing at *position*."""
        tens, entry = divmod(position, len(self.entries))
        place, suffix = self.entries[entry]
        return tens * _TEN + place + 1, suffix

    def suffixes_of(self, customer: int) -> tuple[int, ...]:
        """Give the suffixes of the things that *customer* owns."""
        return self._by_place[(customer - 1) % _TEN]

    def position_of(self, resource_id: str) -> int | None:
        """Give the position of the thing with *resource_id*; None where there is none."""
        number = number_in(resource_id, _TEN, (self.customers + 1) * _TEN)
        customer, suffix = divmod(number or 0, _TEN)
        if number is None or not 1 <= customer <= self.customers:
            return None
        entry = ((customer - 1) % _TEN, suffix)
        if entry not in self.entries:
            return None
        return (customer - 1) // _TEN * len(self.entries) + self.entries.index(entry)

    def family(self, type_name: str, make: Callable[[int, int], Row]) -> Family:
        """Give the family of these things; *make* takes the customer's number and the suffix."""
        return Family(
            type=type_name,
            size=self.size,
            id_at=lambda position: "{}{}".format(*self.at(position)),
            position_of=self.position_of,
            make=lambda position: make(*self.at(position)),
        )
