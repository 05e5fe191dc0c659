"""A delivery that is no known event, kept as received so that nothing is lost."""

from hashlib import sha256
from typing import ClassVar

import attrs

from kajabi_async.webhooks.delivery_errors import MalformedDeliveryError, UnknownDeliveryError

__all__ = ["UnreadDelivery"]


@attrs.frozen(kw_only=True, repr=False)
class UnreadDelivery:
    """A delivery to the secret path that is no known event: of another name or shape, not JSON, or an empty ping.

    Kajabi takes any answer but a 2xx for a failure and delivers again for hours (integrators), so a `Receiver` that is
    not strict acknowledges it and passes it on as this.
    """

    body: bytes
    """The whole body as received; empty for a ping."""
    error: MalformedDeliveryError | UnknownDeliveryError
    """The reason why it could not be read; it repeats no value of the delivery."""

    name: ClassVar[str] = "unread"

    @property
    def id(self) -> str:
        """A digest of the body, in place of an id."""
        return sha256(self.body).hexdigest()

    @property
    def event(self) -> str | None:
        """The name of its event, or None if it has none or the value does not look like a name."""
        return self.error.event

    def __repr__(self) -> str:
        return f"<UnreadDelivery of {len(self.body)} bytes: {self.error}>"
