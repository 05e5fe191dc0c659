"""What a session tells its observers while it works: values without ids, query values, bodies or secrets."""

import logging
from collections.abc import Callable, Iterable
from typing import Final

import attrs

from kajabi_async.operations import operation_at

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
    "name_and_template",
    "telling",
]

_LOG: Final = logging.getLogger("kajabi_async")


@attrs.frozen
class SessionEvent:
    """Something that happened."""


@attrs.frozen
class _OfOperation(SessionEvent):
    operation: int
    """The same for everything that belongs to one operation, and unlike any other in the process."""
    name: str
    """What the table of operations calls it, such as ``customers.get``; the method where it is not in the table."""


@attrs.frozen
class OperationStarted(_OfOperation):
    """A call begins: it may queue, ask for a token, and send several requests.

    Told in the task of the caller, like all that follows until `OperationEnded`, which always comes.
    """

    method: str
    template: str
    """The path with ``{id}`` in place of an id; empty where the operation is not in the table."""
    base_url: str
    """Scheme, host and port that it is sent to."""


@attrs.frozen
class RequestStarted(_OfOperation):
    """A request goes on the wire; `RequestAnswered` always follows."""

    attempt: int
    """Counted from 1."""


@attrs.frozen
class RequestAnswered(_OfOperation):
    """A request has ended."""

    attempt: int
    status: int | None
    """None where no answer came, or none that could be read."""
    error: str
    """The name of the error's class, ``CancelledError`` where nobody waits for it any more; empty for an answer 2xx."""
    seconds: float
    """On the wire, with reading the answer."""
    answer_bytes: int
    """Of the body, after decompression."""


@attrs.frozen
class RequestRetried(_OfOperation):
    """A failed request will be sent again."""

    attempt: int
    """The one that failed."""
    error: str
    after_seconds: float


@attrs.frozen
class RequestWaited(_OfOperation):
    """A request has waited: for a place among those under way, for the end of a pause, or for its turn.

    Told for a wait in vain as well, which an error follows on; not for less than a millisecond.
    """

    seconds: float


@attrs.frozen
class OperationEnded(_OfOperation):
    """A call ends, with an answer or an error."""

    attempts: int
    error: str
    """The name of the error's class; empty for success."""
    cancelled: bool
    seconds: float


@attrs.frozen
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
    """None where no answer came, or none that could be read."""
    error: str
    """The name of the error's class, ``CancelledError`` where nobody waits for it any more; empty for an answer 2xx."""
    seconds: float


@attrs.frozen
class TokenRefreshed(SessionEvent):
    """There is a new token."""

    shared: bool
    """Whether another client had asked for it and a store had it."""


SessionObserver = Callable[[SessionEvent], object]
"""Called with each event, on the event loop: it must not block. What it raises is logged and goes no further."""


def telling(observers: Iterable[SessionObserver]) -> SessionObserver | None:
    """Give what tells all of *observers*; None where there are none, so that nothing is made to be told."""
    everyone = tuple(observers)
    if not everyone:
        return None

    def tell(event: SessionEvent) -> None:
        for observer in everyone:
            try:
                observer(event)
            except Exception as error:  # noqa: BLE001 - whoever watches must not break what is watched
                _LOG.warning("an observer failed on %s: %r", type(event).__name__, error)

    return tell


def name_and_template(method: str, path: str) -> tuple[str, str]:
    """Give what a request is called in the table of operations, and its path without ids."""
    found = operation_at(method, path)
    return (method, "") if found is None else (found[0].name, found[0].path)
