"""The attributes of a class read all at once, where a row is what it is documented to be.

Nearly every row is. Any other is left to `convert`, which takes one attribute after the other, knows more forms of
each, and can tell what is wrong with one; both ways give the same.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from inspect import getattr_static
from sys import getrecursionlimit
from typing import Annotated, Any, ClassVar, Final, Generic, NamedTuple, TypeVar

import attrs
import msgspec
from msgspec.structs import astuple

from kajabi_async.errors import DecodeError
from kajabi_async.jsonapi.codec import (
    ABSENT,
    NO_MEMBERS,
    SAFE_DEPTH,
    DocumentShape,
    RawJson,
    ResourceObject,
    UnsetType,
    decode,
    exhausts_the_stack,
)
from kajabi_async.models.resource import NO_EXTRA, Origin, Resource, attribute_names

__all__ = ["Column", "Members", "Shape", "TimeText", "TypedReader", "begun", "slot", "unread"]

TimeText: Any = Annotated[str, msgspec.Meta(min_length=20, max_length=32)]
"""Text as long as an ISO 8601 time in UTC without a fraction is, up to as long as one with microseconds and offset."""

_NAME: Any = Annotated[str, msgspec.Meta(min_length=1)]


class Members(msgspec.Struct, gc=False):
    """The members of an object whose types were known."""

    complete: ClassVar[bool]
    """Whether all that were required are there."""

    @property
    def names(self) -> tuple[str, ...]:
        """What they are called, in the order the types were given in."""
        return self.__struct_encode_fields__

    values = property(astuple)
    """Their values in that order, `ABSENT` for one that did not come."""


class TypedReader:
    """Reads objects whose members are of given types (scalars, `TimeText`, Any, or `RawJson` to read later), or null.

    It gives None for any other: one with other members, or values of other types.
    """

    def __init__(self, types: Mapping[str, Any], *, required: Collection[str]) -> None:
        """Take the *types* by name; a member that is not *required* may be `ABSENT`."""
        called = {f"member_{index}": name for index, name in enumerate(types)}
        member_types = {field: _or_absent(types[name]) for field, name in called.items()}
        fields: list[Any] = [
            (field, member_types[field]) if name in required else (field, member_types[field], ABSENT)
            for field, name in called.items()
        ]
        self._members: Any = msgspec.defstruct(
            "TypedMembers",
            fields,
            bases=(Members,),
            namespace={"complete": bool(required)},
            rename=called,
            forbid_unknown_fields=True,
            kw_only=True,
            gc=False,
        )

    @cached_property
    def read(self) -> Callable[[RawJson], Members | None]:
        """Gives the members of one object."""
        return _attempt(msgspec.json.Decoder(self._members).decode)

    @cached_property
    def read_document(self) -> Callable[[bytes], DocumentShape | None]:
        """Gives a document whose primary resource objects have such `Members` for attributes, or state none.

        They have a type and an id.
        """
        return _attempt(msgspec.json.Decoder(_document_of(self._members)).decode)


def _or_absent(member_type: Any) -> Any:
    # Raw text is null by itself.
    return member_type | UnsetType if member_type is RawJson else member_type | None | UnsetType


def _attempt(decode: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def read(text: bytes | RawJson) -> Any:
        # Looked at here as well, as a call takes longer.
        if getrecursionlimit() > SAFE_DEPTH and exhausts_the_stack(text):
            return None
        try:
            return decode(text)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return None

    return read


def unread(row: ResourceObject) -> RawJson:
    """Give the attributes of *row* as JSON text, in other words of the same meaning where they were read already."""
    attributes: Any = row.attributes
    return RawJson(msgspec.json.encode(attributes)) if isinstance(attributes, Members) else attributes


def _document_of(members: type[msgspec.Struct]) -> Any:
    row: Any = msgspec.defstruct(
        "TypedResourceObject",
        [("type", _NAME), ("id", _NAME), ("attributes", members, NO_MEMBERS)],
        bases=(ResourceObject,),
        kw_only=True,
        gc=False,
    )
    data = row | list[row] | UnsetType | None
    return msgspec.defstruct("TypedDocument", [("data", data, ABSENT)], bases=(DocumentShape,), gc=False)


R = TypeVar("R", bound=Resource)

_READ_AT_ONCE: Final[Mapping[Any, Any]] = {str: str, int: int, bool: bool, datetime: TimeText}
"""The types whose values need no hook, and what the decoder is told that they are."""
_NULL: Final = RawJson(b"null")
_NUMBER: Final[Any] = str | int | float
_READ_FIRST: Final[Mapping[Any, Any]] = {**_READ_AT_ONCE, Decimal: _NUMBER, float: _NUMBER, date: str}
"""All types whose values are no arrays or objects; those stay text until they are converted, or left as they are."""
_IN_UTC: Final = len("2026-08-02T20:26:32.123456Z")
_time_of: Final = datetime.fromisoformat
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

    @property
    def is_read_at_once(self) -> bool:
        """Whether nothing of its values is left to convert."""
        return self.wanted in _READ_AT_ONCE

    def converted(self, value: Any) -> Any:
        """Give what belongs into the slot for *value*; `Refused` where there is no such thing."""
        return None if value is None else self.convert(value, self.wanted)

    def put(self, instance: Any, value: Any) -> None:
        """Fill the slot, converting the value first; `Refused` if that cannot be done."""
        self.fill(instance, self.converted(value))


class _Readers(NamedTuple):
    beside: tuple[str, ...]
    """Names without a column that have been seen, read after the columns."""
    all: TypedReader
    """For rows in which every column has a value."""
    some: TypedReader


class Shape(Generic[R]):
    """The attributes of one class, and names beside them that have been seen on the wire."""

    def __init__(self, cls: type[R], columns: Mapping[str, Column]) -> None:
        self.columns = columns
        self._cls = cls
        self._filled = _with_initialiser(cls, columns)
        self._times = tuple(place for place, column in enumerate(columns.values()) if column.wanted is datetime)
        self._to_convert = tuple(
            (place, column.convert, column.wanted)
            for place, column in enumerate(columns.values())
            if not column.is_read_at_once
        )
        self._unread = tuple(
            place for place, column in enumerate(columns.values()) if _read_first(column.wanted) is RawJson
        )
        self._expects_all = True
        self._readers = self._readers_for(())

    def read_document(self, body: bytes) -> DocumentShape | None:
        """Give a document with its rows' attributes read, or None where that has to be done row by row."""
        readers = self._readers
        return (readers.all if self._expects_all else readers.some).read_document(body)

    def build(
        self, resource_id: str, origin: Origin, attributes: RawJson | Members
    ) -> tuple[R, dict[str, Any] | None] | None:
        """Give the resource and the members that have no slot, or None where *attributes* have another shape."""
        members = self._read(attributes) if isinstance(attributes, RawJson) else attributes
        if members is None:
            return None
        values: Sequence[Any] = members.values
        leftover = None
        own = len(self.columns)
        beside: Sequence[Any] = ()
        if len(values) > own:
            beside, values = values[own:], values[:own]
        # Rows that come one after the other mostly carry the same.
        has_all = self._expects_all = members.complete or ABSENT not in values
        try:
            if beside:
                named = zip(members.names[own:], beside, strict=True)
                leftover = {name: decode(value) for name, value in named if value is not ABSENT}
            converted = self._converted(values)
            if not has_all:
                return self._partly_filled(resource_id, origin, converted), leftover
            instance = self._filled(resource_id, origin, NO_EXTRA, *converted)
        except (ValueError, DecodeError):
            return None
        instance.__class__ = self._cls
        return instance, leftover

    def learn(self, names: Collection[str]) -> None:
        """Note *names* that a row has beside the attributes, so that the next such row can be read at once."""
        known = self._readers.beside
        if len(names) > _MOST_LEARNED:
            return
        # A column's name is among them if its value cannot be read.
        named = (name for name in names if name not in self.columns and _LEARNED.fullmatch(name))
        beside = tuple(dict.fromkeys((*known, *named)))
        if len(known) < len(beside) <= _MOST_LEARNED:
            self._readers = self._readers_for(beside)

    def _readers_for(self, beside: tuple[str, ...]) -> _Readers:
        types = {name: _read_first(column.wanted) for name, column in self.columns.items()}
        types |= dict.fromkeys(beside, RawJson)
        return _Readers(beside, TypedReader(types, required=self.columns), TypedReader(types, required=()))

    def _read(self, raw: RawJson) -> Members | None:
        # Taken once: another thread may learn in the meantime.
        readers = self._readers
        members = readers.all.read(raw) if self._expects_all else None
        return readers.some.read(raw) if members is None else members

    def _converted(self, values: Iterable[Any]) -> list[Any]:
        """Convert what the decoder could not; ValueError where a value is better left to `values` in its turn."""
        converted = list(values)
        for place in self._times:
            text = converted[place]
            if type(text) is str:
                time = converted[place] = _time_of(text)
                # `values` makes sure of the first and last years, and of a fraction that may have more than six digits:
                # in as many characters it has not if an offset follows it.
                unsure = text[19] not in ".Z+-" or text[0] in "09" or (len(text) > _IN_UTC and text[-6] not in "+-")
                if time.tzinfo is None or unsure:
                    raise ValueError(text)
        for place in self._unread:
            value = converted[place]
            if value == _NULL:
                converted[place] = None
            elif value is not ABSENT:
                converted[place] = decode(value)
        for place, convert, wanted in self._to_convert:
            value = converted[place]
            if value is not None and value is not ABSENT:
                converted[place] = convert(value, wanted)
        return converted

    def _partly_filled(self, resource_id: str, origin: Origin, values: Iterable[Any]) -> R:
        instance = begun(self._cls, resource_id, origin)
        for column, value in zip(self.columns.values(), values, strict=True):
            if value is not ABSENT:
                column.fill(instance, value)
        return instance


