"""Families: all seeded resources of one type, generated on request."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import attrs

from kajabi_async.testing.rows import Row

__all__ = ["PER_PARENT", "Family", "Parts", "PerTen", "Readable", "SeededRow", "numbered", "part_number"]

_TEN: Final = 10

PER_PARENT: Final = 10
"""The number of parts that a resource may have: their ids are its own, followed by one digit."""


@attrs.frozen
class Parts:
    """Single values and relations of the rows of a family by name, each as a function of the position or the number.

    They equal those of the whole row, and cost less: a scan of a million rows reads only what its filters test.
    """

    values: Mapping[str, Callable[[int], Any]] = attrs.field(factory=dict[str, Callable[[int], Any]])
    links: Mapping[str, Callable[[int], tuple[str, ...]]] = attrs.field(
        factory=dict[str, Callable[[int], tuple[str, ...]]]
    )

    def of(self, convert: Callable[[int], int]) -> "Parts":
        """Return the same parts as functions of what *convert* turns into their argument."""
        values = {name: _after(convert, part) for name, part in self.values.items()}
        return Parts(values, {name: _after(convert, part) for name, part in self.links.items()})


def _after(convert: Callable[[int], int], part: Callable[[int], Any]) -> Callable[[int], Any]:
    return lambda position: part(convert(position))


@attrs.frozen
class Family:
    """The seeded resources of one type, in the order of creation."""

    type: str
    size: int
    id_at: Callable[[int], str]
    """The id of the resource at a position, counted from 0."""
    position_of: Callable[[str], int | None]
    """The position of an id; None for an id that is not seeded."""
    make: Callable[[int], Row]
    """The resource at a position: a pure function, so two calls return equal rows."""
    parts: Parts = attrs.field(factory=Parts)


class SeededRow:
    """A seeded resource for reading: it is generated only if a value is read that is not one of the parts."""

    __slots__ = ("_family", "_position", "_row")

    def __init__(self, family: Family, position: int) -> None:
        """Refer to the resource of *family* at *position*."""
        self._family = family
        self._position = position
        self._row: Row | None = None

    @property
    def type(self) -> str:
        """The type of the resource."""
        return self._family.type

    @property
    def id(self) -> str:
        """The id of the resource."""
        return self._family.id_at(self._position)

    def value(self, name: str) -> Any:
        """Return an attribute, or else a hidden value; None without either."""
        part = self._family.parts.values.get(name)
        return self._made().value(name) if part is None else part(self._position)

    def related(self, relation: str) -> tuple[str, ...]:
        """Return the ids of *relation*; empty if the row has no such relation."""
        part = self._family.parts.links.get(relation)
        return self._made().related(relation) if part is None else part(self._position)

    @property
    def site_id(self) -> str | None:
        """The id of the resource's site."""
        part = self._family.parts.values.get("site_id")
        return self._made().site_id if part is None else part(self._position)

    def _made(self) -> Row:
        if self._row is None:
            self._row = self._family.make(self._position)
        return self._row


Readable = Row | SeededRow
"""A resource as filters read it: whole, or seeded and not generated yet."""


def _number_in(text: str, first: int, size: int) -> int | None:
    """Return *text* as one of the *size* numbers from *first*; None if it is not one in canonical form."""
    if not (text.isascii() and text.isdecimal()) or (text[0] == "0" and text != "0"):
        return None
    number = int(text) if len(text) <= _TEN * 2 else first - 1
    return number if first <= number < first + size else None


def part_number(part_id: str, parents: int, parts_of: Callable[[int], int]) -> int | None:
    """Return the id of a part as a number; None if it is not one of the parts of *parents* resources."""
    number = _number_in(part_id, PER_PARENT, parents * PER_PARENT + PER_PARENT)
    parent, index = divmod(number or 0, PER_PARENT)
    return number if 1 <= parent <= parents and index < parts_of(parent) else None


def numbered(
    type_name: str,
    size: int,
    make: Callable[[int], Row],
    *,
    first: int = 1,
    prefix: str = "",
    parts: Parts | None = None,
) -> Family:
    """Return the family whose ids are *prefix* and the numbers from *first*.

    *make* takes the number; *parts* take the number from 1 on.
    """

    def position_of(resource_id: str) -> int | None:
        if not resource_id.startswith(prefix):
            return None
        number = _number_in(resource_id[len(prefix) :], first, size)
        return None if number is None else number - first

    return Family(
        type=type_name,
        size=size,
        id_at=lambda position: f"{prefix}{first + position}",
        position_of=position_of,
        make=lambda position: make(first + position),
        parts=Parts() if parts is None else parts.of(lambda position: position + 1),
    )


def _suffixes_by_index(entries: tuple[tuple[int, int], ...]) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(suffix for at, suffix in entries if at == index) for index in range(_TEN))


@attrs.frozen
class PerTen:
    """A pattern that repeats every ten customers, so that the items they own can be counted without generating them.

    An entry (index, suffix) means that the customer with that index in a group of ten (0 to 9) owns an item with that
    suffix (0 to 9); the id of the item is the customer's number followed by the suffix.
    """

    customers: int
    entries: tuple[tuple[int, int], ...]
    _by_index: tuple[tuple[int, ...], ...] = attrs.field(
        init=False, default=attrs.Factory(lambda self: _suffixes_by_index(self.entries), takes_self=True)
    )

    @property
    def size(self) -> int:
        """The number of items."""
        tens, rest = divmod(self.customers, _TEN)
        return tens * len(self.entries) + sum(index < rest for index, _ in self.entries)

    def at(self, position: int) -> tuple[int, int]:
        """Return the customer's number and the suffix of the item at *position*."""
        tens, entry = divmod(position, len(self.entries))
        index, suffix = self.entries[entry]
        return tens * _TEN + index + 1, suffix

    def suffixes_of(self, customer: int) -> tuple[int, ...]:
        """Return the suffixes of the items that *customer* owns."""
        return self._by_index[(customer - 1) % _TEN]

    def position_of(self, resource_id: str) -> int | None:
        """Return the position of the item with *resource_id*; None if it does not exist."""
        number = _number_in(resource_id, _TEN, (self.customers + 1) * _TEN)
        customer, suffix = divmod(number or 0, _TEN)
        if number is None or not 1 <= customer <= self.customers:
            return None
        entry = ((customer - 1) % _TEN, suffix)
        if entry not in self.entries:
            return None
        return (customer - 1) // _TEN * len(self.entries) + self.entries.index(entry)

    def family(self, type_name: str, make: Callable[[int, int], Row], parts: Parts) -> Family:
        """Return the family of these items.

        *make* takes the customer's number and the suffix, *parts* take the customer's number.
        """
        return Family(
            type=type_name,
            size=self.size,
            id_at=lambda position: "{}{}".format(*self.at(position)),
            position_of=self.position_of,
            make=lambda position: make(*self.at(position)),
            parts=parts.of(lambda position: self.at(position)[0]),
        )
