"""When a failed attempt is repeated: a pure function, asked only after something went wrong."""

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
    KajabiError,
    PausedError,
    RateLimitError,
    RequestTimeoutError,
)

__all__ = ["GiveUp", "Retry", "RetryBudget", "RetryPolicy", "decide", "maybe_applied"]


def _at_least_zero(value: float, *, of: str) -> float:
    return number(value, of=of, expected="a number of at least 0", fits=lambda it: it >= 0, error=ConfigurationError)


@attrs.frozen(kw_only=True)
class RetryPolicy:
    """How often and after how long; ``RetryPolicy(max_attempts=1)`` never repeats anything."""

    max_attempts: int = 4
    """Attempts in all, the first one among them."""
    base_seconds: float = 0.5
    """The longest wait before the second attempt; it doubles with each further one."""
    max_backoff_seconds: float = 30.0
    statuses: frozenset[int] = frozenset({408, 429, 500, 502, 503, 504, *range(520, 528), 530})
    """The statuses after which a read is repeated; those from 520 on come from the edge before Kajabi (observed)."""
    budget: float = 100.0
    """Repeats in stock for all requests of a client together; five successes bring one back. What the API paces by 429
    costs none."""

    def __attrs_post_init__(self) -> None:
        whole_number(self.max_attempts, of="max_attempts", at_most=None, error=ConfigurationError)
        iterable_of("statuses", self.statuses, error=ConfigurationError)
        _at_least_zero(self.base_seconds, of="base_seconds")
        _at_least_zero(self.max_backoff_seconds, of="max_backoff_seconds")
        _at_least_zero(self.budget, of="the retry budget")

    def would_repeat(self, error: KajabiError, *, method: str = "GET") -> bool:
        """Tell whether a request of *method* is sent again after *error*, attempts, time and budget permitting."""
        return _may_repeat(self, error, is_write=method not in {"GET", "HEAD"})


@attrs.frozen
class Retry:
    """Try again after that many seconds."""

    after_seconds: float
    everyone: bool = False
    """The server asked for the pause: it is meant for all requests, not only for this one."""
    free: bool = False
    """The retry budget is not asked: the server is well, or paces us itself."""
    stale: bool = False
    """The connection had been idle, and the server closed it as the request was leaving."""


@attrs.frozen
class GiveUp:
    """Raise the error."""

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
    """Decide what follows on *attempt*, counted from 1, having failed with *error*.

    Reads are repeated after the statuses of the policy, and when no answer came or a damaged one; writes only when
    provably not a byte of them left. A wait that *deadline* does not leave room for is not begun, unless it is a pause
    that the API asks everyone for and *pauses_count* is false.
    """
    if not _may_repeat(policy, error, is_write=is_write):
        return GiveUp("write" if is_write and _may_repeat(policy, error, is_write=False) else "final")
    if attempt >= policy.max_attempts:
        return GiveUp("attempts")
    retry = _wait(policy, error, attempt, jitter)
    counts = pauses_count or not retry.everyone
    if counts and deadline is not None and now + retry.after_seconds >= deadline:
        return GiveUp("deadline")
    return retry


def maybe_applied(error: KajabiError, *, is_write: bool) -> bool:
    """Tell whether a write that ended in *error*, after having been sent, may have taken effect."""
    if not is_write or _never_sent(error):
        return False
    if isinstance(error, ApiError):
        # Other statuses are the server's word that it did nothing.
        return error.status >= 500 or error.status == 408 or error.status < 400  # noqa: PLR2004
    return True


def _may_repeat(policy: RetryPolicy, error: KajabiError, *, is_write: bool) -> bool:
    if isinstance(error, PausedError) or (isinstance(error, RequestTimeoutError) and error.phase in {"queue", "total"}):
        # Limits of the caller's own: waiting again would only stretch them.
        return False
    if _never_sent(error):
        return True
    if is_write:
        return False
    if isinstance(error, ApiError):
        return error.status in policy.statuses
    if isinstance(error, DecodeError):
        # Damaged on its way, or a page of a proxy's; what is too large will be so again.
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
        # The rate sees to it that not too many go; who is turned away waits in line, not in the dark.
        longest = min(longest, policy.base_seconds)
    backoff = jitter() * longest
    # A little on top, so that not everyone comes back in the same instant.
    if asked is None:
        return Retry(backoff, free=paced)
    return Retry(asked + min(backoff, 1.0), everyone=True, free=paced)


_EARNED_BY_SUCCESS: Final = 0.2


class RetryBudget:
    """Repeats in stock: each repeat takes one, each success brings a fifth of one back, up to *capacity*.

    A server that fails now and then has all of its failures repeated. In an outage the stock runs dry, and from then
    on at most every fifth request that succeeds pays for another's repeat: load grows by a fifth, not by a factor.
    """

    def __init__(self, capacity: float) -> None:
        self._capacity = self._left = _at_least_zero(capacity, of="the retry budget")
        self.is_full = True
        """Whether a success brings nothing any more."""

    @property
    def left(self) -> float:
        """How many repeats are in stock."""
        return self._left

    def earn(self) -> None:
        """Note a success."""
        self._left = min(self._capacity, self._left + _EARNED_BY_SUCCESS)
        self.is_full = self._left == self._capacity

    def spend(self) -> bool:
        """Take one repeat; False where there is none in stock."""
        if self._left < 1.0:
            return False
        self._left -= 1.0
        self.is_full = False
        return True
