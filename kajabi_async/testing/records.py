"""What the fake writes down for a test to look at: requests that came, side effects that a write would have had."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any
from urllib.parse import parse_qs

import attrs

__all__ = ["Effect", "RecordedRequest"]


@attrs.frozen(slots=False)
class RecordedRequest:
    """One request as it came in."""

    method: str
    path: str
    """As it was sent, still percent-encoded."""
    query_string: str
    headers: Mapping[str, str] = attrs.field(repr=False)
    """Names in lower case."""
    body: bytes = attrs.field(repr=False)
    operation: str | None
    """The name of the operation in ``kajabi_async.operations``; None for a path that is none."""
    on_reused_connection: bool = False
    """Whether its connection has carried a request before."""

    @cached_property
    def query(self) -> dict[str, list[str]]:
        """Give the decoded parameters, each with all its values."""
        return parse_qs(self.query_string, keep_blank_values=True)


@attrs.frozen
class Effect:
    """One thing that the API would have done beside answering."""

    kind: str
    """``welcome_email``, ``gift_email``, ``opt_in_email``, ``automation``, ``tag_added``, ``tag_removed``,
    ``offer_granted``, ``offer_revoked``, ``subscription_cancelled`` or ``hook``."""
    contact_id: str | None = None
    customer_id: str | None = None
    email: str | None = None
    """The address an email goes to."""
    about_type: str | None = None
    about_id: str | None = None
    """The resource it is about, such as the offer that was granted."""
    payload: tuple[Mapping[str, Any], ...] = attrs.field(default=(), repr=False)
    """For a hook: the resource objects that would be delivered."""
