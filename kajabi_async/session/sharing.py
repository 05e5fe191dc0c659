"""A session with time limits and a retry policy of its own, and everything else of another session."""

from kajabi_async.session.limits.deadlines import Timeouts
from kajabi_async.session.manager import SessionManager
from kajabi_async.session.retry import RetryPolicy
from kajabi_async.session.settings import checked_retry

__all__ = ["SharingSession"]


class SharingSession(SessionManager):
    """Sends through the pool, the token, the gate and the rate of *parent*, and counts into its statistics.

    Closing it closes nothing. Once *parent* is closed, this one is closed as well.
    """

    def __init__(self, parent: SessionManager, *, timeouts: Timeouts, retry: RetryPolicy | None) -> None:
        """Take the time limits, and the retry policy, or None for the default one."""
        vars(self).update(vars(parent))
        # Keeps it from being dropped, and its pool with it, while this one is in use.
        self._parent = parent
        self._timeouts = timeouts
        self._own_timeouts = timeouts
        self._recovery = self._recovery.with_policy(checked_retry(retry))

    async def aclose(self) -> None:
        """Do nothing: the parent closes what both use."""

    def __del__(self) -> None:
        """Do nothing: the parent warns if it is dropped without being closed."""
