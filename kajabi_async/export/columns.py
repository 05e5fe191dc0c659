"""The columns of the export of a model, and the cells of a resource.

``id`` comes first, then the attributes by their names, then the linkage of each relation as ids (``contact_id``,
``offer_ids``, as in `Resource.to_dict`), then ``extra`` with the attributes the SDK does not know. An absent attribute
and a null one are both null. A row with an unreadable attribute is left out and reported.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from operator import attrgetter, methodcaller
from typing import Any, Final, cast, get_args

import attrs

from kajabi_async.errors import FieldNotLoadedError, UnreadableAttributeError
from kajabi_async.escaping.text import escape_line
from kajabi_async.jsonapi.codec import json_object
from kajabi_async.models.members import id_name
from kajabi_async.models.relations import Relation
from kajabi_async.models.resource import CUSTOM_FIELDS, Part, Resource, attribute_names
from kajabi_async.models.unreadable import PartlyRead

__all__ = [
    "DECIMAL_PRECISION",
    "DECIMAL_SCALE",
    "OTHER_COLUMNS",
    "Column",
    "Kind",
    "UnfitCellError",
    "cells_of",
    "cells_of_each",
    "columns_of",
]

DECIMAL_PRECISION: Final = 38
DECIMAL_SCALE: Final = 9
"""Digits in total and after the decimal point: BigQuery's NUMERIC, enough for any amount of money."""
EXTRA: Final = "extra"
_INT64: Final = range(-(2**63), 2**63)
_CUSTOM: Final = "custom_"
_ROW: Final = re.compile(r"^/(?:data|included)/[0-9]+(?=/)")
"""The part of a pointer that is another when the resource comes again."""


