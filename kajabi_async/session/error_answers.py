"""Which answers are errors, and which error each becomes.

The API answers JSON:API error objects, the OAuth endpoints a flat ``{"error": ...}``, and unknown paths or the proxy in
front an HTML page or nothing at all (observed). The status decides the class; the body only explains.
"""

from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

from kajabi_async.clock import Clock
from kajabi_async.errors import ApiError, DecodeError, api_error_class
from kajabi_async.escaping.text import escape_line
from kajabi_async.exchange import Answer, Request
from kajabi_async.jsonapi.codec import decode, json_object

if TYPE_CHECKING:
    from kajabi_async.error_object import ErrorObject

__all__ = ["error_of", "errors_in", "read_retry_after", "refuse_html"]

_HINTS: Final = {
    401: "Check that the API key still exists and that the credentials belong to it",
    403: "The API key lacks the permission for this, or the account's plan does not include the API",
    406: "The server does not offer here what the Accept header asked for, application/vnd.api+json",
    415: "The server did not accept the Content-Type header that was sent, application/vnd.api+json",
    429: "Too many requests: send fewer at once, or wait longer between them",
}
_ABOUT_THE_ACCOUNT: Final = frozenset({401, 403})
"""The statuses whose hints are about the account: only the API itself knows it, not a proxy in front of it."""
_NOT_OF_THE_API: Final = (
    "The answer was {}: perhaps it came from what stands before the API, such as its firewall, or from a proxy of yours"
)
_LONGEST_REQUEST_ID: Final = 200

_LONGEST_RETRY_AFTER_SECONDS: Final = 10.0**9
_MOST_DIGITS: Final = 30


def error_of(answer: Answer, request: Request, clock: Clock, *, hint: str | None = "") -> ApiError:
    """Return the error for an unsuccessful *answer*; an empty *hint* picks the hint by status, None leaves it out."""
    now = clock.time()
    errors = errors_in(answer.body)
    error = api_error_class(answer.status)(
        status=answer.status,
        errors=errors,
        method=request.method,
        path=request.path,
        request_id=_request_id(answer.headers.get("x-request-id")),
        retry_after=read_retry_after(answer.headers, wall_time=now),
        hint="" if hint is None else hint or _hint(answer, errors),
    )
    error.is_html = _is_html(answer)
    error.retry_at = None if error.retry_after is None else now + error.retry_after
    return error


def errors_in(body: bytes) -> "tuple[ErrorObject, ...]":
    """Read the error objects in the *body* of a JSON:API or OAuth answer; a body of another kind has none."""
    from kajabi_async.error_object import ErrorObject  # noqa: PLC0415 - not needed before the first error
    from kajabi_async.jsonapi.error_objects import error_objects, error_text  # noqa: PLC0415

    try:
        document = json_object(decode(body))
    except DecodeError:
        return ()
    if document is None:
        return ()
    errors = document.get("errors")
    if errors is not None:
        return error_objects(errors)
    title = error_text(document.get("error"))
    return () if title is None else (ErrorObject(title=title, detail=error_text(document.get("error_description"))),)


def refuse_html(answer: Answer, request: Request) -> None:
    """Raise DecodeError for the page of a proxy or a login that came in place of the answer."""
    if _is_html(answer):
        media_type = answer.headers["content-type"]
        context = f"{request.method} {request.path}"
        raise DecodeError(f"the answer is {media_type[:60]!r}, not JSON:API", context=context)


def read_retry_after(headers: Mapping[str, str], *, wall_time: float) -> float | None:
    """Return Retry-After in seconds from now, from a number or an HTTP date (RFC 9110, 10.2.3); None for anything else.

    A date counts from the answer's own Date, so that a wrong clock on this machine does not matter.
    """
    value = headers.get("retry-after", "").strip()
    if not value:
        return None
    seconds = _number(value)
    if seconds is None:
        moment, sent = _moment(value), _moment(headers.get("date", ""))
        seconds = None if moment is None else moment - (wall_time if sent is None else sent)
    return None if seconds is None else min(max(seconds, 0.0), _LONGEST_RETRY_AFTER_SECONDS)


def _number(value: str) -> float | None:
    digits = value.removeprefix("-")
    whole, _, fraction = digits.partition(".")
    if not (whole + fraction).isascii() or not (whole + fraction).isdigit() or len(digits) > _MOST_DIGITS:
        return None
    return float(value)


def _moment(value: str) -> float | None:
    try:
        moment = parsedate_to_datetime(value)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _request_id(value: str | None) -> str | None:
    # Logs and support get it as it is, so control characters are escaped here.
    return None if value is None else escape_line(value[:_LONGEST_REQUEST_ID])


def _hint(answer: Answer, errors: "tuple[ErrorObject, ...]") -> str:
    status, is_html = answer.status, _is_html(answer)
    if 300 <= status < 400:  # noqa: PLR2004
        return "Redirects are never followed, so that the token goes nowhere else"
    if status in _ABOUT_THE_ACCOUNT and not errors:
        return _NOT_OF_THE_API.format("HTML" if is_html else "no error that the API knows")
    if is_html:
        return f"{_HINTS.get(status, 'The body was an HTML page')}; the answer was HTML, not JSON:API"
    return _HINTS.get(status, "")


def _is_html(answer: Answer) -> bool:
    return "html" in answer.headers.get("content-type", "").lower()
