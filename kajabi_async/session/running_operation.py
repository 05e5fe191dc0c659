"""One call on its way through queue, attempts and pauses: its counters, and the reports to its observer."""

import itertools
from typing import Final

from kajabi_async.clock import Clock
from kajabi_async.errors import GaveUp, KajabiError, api_error_class
from kajabi_async.exchange import SUCCESS, Request, Tally
from kajabi_async.session.events import (
    OperationEnded,
    OperationStarted,
    RequestAnswered,
    RequestRetried,
    RequestStarted,
    RequestWaited,
    SessionObserver,
    name_and_template,
)
from kajabi_async.session.retry import Retry, maybe_applied
from kajabi_async.structs import Struct

__all__ = ["RunningOperation"]

_NUMBERS: Final = itertools.count(1)
_SHORTEST_WAIT_SECONDS: Final = 0.001


class RunningOperation(Struct):
    """The state of one call; moments are on the monotonic clock."""

    request: Request
    started_at: float
    seconds: float | None
    """The limit on the whole call."""
    deadline: float | None
    observer: SessionObserver | None = None
    base_url: str = ""
    line_counts: bool = True
    """Whether time in the client's queue counts towards the limit."""
    number: int = 0
    name: str = ""
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
        return self.name or name_and_template(self.request.method, self.request.path)[0]

    def begin(self) -> None:
        """Report the start of the operation."""
        if self.observer is not None:
            self.number = next(_NUMBERS)
            self.name, template = name_and_template(self.request.method, self.request.path)
            self.observer(OperationStarted(self.number, self.name, self.request.method, template, self.base_url))

    def waited(self, seconds: float) -> None:
        """Count the time that an attempt has waited to leave, in vain or not."""
        self.waiting_seconds += seconds
        if self.observer is not None and seconds >= _SHORTEST_WAIT_SECONDS:
            self.observer(RequestWaited(self.number, self.name, seconds))

    def postpone(self, seconds: float) -> None:
        """Move the deadline by *seconds* that do not count."""
        if self.deadline is not None:
            self.deadline += seconds

    def sent(self) -> None:
        """Report an attempt that leaves."""
        if self.observer is not None:
            self.observer(RequestStarted(self.number, self.name, self.attempts))

    def answered(self, status: int | None, error: str, answer_bytes: int, seconds: float) -> None:
        """Report the end of an attempt, with *status*, or with None and the name of an *error*."""
        if self.observer is None:
            return
        if status is not None and status not in SUCCESS:
            error = api_error_class(status).__name__
        self.observer(RequestAnswered(self.number, self.name, self.attempts, status, error, seconds, answer_bytes))

    def retried(self, error: KajabiError, retry: Retry) -> None:
        """Count a retry that follows *error*."""
        self.on_wire = False
        self.retries += 1
        if self.observer is not None:
            event = RequestRetried(self.number, self.name, self.attempts, type(error).__name__, retry.after_seconds)
            self.observer(event)

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
        if self.observer is not None:
            cancelled = error is not None and not isinstance(error, Exception)
            name, seconds = "" if error is None else type(error).__name__, clock.monotonic() - self.started_at
            self.observer(OperationEnded(self.number, self.name, self.attempts, name, cancelled, seconds))

    def failed(self, failure: KajabiError) -> KajabiError:
        """Return *failure* with the number of attempts, and whether a write may have been applied."""
        gave_up = failure.gave_up if failure.at_token_endpoint else None
        applied = self.on_wire and maybe_applied(failure, is_write=self.request.is_write)
        return failure.sent(attempts=self.attempts, maybe_applied=applied, gave_up=gave_up or self.gave_up)