class Kind(Enum):
    """The type of a column; every kind may be null."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    TIME = "time"
    DATE = "date"
    DECIMAL = "decimal"
    TEXTS = "texts"
    """A list of text."""
    JSON = "json"
    """An object, or a list of anything but text."""


@attrs.frozen
class Column:
    """One column by name, and the function that reads its value from a resource, or from the ids that it is linked to.

    FieldNotLoadedError or UnreadableAttributeError if an attribute has no value.
    """

    name: str
    kind: Kind
    read: Callable[[Any], Any] = attrs.field(repr=False, eq=False)
    reads_linked_ids: bool = attrs.field(default=False, repr=False, eq=False)
    # Looked up once: the hash of an enum takes longer than most conversions.
    convert: Callable[[Any], Any] = attrs.field(
        default=attrs.Factory(lambda self: _CONVERTERS[self.kind], takes_self=True), init=False, repr=False, eq=False
    )
    """Returns the cell of a value other than null; ValueError or OverflowError if the kind cannot hold it."""
    ready: frozenset[type] = attrs.field(
        default=attrs.Factory(lambda self: _READY.get(self.kind, _NULL), takes_self=True),
        init=False,
        repr=False,
        eq=False,
    )
    """The types of values that are cells as they are."""


class UnfitCellError(ValueError):
    """A value that no column of its kind can hold; it never leaves `kajabi_async.export`."""


def columns_of(model: type[Resource], fields: Collection[str] | None = None) -> tuple[Column, ...]:
    """Return the columns of *model*; with *fields*, only those of the sparse fieldset."""
    return tuple(column for name, column in _columns(model) if fields is None or _is_requested(name, model, fields))


def cells_of(resource: Resource, columns: tuple[Column, ...]) -> list[Any]:
    """Return the cells of *resource*: times in UTC, dates and decimals as text, all others as JSON has them.

    UnfitCellError names the column of a value that is out of range, or of an attribute that cannot be read.
    """
    linked_ids = resource.origin.linked_ids if _read_linked_ids(columns) else {}
    cells: list[Any] = []
    for column in columns:
        try:
            value = column.read(linked_ids if column.reads_linked_ids else resource)
            cells.append(None if value is None else column.convert(value))
        except FieldNotLoadedError:
            cells.append(None)
        except UnreadableAttributeError as error:
            text = str(error).removesuffix(error.pointer)
            raise UnfitCellError(f"{text}{_ROW.sub('', error.pointer)}") from None
        except (ValueError, OverflowError, RecursionError) as error:
            label = escape_line(f"{resource.resource_type[:60]} {resource.id[:60]}.{column.name}")
            raise UnfitCellError(f"{label} fits no {column.kind.value} column: {error}") from None
    return cells


def cells_of_each(
    resources: Sequence[Resource], columns: tuple[Column, ...]
) -> Sequence[Sequence[Any] | UnfitCellError]:
    """Return for each of *resources* what `cells_of` returns, or the error that it raises; faster than one by one."""
    linked_ids = [each.origin.linked_ids for each in resources] if _read_linked_ids(columns) else []
    try:
        by_column = [_cells(column, linked_ids if column.reads_linked_ids else resources) for column in columns]
    except (UnreadableAttributeError, ValueError, OverflowError, RecursionError):
        return [_cells_or_error(each, columns) for each in resources]
    return list(zip(*by_column, strict=True))


def _read_linked_ids(columns: tuple[Column, ...]) -> bool:
    return any(column.reads_linked_ids for column in columns)


def _cells(column: Column, sources: Sequence[Any]) -> Sequence[Any]:
    try:
        values = list(map(column.read, sources))
    except FieldNotLoadedError:
        values = [_value_if_loaded(column, source) for source in sources]
    if {*map(type, values)} <= column.ready:
        return values
    convert = column.convert
    return [None if value is None else convert(value) for value in values]


def _value_if_loaded(column: Column, source: Any) -> Any:
    try:
        return column.read(source)
    except FieldNotLoadedError:
        return None


def _cells_or_error(resource: Resource, columns: tuple[Column, ...]) -> Sequence[Any] | UnfitCellError:
    try:
        return cells_of(resource, columns)
    except UnfitCellError as error:
        return error


def _columns(model: type[Resource]) -> Iterator[tuple[str, Column]]:
    declared: Any = model
    annotations = {field.name: field.type for field in attrs.fields(declared)}
    for name in attribute_names(model):
        yield name, Column(name, _kind_of(annotations[name]), attrgetter(name))
    for name, relation in model.relations.items():
        yield name, _linkage(relation)
    yield EXTRA, Column(EXTRA, Kind.JSON, lambda resource: dict(resource.extra) if resource.extra else None)


def _is_requested(name: str, model: type[Resource], fields: Collection[str]) -> bool:
    if name == CUSTOM_FIELDS:
        return any(each.startswith(_CUSTOM) for each in fields)
    return name == "id" or any(each in fields for each in (name, *attribute_names(model).get(name, ())))


def _linkage(relation: Relation) -> Column:
    name = relation.name
    if relation.to_many:
        return Column(id_name(relation), Kind.TEXTS, methodcaller("get", name), reads_linked_ids=True)

    def first_id(linked_ids: Mapping[str, list[str] | None]) -> str | None:
        ids = linked_ids.get(name)
        return ids[0] if ids else None

    return Column(id_name(relation), Kind.TEXT, first_id, reads_linked_ids=True)


def _kind_of(annotation: Any) -> Kind:
    arms = [arm for arm in get_args(annotation) if arm is not type(None)]
    inner = arms[0] if len(arms) == 1 and type(None) in get_args(annotation) else annotation
    return _KINDS.get(inner, Kind.JSON)


_KINDS: Final[Mapping[Any, Kind]] = {
    str: Kind.TEXT,
    int: Kind.INTEGER,
    float: Kind.NUMBER,
    bool: Kind.BOOLEAN,
    datetime: Kind.TIME,
    date: Kind.DATE,
    Decimal: Kind.DECIMAL,
    tuple[str, ...]: Kind.TEXTS,
}


def _integer(value: int) -> int:
    if value not in _INT64:
        raise ValueError(f"{value} is beyond 64 bits")
    return value


def _in_utc(value: datetime) -> datetime:
    return value if value.tzinfo is UTC else value.astimezone(UTC)


def _decimal(value: Decimal) -> str:
    text = str(value)
    if len(text) <= DECIMAL_SCALE and text.replace(".", "").isdecimal():
        return text
    exponent = value.as_tuple().exponent
    fits = isinstance(exponent, int) and -exponent <= DECIMAL_SCALE
    if not fits or value.adjusted() >= DECIMAL_PRECISION - DECIMAL_SCALE:
        raise ValueError(f"{value} needs more than {DECIMAL_PRECISION} digits, {DECIMAL_SCALE} after the point")
    return format(value, "f")


def _plain(value: Any) -> Any:
    if isinstance(value, Part):
        own = attrs.asdict(value, recurse=False)
        return _plain({**own.pop(EXTRA), **own})
    members = json_object(dict(value) if isinstance(value, PartlyRead) else value)
    if members is not None:
        return {name: _plain(member) for name, member in members.items()}
    if isinstance(value, tuple | list):
        return [_plain(element) for element in cast("Sequence[Any]", value)]
    if isinstance(value, datetime):
        return f"{_in_utc(value).isoformat()[:-6]}Z"
    if isinstance(value, Decimal):
        return str(value)
    return value.isoformat() if isinstance(value, date) else value


_CONVERTERS: Final[Mapping[Kind, Callable[[Any], Any]]] = {
    Kind.TEXT: str,
    Kind.INTEGER: _integer,
    Kind.NUMBER: float,
    Kind.BOOLEAN: bool,
    Kind.TIME: _in_utc,
    Kind.DATE: date.isoformat,
    Kind.DECIMAL: _decimal,
    Kind.TEXTS: list,
    Kind.JSON: _plain,
}


_NULL: Final[frozenset[type]] = frozenset({type(None)})
_READY: Final[Mapping[Kind, frozenset[type]]] = {
    Kind.TEXT: _NULL | {str},
    Kind.NUMBER: _NULL | {float},
    Kind.BOOLEAN: _NULL | {bool},
    Kind.TEXTS: _NULL | {list},
}


def _all_attributes(resource: Resource) -> dict[str, Any]:
    for unreadable in resource.unreadable_attributes().values():
        raise unreadable
    return {**resource.extra, **resource.loaded_attributes()}


OTHER_COLUMNS: Final = (
    Column("type", Kind.TEXT, lambda resource: resource.resource_type),
    Column("id", Kind.TEXT, lambda resource: resource.id),
    Column("attributes", Kind.JSON, _all_attributes),
)
"""The columns for resources of any type, with the attributes as one object."""
