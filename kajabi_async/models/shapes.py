"""The attributes of a class read all at once, where a row is what it is documented to be.

Nearly every row is. Any other is left to `convert`, which takes one attribute after the other, knows more forms of
each, and can tell what is wrong with one; both ways give the same.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from inspect import getattr_static
from typing import Any, Final, Generic, NamedTuple, TypeVar

import attrs

from kajabi_async.jsonapi.decoding import ABSENT, RawJson, typed_reader
from kajabi_async.models.base import NO_EXTRA, Resource, attribute_names
from kajabi_async.models.origin import Origin
from kajabi_async.models.values import Refused

__all__ = ["Column", "Shape", "begun", "slot"]

R = TypeVar("R", bound=Resource)

_READ_AT_ONCE: Final = frozenset({str, int, bool, datetime})
_LEARNED: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_MOST_LEARNED: Final = 64
"""Names are learned from answers, so there must be an end to it."""
_FIRST_SLOTS: Final = ("id", "origin", "extra")


class Column(NamedTuple):
    """How one attribute gets into its slot."""

    fill: Callable[[Any, Any], None]
    wanted: Any
    """The type of its values, null aside."""
    convert: Callable[[Any, Any], Any]

    def put(self, instance: Any, value: Any, *, called: str) -> None:
        """Fill the slot, converting the value first; `Refused`, with the place, where that cannot be done."""
        try:
            self.fill(instance, None if value is None else self.convert(value, self.wanted))
        except Refused as refused:
            raise refused.inside(f".{called}") from None


class _Readers(NamedTuple):
    beside: tuple[str, ...]
    """Names without a column that have been seen, read after the columns."""
    all: Callable[[RawJson], tuple[Any, ...] | None]
    """For rows in which every column has a value."""
    some: Callable[[RawJson], tuple[Any, ...] | None]


class Shape(Generic[R]):
    """The attributes of one class, and names beside them that have been seen on the wire."""

    def __init__(self, cls: type[R], columns: Mapping[str, Column]) -> None:
        self.columns = columns
        self._cls = cls
        self._filled = _with_initialiser(cls, columns)
        self._converted = tuple(
            (index, column.convert, column.wanted)
            for index, column in enumerate(columns.values())
            if column.wanted not in _READ_AT_ONCE
        )
        self._expects_all = True
        self._readers = self._readers_for(())

    def build(self, resource_id: str, origin: Origin, raw: RawJson) -> tuple[R, dict[str, Any] | None] | None:
        """Give the resource and the members that have no slot, or None where *raw* has another shape."""
        # Taken once: another thread may learn in the meantime.
        readers = self._readers
        read = readers.all(raw) if self._expects_all else None
        has_all = read is not None
        if read is None:
            read, has_all = self._read_some(readers, raw)
            if read is None:
                return None
        values: Sequence[Any] = read
        leftover = None
        if readers.beside:
            own = len(self.columns)
            beside = zip(readers.beside, values[own:], strict=True)
            leftover = {name: value for name, value in beside if value is not ABSENT}
            values = values[:own]
        if self._converted:
            try:
                values = self._all_converted(values)
            except Refused:
                return None
        if not has_all:
            return self._partly_filled(resource_id, origin, values), leftover
        instance = self._filled(resource_id, origin, NO_EXTRA, *values)
        instance.__class__ = self._cls
        return instance, leftover

    def learn(self, names: Iterable[str]) -> None:
        """Note *names* that a row has beside the attributes, so that the next such row can be read at once."""
        known = self._readers.beside
        beside = tuple(dict.fromkeys((*known, *filter(_LEARNED.fullmatch, names))))
        if len(known) < len(beside) <= _MOST_LEARNED:
            self._readers = self._readers_for(beside)

    def _readers_for(self, beside: tuple[str, ...]) -> "_Readers":
        types = {name: column.wanted for name, column in self.columns.items()}
        types.update({name: Any for name, wanted in types.items() if wanted not in _READ_AT_ONCE})
        types |= dict.fromkeys(beside, Any)
        return _Readers(beside, typed_reader(types, required=self.columns), typed_reader(types, required=()))

    def _read_some(self, readers: "_Readers", raw: RawJson) -> tuple[tuple[Any, ...] | None, bool]:
        """Give the values in the order of the columns, and whether every column has one."""
        values = readers.some(raw)
        has_all = values is not None and ABSENT not in values[: len(self.columns)]
        # Rows that come one after the other mostly carry the same.
        self._expects_all = has_all
        return values, has_all

    def _all_converted(self, values: Iterable[Any]) -> Sequence[Any]:
        converted = list(values)
        for index, convert, wanted in self._converted:
            value = converted[index]
            if value is not None and value is not ABSENT:
                converted[index] = convert(value, wanted)
        return converted

    def _partly_filled(self, resource_id: str, origin: Origin, values: Iterable[Any]) -> R:
        instance = begun(self._cls, resource_id, origin)
        for column, value in zip(self.columns.values(), values, strict=True):
            if value is not ABSENT:
                column.fill(instance, value)
        return instance


def begun(cls: type[R], resource_id: str, origin: Origin) -> R:
    """Give a resource whose attributes are all empty yet."""
    instance = cls.__new__(cls)
    for name, value in zip(_FIRST_SLOTS, (resource_id, origin, NO_EXTRA), strict=True):
        slot(cls, name)(instance, value)
    return instance


def slot(cls: type[Resource], name: str) -> Callable[[Any, Any], None]:
    """Give what fills a slot: assignment through the class is refused, as users must not do it."""
    fill: Callable[[Any, Any], None] = getattr_static(cls, name).__set__
    return fill


def _with_initialiser(cls: type[Resource], columns: Iterable[str]) -> type[Any]:
    """Give a class of the same slots that fills them all at once; its instances then become those of *cls*.

    Filling slot by slot, which is all that can be done to *cls* itself, takes most of the time of reading a page.
    """
    given = {name: attrs.field() for name in (*_FIRST_SLOTS, *columns)}
    left_empty = {name: attrs.field(init=False) for name in attribute_names(cls) if name not in given}
    return attrs.make_class(cls.__name__, given | left_empty, bases=cls.__bases__, slots=True, eq=False, repr=False)
