"""One call on its way through queue, attempts and pauses: its state and its counters."""

from typing import TYPE_CHECKING

from kajabi_async.clock import Clock
from kajabi_async.errors import GaveUp, KajabiError
from kajabi_async.exchange import Request, Tally
from kajabi_async.operations import name_and_template
from kajabi_async.session.retry import Retry, maybe_applied
from kajabi_async.structs import Struct

if TYPE_CHECKING:
    from kajabi_async.session.reports import Reports

__all__ = ["RunningOperation"]


class RunningOperation(Struct):
    """The state of one call; moments are on the monotonic clock."""

    request: Request
    started_at: float
    seconds: float | None
    """The limit on the whole call."""
    deadline: float | None
    reports: "Reports | None" = None
    """None if nothing observes the call."""
    line_counts: bool = True
    """Whether time in the client's queue counts towards the limit."""
    attempts: int = 0
    retries: int = 0
    waiting_seconds: float = 0.0
    wire_seconds: float = 0.0
    on_wire: bool = False
    """Whether an attempt may have left that the API did not reject."""
    waits_for_token: bool = False
    in_line: bool = False
    """Whether it waits in the client's queue, or ran out of time there."""
    gave_up: GaveUp = "final"

    @property
    def called(self) -> str:
        """The name in the table of operations, looked up only on demand."""
        if self.reports is not None:
            return self.reports.name
        return name_and_template(self.request.method, self.request.path)[0]

    def waited(self, seconds: float) -> None:
        """Count the time that an attempt has waited to leave, in vain or not."""
        self.waiting_seconds += seconds
        if self.reports is not None:
            self.reports.waited(seconds)

    def postpone(self, seconds: float) -> None:
        """Move the deadline by *seconds* that do not count."""
        if self.deadline is not None:
            self.deadline += seconds

    def retried(self, error: KajabiError, retry: Retry) -> None:
        """Count a retry that follows *error*."""
        self.on_wire = False
        self.retries += 1
        if self.reports is not None:
            self.reports.retried(self.attempts, error, retry.after_seconds)

    def finish(self, error: BaseException | None, clock: Clock, *tallies: Tally | None) -> None:
        """Add its counters to *tallies*, and report how it ended."""
        for tally in tallies:
            if tally is not None:
                tally.operations += 1
                tally.attempts += self.attempts
                tally.wire_seconds += self.wire_seconds
                if self.retries or self.waiting_seconds:
                    tally.retries += self.retries
                    tally.waiting_seconds += self.waiting_seconds
        if self.reports is not None:
            self.reports.ended(self.attempts, error, clock.monotonic() - self.started_at)

    def failed(self, failure: KajabiError) -> KajabiError:
        """Return *failure* with the number of attempts, and whether a write may have been applied."""
        gave_up = failure.gave_up if failure.at_token_endpoint else None
        applied = self.on_wire and maybe_applied(failure, is_write=self.request.is_write)
        return failure.sent(attempts=self.attempts, maybe_applied=applied, gave_up=gave_up or self.gave_up)
