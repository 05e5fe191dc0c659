"""A JSON:API document: primary data, included resources, links and meta, with malformed rows kept apart."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, Self, TypeGuard

import attrs

from kajabi_async.errors import AnswerTooLargeError, DecodeError
from kajabi_async.jsonapi.codec import (
    ABSENT,
    NO_MEMBERS,
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
from kajabi_async.jsonapi.error_objects import error_objects
from kajabi_async.jsonapi.ids import FIRST_NO_ID
from kajabi_async.jsonapi.limits import MAX_ELEMENTS, most_included, most_rows
from kajabi_async.structs import Struct

__all__ = ["MANY_BYTES", "Document", "Included", "MalformedRow", "Row", "included_text", "members_of", "read_rows"]

MANY_BYTES: Final = 4 * 2**20
"""More than any page has. A larger text is decoded in one way only, so that the time stays proportional to its size."""

_MOST_REPORTED: Final = 10
_MOST_UNREADABLE: Final = 100
"""An array with more included rows that cannot be decoded is not read further."""
_BYTES_OF_THE_SMALLEST_ROW: Final = len('{"type":"a","id":"1"},')


@attrs.frozen
class MalformedRow:
    """A row that is no resource object; ``error`` says what is wrong and where."""

    error: DecodeError


Row = ResourceObject | MalformedRow


class Included(Struct):
    """The included resources, kept as text until they are needed: most never are."""

    place: str
    raw: RawJson
    context: str

    def rows(self) -> tuple[Row, ...]:
        """Decode the rows: the well-formed ones and the first ten malformed, or one malformed if it is no array."""
        try:
            rows: Iterable[ResourceObject | JunkRow] = decode_rows(self.raw, context=self.context)
        except DecodeError:
            return self._one_by_one()
        return self._well_formed(rows)

    def _well_formed(self, rows: Iterable[ResourceObject | JunkRow]) -> tuple[Row, ...]:
        read: list[Row] = []
        reported = 0
        for index, row in enumerate(rows):
            if _has_identity(row):
                read.append(row)
            elif reported < _MOST_REPORTED:
                reported += 1
                read.append(_identified(row, f"{self.place}[{index}]", self.context))
        return tuple(read)

    def _one_by_one(self) -> tuple[Row, ...]:
        try:
            return self._well_formed(_read_singly(split_rows(self.raw, context=self.context), self.context))
        except DecodeError:
            problem = "an array of resource objects was expected"
            return (MalformedRow(DecodeError(problem, path=self.place, context=self.context)),)


@attrs.define
class Document:
    """The top level (section "Top Level"): ``data`` is one row, a tuple of rows, or None."""

    data: Row | tuple[Row, ...] | None
    included: tuple[Included, ...]
    """One for each member that carries some; usually one or none."""
    links: Mapping[str, Any]
    meta: Mapping[str, Any]

    @classmethod
    def from_bytes(cls, body: bytes, *, context: str, most_elements: int = MAX_ELEMENTS) -> Self:
        """Read *body*; DecodeError if it is no JSON:API document, AnswerTooLargeError if it has too many rows.

        *most_elements*, the limit that it was received under, decides how many rows it may have. Malformed rows are
        kept, not raised.
        """
        try:
            shape = decode_document(body, context=context)
        except DecodeError:
            if len(body) > MANY_BYTES:
                raise
            return cls._from_loose(body, context, most_elements)
        data = shape.data
        if data is ABSENT:
            raise _without_data(shape.errors, context)
        rows: Row | tuple[Row, ...] | None
        if isinstance(data, list):
            rows = _identified_rows(data, "data", context, most_elements)
        else:
            rows = None if data is None else _identified(data, "data", context)
        owner = data if isinstance(data, ResourceObject) else None
        included = _included(shape.included, owner, context, most_elements)
        return cls(rows, included, members_of(shape.links, context), members_of(shape.meta, context))

    @classmethod
    def _from_loose(cls, body: bytes, context: str, most_elements: int) -> Self:
        top = decode_loosely(body, context=context)
        included = _included(top.included, None, context, most_elements)
        rows = _primary_rows(top.data, context, most_elements)
        return cls(rows, included, members_of(top.links, context), members_of(top.meta, context))

    def one(self, *, context: str) -> ResourceObject | None:
        """Return the one resource object, also out of an array of one; None for null. DecodeError for anything else."""
        data = self.data
        if isinstance(data, tuple):
            if len(data) != 1:
                raise DecodeError(f"one resource object was expected, {len(data)} came", path="data", context=context)
            data = data[0]
        if isinstance(data, MalformedRow):
            raise data.error
        return data

    def many(self, *, context: str) -> tuple[Row, ...]:
        """Return the rows; DecodeError if data is not an array."""
        if not isinstance(self.data, tuple):
            raise DecodeError("an array of resource objects was expected", path="data", context=context)
        return self.data


def read_rows(array: bytes | RawJson, *, place: str, context: str, most_elements: int) -> tuple[Row, ...]:
    """Read a bare *array* of resource objects, which is at the path *place*; DecodeError if it is none.

    Malformed rows are kept, not raised. AnswerTooLargeError if it has more rows than *most_elements* allows.
    """
    if not bytes(array).lstrip().startswith(b"["):
        raise DecodeError("an array of resource objects was expected", path=place, context=context)
    try:
        rows = decode_rows(array, context=context)
    except DecodeError:
        if len(array) > MANY_BYTES:
            raise
        return _rows(split_rows(array, context=context), place, context, most_elements)
    return _identified_rows(rows, place, context, most_elements)


def members_of(raw: RawJson, context: str) -> Mapping[str, Any]:
    """Decode the members of a top-level object; DecodeError if it cannot be decoded, none if it is another value."""
    return {} if raw is NO_MEMBERS else json_object(decode(raw, context=context)) or {}


def _without_data(errors: RawJson | UnsetType, context: str) -> DecodeError:
    found = error_objects(decode(errors, context=context)) if isinstance(errors, RawJson) else ()
    errors_text = "; ".join(map(str, found[:_MOST_REPORTED]))
    return DecodeError(f"a document without data{errors_text and f', with errors: {errors_text}'}", context=context)


def _primary_rows(raw: RawJson, context: str, most_elements: int) -> Row | tuple[Row, ...]:
    if bytes(raw).startswith(b"["):
        return _rows(split_rows(raw, context=context), "data", context, most_elements)
    return _row(raw, "data", context)


def _included(
    raw: RawJson | UnsetType, owner: ResourceObject | None, context: str, most_elements: int
) -> tuple[Included, ...]:
    # Courses are documented with `included` inside `data`.
    misplaced = ABSENT if owner is None else owner.included
    if misplaced is ABSENT:
        # A copy, as what the decoder returns is a view that keeps the whole answer in memory.
        return (included_text(raw, "included", context, most_elements),) if isinstance(raw, RawJson) else ()
    places = (("included", raw), ("data.included", misplaced))
    return tuple(
        included_text(each, place, context, most_elements) for place, each in places if isinstance(each, RawJson)
    )


def included_text(raw: RawJson, place: str, context: str, most_elements: int) -> Included:
    """Keep what was included at *place* as text; AnswerTooLargeError if it is more than *most_elements* allows."""
    most = most_included(most_elements)
    if len(raw) > most * _BYTES_OF_THE_SMALLEST_ROW and bytes(raw).count(b"{") > most:
        _refuse_many(_elements_of(raw, context), place, context, most, most_elements)
    return Included(place, raw.copy(), context)


def _elements_of(raw: RawJson, context: str) -> Sequence[RawJson]:
    try:
        return split_rows(raw, context=context)
    except DecodeError:
        return ()


def _read_singly(raw_rows: Iterable[RawJson], context: str) -> Iterator[ResourceObject | JunkRow]:
    tries = _MOST_UNREADABLE
    for raw in raw_rows:
        if not tries:
            return
        try:
            yield decode_resource_object(raw, context=context)
        except DecodeError:
            tries -= 1
            yield None


def _rows(raw_rows: Sequence[RawJson], place: str, context: str, most_elements: int) -> tuple[Row, ...]:
    _refuse_many(raw_rows, place, context, most_rows(most_elements), most_elements)
    return tuple(_row(raw, f"{place}[{index}]", context) for index, raw in enumerate(raw_rows))


def _refuse_many(rows: Sequence[object], place: str, context: str, most: int, most_elements: int) -> None:
    if len(rows) > most:
        problem = f"{len(rows)} resource objects, more than the {most} that a limit of {most_elements} elements allows"
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
    rows: list[ResourceObject | JunkRow], place: str, context: str, most_elements: int
) -> tuple[Row, ...]:
    _refuse_many(rows, place, context, most_rows(most_elements), most_elements)
    return tuple(
        row if _has_identity(row) else _identified(row, f"{place}[{index}]", context) for index, row in enumerate(rows)
    )


def _has_identity(row: ResourceObject | JunkRow) -> TypeGuard[ResourceObject]:
    """Return whether *row* has a type and an id; a whole number becomes an id."""
    if not isinstance(row, ResourceObject):
        return False
    if type(row.id) is int and abs(row.id) < FIRST_NO_ID:
        row.id = str(row.id)
    return bool(row.id and isinstance(row.id, str) and row.type and isinstance(row.type, str))


def _identified(row: ResourceObject | JunkRow, path: str, context: str) -> Row:
    """Return the row, as malformed if it has no type or no id."""
    if _has_identity(row):
        return row
    if not isinstance(row, ResourceObject):
        return _no_row(path, context)
    member, value = ("id", row.id) if row.type and isinstance(row.type, str) else ("type", row.type)
    problem = f"{member} must be a string, got {type(value).__name__ if value != '' else 'an empty one'}"
    return MalformedRow(DecodeError(problem, path=f"{path}.{member}", context=context))
