"""The time limits of an operation, each with a name of its own."""

import asyncio
import math
from collections.abc import Awaitable, Mapping
from typing import Any, Final, TypeVar

import attrs

from kajabi_async.errors import ConfigurationError, RequestTimeoutError, TimeoutPhase
from kajabi_async.exchange import Request

__all__ = ["Timeouts", "checked_seconds", "within"]

T = TypeVar("T")


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
    """The gap between two pieces of an answer."""


_RAN_OUT: Final[Mapping[TimeoutPhase, str]] = {
    "queue": "no place among the requests under way",
    "total": "not done, waiting and repeating included,",
}


async def within(seconds: float | None, work: Awaitable[T], *, phase: TimeoutPhase, request: Request) -> T:
    """Await *work*, but no longer than *seconds*; a caller's own time limits and cancellations pass through."""
    limit = asyncio.timeout(seconds)
    try:
        async with limit:
            return await work
    except TimeoutError:
        if not limit.expired():
            raise
    message = f"{_RAN_OUT[phase]} within {seconds} s"
    raise RequestTimeoutError(message, phase=phase, seconds=seconds, method=request.method, path=request.path)
