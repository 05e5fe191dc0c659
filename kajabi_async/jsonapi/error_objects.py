"""The error objects of a document (JSON:API 1.1, section "Error Objects"), whatever form they came in."""

from typing import Any, Final

from kajabi_async.error_object import ErrorObject
from kajabi_async.jsonapi.codec import brief, json_array, json_object
from kajabi_async.wording import counted

__all__ = ["error_objects", "error_text"]

_LONGEST_TEXT: Final = 500
_MOST_ERRORS: Final = 100


def error_objects(errors: Any) -> tuple[ErrorObject, ...]:
    """Read the ``errors`` member: an array of error objects, or one alone; bare text is read as the detail.

    Of more than a hundred entries the first hundred are read, and a last error object says how many were left out.
    """
    array = json_array(errors)
    entries = [errors] if array is None else array
    found = tuple(error for entry in entries[:_MOST_ERRORS] if (error := _error_object(entry)) is not None)
    left_out = len(entries) - _MOST_ERRORS
    if left_out <= 0:
        return found
    rest = counted(left_out, "further error was left out", "further errors were left out")
    return (*found, ErrorObject(detail=rest))


def error_text(value: Any) -> str | None:
    """Return a member of an error as text of at most 500 characters; None if it is null or absent."""
    return value[:_LONGEST_TEXT] if isinstance(value, str) else None if value is None else brief(value)


def _error_object(value: Any) -> ErrorObject | None:
    entry = json_object(value)
    if entry is None:
        return ErrorObject(detail=error_text(value)) if isinstance(value, str) else None
    return ErrorObject(
        status=error_text(entry.get("status")),
        code=error_text(entry.get("code")),
        title=error_text(entry.get("title")),
        detail=error_text(entry.get("detail")),
        id=error_text(entry.get("id")),
        source=json_object(entry.get("source")),
        links=json_object(entry.get("links")),
        meta=json_object(entry.get("meta")),
    )
