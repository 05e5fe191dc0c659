"""Faults that are complete answers: errors, rate limits, web pages in place of documents."""

import math
from collections.abc import Mapping
from typing import Any, ClassVar, Final, Literal, get_args

import attrs
from aiohttp import web

from kajabi_async.testing.faults.incident import Fault, Incident
from kajabi_async.testing.replies import JSON_API, Reply, encoded, error_reply, plain_error
from kajabi_async.testing.server_clock import ServerClock

__all__ = [
    "RETRY_AFTER_FORMS",
    "Canned",
    "Failure",
    "HtmlAnswer",
    "RetryAfter",
    "TooManyRequests",
    "canned_reply",
    "too_many_requests",
]

RetryAfter = Literal["seconds", "float", "date", "past_date", "negative", "huge", "garbage", "absent"]
"""The form of the Retry-After header of a 429: every valid one (RFC 9110, section 10.2.3), and some invalid ones.

``seconds`` is the wait in whole seconds, rounded up; ``float`` has a fraction; ``date`` is an HTTP date by the fake's
clock, and ``past_date`` one an hour in the past; ``negative`` is a wait below zero; ``huge`` one of more than thirty
years; ``garbage`` is neither a number nor a date; ``absent`` sends no header.
"""

RETRY_AFTER_FORMS: Final[tuple[RetryAfter, ...]] = get_args(RetryAfter)
"""All forms."""

_TITLES: Final = {200: "Just a moment...", 500: "Internal server error", 502: "Bad gateway", 504: "Gateway time-out"}
_PAGE: Final = (
    "<!DOCTYPE html><html><head><title>{title}</title></head>"
    "<body><h1>{title}</h1><p>Error code {status}</p></body></html>"
)
_FIRST_ERROR: Final = 400
_HUGE: Final = "999999999"
_AN_HOUR: Final = 3600.0


def canned_reply(
    status: int,
    body: bytes | str | dict[str, Any] | list[Any] | None,
    content_type: str | None,
    headers: Mapping[str, str],
) -> Reply:
    """Return a reply with *body*: bytes unchanged, text in UTF-8, anything else as JSON."""
    if body is None:
        return Reply(status, b"", content_type, headers)
    if isinstance(body, str):
        body = body.encode()
    payload = body if isinstance(body, bytes) else encoded(body)
    return Reply(status, payload, content_type or JSON_API, headers)


def _error(status: int, operation: str | None, headers: Mapping[str, str]) -> Reply:
    is_flat = (operation or "").startswith("oauth.")
    reply = plain_error(status, "Something went wrong") if is_flat else error_reply(status, "An injected fault.")
    return attrs.evolve(reply, headers=headers)


@attrs.frozen
class Failure(Fault):
    """An error answer in place of the real one; the request takes no effect."""

    status: int = 503
    headers: Mapping[str, str] = attrs.field(factory=dict[str, str])
    body: bytes | str | dict[str, Any] | None = None
    """The body; None for the API's body for the status."""

    kind: ClassVar[str] = "failure"

    async def play(self, incident: Incident, /) -> web.StreamResponse:
        """Answer with the status and the body."""
        if self.body is not None:
            return incident.reply(canned_reply(self.status, self.body, None, self.headers))
        return incident.reply(_error(self.status, incident.record.operation, self.headers))


@attrs.frozen
class Canned(Fault):
    """A fixed answer in place of the real one; the request takes no effect and needs no token."""

    canned: Reply

    kind: ClassVar[str] = "canned"

    async def play(self, incident: Incident, /) -> web.StreamResponse:
        """Answer with the fixed reply."""
        return incident.reply(self.canned)


def too_many_requests(operation: str | None, form: RetryAfter, wait: float, clock: ServerClock) -> Reply:
    """Return a 429 that requests a wait of *wait* seconds in *form*; the API's real body is not published."""
    if form == "absent":
        return _error(429, operation, {})
    values: dict[RetryAfter, str] = {
        "seconds": str(math.ceil(wait)),
        "float": f"{wait:.3f}",
        # A date has whole seconds only, so a shorter wait is rounded up as well.
        "date": clock.http_date(math.ceil(wait)),
        "past_date": clock.http_date(-_AN_HOUR),
        "negative": str(-max(1, math.ceil(wait))),
        "huge": _HUGE,
        "garbage": "soon, maybe",
    }
    return _error(429, operation, {"Retry-After": values[form]})


@attrs.frozen
class TooManyRequests(Fault):
    """A 429 without a rate limit behind it; the request takes no effect."""

    retry_after: RetryAfter = attrs.field(default="seconds", validator=attrs.validators.in_(RETRY_AFTER_FORMS))
    wait: float = 1.0
    """The wait in seconds, for the forms that contain one."""

    kind: ClassVar[str] = "retry_after"

    @property
    def name(self) -> str:
        """The kind with the form of the header, such as ``retry_after_past_date``."""
        return f"{self.kind}_{self.retry_after}"

    async def play(self, incident: Incident, /) -> web.StreamResponse:
        """Answer with the 429."""
        operation = incident.record.operation
        return incident.reply(too_many_requests(operation, self.retry_after, self.wait, incident.clock))


@attrs.frozen
class HtmlAnswer(Fault):
    """A web page in place of the answer, as from a proxy in front of an API; the request takes no effect."""

    status: int = 502

    kind: ClassVar[str] = "html"

    @property
    def name(self) -> str:
        """``html_error``, or ``html_success`` for a status below 400."""
        return "html_error" if self.status >= _FIRST_ERROR else "html_success"

    async def play(self, incident: Incident, /) -> web.StreamResponse:
        """Answer with the page."""
        title = _TITLES.get(self.status, "Temporarily unavailable")
        page = _PAGE.format(title=title, status=self.status).encode()
        return incident.reply(Reply(self.status, page, "text/html; charset=UTF-8"))
