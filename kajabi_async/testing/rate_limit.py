"""An unannounced rate limit for all requests to the fake, from all clients together."""

from collections import Counter, deque
from typing import Final

import attrs

from kajabi_async.testing.faults.statuses import RETRY_AFTER_FORMS, RetryAfter, too_many_requests
from kajabi_async.testing.replies import Reply
from kajabi_async.testing.server_clock import ServerClock

__all__ = ["RateLimit", "RateLimiter", "RequestLimit", "limit_of"]

_A_YEAR: Final = 31_536_000.0


@attrs.frozen
class RequestLimit:
    """A limit of ``requests`` in any ``per`` seconds.

    The window slides: the fake never accepts more than ``requests`` within ``per`` seconds. Rejected requests do not
    count.
    """

    requests: int = attrs.field(validator=[attrs.validators.instance_of(int), attrs.validators.ge(0)])
    """The most requests in a window; 0 rejects all."""
    per: float = attrs.field(default=1.0, validator=[attrs.validators.gt(0), attrs.validators.le(_A_YEAR)])
    retry_after: RetryAfter = attrs.field(
        default="absent", validator=attrs.validators.in_(RETRY_AFTER_FORMS), kw_only=True
    )
    """The form of the Retry-After header of a 429, which announces when the window has room again."""


RateLimit = RequestLimit
"""The name of `RequestLimit` in version 0.1.0, which `kajabi_async.RateLimit`, the client's own, has as well."""


def limit_of(limit: RequestLimit | int | None) -> RequestLimit | None:
    """Return a RequestLimit; a number means requests per second, without Retry-After."""
    return RequestLimit(limit) if isinstance(limit, int) else limit


class RateLimiter:
    """Accepts or rejects requests, and counts both."""

    def __init__(self, clock: ServerClock, limit: RequestLimit | int | None) -> None:
        """Start with an empty window."""
        self.limit = limit_of(limit)
        self.counts: Counter[str] = Counter()
        """The numbers of accepted requests, ``answered``, and of rejected ones, ``limited``."""
        self._clock = clock
        self._accepted: deque[float] = deque()

    def refusal(self, operation: str | None) -> Reply | None:
        """Count one request; return the 429 for it, or None if it is accepted."""
        limit = self.limit
        wait = self._wait(limit) if limit else 0.0
        if limit is None or wait <= 0:
            self.counts["answered"] += 1
            return None
        self.counts["limited"] += 1
        return too_many_requests(operation, limit.retry_after, wait, self._clock)

    def _wait(self, limit: RequestLimit) -> float:
        """Return the seconds until the window has room; if it has room, use it and return 0."""
        # The steady clock: a jump of the fake's time must neither empty the window nor block it.
        now = self._clock.steady()
        while self._accepted and now - self._accepted[0] >= limit.per:
            self._accepted.popleft()
        if len(self._accepted) < limit.requests:
            self._accepted.append(now)
            return 0.0
        if not limit.requests:
            return limit.per
        return limit.per - (now - self._accepted[len(self._accepted) - limit.requests])
