"""What follows a failed attempt: a retry or the end, the pause that the API asks for, and the retry budget."""

from collections.abc import Callable

from kajabi_async.clock import Clock
from kajabi_async.errors import KajabiError, PausedError, RateLimitError, ServerError
from kajabi_async.exchange import SessionStats
from kajabi_async.session.limits.gate import Gate
from kajabi_async.session.logs import BudgetLog, log_pause, log_rate
from kajabi_async.session.retry import GiveUp, Retry, RetryBudget, RetryPolicy, decide
from kajabi_async.session.running_operation import RunningOperation

__all__ = ["Recovery"]


class Recovery:
    """Decides on retries by the policy and the budget of one client, and slows all of its requests down on demand."""

    def __init__(
        self, policy: RetryPolicy, gate: Gate, clock: Clock, stats: SessionStats, jitter: Callable[[], float]
    ) -> None:
        self._policy = policy
        self._gate = gate
        self._clock = clock
        self._stats = stats
        self._jitter = jitter
        self.budget = RetryBudget(policy.budget)
        self._budget_log = BudgetLog(self.budget, policy.budget)

    def succeeded(self) -> None:
        """Note a success, which brings back a part of a retry."""
        self.budget.earn()
        self._budget_log.earned()

    def decide(self, running: RunningOperation, error: KajabiError) -> Retry | None:
        """Return how to retry after *error*; None, with the reason noted in *running*, if it is final."""
        if error.at_token_endpoint:
            # The token endpoint's errors are heeded and retried where tokens are requested.
            return None
        if isinstance(error, RateLimitError | ServerError):
            self.heed(error, running.called)
        decision = decide(
            self._policy,
            error,
            is_write=running.request.is_write,
            attempt=running.attempts,
            now=self._clock.monotonic(),
            deadline=running.deadline,
            jitter=self._jitter,
            pauses_count=running.line_counts,
        )
        if isinstance(decision, GiveUp):
            running.gave_up = decision.because
            return None
        if running.request.once and not decision.stale:
            running.gave_up = "caller"
            return None
        if not decision.free and not self.budget.spend():
            running.gave_up = "budget"
            self._stats.retries_denied += 1
            self._budget_log.denied(running.called)
            return None
        return decision

    def heed(self, error: KajabiError, called: str, *, learns: bool = True) -> None:
        """Slow all requests down if the API asks for it by *error*, whatever becomes of the failed request.

        Without *learns*, a 429 says nothing about the rate: the token endpoint counts its own requests.
        """
        if isinstance(error, PausedError) or not isinstance(error, RateLimitError | ServerError):
            return
        if error.retry_after and not self._gate.is_paused:
            # Logged once: the other requests under way get the same answer in a moment.
            log_pause(error.retry_after, error.status, called)
        if isinstance(error, RateLimitError):
            self._stats.rate_limited += 1
        if isinstance(error, RateLimitError) and learns:
            before = self._gate.per_second()
            self._gate.refused(error.retry_after)
            log_rate(before, self._gate.per_second())
        elif error.retry_after:
            self._gate.pause(error.retry_after)
        if error.retry_after:
            self._stats.pauses += 1

    async def pause(self, running: RunningOperation, error: KajabiError, retry: Retry) -> None:
        """Wait before the *retry*: not at all, at the gate with all other requests, or alone."""
        running.retried(error, retry)
        if retry.stale:
            self._stats.resent += 1
            return
        if retry.everyone:
            self._gate.pause(retry.after_seconds)
            return
        paused_at = self._clock.monotonic()
        try:
            await self._clock.sleep(retry.after_seconds)
        finally:
            running.waiting_seconds += self._clock.monotonic() - paused_at
