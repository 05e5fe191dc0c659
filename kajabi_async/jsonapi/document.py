"""A JSON:API document: primary data, included resources, links and meta, with malformed rows kept apart."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Self

import attrs

from kajabi_async.errors import DecodeError
from kajabi_async.jsonapi.decoding import (
    ABSENT,
    DocumentShape,
    RawJson,
    ResourceObject,
    UnsetType,
    decode_document,
    decode_loosely,
    decode_resource_object,
    decode_rows,
    json_object,
    split_rows,
)
from kajabi_async.jsonapi.error_documents import error_objects_in
from kajabi_async.records import Record

__all__ = ["Document", "Included", "MalformedRow", "Row"]


@attrs.frozen
class MalformedRow:
    """A row that is no resource object; ``error`` says what and where."""

    error: DecodeError


Row = ResourceObject | MalformedRow


class Included(Record, frozen=True):
    """What was included, not read before somebody asks: most of it is never looked at."""

    place: str
    raw: RawJson
    context: str

    def rows(self) -> tuple[Row, ...]:
        """Read it; where it is no array at all, that is one malformed row."""
        try:
            rows = decode_rows(self.raw, context=self.context)
        except DecodeError:
            return self._one_by_one()
        return _identified_rows(rows, self.place, self.context)

    def _one_by_one(self) -> tuple[Row, ...]:
        try:
            return _rows(split_rows(self.raw, context=self.context), self.place, self.context)
        except DecodeError:
            problem = "an array of resource objects was expected"
            return (MalformedRow(DecodeError(problem, path=self.place, context=self.context)),)


@attrs.define
class Document:
    """The top level (section "Top Level"): ``data`` is one row, a tuple of rows, or None."""

    data: Row | tuple[Row, ...] | None
    included: tuple[Included, ...]
    """One for each place that holds some; usually one or none."""
    links: Mapping[str, Any]
    meta: Mapping[str, Any]

    @classmethod
    def from_bytes(
        cls, body: bytes, *, context: str, typed: Callable[[bytes], DocumentShape | None] | None = None
    ) -> Self:
        """Read *body*; DecodeError where it is no JSON:API document. Malformed rows are kept, not raised.

        *typed* is tried first; it gives None for a document that has another shape than it knows, or rows without type
        or id.
        """
        shape = None if typed is None else typed(body)
        if shape is not None:
            return cls._from_shape(shape, context, are_identified=True)
        try:
            shape = decode_document(body, context=context)
        except DecodeError:
            return cls._from_loose(body, context)
        return cls._from_shape(shape, context, are_identified=False)

    @classmethod
    def one_from(
        cls, body: bytes, *, context: str, typed: Callable[[bytes], DocumentShape | None] | None
    ) -> tuple[ResourceObject | None, tuple[Included, ...]]:
        """Give `one` and what is included, and leave the rest, which nobody asks for of a single resource."""
        shape = None if typed is None else typed(body)
        if shape is None or not isinstance(shape.data, ResourceObject):
            document = cls.from_bytes(body, context=context)
            return document.one(context=context), document.included
        row = shape.data
        return row, _included(shape.included, row, context)

    @classmethod
    def _from_shape(cls, shape: DocumentShape, context: str, *, are_identified: bool) -> Self:
        data = shape.data
        links, meta = json_object(shape.links) or {}, json_object(shape.meta) or {}
        if isinstance(data, ResourceObject):
            row = data if are_identified else _identified(data, "data", context)
            return cls(row, _included(shape.included, data, context), links, meta)
        if isinstance(data, list):
            rows = tuple(data) if are_identified else _identified_rows(data, "data", context)
            return cls(rows, _included(shape.included, None, context), links, meta)
        if data is None:
            return cls(None, _included(shape.included, None, context), links, meta)
        raise _without_data(shape.errors, context)

    @classmethod
    def _from_loose(cls, body: bytes, context: str) -> Self:
        top = decode_loosely(body, context=context)
        included = _included(top.included, None, context)
        links, meta = json_object(top.links) or {}, json_object(top.meta) or {}
        return cls(_primary_rows(top.data, context), included, links, meta)

    def one(self, *, context: str) -> ResourceObject | None:
        """Give the one resource object; an array of one is taken for it, null is None."""
        data = self.data
        if isinstance(data, tuple):
            if len(data) != 1:
                raise DecodeError(f"one resource object was expected, {len(data)} came", path="data", context=context)
            data = data[0]
        if isinstance(data, MalformedRow):
            raise data.error
        return data

    def many(self, *, context: str) -> tuple[Row, ...]:
        """Give the rows; DecodeError where data is not an array."""
        if not isinstance(self.data, tuple):
            raise DecodeError("an array of resource objects was expected", path="data", context=context)
        return self.data


def _without_data(errors: object, context: str) -> DecodeError:
    told = "; ".join(map(str, error_objects_in(errors)))
    return DecodeError(f"a document without data{f', which tells of errors: {told}' if told else ''}", context=context)


def _primary_rows(raw: RawJson, context: str) -> Row | tuple[Row, ...]:
    if bytes(raw).startswith(b"["):
        return _rows(split_rows(raw, context=context), "data", context)
    return _row(raw, "data", context)


def _included(raw: RawJson | UnsetType, owner: ResourceObject | None, context: str) -> tuple[Included, ...]:
    # Courses are documented with `included` inside `data`.
    misplaced = ABSENT if owner is None else owner.included
    if misplaced is ABSENT:
        # A copy, as what comes from a decoder is a view that keeps the whole answer alive.
        return (Included("included", raw.copy(), context),) if isinstance(raw, RawJson) else ()
    places = (("included", raw), ("data.included", misplaced))
    return tuple(Included(place, each.copy(), context) for place, each in places if isinstance(each, RawJson))


def _rows(raw_rows: Iterable[RawJson], place: str, context: str) -> tuple[Row, ...]:
    return tuple(_row(raw, f"{place}[{index}]", context) for index, raw in enumerate(raw_rows))


def _row(raw: RawJson, path: str, context: str) -> Row:
    try:
        resource_object = decode_resource_object(raw, context=context)
    except DecodeError:
        return MalformedRow(DecodeError("not a resource object", path=path, context=context))
    return _identified(resource_object, path, context)


def _identified_rows(rows: list[ResourceObject], place: str, context: str) -> tuple[Row, ...]:
    return tuple(
        row
        if row.id and type(row.id) is str and row.type and type(row.type) is str
        else _identified(row, f"{place}[{index}]", context)
        for index, row in enumerate(rows)
    )


def _identified(row: ResourceObject, path: str, context: str) -> Row:
    """Make sure of type and id; a whole number is taken for an id, anything else makes the row malformed."""
    if row.id and type(row.id) is str and row.type and type(row.type) is str:
        return row
    if type(row.id) is int:
        row.id = str(row.id)
    for member in ("type", "id"):
        value = getattr(row, member)
        if not isinstance(value, str) or not value:
            problem = f"{member} must be a string, got {type(value).__name__ if value != '' else 'an empty one'}"
            return MalformedRow(DecodeError(problem, path=f"{path}.{member}", context=context))
    return row
