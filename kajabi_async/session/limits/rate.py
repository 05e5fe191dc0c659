"""The rate of requests: learned from refusals, or known; kept by one client, or shared (`kajabi_async.stores`)."""

from typing import Protocol

from kajabi_async.checks import number, with_methods
from kajabi_async.errors import ConfigurationError
from kajabi_async.session.limits.pace import Pace

__all__ = ["AdaptiveRate", "FixedRate", "RateLimit", "as_rate_limit"]


class RateLimit(Protocol):
    """Says whether a request may go, and is told what became of those that went; moments are monotonic seconds."""

    async def take(self, now: float) -> float:
        """Take one turn: 0.0 where the request may go, else the seconds after which to ask again."""
        ...

    def answered(self, now: float) -> None:
        """Note an answer that was no refusal."""
        ...

    def refused(self, now: float, pause_seconds: float | None) -> None:
        """Note an answer 429, with the pause that it asks for."""
        ...

    def per_second(self, now: float) -> float | None:
        """Give the requests a second that may go; None where no limit is known."""
        ...


class AdaptiveRate:
    """Learns the rate from the answers 429: as fast as the client goes until the first, just below the limit then.

    Drops at once and rises slowly; a pause that an answer asks for is everyone's.
    """

    def __init__(self) -> None:
        self._keep_to(Pace())

    async def take(self, now: float) -> float:
        """Take one turn, or give the seconds until the next."""
        return self.take_at_once(now)

    def refused(self, now: float, pause_seconds: float | None) -> None:
        """Note a refusal."""
        self._pace.refused(now, pause_seconds)

    def per_second(self, now: float) -> float | None:
        """Give the requests a second that may go; None before the first 429."""
        return self._pace.rate(now)

    def _keep_to(self, pace: Pace) -> None:
        self._pace = pace
        self.answered = pace.answered
        """Note an answer that was no refusal."""
        self.take_at_once = pace.take_one
        """Take one turn, or give the seconds until the next; without a task's having to wait for anything."""


class FixedRate(AdaptiveRate):
    """Keeps to *per_second* requests a second, for those who know their limit; Retry-After still pauses everyone."""

    def __init__(self, per_second: float) -> None:
        rate = number(
            per_second,
            of="a rate",
            expected="a positive number of requests a second",
            fits=lambda it: 0 < it < 10**9,
            error=ConfigurationError,
        )
        self._keep_to(Pace(fixed=rate))


def as_rate_limit(given: float | RateLimit | None) -> RateLimit:
    """Give the limit for what a client was given: a number of requests a second, a limit, or None to learn it."""
    if given is None:
        return AdaptiveRate()
    if isinstance(given, bool | int | float):
        return FixedRate(given)
    limit: RateLimit = with_methods(given, "take", "answered", "refused", "per_second", of="rate_limit")
    return limit
