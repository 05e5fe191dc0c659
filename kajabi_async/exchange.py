"""What passes between resources and the session manager: a request, its answer, and what the two of them took.

This module imports neither side, so that neither needs to know the other.
"""

from collections.abc import Mapping
from typing import Any, Final, Literal, NoReturn, Protocol, Self, TypeAlias

import attrs
import msgspec

from kajabi_async.plain import PlainRecord
from kajabi_async.structs import ChangingValue
from kajabi_async.wording import counted

__all__ = [
    "FORM",
    "JSON_API",
    "METHODS",
    "SUCCESS",
    "Answer",
    "Request",
    "Send",
    "SessionStats",
    "Tally",
    "TimeoutStarts",
]

JSON_API: Final = "application/vnd.api+json"
"""The media type of JSON:API 1.1, sent without parameters (section "Content Negotiation")."""

FORM: Final = "application/x-www-form-urlencoded"
"""The media type of the two OAuth endpoints."""

METHODS: Final = ("GET", "POST", "PATCH", "PUT", "DELETE")
"""The methods of the API."""

SUCCESS: Final = range(200, 300)
"""The statuses of answers that are no errors."""


# msgspec structs: one of each is made for every call, and a frozen attrs class takes five times the instructions.
class _Message(msgspec.Struct, frozen=True, gc=False):
    """A request or its answer, which is not pickled, and is its own copy."""

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"{type(self).__name__} is not pickled: its body may hold a secret or what users wrote")

    def __deepcopy__(self, _: object) -> Self:
        return self


class Request(_Message, frozen=True):
    """One HTTP request, complete but for the host and the token."""

    method: str
    path: str
    """Absolute and already percent-encoded, such as ``/v1/customers/123``."""
    query: str = ""
    """Already percent-encoded, without the question mark."""
    body: bytes | None = None
    content_type: str = JSON_API
    authorized: bool = True
    """Whether it carries the bearer token."""
    once: bool = False
    """Whether the caller retries it by itself: it is then sent once, and never during a pause."""

    @property
    def is_write(self) -> bool:
        """Whether the request may change something on the server."""
        return self.method not in {"GET", "HEAD"}

    def __repr__(self) -> str:
        return f"Request({self.method!r}, {self.path!r}, {self.query!r})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        # msgspec has one of its own, which shows every field.
        return [("method", self.method), ("path", self.path), ("query", self.query)]


class Answer(_Message, frozen=True):
    """The answer to a request: the status, the headers (names in lower case) and the whole, decompressed body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def __repr__(self) -> str:
        return f"Answer({self.status!r})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("status", self.status)]


@attrs.define(eq=False, repr=False)
class Tally(PlainRecord, ChangingValue):
    """What one or many operations took; counters only grow."""

    operations: int = 0
    attempts: int = 0
    """Requests sent, token requests not counted."""
    retries: int = 0
    waiting_seconds: float = 0.0
    """Time in the client's queue and between attempts, summed over operations."""
    wire_seconds: float = 0.0
    """Time from sending a request to having read its answer, summed over attempts."""


TimeoutStarts: TypeAlias = Literal["call", "sent"]
"""When the timeout of an operation starts: with the call, or only while the request is not in the client's queue."""


class Send(Protocol):
    """How resources and relationships reach the API: one request in, one 2xx answer out, or an error of the package."""

    async def __call__(
        self,
        request: Request,
        *,
        timeout: float | None = None,
        tally: Tally | None = None,
        timeout_starts: TimeoutStarts = "call",
    ) -> Answer:
        """Send *request*; *timeout* is in seconds, for the whole operation; *tally* is added to.

        With *timeout_starts* "sent", no wait in the client's queue counts: for a token, a slot, a permit of the rate,
        or the end of a pause, before the first attempt or a later one. Others come before it in the queue.
        """
        ...


@attrs.define(eq=False, repr=False)
class SessionStats(Tally):
    """What a session has done since it was made; all but the last two only grow."""

    resent: int = 0
    """Attempts repeated at once because the server had closed the idle connection they were sent on."""
    rate_limited: int = 0
    """Answers 429."""
    pauses: int = 0
    """Answers that asked all requests to wait."""
    retries_denied: int = 0
    """Retries that the retry budget did not allow."""
    token_requests: int = 0
    tokens_taken: int = 0
    """Tokens that another client had requested, taken from a token store."""
    requests_per_second: float | None = None
    """The current rate limit that the client keeps to; None if no limit is known."""
    queued: int = 0
    """The number of requests that wait for a slot."""

    def __repr__(self) -> str:
        rate = "" if self.requests_per_second is None else f", at most {self.requests_per_second:,.1f} a second"
        return (
            f"<SessionStats: {counted(self.operations, 'operation')}, {counted(self.attempts, 'request')}{rate}; "
            f"{counted(self.retries, 'retry', 'retries')}, {counted(self.rate_limited, 'answer')} 429, "
            f"{counted(self.token_requests, 'token request')}; "
            f"{self.waiting_seconds:,.2f} s waiting, {self.wire_seconds:,.2f} s on the wire; {self.queued:,} queued>"
        )
