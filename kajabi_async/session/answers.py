"""Which answers are errors, and what they ask for: by status, media type and Retry-After."""

from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

from kajabi_async.clock import Clock
from kajabi_async.errors import ApiError, DecodeError
from kajabi_async.exchange import Answer, Request
from kajabi_async.jsonapi.error_documents import api_error

__all__ = ["error_of", "is_success", "read_retry_after", "refuse_html"]

_LONGEST_RETRY_AFTER_SECONDS: Final = 10.0**9
_MOST_DIGITS: Final = 30


def is_success(answer: Answer) -> bool:
    """Return whether the status of *answer* is 2xx."""
    return 200 <= answer.status < 300  # noqa: PLR2004


def error_of(answer: Answer, request: Request, clock: Clock, *, hint: str | None = "") -> ApiError:
    """Return the error for an unsuccessful *answer*; an empty *hint* picks the hint by status, None leaves it out."""
    now = clock.time()
    error = api_error(
        status=answer.status,
        headers=answer.headers,
        body=answer.body,
        method=request.method,
        path=request.path,
        retry_after=read_retry_after(answer.headers, wall_time=now),
        hint=hint,
    )
    error.retry_at = None if error.retry_after is None else now + error.retry_after
    return error


def refuse_html(answer: Answer, request: Request) -> None:
    """Raise DecodeError for the page of a proxy or a login that came in place of the answer."""
    media_type = answer.headers.get("content-type", "")
    if "html" in media_type.lower():
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
