"""What can be wrong with a delivery, and which HTTP status to answer it with.

::

    KajabiError
    └── WebhookError
        ├── WrongSecretError             404  the path does not carry a secret of ours
        ├── DeliveryTooLargeError        413  in bytes or in elements
        ├── MalformedDeliveryError       400  not JSON, too deep, or another shape than its event has
        ├── UnknownDeliveryError         422  JSON, and of no event that is known
        ├── DeliveryInProgressError      409  the same delivery is being handled just now
        └── ReplayGuardUnavailableError  503  nobody can tell whether it came before

No error repeats a value of the delivery: what comes in one is about people. Every one pickles and copies.
"""

from typing import ClassVar

from kajabi_async.errors import KajabiError

__all__ = [
    "DeliveryInProgressError",
    "DeliveryTooLargeError",
    "MalformedDeliveryError",
    "ReplayGuardUnavailableError",
    "UnknownDeliveryError",
    "WebhookError",
    "WrongSecretError",
]


class WebhookError(KajabiError):
    """A delivery that was not handled; answer it with ``http_status``.

    How Kajabi takes an answer other than 200 is not in its documents; integrators say that it delivers again.
    """

    http_status: ClassVar[int] = 400
    """What to answer."""


class WrongSecretError(WebhookError):
    """The path carries none of the accepted secrets; 404, as for any path that there is not."""

    http_status = 404


class DeliveryTooLargeError(WebhookError):
    """A body above a limit, of which nothing was made; ``limit`` is the one of bytes."""

    http_status = 413

    def __init__(self, *, limit: int, excess: str = "") -> None:
        self.limit = limit
        too_long = f"is larger than {limit} bytes, the limit that max_bytes= sets"
        super().__init__(f"the delivery {f'holds {excess}' if excess else too_long}")


class MalformedDeliveryError(WebhookError):
    """A body that is no delivery: not JSON, nested too deeply, or of another shape than its event has."""

    http_status = 400

    def __init__(self, problem: str, *, path: str = "", event: str | None = None) -> None:
        self.problem = problem
        self.path = path
        """Where in the body, such as ``payload[0].attributes.created_at``; empty for all of it."""
        self.event = event
        """Of which event, where that could be read."""
        told = f"a delivery of {event!r}" if event else "a delivery"
        super().__init__(f"{told} cannot be read: {problem}{f' at {path}' if path else ''}")


class UnknownDeliveryError(WebhookError):
    """A delivery of an event that is not known; ``event`` says which, None where what came is no name."""

    http_status = 422

    def __init__(self, *, event: str | None) -> None:
        self.event = event
        seen = f"the event {event!r}" if event else "something that is no name of an event"
        super().__init__(f"a delivery of {seen}, which this version of kajabi_async does not know")


class DeliveryInProgressError(WebhookError):
    """The same delivery is being handled just now; if that fails, one that comes later is handled."""

    http_status = 409


class ReplayGuardUnavailableError(WebhookError):
    """The replay guard cannot be asked, so it is not known whether the delivery came before."""

    http_status = 503
