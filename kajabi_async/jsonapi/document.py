"""A JSON:API document: primary data, included resources, links and meta, with malformed rows kept apart."""

from collections.abc import Iterable, Mapping
from typing import Any, Self

import attrs

from kajabi_async.errors import DecodeError
from kajabi_async.jsonapi.decoding import (
    DocumentShape,
    RawJson,
    ResourceObject,
    UnsetType,
    decode_document,
    decode_loosely,
    decode_resource_object,
    json_object,
    split_rows,
)
from kajabi_async.jsonapi.error_documents import error_objects_in

__all__ = ["Document", "MalformedRow", "Row"]


@attrs.frozen
class MalformedRow:
    """A row that is no resource object; ``error`` says what and where."""

    error: DecodeError


Row = ResourceObject | MalformedRow


@attrs.frozen
class Document:
    """The top level (section "Top Level"): ``data`` is one row, a tuple of rows, or None."""

    data: Row | tuple[Row, ...] | None
    included: tuple[Row, ...]
    links: Mapping[str, Any]
    meta: Mapping[str, Any]

    @classmethod
    def from_bytes(cls, body: bytes, *, context: str) -> Self:
        """Read *body*; DecodeError where it is no JSON:API document. Malformed rows are kept, not raised."""
        try:
            shape = decode_document(body, context=context)
        except DecodeError:
            return cls._from_loose(body, context)
        return cls._from_shape(shape, context)

    @classmethod
    def _from_shape(cls, shape: DocumentShape, context: str) -> Self:
        data = shape.data
        links, meta = json_object(shape.links) or {}, json_object(shape.meta) or {}
        included = _identified_rows(shape.included or [], "included", context)
        if isinstance(data, list):
            return cls(_identified_rows(data, "data", context), included, links, meta)
        if isinstance(data, ResourceObject):
            included += _misplaced(data, context)
            primary = _identified(data, "data", context)
            return cls(primary, included, links, meta)
        if data is None:
            return cls(None, included, links, meta)
        raise _without_data(shape.errors, context)

    @classmethod
    def _from_loose(cls, body: bytes, context: str) -> Self:
        top = decode_loosely(body, context=context)
        if not isinstance(top.data, RawJson):
            raise _without_data(top.errors, context)
        data = _primary_rows(top.data, context)
        included = _rows_in(top.included, "included", context)
        if isinstance(data, ResourceObject):
            included += _misplaced(data, context)
        return cls(data, included, json_object(top.links) or {}, json_object(top.meta) or {})

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


def _primary_rows(raw: RawJson, context: str) -> Row | tuple[Row, ...] | None:
    text = bytes(raw)
    if text.startswith(b"["):
        return _rows(split_rows(raw, context=context), "data", context)
    return None if text.startswith(b"null") else _row(raw, "data", context)


def _misplaced(data: ResourceObject, context: str) -> tuple[Row, ...]:
    # Courses are documented with `included` inside `data`.
    return _rows_in(data.included, "data.included", context)


def _rows_in(raw: RawJson | UnsetType, place: str, context: str) -> tuple[Row, ...]:
    """Read rows that are not the primary ones: a member that is no array at all is one malformed row."""
    if not isinstance(raw, RawJson):
        return ()
    try:
        return _rows(split_rows(raw, context=context), place, context)
    except DecodeError:
        return (MalformedRow(DecodeError("an array of resource objects was expected", path=place, context=context)),)


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
        if row.id and type(row.id) is str and type(row.type) is str
        else _identified(row, f"{place}[{index}]", context)
        for index, row in enumerate(rows)
    )


def _identified(row: ResourceObject, path: str, context: str) -> Row:
    """Make sure of type and id; a whole number is taken for an id, anything else makes the row malformed."""
    if type(row.id) is int:
        row.id = str(row.id)
    for member in ("type", "id"):
        value = getattr(row, member)
        if not isinstance(value, str) or not value:
            problem = f"{member} must be a string, got {type(value).__name__ if value != '' else 'an empty one'}"
            return MalformedRow(DecodeError(problem, path=f"{path}.{member}", context=context))
    return row
