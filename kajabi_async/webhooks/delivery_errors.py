"""The errors of deliveries, with the HTTP status to answer each with.

::

    KajabiError
    └── WebhookError
        ├── WrongSecretError             404  the path has no accepted secret
        ├── DeliveryTooLargeError        413  in bytes or in elements
        ├── MalformedDeliveryError       400  not JSON, too deep, or not of the shape of its event
        ├── UnknownDeliveryError         422  JSON, but of an unknown event
        ├── DeliveryInProgressError      409  the same delivery is being handled
        └── ReplayGuardUnavailableError  503  unknown whether it is a duplicate

No error repeats a value of the delivery, since it may be personal data. All of them can be pickled and copied.
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

    Kajabi does not document what it does after an answer other than 200; integrators say that it delivers again.
    """

    http_status: ClassVar[int] = 400
    """The status to answer with."""


class WrongSecretError(WebhookError):
    """The path carries none of the accepted secrets; 404, as for any unknown path."""

    http_status = 404


class DeliveryTooLargeError(WebhookError):
    """A body above a limit, which was not decoded; ``limit`` is that of bytes."""

    http_status = 413

    def __init__(self, *, limit: int, excess: str = "") -> None:
        self.limit = limit
        too_long = f"is larger than {limit} bytes, the limit that max_bytes= sets"
        super().__init__(f"the delivery {f'holds {excess}' if excess else too_long}")


class MalformedDeliveryError(WebhookError):
    """A body that is not a delivery: not JSON, nested too deeply, or not of the shape of its event."""

    http_status = 400

    def __init__(self, problem: str, *, path: str = "", event: str | None = None) -> None:
        self.problem = problem
        self.path = path
        """The path in the body, such as ``payload[0].attributes.created_at``; empty for the whole body."""
        self.event = event
        """The event, or None if it could not be read."""
        subject = f"a delivery of {event!r}" if event else "a delivery"
        super().__init__(f"{subject} cannot be read: {problem}{f' at {path}' if path else ''}")


class UnknownDeliveryError(WebhookError):
    """A delivery of an unknown event; ``event`` is its name, or None if the value does not look like one."""

    http_status = 422

    def __init__(self, *, event: str | None) -> None:
        self.event = event
        name = f"the event {event!r}" if event else "something that is not the name of an event"
        super().__init__(f"a delivery of {name}, which this version of kajabi_async does not know")


class DeliveryInProgressError(WebhookError):
    """The same delivery is being handled; if that fails, a later one is handled."""

    http_status = 409


class ReplayGuardUnavailableError(WebhookError):
    """The replay guard is unreachable, so it is unknown whether the delivery is a duplicate."""

    http_status = 503
