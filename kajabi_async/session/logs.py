"""What a session writes to the log ``kajabi_async``: silent unless the program configures logging.

WARNING reports what degrades the service, INFO what changes for all requests of a client, DEBUG each attempt, wait and
retry (`reports.log_event`). Operations appear by name: no line holds an id, a query value, a body, a token or a secret.
The values of a line are also fields of its record (``extra``), for formatters that write JSON.
"""

import logging
from typing import Final

from kajabi_async.session.retry import RetryBudget

__all__ = ["BudgetLog", "log_pause", "log_rate"]

_LOG: Final = logging.getLogger("kajabi_async")
_LEAST_CUT: Final = 0.95
"""A rate that drops by less has only moved with the time between two looks at it."""
_WELL_AGAIN: Final = 0.5
"""The share of the retry budget with which an outage is over, so that one that flickers is logged once."""


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
