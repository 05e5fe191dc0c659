"""An error answer as an error of the tree, whatever its body looks like.

The API answers JSON:API error objects, the OAuth endpoints a flat ``{"error": ...}``, and unknown paths or the proxy
in front an HTML page or nothing at all (observed). The status decides the class; the body only explains.
"""

from collections.abc import Mapping
from typing import Any, Final

from kajabi_async.errors import ApiError, DecodeError, ErrorObject, api_error_class
from kajabi_async.escaping.text import escape_line
from kajabi_async.jsonapi.codec import brief, decode, json_array, json_object

__all__ = ["api_error", "error_objects", "error_objects_in"]

_HINTS: Final = {
    401: "Check that the API key still exists and that the credentials belong to it",
    403: "The API key lacks the permission for this, or the account's plan does not include the API",
    406: "The server does not offer here what the Accept header asked for, application/vnd.api+json",
    415: "The server did not accept the Content-Type header that was sent, application/vnd.api+json",
    429: "Too many requests: send fewer at once, or wait longer between them",
}
_ABOUT_THE_ACCOUNT: Final = frozenset({401, 403})
"""The statuses whose hints are about the account: only the API itself knows of that, not what stands before it."""
_NOT_OF_THE_API: Final = (
    "The answer was {}: perhaps it came from what stands before the API, such as its firewall, or from a proxy of yours"
)
_LONGEST_TEXT: Final = 500
_MOST_ERRORS: Final = 100
_LONGEST_REQUEST_ID: Final = 200


def api_error(
    *,
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    method: str,
    path: str,
    retry_after: float | None = None,
    hint: str | None = "",
) -> ApiError:
    """Return the error for an answer with an error *status*; *headers* have lower-case names.

    With an empty *hint* the status decides what is hinted at, with None nothing is.
    """
    errors = error_objects(body)
    error = api_error_class(status)(
        status=status,
        errors=errors,
        method=method,
        path=path,
        request_id=_request_id(headers.get("x-request-id")),
        retry_after=retry_after,
        hint="" if hint is None else hint or _hint(status, headers, errors),
    )
    error.is_html = _is_html(headers)
    return error


def error_objects(body: bytes) -> tuple[ErrorObject, ...]:
    """Read the error objects of a JSON:API or OAuth body; a body of another kind has none."""
    try:
        document = json_object(decode(body))
    except DecodeError:
        return ()
    if document is None:
        return ()
    errors = document.get("errors")
    return _oauth_error(document) if errors is None else error_objects_in(errors)


def error_objects_in(errors: Any) -> tuple[ErrorObject, ...]:
    """Read the ``errors`` member: an array of error objects, or one alone; bare text is taken for the detail.

    Of more than a hundred entries the first hundred are read, and a last error object says how many were left out.
    """
    array = json_array(errors)
    entries = [errors] if array is None else array
    found = tuple(error for entry in entries[:_MOST_ERRORS] if (error := _error_object(entry)) is not None)
    left_out = len(entries) - _MOST_ERRORS
    return found if left_out <= 0 else (*found, ErrorObject(detail=f"{left_out} further errors were left out"))


def _oauth_error(document: dict[str, Any]) -> tuple[ErrorObject, ...]:
    error = document.get("error")
    if error is None:
        return ()
    return (ErrorObject(title=_text(error), detail=_text(document.get("error_description"))),)


def _error_object(value: Any) -> ErrorObject | None:
    entry = json_object(value)
    if entry is None:
        return ErrorObject(detail=_text(value)) if isinstance(value, str) else None
    return ErrorObject(
        status=_text(entry.get("status")),
        code=_text(entry.get("code")),
        title=_text(entry.get("title")),
        detail=_text(entry.get("detail")),
        id=_text(entry.get("id")),
        source=json_object(entry.get("source")),
        links=json_object(entry.get("links")),
        meta=json_object(entry.get("meta")),
    )


def _text(value: Any) -> str | None:
    return value[:_LONGEST_TEXT] if isinstance(value, str) else None if value is None else brief(value)


def _request_id(told: str | None) -> str | None:
    # It is passed on to logs and to support as it stands, so it is made fit for that where it comes in.
    return None if told is None else escape_line(told[:_LONGEST_REQUEST_ID])


def _hint(status: int, headers: Mapping[str, str], errors: tuple[ErrorObject, ...]) -> str:
    if 300 <= status < 400:  # noqa: PLR2004
        return "Redirects are never followed, so that the token goes nowhere else"
    is_html = _is_html(headers)
    if status in _ABOUT_THE_ACCOUNT and not errors:
        return _NOT_OF_THE_API.format("HTML" if is_html else "no error that the API knows")
    if is_html:
        return f"{_HINTS.get(status, 'The body was an HTML page')}; the answer was HTML, not JSON:API"
    return _HINTS.get(status, "")


def _is_html(headers: Mapping[str, str]) -> bool:
    return "html" in headers.get("content-type", "").lower()
