"""The rate of requests: learned from answers 429, or known; kept by one client, or shared (`kajabi_async.stores`)."""

import math
from typing import Protocol

from kajabi_async.checks import number, with_methods
from kajabi_async.errors import ConfigurationError
from kajabi_async.session.limits.pace import Pace

__all__ = ["AdaptiveRate", "FixedRate", "ForeignRate", "RateLimit", "as_rate"]


class RateLimit(Protocol):
    """Decides whether a request may go, and learns what became of it; moments are monotonic seconds."""

    async def take(self, now: float) -> float:
        """Take one permit: return 0.0 if the request may go, else the seconds after which to ask again."""
        ...

    def answered(self, now: float) -> None:
        """Note an answer other than 429."""
        ...

    def refused(self, now: float, pause_seconds: float | None) -> None:
        """Note an answer 429, with the pause that it asks for."""
        ...

    def per_second(self, now: float) -> float | None:
        """Return the requests a second that may go; None if no limit is known."""
        ...


class AdaptiveRate:
    """Learns the rate from the answers 429: as fast as the client goes until the first, just below the limit then.

    Drops at once and rises slowly; a pause that an answer asks for holds for all requests.
    """

    def __init__(self) -> None:
        self._keep_to(Pace())

    async def take(self, now: float) -> float:
        """Take one permit, or return the seconds until the next."""
        return self.take_at_once(now)

    async def take_for_run(self, now: float) -> float:
        """Take one permit for a lookup of a run, which leaves some for calls, or return the seconds to wait."""
        return self.take_at_once(now, True)

    def refused(self, now: float, pause_seconds: float | None) -> None:
        """Note a refusal."""
        self._pace.refused(now, pause_seconds)

    def per_second(self, now: float) -> float | None:
        """Return the requests a second that may go; None before the first 429."""
        return self._pace.rate(now)

    def advice(self, per_second: float) -> str:
        """Return what holds requests back, and what the user can change."""
        return (
            f"the client keeps to the {per_second:.2g} requests a second that it learned from answers 429: ask for "
            "less, or set rate_limit= if you know that the API bears more"
        )

    def _keep_to(self, pace: Pace) -> None:
        self._pace = pace
        # Bound here, as every request calls both: that saves a call each.
        self.answered = pace.answered
        """Note an answer other than 429."""
        self.take_at_once = pace.take_one
        """Take one permit, or return the seconds until the next; with True, leave some for calls."""


class FixedRate(AdaptiveRate):
    """Keeps to ``per_second`` requests a second, if the limit is known; Retry-After still pauses all requests."""

    def __init__(self, per_second: float) -> None:
        rate = number(
            per_second,
            of="a rate",
            expected="a positive number of requests a second",
            fits=lambda it: 0 < it < 10**9,
            error=ConfigurationError,
        )
        self._keep_to(Pace(fixed=rate))

    def advice(self, per_second: float) -> str:
        """Return what holds requests back, and what the user can change."""
        return f"rate_limit={per_second:g} lets {per_second:g} requests a second go: raise it, or ask for less"


class ForeignRate:
    """A rate limit that the caller handed in; it may have to ask over the network, so it has no permit at once."""

    def __init__(self, limit: RateLimit) -> None:
        self.take = self.take_for_run = limit.take
        self.answered = limit.answered
        self.refused = limit.refused
        self.per_second = limit.per_second

    def take_at_once(self, _now: float, _spares: bool = False) -> float:
        """Return infinity: only `take` knows."""
        return math.inf

    def advice(self, per_second: float) -> str:
        """Return what holds requests back, and what the user can change."""
        return f"the limit given as rate_limit= lets {per_second:.2g} requests a second go: raise it, or ask for less"


def as_rate(given: float | RateLimit | None) -> AdaptiveRate | ForeignRate:
    """Return the rate for the option of a client: a number of requests a second, a limit, or None to learn it."""
    if given is None:
        return AdaptiveRate()
    if isinstance(given, bool | int | float):
        return FixedRate(given)
    if isinstance(given, AdaptiveRate):
        return given
    return ForeignRate(with_methods(given, "take", "answered", "refused", "per_second", of="rate_limit"))
