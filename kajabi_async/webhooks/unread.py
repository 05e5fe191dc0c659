"""A delivery that is no event the package knows: kept as it came, so that nothing is lost."""

from hashlib import sha256
from typing import ClassVar

import attrs

from kajabi_async.webhooks.errors import MalformedDeliveryError, UnknownDeliveryError

__all__ = ["UnreadDelivery"]


@attrs.frozen(kw_only=True, repr=False)
class UnreadDelivery:
    """What came to the secret path and is no event: of another name or shape, no JSON, or an empty ping.

    Kajabi takes any answer but a 2xx for a failure and delivers again for hours (integrators), so a `Receiver` that is
    not strict acknowledges it and hands it on as this.
    """

    body: bytes
    """All of it, as it came; empty for a ping."""
    error: MalformedDeliveryError | UnknownDeliveryError
    """Why it could not be read; it repeats no value of the delivery."""

    name: ClassVar[str] = "unread"

    @property
    def id(self) -> str:
        """A digest of the body, since there is no id to rely on."""
        return sha256(self.body).hexdigest()

    @property
    def event(self) -> str | None:
        """The event that it names; None if it names none, or nothing that looks like a name."""
        return self.error.event

    def __repr__(self) -> str:
        return f"<UnreadDelivery of {len(self.body)} bytes: {self.error}>"
