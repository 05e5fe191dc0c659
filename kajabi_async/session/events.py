"""The events of a session for its observers: values without ids, query values, bodies or secrets."""

from collections.abc import Callable

import attrs

from kajabi_async.structs import Value

__all__ = [
    "OperationEnded",
    "OperationStarted",
    "RequestAnswered",
    "RequestRetried",
    "RequestStarted",
    "RequestWaited",
    "SessionEvent",
    "SessionObserver",
    "TokenRefreshed",
    "TokenRequestAnswered",
]


@attrs.frozen(eq=False, repr=False)
class SessionEvent(Value):
    """Something that happened."""


@attrs.frozen(eq=False, repr=False)
class _OfOperation(SessionEvent):
    operation: int
    """The number of the operation, unique in the process."""
    name: str
    """The name in the table of operations, such as ``customers.get``; the method if it is not in the table."""


@attrs.frozen(eq=False, repr=False)
class OperationStarted(_OfOperation):
    """A call begins: it may queue, request a token, and send several requests.

    Reported in the task of the caller, like all that follows until `OperationEnded`, which always comes.
    """

    method: str
    template: str
    """The path with ``{id}`` in place of an id; empty if the operation is not in the table."""
    base_url: str
    """Scheme, host and port of the server."""


@attrs.frozen(eq=False, repr=False)
class RequestStarted(_OfOperation):
    """A request is sent; `RequestAnswered` always follows."""

    attempt: int
    """Counted from 1."""


@attrs.frozen(eq=False, repr=False)
class RequestAnswered(_OfOperation):
    """A request has ended."""

    attempt: int
    status: int | None
    """None if no answer came, or none that could be read."""
    error: str
    """The name of the error's class, ``CancelledError`` if its caller stopped waiting; empty for an answer 2xx."""
    seconds: float
    """From sending to having read the answer."""
    answer_bytes: int
    """Of the body, after decompression."""


@attrs.frozen(eq=False, repr=False)
class RequestRetried(_OfOperation):
    """A failed request will be sent again."""

    attempt: int
    """The one that failed."""
    error: str
    after_seconds: float


@attrs.frozen(eq=False, repr=False)
class RequestWaited(_OfOperation):
    """A request has waited for a slot, for a permit of the rate, or for the end of a pause.

    Reported for a wait in vain as well, which an error follows; not for less than a millisecond.
    """

    seconds: float


@attrs.frozen(eq=False, repr=False)
class OperationEnded(_OfOperation):
    """A call ends, with an answer or an error."""

    attempts: int
    error: str
    """The name of the error's class; empty for success."""
    cancelled: bool
    seconds: float


@attrs.frozen(eq=False, repr=False)
class TokenRequestAnswered(SessionEvent):
    """A request to an OAuth endpoint has ended; it belongs to no operation, as many may wait for one token."""

    name: str
    """``oauth.token`` or ``oauth.revoke``."""
    method: str
    template: str
    base_url: str
    attempt: int
    """Counted from 1."""
    status: int | None
    """None if no answer came, or none that could be read."""
    error: str
    """The name of the error's class, ``CancelledError`` if its caller stopped waiting; empty for an answer 2xx."""
    seconds: float


@attrs.frozen(eq=False, repr=False)
class TokenRefreshed(SessionEvent):
    """A new token has come."""

    shared: bool
    """Whether another client had requested it, and it was taken from a store."""


SessionObserver = Callable[[SessionEvent], object]
"""Called with each event, on the event loop: it must not block. What it raises is logged and goes no further."""
