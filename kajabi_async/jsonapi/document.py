"""A JSON:API document: primary data, included resources, links and meta, with malformed rows kept apart."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Self

import attrs

from kajabi_async.errors import AnswerTooLargeError, DecodeError
from kajabi_async.jsonapi.decoding import (
    ABSENT,
    NO_MEMBERS,
    DocumentShape,
    JunkRow,
    RawJson,
    ResourceObject,
    UnsetType,
    decode,
    decode_document,
    decode_loosely,
    decode_resource_object,
    decode_rows,
    json_object,
    split_rows,
)
from kajabi_async.jsonapi.error_documents import error_objects_in
from kajabi_async.jsonapi.limits import most_rows
from kajabi_async.records import Record

__all__ = ["MANY_BYTES", "Document", "Included", "MalformedRow", "Row"]

MANY_BYTES: Final = 4 * 2**20
"""More than any page has. In a larger text nothing is tried that may have to be read again, so the time stays in line
with its size."""

_MOST_TOLD: Final = 10
_FIRST_NO_ID: Final = 10**255


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
        """Read it; if it is no array at all, or holds too much, that is one malformed row."""
        most = most_rows(len(self.raw))
        try:
            rows = decode_rows(self.raw, context=self.context)
        except DecodeError:
            return self._one_by_one(most)
        try:
            return _identified_rows(rows, self.place, self.context, most)
        except AnswerTooLargeError as error:
            return (MalformedRow(error),)

    def _one_by_one(self, most: int) -> tuple[Row, ...]:
        try:
            return _rows(split_rows(self.raw, context=self.context), self.place, self.context, most)
        except AnswerTooLargeError as error:
            return (MalformedRow(error),)
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
        """Read *body*; DecodeError if it is no JSON:API document, AnswerTooLargeError if it has too many rows.

        Malformed rows are kept, not raised. *typed* is tried first; it gives None for a document that has another shape
        than it knows, or rows without type or id.
        """
        is_large, most = len(body) > MANY_BYTES, most_rows(len(body))
        shape = None if typed is None or is_large else typed(body)
        if shape is not None:
            return cls._from_shape(shape, context, most, are_identified=True)
        try:
            shape = decode_document(body, context=context)
        except DecodeError:
            if is_large:
                raise
            return cls._from_loose(body, context, most)
        return cls._from_shape(shape, context, most, are_identified=False)

    @classmethod
    def one_from(
        cls, body: bytes, *, context: str, typed: Callable[[bytes], DocumentShape | None] | None
    ) -> tuple[ResourceObject | None, tuple[Included, ...]]:
        """Give `one` and what is included, and leave the rest, which nobody asks for of a single resource."""
        shape = None if typed is None or len(body) > MANY_BYTES else typed(body)
        if shape is None or not isinstance(shape.data, ResourceObject):
            document = cls.from_bytes(body, context=context)
            return document.one(context=context), document.included
        row = shape.data
        return row, _included(shape.included, row, context)

    @classmethod
    def _from_shape(cls, shape: DocumentShape, context: str, most: int, *, are_identified: bool) -> Self:
        data = shape.data
        if data is ABSENT:
            raise _without_data(shape.errors, context)
        rows: Row | tuple[Row, ...] | None
        if isinstance(data, list):
            rows = _identified_rows(data, "data", context, most, are_identified=are_identified)
        elif data is None:
            rows = None
        else:
            rows = data if are_identified else _identified(data, "data", context)  # type: ignore[assignment]
        owner = data if isinstance(data, ResourceObject) else None
        included = _included(shape.included, owner, context)
        return cls(rows, included, _members(shape.links, context), _members(shape.meta, context))

    @classmethod
    def _from_loose(cls, body: bytes, context: str, most: int) -> Self:
        top = decode_loosely(body, context=context)
        included = _included(top.included, None, context)
        rows = _primary_rows(top.data, context, most)
        return cls(rows, included, _members(top.links, context), _members(top.meta, context))

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


def _members(raw: RawJson, context: str) -> Mapping[str, Any]:
    return {} if raw is NO_MEMBERS else json_object(decode(raw, context=context)) or {}


def _without_data(errors: RawJson | UnsetType, context: str) -> DecodeError:
    found = error_objects_in(decode(errors, context=context)) if isinstance(errors, RawJson) else ()
    told = "; ".join(map(str, found[:_MOST_TOLD]))
    return DecodeError(f"a document without data{f', which tells of errors: {told}' if told else ''}", context=context)


def _primary_rows(raw: RawJson, context: str, most: int) -> Row | tuple[Row, ...]:
    if bytes(raw).startswith(b"["):
        return _rows(split_rows(raw, context=context), "data", context, most)
    return _row(raw, "data", context)


def _included(raw: RawJson | UnsetType, owner: ResourceObject | None, context: str) -> tuple[Included, ...]:
    # Courses are documented with `included` inside `data`.
    misplaced = ABSENT if owner is None else owner.included
    if misplaced is ABSENT:
        # A copy, as what comes from a decoder is a view that keeps the whole answer alive.
        return (Included("included", raw.copy(), context),) if isinstance(raw, RawJson) else ()
    places = (("included", raw), ("data.included", misplaced))
    return tuple(Included(place, each.copy(), context) for place, each in places if isinstance(each, RawJson))


def _rows(raw_rows: Sequence[RawJson], place: str, context: str, most: int) -> tuple[Row, ...]:
    _refuse_many(raw_rows, place, context, most)
    return tuple(_row(raw, f"{place}[{index}]", context) for index, raw in enumerate(raw_rows))


def _refuse_many(rows: Sequence[object], place: str, context: str, most: int) -> None:
    if len(rows) > most:
        problem = f"{len(rows)} resource objects, more than the {most} that an answer of this size may have"
        raise AnswerTooLargeError(problem, path=place, context=context)


def _row(raw: RawJson, path: str, context: str) -> Row:
    try:
        resource_object = decode_resource_object(raw, context=context)
    except DecodeError:
        return _no_row(path, context)
    return _identified(resource_object, path, context)


def _no_row(path: str, context: str) -> MalformedRow:
    return MalformedRow(DecodeError("not a resource object", path=path, context=context))


def _identified_rows(
    rows: list[ResourceObject | JunkRow], place: str, context: str, most: int, *, are_identified: bool = False
) -> tuple[Row, ...]:
    _refuse_many(rows, place, context, most)
    if are_identified:
        return tuple(rows)  # type: ignore[arg-type]  # made sure of by the decoder
    return tuple(_identified(row, f"{place}[{index}]", context) for index, row in enumerate(rows))


def _identified(row: ResourceObject | JunkRow, path: str, context: str) -> Row:
    """Make sure of type and id; a whole number is taken for an id, anything else makes the row malformed."""
    if not isinstance(row, ResourceObject):
        return _no_row(path, context)
    if row.id and type(row.id) is str and row.type and type(row.type) is str:
        return row
    if type(row.id) is int and abs(row.id) < _FIRST_NO_ID:
        row.id = str(row.id)
    for member in ("type", "id"):
        value = getattr(row, member)
        if not isinstance(value, str) or not value:
            problem = f"{member} must be a string, got {type(value).__name__ if value != '' else 'an empty one'}"
            return MalformedRow(DecodeError(problem, path=f"{path}.{member}", context=context))
    return row
