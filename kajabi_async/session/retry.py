"""When a failed attempt is retried: a pure function, called only after a failure."""

from collections.abc import Callable
from typing import Final

import attrs

from kajabi_async.checks import iterable_of, number, whole_number
from kajabi_async.errors import (
    AnswerTooLargeError,
    ApiError,
    ConfigurationError,
    ConnectionFailedError,
    DecodeError,
    GaveUp,
    InvalidArgumentError,
    KajabiError,
    PausedError,
    RateLimitError,
    RequestTimeoutError,
)
from kajabi_async.structs import FrozenStruct, Value

__all__ = ["GiveUp", "Retry", "RetryBudget", "RetryPolicy", "decide", "maybe_applied"]


def _at_least_zero(value: float, *, of: str) -> float:
    return number(value, of=of, expected="a number of at least 0", fits=lambda it: it >= 0, error=ConfigurationError)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class RetryPolicy(Value):
    """How often and after how long; ``RetryPolicy(max_attempts=1)`` never retries."""

    max_attempts: int = 4
    """All attempts, including the first."""
    base_seconds: float = 0.5
    """The longest wait before the second attempt; it doubles with each further one."""
    max_backoff_seconds: float = 30.0
    statuses: frozenset[int] = frozenset({408, 429, 500, 502, 503, 504, *range(520, 528), 530})
    """The statuses after which a read is retried; those from 520 on come from the edge before Kajabi (observed)."""
    budget: float = 100.0
    """Retries in stock for all requests of a client together; five successes bring one back. A retry after 429 costs
    none."""

    def __attrs_post_init__(self) -> None:
        whole_number(self.max_attempts, of="max_attempts", at_most=None, error=ConfigurationError)
        iterable_of("statuses", self.statuses, error=ConfigurationError)
        _at_least_zero(self.base_seconds, of="base_seconds")
        _at_least_zero(self.max_backoff_seconds, of="max_backoff_seconds")
        _at_least_zero(self.budget, of="the retry budget")

    def would_repeat(self, error: KajabiError, *, method: str = "GET") -> bool:
        """Return whether a request of ``method`` is retried after ``error``, attempts, time and budget permitting."""
        return _may_retry(self, error, is_write=method not in {"GET", "HEAD"})


class Retry(FrozenStruct, frozen=True):
    """Try again after a number of seconds."""

    after_seconds: float
    everyone: bool = False
    """Whether the server asked for the pause, which then holds for all requests."""
    free: bool = False
    """Whether it costs nothing of the retry budget: the server is healthy, or limits the rate itself."""
    stale: bool = False
    """Whether the server closed an idle connection just as the request was leaving."""


class GiveUp(FrozenStruct, frozen=True):
    """Raise the error: no retry follows."""

    because: GaveUp


def decide(
    policy: RetryPolicy,
    error: KajabiError,
    *,
    is_write: bool,
    attempt: int,
    now: float,
    deadline: float | None,
    jitter: Callable[[], float],
    pauses_count: bool = True,
) -> Retry | GiveUp:
    """Return what follows after ``attempt``, counted from 1, failed with ``error``.

    Reads are retried after the statuses of the policy, and if no answer came or a damaged one; writes only if provably
    not a byte of them left. A wait that would outlast ``deadline`` is not started, unless it is a pause that the API
    asks all requests for and ``pauses_count`` is false.
    """
    if not _may_retry(policy, error, is_write=is_write):
        return GiveUp("write" if is_write and _may_retry(policy, error, is_write=False) else "final")
    if attempt >= policy.max_attempts:
        return GiveUp("attempts")
    retry = _wait(policy, error, attempt, jitter)
    counts = pauses_count or not retry.everyone
    if counts and deadline is not None and now + retry.after_seconds >= deadline:
        return GiveUp("deadline")
    return retry


def maybe_applied(error: KajabiError, *, is_write: bool) -> bool:
    """Return whether a write that was sent and ended in ``error`` may have taken effect."""
    if not is_write or _never_sent(error) or isinstance(error, InvalidArgumentError):
        return False
    if isinstance(error, ApiError):
        # With any other status the server says that it did nothing.
        return error.status >= 500 or error.status == 408 or error.status < 400  # noqa: PLR2004
    return True


def _may_retry(policy: RetryPolicy, error: KajabiError, *, is_write: bool) -> bool:
    if isinstance(error, PausedError) or (isinstance(error, RequestTimeoutError) and error.phase in {"queue", "total"}):
        # Limits set by the caller: waiting again would only extend them.
        return False
    if _never_sent(error):
        return True
    if is_write:
        return False
    if isinstance(error, ApiError):
        return error.status in policy.statuses
    if isinstance(error, DecodeError):
        # Damaged on its way, or the page of a proxy; what is too large will be so again.
        return not isinstance(error, AnswerTooLargeError)
    return isinstance(error, (ConnectionFailedError, RequestTimeoutError))


def _never_sent(error: KajabiError) -> bool:
    return isinstance(error, (ConnectionFailedError, RequestTimeoutError)) and error.never_sent


def _wait(policy: RetryPolicy, error: KajabiError, attempt: int, jitter: Callable[[], float]) -> Retry:
    asked = error.retry_after if isinstance(error, ApiError) else None
    if isinstance(error, ConnectionFailedError) and error.on_reused_connection and attempt == 1:
        return Retry(0.0, free=True, stale=True)
    paced = isinstance(error, RateLimitError)
    longest = min(policy.max_backoff_seconds, policy.base_seconds * 2 ** min(attempt - 1, 60))
    if paced:
        # The rate limit spaces the retries, so that a long back-off is not needed.
        longest = min(longest, policy.base_seconds)
    backoff = jitter() * longest
    # A little on top, so that not all requests come back at the same instant.
    if asked is None:
        return Retry(backoff, free=paced)
    return Retry(asked + min(backoff, 1.0), everyone=True, free=paced)


_EARNED_BY_SUCCESS: Final = 0.2


class RetryBudget:
    """A stock of retries: each retry takes one, each success brings a fifth of one back, up to ``capacity``.

    Occasional failures are all retried. In an outage the stock runs empty, and from then on five successes pay for one
    retry: load grows by a fifth, not by a factor.
    """

    def __init__(self, capacity: float) -> None:
        self._capacity = self._left = _at_least_zero(capacity, of="the retry budget")
        self.is_full = True
        """Whether a success adds nothing."""

    @property
    def left(self) -> float:
        """The number of retries in stock."""
        return self._left

    def earn(self) -> None:
        """Note a success."""
        self._left = min(self._capacity, self._left + _EARNED_BY_SUCCESS)
        self.is_full = self._left == self._capacity

    def spend(self) -> bool:
        """Take one retry; False if none is in stock."""
        if self._left < 1.0:
            return False
        self._left -= 1.0
        self.is_full = False
        return True
