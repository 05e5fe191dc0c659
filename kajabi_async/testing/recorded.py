"""Records for tests to inspect: received requests, writes, and the side effects that writes would have had."""

from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import Any, Literal
from urllib.parse import parse_qs

import attrs

__all__ = ["Effect", "RecordedRequest", "Write", "WriteKind"]

WriteKind = Literal["created", "changed", "deleted"]


@attrs.frozen(slots=False)
class RecordedRequest:
    """One received request."""

    method: str
    path: str
    """The path as sent, percent-encoded."""
    query_string: str
    headers: Mapping[str, str] = attrs.field(repr=False)
    """Names in lower case."""
    body: bytes = attrs.field(repr=False)
    operation: str | None
    """The name of the operation in ``kajabi_async.operations``; None if no operation matches."""
    on_reused_connection: bool = False
    """Whether its connection carried an earlier request."""

    @cached_property
    def query(self) -> dict[str, list[str]]:
        """The decoded parameters, each with all its values."""
        return parse_qs(self.query_string, keep_blank_values=True)


@attrs.frozen
class Effect:
    """One side effect that the API would have had."""

    kind: str
    """``welcome_email``, ``gift_email``, ``opt_in_email``, ``automation``, ``tag_added``, ``tag_removed``,
    ``offer_granted``, ``offer_revoked``, ``subscription_cancelled`` or ``hook``."""
    contact_id: str | None = None
    customer_id: str | None = None
    email: str | None = None
    """The recipient's address of an email."""
    about_type: str | None = None
    about_id: str | None = None
    """The resource it is about, such as the offer that was granted."""
    payload: tuple[Mapping[str, Any], ...] = attrs.field(default=(), repr=False)
    """The resource objects that would be delivered to a hook."""


@attrs.frozen
class Write:
    """One write to one resource, by a request or by the test."""

    at: datetime
    """The time by the clock of the fake."""
    kind: WriteKind
    type: str
    id: str
