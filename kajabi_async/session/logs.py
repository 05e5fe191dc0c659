"""What a session writes to the log ``kajabi_async``: silent unless the program configures logging.

WARNING reports what degrades the service, INFO what changes for all requests of a client, DEBUG each attempt, wait and
retry. Operations appear by name: no line holds an id, a query value, a body, a token or a secret. The values of a line
are also fields of its record (``extra``), for formatters that write JSON.
"""

import logging
from typing import Any, Final

from kajabi_async.session.events import (
    OperationEnded,
    RequestAnswered,
    RequestRetried,
    RequestWaited,
    SessionEvent,
    TokenRequestAnswered,
)
from kajabi_async.session.retry import RetryBudget
from kajabi_async.wording import counted

__all__ = ["BudgetLog", "log_event", "log_pause", "log_rate"]

_LOG: Final = logging.getLogger("kajabi_async")
_LEAST_CUT: Final = 0.95
"""A rate that drops by less has only moved with the time between two looks at it."""
_WELL_AGAIN: Final = 0.5
"""The share of the retry budget with which an outage is over, so that one that flickers is logged once."""


def log_event(event: SessionEvent) -> None:
    """Write the line of *event* at DEBUG, if it has one."""
    match event:
        case RequestAnswered(status=status, error=error, seconds=seconds, answer_bytes=size):
            came = f"no answer ({error})" if status is None else str(status)
            _line(event, "%s attempt %d: %s in %.3f s, %d bytes", event.attempt, came, seconds, size)
        case RequestWaited(seconds=seconds):
            _line(event, "%s waited %.3f s for its turn", seconds)
        case RequestRetried(error=error, after_seconds=seconds):
            _line(event, "%s attempt %d failed (%s), again in %.3f s", event.attempt, error, seconds)
        case OperationEnded(attempts=attempts, error=error, seconds=seconds) if error:
            _line(event, "%s failed after %.3f s and %s: %s", seconds, counted(attempts, "attempt"), error)
        case TokenRequestAnswered(status=status, error=error, seconds=seconds):
            came = f"no answer ({error})" if status is None else str(status)
            _line(event, "%s attempt %d: %s in %.3f s", event.attempt, came, seconds)
        case _:
            return


_FIELDS: Final = {
    "operation": "operation_number",
    "name": "operation",
    "attempt": "attempt",
    "attempts": "attempts",
    "status": "status",
    "error": "error",
    "seconds": "seconds",
    "after_seconds": "after_seconds",
    "answer_bytes": "answer_bytes",
}
"""The names of event members in a log record, in which ``name`` is the logger's."""


def _line(
    event: "RequestAnswered | RequestWaited | RequestRetried | OperationEnded | TokenRequestAnswered",
    text: str,
    *values: Any,
) -> None:
    extra = {field: getattr(event, member) for member, field in _FIELDS.items() if hasattr(event, member)}
    _LOG.debug(text, event.name, *values, extra=extra)


def log_pause(seconds: float, status: int, name: str) -> None:
    """Write at INFO that the API asks for a pause of all requests."""
    extra = {"operation": name, "status": status, "seconds": seconds}
    _LOG.info("the API asks for a pause of %.1f s (%d)", seconds, status, extra=extra)


def log_rate(before: float | None, after: float | None) -> None:
    """Write at INFO that an answer 429 cut the requests a second, if it did, from *before* to *after*."""
    if after is None or (before is not None and after > before * _LEAST_CUT):
        return
    extra = {"requests_per_second": after, "requests_per_second_before": before}
    if before is None:
        _LOG.info(
            "the API limits the rate: going on at %.1f requests a second, and looking for more", after, extra=extra
        )
    else:
        _LOG.info("the rate is cut from %.1f to %.1f requests a second", before, after, extra=extra)


class BudgetLog:
    """Writes when the retry budget is spent, and when it has recovered: two lines for an outage, however long."""

    def __init__(self, budget: RetryBudget, capacity: float) -> None:
        self._budget = budget
        # A budget that allows no retry at all is a setting, not an outage.
        self._enough = max(1.0, capacity * _WELL_AGAIN) if capacity >= 1.0 else None
        self.is_spent = False
        """Whether the last line said that it is spent."""

    def denied(self, name: str) -> None:
        """Note that a retry of the operation *name* was not allowed."""
        if self._enough is not None and not self.is_spent:
            self.is_spent = True
            extra = {"operation": name}
            _LOG.warning("the retry budget is spent: failures are final until requests succeed again", extra=extra)

    def earned(self) -> None:
        """Note a success."""
        if self.is_spent and self._enough is not None and self._budget.left >= self._enough:
            self.is_spent = False
            _LOG.info("the retry budget has recovered: failed requests are repeated again")
