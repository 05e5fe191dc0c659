"""The time limits of an operation, each with a name of its own."""

import math
from typing import Any

import attrs

from kajabi_async.errors import ConfigurationError

__all__ = ["Timeouts", "checked_seconds"]


def checked_seconds(name: str, seconds: object) -> float | None:
    """Give *seconds* where it is a positive number or None; ConfigurationError otherwise."""
    if seconds is None:
        return None
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not seconds > 0 or math.isinf(seconds):
        raise ConfigurationError(f"{name} must be a positive number of seconds, or None for no limit, got {seconds!r}")
    return float(seconds)


def _check(_: "Timeouts", field: "attrs.Attribute[float | None]", value: object) -> None:
    checked_seconds(f"the timeout {field.name}", value)


def _limit(default: float | None) -> Any:
    return attrs.field(default=default, validator=_check)


@attrs.frozen(kw_only=True)
class Timeouts:
    """Limits in seconds; None sets none."""

    total: float | None = _limit(60.0)
    """The whole operation: queueing, connecting, every attempt and the waits between them."""
    queue: float | None = _limit(None)
    """Waiting for a place among the requests under way."""
    connect: float | None = _limit(10.0)
    """Making a connection."""
    read: float | None = _limit(30.0)
    """The head of an answer, and after it the gap between two pieces of the body."""
