"""Pauses of the token endpoint: after it failed, and after new tokens were refused."""

import copy
import math
from collections.abc import Callable
from typing import Final

from kajabi_async.clock import Clock
from kajabi_async.errors import ConnectionFailedError, GaveUp, KajabiError, PausedError
from kajabi_async.operations import operation
from kajabi_async.session.credentials import Secret
from kajabi_async.session.retry import RetryPolicy
from kajabi_async.structs import Struct

__all__ = ["TokenBackoff", "TokenRejections"]

_LEAST_SECONDS: Final = 0.1
"""The first pause if the policy has none: a failing endpoint is never asked again at once."""
_LEAST_CAP_SECONDS: Final = 1.0
_LONGEST_PAUSE_SECONDS: Final = 600.0
"""The longest pause that one answer can cause."""
_LONGEST_WAIT_SECONDS: Final = 2.0
"""How long a call waits for a pause that began before it; if more is left, it gets the last failure at once."""


class TokenBackoff:
    """Decides when a token may be requested again, and which calls wait until then."""

    def __init__(
        self, policy: RetryPolicy, clock: Clock, jitter: Callable[[], float], paused_for: Callable[[], float]
    ) -> None:
        """Set up a back-off that also keeps to pauses of all requests; *paused_for* returns their seconds left."""
        self._policy = policy
        self._clock = clock
        self._jitter = jitter
        self._paused_for = paused_for
        self.failures = 0
        """Token requests that failed since the last success."""
        self._failure: KajabiError | None = None
        self._not_before = -math.inf

    @property
    def is_open(self) -> bool:
        """Whether a token may be requested now."""
        return self._left() <= 0.0

    def succeeded(self) -> None:
        """Note a token request that succeeded."""
        self.failures, self._failure, self._not_before = 0, None, -math.inf

    def failed(self, error: KajabiError) -> None:
        """Note a token request that ended in *error*, and delay the next one."""
        self.failures += 1
        # A copy has no traceback, whose frames would be kept for as long as the pause lasts.
        self._failure = copy.copy(error)
        self._not_before = self._clock.monotonic() + self._pause(error)

    async def enter(self, deadline: float | None) -> None:
        """Wait until a token may be requested.

        Raise the last error at once if its pause lasts for more than two seconds or beyond *deadline*, a moment on the
        monotonic clock, and PausedError if a pause that the API asked for lasts beyond it.
        """
        while (left := self._left()) > 0.0:
            paused, now = self._paused_for(), self._clock.monotonic()
            if deadline is not None and now + paused >= deadline:
                raise self._paused(paused)
            if self._failure is not None:
                if left - paused > _LONGEST_WAIT_SECONDS:
                    raise self._again("attempts")
                if deadline is not None and now + left >= deadline:
                    raise self._again("deadline")
            await self._clock.sleep(left)

    def gave_up(self, error: KajabiError, deadline: float | None, *, failures_before: int) -> GaveUp | None:
        """Return why a call does not wait for another token request after *error*; None if it does.

        *failures_before* the call are not counted against it.
        """
        if not self._policy.would_repeat(error):
            return "final"
        if self.failures - failures_before >= self._policy.max_attempts:
            return "attempts"
        if deadline is not None and self._clock.monotonic() + self._left() >= deadline:
            return "deadline"
        return None

    def _again(self, because: GaveUp) -> KajabiError:
        assert self._failure is not None  # noqa: S101 - only called after a failure
        return copy.copy(self._failure).sent(attempts=self.failures, maybe_applied=False, gave_up=because)

    def _left(self) -> float:
        return max(self._paused_for(), self._not_before - self._clock.monotonic())

    def _pause(self, error: KajabiError) -> float:
        retry_after: float | None = getattr(error, "retry_after", None)
        first = max(_LEAST_SECONDS, self._policy.base_seconds)
        if retry_after:
            # All requests keep to that pause; a little on top, so that processes do not come back at the same moment.
            return min(retry_after, _LONGEST_PAUSE_SECONDS) + min(first, 1.0) * self._jitter()
        if isinstance(error, ConnectionFailedError) and error.on_reused_connection and self.failures == 1:
            # The server had closed an idle connection: nothing is known to be wrong with it.
            return 0.0
        longest = max(_LEAST_CAP_SECONDS, self._policy.max_backoff_seconds)
        seconds = min(longest, first * 2.0 ** min(self.failures - 1, 60))
        return seconds * (0.5 + 0.5 * self._jitter())

    def _paused(self, seconds: float) -> PausedError:
        row = operation("oauth.token")
        error = PausedError(status=429, method=row.method, path=row.path, retry_after=seconds)
        error.retry_at = self._clock.time() + seconds
        error.at_token_endpoint = True
        return error


_FIRST_SECONDS = 1.0
_LONGEST_SECONDS = 60.0


class _Rejection(Struct):
    token: Secret
    times: int
    until: float


class TokenRejections:
    """The operations that rejected a token although it had just been issued; moments are on the monotonic clock.

    For a while, which doubles with each new token that is rejected, no further token is requested for such an
    operation; that ends when it accepts one. At most one entry for each operation.
    """

    def __init__(self) -> None:
        self._by_operation: dict[str, _Rejection] = {}
        self.is_empty = True
        """Whether no operation is known to reject every token; read by every request."""

    def may_replace(self, operation: str, now: float) -> bool:
        """Return whether another token may help *operation*."""
        rejection = self._by_operation.get(operation)
        return rejection is None or now >= rejection.until

    def rejected(self, operation: str, token: Secret, now: float) -> None:
        """Note that *operation* rejected *token*, which had just been issued; counted once for each token."""
        rejection = self._by_operation.get(operation)
        if rejection is not None and rejection.token == token:
            return
        times = 0 if rejection is None else rejection.times + 1
        seconds = min(_LONGEST_SECONDS, _FIRST_SECONDS * 2.0 ** min(times, 30))
        self._by_operation[operation] = _Rejection(token, times, now + seconds)
        self.is_empty = False

    def accepted(self, operation: str) -> None:
        """Note that *operation* accepted a token."""
        self._by_operation.pop(operation, None)
        self.is_empty = not self._by_operation