def _read_first(wanted: Any) -> Any:
    return _READ_FIRST.get(wanted, RawJson)


def begun(cls: type[R], resource_id: str, origin: Origin) -> R:
    """Give a resource whose attributes are all empty yet."""
    instance = cls.__new__(cls)
    for name, value in zip(_FIRST_SLOTS, (resource_id, origin, NO_EXTRA), strict=True):
        slot(cls, name)(instance, value)
    return instance


def slot(cls: type[Resource], name: str) -> Callable[[Any, Any], None]:
    """Give what fills a slot: assignment through the class is refused, as users must not do it."""
    fill = _SLOTS.get((cls, name))
    if fill is None:
        fill = _SLOTS[cls, name] = getattr_static(cls, name).__set__
    return fill


_SLOTS: Final[dict[tuple[type, str], Callable[[Any, Any], None]]] = {}


def _with_initialiser(cls: type[Resource], columns: Iterable[str]) -> type[Any]:
    """Give a class of the same slots that fills them all at once; its instances then become those of *cls*.

    Filling slot by slot, which is all that can be done to *cls* itself, takes most of the time of reading a page.
    """
    given = {name: attrs.field() for name in (*_FIRST_SLOTS, *columns)}
    left_empty = {name: attrs.field(init=False) for name in attribute_names(cls) if name not in given}
    return attrs.make_class(cls.__name__, given | left_empty, bases=cls.__bases__, slots=True, eq=False, repr=False)
