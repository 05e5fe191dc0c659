"""A rate limit that a client is not told of, for everything that comes to the fake, whoever sends it."""

from collections import Counter, deque
from typing import Final

import attrs

from kajabi_async.testing.answers import Reply
from kajabi_async.testing.faults.retry_after import RETRY_AFTER_FORMS, RetryAfter, retry_after_headers
from kajabi_async.testing.faults.statuses import too_many_requests
from kajabi_async.testing.server_clock import ServerClock

__all__ = ["RateLimit", "RateLimiter", "limit_of"]

_A_YEAR: Final = 31_536_000.0


@attrs.frozen
class RateLimit:
    """So many requests within any window of so many seconds.

    The window slides: at no time were more than *requests* let in during the last *per* seconds. Refused requests do
    not count.
    """

    requests: int = attrs.field(validator=[attrs.validators.instance_of(int), attrs.validators.ge(0)])
    """0 refuses everything."""
    per: float = attrs.field(default=1.0, validator=[attrs.validators.gt(0), attrs.validators.le(_A_YEAR)])
    retry_after: RetryAfter = attrs.field(
        default="absent", validator=attrs.validators.in_(RETRY_AFTER_FORMS), kw_only=True
    )
    """How a refusal says when the window has room again."""


def limit_of(limit: RateLimit | int | None) -> RateLimit | None:
    """Give a limit; a number is requests per second, refused without Retry-After."""
    return RateLimit(limit) if isinstance(limit, int) else limit


class RateLimiter:
    """Lets requests in, or refuses them, and counts both."""

    def __init__(self, clock: ServerClock, limit: RateLimit | int | None) -> None:
        """Start with an empty window."""
        self.limit = limit_of(limit)
        self.counts: Counter[str] = Counter()
        """``answered``, the requests that were let in, and ``limited``, those that were refused."""
        self._clock = clock
        self._let_in: deque[float] = deque()

    def refusal(self, operation: str | None) -> Reply | None:
        """Count one request; give the 429 for it, or None where it is let in."""
        limit = self.limit
        wait = self._wait(limit) if limit else 0.0
        if limit is None or wait <= 0:
            self.counts["answered"] += 1
            return None
        self.counts["limited"] += 1
        return too_many_requests(operation, retry_after_headers(limit.retry_after, wait, self._clock))

    def _wait(self, limit: RateLimit) -> float:
        """Give the seconds until the window has room, and where it has some take it."""
        # The steady clock: a jump of the fake's time must neither empty the window nor block it for an hour.
        now = self._clock.steady()
        while self._let_in and now - self._let_in[0] >= limit.per:
            self._let_in.popleft()
        if len(self._let_in) < limit.requests:
            self._let_in.append(now)
            return 0.0
        if not limit.requests:
            return limit.per
        return limit.per - (now - self._let_in[len(self._let_in) - limit.requests])
