"""The fast path: a whole answer decoded in one pass, with all attributes of its resources.

It reads answers whose rows are as documented, which nearly all are: every attribute has its documented JSON type, times
have the form of the API, and no member is unknown. For any other answer it returns None, and `answers` reads the same
bytes row by row, which accepts more forms of each value and can say what is wrong with one. Both return the same.
Names of unknown members are learned per process: the second answer that has them is read here.

Three things make it fast. msgspec decodes attributes straight into a struct of their types. The rows of a page are
converted attribute by attribute, as `by_column` does it. And a twin of each model class, with the same slots and an
``__init__``, sets all slots at once; its instances then become those of the model.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from inspect import getattr_static
from itertools import repeat
from sys import getrecursionlimit
from typing import Annotated, Any, ClassVar, Final, Generic, NamedTuple, TypeVar

import attrs
import msgspec
from msgspec.structs import astuple

from kajabi_async.decoding.by_column import AFTER_SECONDS, IN_UTC, converter_of_columns, times_of
from kajabi_async.decoding.values import conversions_in, decimal_of
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
    json_array,
    refuse_deep,
)
from kajabi_async.jsonapi.document import MANY_BYTES
from kajabi_async.jsonapi.limits import most_rows
from kajabi_async.models.origin import Origin, Scope
from kajabi_async.models.resource import NO_EXTRA, Resource

__all__ = ["FastReader", "Members", "Slot", "TimeText", "TypedReader", "convert_times", "setter", "unfilled"]

R = TypeVar("R", bound=Resource)

TimeText: Any = Annotated[str, msgspec.Meta(min_length=20, max_length=32)]
"""Text of the length of an ISO 8601 time: from UTC without a fraction to microseconds with an offset."""

_NAME: Any = Annotated[str, msgspec.Meta(min_length=1)]
_AS_DOCUMENTED: Final[Mapping[Any, Any]] = {str: str, int: int, bool: bool, datetime: TimeText}
"""The types that need no conversion, or that of a time, and the type that msgspec decodes for each."""
_NUMBER: Final[Any] = str | int | float
_SCALARS: Final[Mapping[Any, Any]] = {**_AS_DOCUMENTED, Decimal: _NUMBER, float: _NUMBER, date: str}
"""All types whose values are no arrays or objects; those remain text until they are converted."""
_time_of: Final = datetime.fromisoformat
_NULL: Final = RawJson(b"null")
_LEARNED: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_MOST_LEARNED: Final = 64
"""Names are learned from answers, so their number is limited."""
_FIRST_SLOTS: Final = ("id", "origin", "extra")
_MISSING_FIELD: Final = "missing required field"
"""How msgspec begins to say that a required member is absent."""


class Members(msgspec.Struct, gc=False):
    """The members of an object, decoded into their types."""

    complete: ClassVar[bool]
    """Whether no required member can be absent."""

    @property
    def names(self) -> tuple[str, ...]:
        """Their names on the wire, in the order of the types."""
        return self.__struct_encode_fields__

    values = property(astuple)
    """Their values in the same order, `ABSENT` for an absent one."""


class TypedReader:
    """Decodes documents whose resource objects have attributes of given types, or null."""

    def __init__(self, types: Mapping[str, Any], *, required: Collection[str]) -> None:
        """Decode members of these *types* (scalars, `TimeText`, Any, or `RawJson` to decode later) by name.

        A member that is not *required* may be `ABSENT`.
        """
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
    def decode(self) -> Callable[[bytes], DocumentShape]:
        """Decodes a document whose resource objects have type, id and `Members`, or no attributes at all.

        Raises msgspec.MsgspecError, ValueError or RecursionError for any other text.
        """
        row: Any = msgspec.defstruct(
            "TypedResourceObject",
            [("type", _NAME), ("id", _NAME), ("attributes", self._members, NO_MEMBERS)],
            bases=(ResourceObject,),
            kw_only=True,
            gc=False,
        )
        data = row | list[row] | UnsetType | None
        document: Any = msgspec.defstruct("TypedDocument", [("data", data, ABSENT)], bases=(DocumentShape,), gc=False)
        return msgspec.json.Decoder(document).decode


def _or_absent(member_type: Any) -> Any:
    # Raw text includes null.
    return member_type | UnsetType if member_type is RawJson else member_type | None | UnsetType


class Slot(NamedTuple):
    """One attribute of a class: how its values are converted and set."""

    fill: Callable[[Any, Any], None]
    type: Any
    """The type of its values, null aside."""
    convert: Callable[[Any, Any], Any]

    def converted(self, value: Any) -> Any:
        """Return what the slot is set to for a JSON *value*; `Refused` if it cannot be converted."""
        return None if value is None else self.convert(value, self.type)

    def put(self, instance: Any, value: Any) -> None:
        """Convert the JSON *value* and set the slot of *instance*; `Refused` if it cannot be converted."""
        self.fill(instance, None if value is None else self.convert(value, self.type))


class _Readers(NamedTuple):
    beside: tuple[str, ...]
    """Learned names without a slot, decoded after the slots."""
    complete: TypedReader
    """For rows in which every attribute has a value."""
    partial: TypedReader


class FastReader(Generic[R]):
    """Reads whole answers with resources of one class."""

    def __init__(
        self,
        cls: type[R],
        slots: Mapping[str, Slot],
        place_rest: Callable[[R, dict[str, Any], dict[str, Any]], None] | None,
    ) -> None:
        """Fill the *slots* of *cls*.

        *place_rest* sets slots from the members that have none, deletes those it used, and adds refusals to its last
        argument; None if the class has no such slots.
        """
        self._cls = cls
        self._type = cls.resource_type
        self._slots = slots
        self._place_rest = place_rest
        self._filled = _with_initialiser(cls, slots)
        self._unread = tuple(index for index, slot in enumerate(slots.values()) if slot.type not in _SCALARS)
        self._times = tuple(index for index, slot in enumerate(slots.values()) if slot.type is datetime)
        self._to_convert = tuple(
            (index, converter_of_columns(slot.type, slot.convert), slot.convert, slot.type)
            for index, slot in enumerate(slots.values())
            if slot.type not in _AS_DOCUMENTED
        )
        self._expects_all = True
        self._readers = self._readers_for(())

    def read_one(self, body: bytes, scope: Scope) -> tuple[R, RawJson | UnsetType] | None:
        """Return the one resource in *body* and the text of what is included, or None if it is read another way."""
        document = self._decode(body)
        row = None if document is None else document.data
        if document is None or not isinstance(row, ResourceObject) or row.included is not ABSENT:
            return None
        resource = self._build(row, scope)
        return None if resource is None else (resource, document.included)

    def read_page(self, body: bytes, scope: Scope) -> tuple[tuple[R, ...], DocumentShape] | None:
        """Return the rows in *body* and the rest of the document, or None if it is read another way."""
        document = self._decode(body)
        data = None if document is None else document.data
        if document is None or not isinstance(data, list) or len(data) > most_rows(scope.most_elements):
            return None
        rows = self._build_page(data, scope) if self._are_complete(data) else self._build_each(data, scope)
        return None if rows is None else (tuple(rows), document)

    def learn(self, names: Collection[str]) -> None:
        """Learn *names* of members without a slot, so that the next answer that has them is read here."""
        known = self._readers.beside
        if len(names) > _MOST_LEARNED:
            return
        # The name of a slot is among them if its value cannot be read.
        named = (name for name in names if name not in self._slots and _LEARNED.fullmatch(name))
        beside = tuple(dict.fromkeys((*known, *named)))
        if len(known) < len(beside) <= _MOST_LEARNED:
            self._readers = self._readers_for(beside)

    def _readers_for(self, beside: tuple[str, ...]) -> _Readers:
        types = {name: _SCALARS.get(slot.type, RawJson) for name, slot in self._slots.items()}
        types |= dict.fromkeys(beside, Any)
        return _Readers(beside, TypedReader(types, required=self._slots), TypedReader(types, required=()))

    def _decode(self, body: bytes) -> DocumentShape | None:
        # Checked here as well, as the call takes longer.
        if len(body) > MANY_BYTES or (getrecursionlimit() > SAFE_DEPTH and exhausts_the_stack(body)):
            return None
        # Read once: another thread may learn in the meantime.
        readers = self._readers
        try:
            if self._expects_all:
                try:
                    return readers.complete.decode(body)
                except msgspec.ValidationError as error:
                    if _MISSING_FIELD not in str(error):
                        return None
            return readers.partial.decode(body)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return None

    def _build(self, row: Any, scope: Scope) -> R | None:
        """Return the resource for *row*; None if it has another type, or a value that cannot be converted here."""
        if row.type != self._type:
            return None
        try:
            resource, rest = self._resource(row.id, _origin_of(row, scope), row.attributes)
        except (ValueError, DecodeError):
            return None
        return self._finished(resource, rest, scope) if rest or self._place_rest is not None else resource

    def _build_each(self, rows: Iterable[Any], scope: Scope) -> list[R] | None:
        """Return the resources for *rows*; None if one cannot be read here."""
        resources: list[R] = []
        for row in rows:
            resource = self._build(row, scope)
            if resource is None:
                return None
            resources.append(resource)
        return resources

    def _are_complete(self, rows: Iterable[Any]) -> bool:
        """Return whether all of *rows* are of the type, and carry every attribute."""
        kinds: set[type[Any]] = {type(row.attributes) for row in rows}
        return (
            len(kinds) == 1
            and issubclass(kind := kinds.pop(), Members)
            and kind.complete
            and {row.type for row in rows} == {self._type}
        )

    def _build_page(self, rows: Sequence[Any], scope: Scope) -> list[R] | None:
        """Return the resources for *rows*, which are complete; None if a value cannot be converted here."""
        own = len(self._slots)
        rests: Sequence[dict[str, Any] | None] = [None] * len(rows)
        names = rows[0].attributes.names[own:]
        columns: list[Any] = list(zip(*[astuple(row.attributes) for row in rows], strict=True))
        try:
            self._convert_columns(columns, scope)
            if names:
                rests = [_rest(names, values) for values in zip(*columns[own:], strict=True)]
        except (ValueError, DecodeError):
            return None
        ids, origins = [row.id for row in rows], [_origin_of(row, scope) for row in rows]
        resources: list[R] = list(map(self._filled, ids, origins, repeat(NO_EXTRA), *columns[:own]))
        for resource in resources:
            resource.__class__ = self._cls
        if names or self._place_rest is not None:
            for resource, rest in zip(resources, rests, strict=True):
                if self._finished(resource, rest, scope) is None:
                    return None
        return resources

    def _finished(self, resource: R, rest: dict[str, Any] | None, scope: Scope) -> R | None:
        """Return *resource* with what is made of *rest*, the members without a slot; None if one cannot be read."""
        if rest:
            scope.count_conversions(len(rest))
        if self._place_rest is not None:
            rest = rest or {}
            refused: dict[str, Any] = {}
            self._place_rest(resource, rest, refused)
            if refused:
                return None
        if rest:
            _SET_EXTRA(resource, rest)
        return resource

    def _resource(
        self, resource_id: str, origin: Origin, members: Members | RawJson
    ) -> tuple[R, dict[str, Any] | None]:
        """Return the resource and the members that have no slot; ValueError or DecodeError if a value is odd."""
        if isinstance(members, RawJson):
            # The row has no attributes.
            return unfilled(self._cls, resource_id, origin), None
        values: Sequence[Any] = members.values
        rest, own = None, len(self._slots)
        if len(values) > own:
            rest = _rest(members.names[own:], values[own:])
            values = values[:own]
        # Rows that follow each other mostly carry the same attributes.
        self._expects_all = has_all = members.complete or ABSENT not in values
        converted = self._converted(values, origin.scope)
        if not has_all:
            return self._partly_filled(resource_id, origin, converted), rest
        resource = self._filled(resource_id, origin, NO_EXTRA, *converted)
        resource.__class__ = self._cls
        return resource, rest

    def _converted(self, values: Iterable[Any], scope: Scope) -> list[Any]:
        """Convert what msgspec did not; ValueError if a value needs a closer look."""
        converted = list(values)
        for index in self._unread:
            if converted[index] is not ABSENT:
                converted[index] = _read(converted[index], scope)
        convert_times(converted, self._times)
        for index, _, convert, value_type in self._to_convert:
            value = converted[index]
            if value_type is Decimal and type(value) is str:
                converted[index] = decimal_of(value)
            elif value is not None and value is not ABSENT:
                converted[index] = convert(value, value_type)
        return converted

    def _convert_columns(self, columns: list[Any], scope: Scope) -> None:
        """Do the same with the values of a whole page, in place."""
        for index in self._unread:
            column = columns[index]
            if column.count(_NULL) == len(column):
                columns[index] = [None] * len(column)
            else:
                columns[index] = [_read(text, scope) for text in column]
        for index in self._times:
            columns[index] = times_of(columns[index])
        for index, convert, *_ in self._to_convert:
            columns[index] = convert(columns[index])

    def _partly_filled(self, resource_id: str, origin: Origin, values: Iterable[Any]) -> R:
        resource = unfilled(self._cls, resource_id, origin)
        for slot, value in zip(self._slots.values(), values, strict=True):
            if value is not ABSENT:
                slot.fill(resource, value)
        return resource


def convert_times(values: list[Any], indexes: Iterable[int]) -> None:
    """Replace each text at *indexes* by the time that it is; it has 20 to 32 characters. Other values stay.

    ValueError if one needs a closer look: `values` checks the first and last years, and a fraction that may have more
    than six digits. It has no more if an offset follows it within that length.
    """
    for index in indexes:
        text = values[index]
        if type(text) is str:
            time = values[index] = _time_of(text)
            unsure = text[19] not in AFTER_SECONDS or text[0] in "09" or (len(text) > IN_UTC and text[-6] not in "+-")
            if time.tzinfo is None or unsure:
                raise ValueError(text)


def _origin_of(row: Any, scope: Scope) -> Origin:
    # Copies, as what the decoder returns is a view that keeps the whole answer in memory.
    return Origin(scope, row.relationships.copy(), row.links.copy(), row.meta.copy())


def _rest(names: Iterable[str], values: Iterable[Any]) -> dict[str, Any]:
    """Return the members without a slot by name; DecodeError if one is nested too deeply."""
    rest = {name: value for name, value in zip(names, values, strict=True) if value is not ABSENT}
    if rest:
        refuse_deep(rest)
    return rest


def _read(text: RawJson, scope: Scope) -> Any:
    """Return the value of *text*, and count what is converted of it."""
    if text == _NULL:
        return None
    value = decode(text)
    if (array := json_array(value)) is not None:
        scope.count_conversions(conversions_in(array))
    return value


def unfilled(cls: type[R], resource_id: str, origin: Origin) -> R:
    """Return a resource without any attribute."""
    resource = cls.__new__(cls)
    _SET_ID(resource, resource_id)
    _SET_ORIGIN(resource, origin)
    _SET_EXTRA(resource, NO_EXTRA)
    return resource


def setter(cls: type[Resource], name: str) -> Callable[[Any, Any], None]:
    """Return the function that sets a slot: assignment through the class is refused to users."""
    fill: Callable[[Any, Any], None] = getattr_static(cls, name).__set__
    return fill


_SET_ID: Final = setter(Resource, "id")
_SET_ORIGIN: Final = setter(Resource, "origin")
_SET_EXTRA: Final = setter(Resource, "extra")


def _with_initialiser(cls: type[Resource], names: Iterable[str]) -> type[Any]:
    """Return a subclass of *cls* that sets these slots in its ``__init__``.

    Setting them one by one, which is all that *cls* itself allows, takes most of the time of reading a page.
    """
    slots = [*_FIRST_SLOTS, *names]
    initialiser = vars(attrs.make_class(cls.__name__, slots, eq=False, repr=False))["__init__"]
    # With one of these two methods of the bases, Python calls it for every slot.
    unguarded = {"__setattr__": object.__setattr__, "__delattr__": object.__delattr__}
    kind: Any = type(cls)
    twin: type[Any] = kind(cls.__name__, (cls,), {"__slots__": (), "__init__": initialiser, **unguarded})
    return twin
