"""One call on its way through queue, attempts and pauses: what is known of it, and who is told."""

import itertools
from typing import Final

from kajabi_async.clock import Clock
from kajabi_async.errors import GaveUp, KajabiError, api_error_class
from kajabi_async.exchange import Request, Tally
from kajabi_async.records import Record
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

__all__ = ["RunningOperation"]

_NUMBERS: Final = itertools.count(1)
_SHORTEST_WAIT_SECONDS: Final = 0.001


class RunningOperation(Record, eq=False):
    """What has happened so far; moments are on the monotonic clock."""

    request: Request
    started_at: float
    seconds: float | None
    """How long it may take."""
    deadline: float | None
    tell: SessionObserver | None = None
    base_url: str = ""
    line_counts: bool = True
    """Whether the time spent in our own line is part of the time that the operation has."""
    number: int = 0
    name: str = ""
    attempts: int = 0
    retries: int = 0
    waiting_seconds: float = 0.0
    wire_seconds: float = 0.0
    on_wire: bool = False
    """Whether an attempt may have left that was not answered by a refusal."""
    waits_for_token: bool = False
    in_line: bool = False
    """Whether it waits in our own line, or ran out of time there."""
    gave_up: GaveUp = "final"

    @property
    def called(self) -> str:
        """What the table of operations calls it, looked up only where somebody wants to know."""
        return self.name or name_and_template(self.request.method, self.request.path)[0]

    def begin(self) -> None:
        """Tell the observers, where there are any, that the operation begins."""
        if self.tell is not None:
            self.number = next(_NUMBERS)
            self.name, template = name_and_template(self.request.method, self.request.path)
            self.tell(OperationStarted(self.number, self.name, self.request.method, template, self.base_url))

    def waited(self, seconds: float) -> None:
        """Note how long an attempt has waited to leave, whether it may leave now or not."""
        self.waiting_seconds += seconds
        if self.tell is not None and seconds >= _SHORTEST_WAIT_SECONDS:
            self.tell(RequestWaited(self.number, self.name, seconds))

    def postpone(self, seconds: float) -> None:
        """Move the deadline by *seconds* that do not count."""
        if self.deadline is not None:
            self.deadline += seconds

    def sent(self) -> None:
        """Note that an attempt leaves."""
        self.attempts += 1
        self.on_wire = True
        if self.tell is not None:
            self.tell(RequestStarted(self.number, self.name, self.attempts))

    def ended(self, status: int | None, error: str, answer_bytes: int, seconds: float) -> None:
        """Note that an attempt has ended with *status*, or without one and with an error of that name."""
        self.wire_seconds += seconds
        if self.tell is None:
            return
        if status is not None and not 200 <= status < 300:  # noqa: PLR2004
            error = api_error_class(status).__name__
        self.tell(RequestAnswered(self.number, self.name, self.attempts, status, error, seconds, answer_bytes))

    def repeats(self, error: KajabiError, retry: Retry) -> None:
        """Note that another attempt follows."""
        self.on_wire = False
        self.retries += 1
        if self.tell is not None:
            again = RequestRetried(self.number, self.name, self.attempts, type(error).__name__, retry.after_seconds)
            self.tell(again)

    def finish(self, error: BaseException | None, clock: Clock, *tallies: Tally | None) -> None:
        """Add what it took to *tallies*, and tell the observers how it ended."""
        for tally in tallies:
            if tally is not None:
                tally.operations += 1
                tally.attempts += self.attempts
                tally.wire_seconds += self.wire_seconds
                if self.retries or self.waiting_seconds:
                    tally.retries += self.retries
                    tally.waiting_seconds += self.waiting_seconds
        if self.tell is not None:
            cancelled = error is not None and not isinstance(error, Exception)
            name, seconds = "" if error is None else type(error).__name__, clock.monotonic() - self.started_at
            self.tell(OperationEnded(self.number, self.name, self.attempts, name, cancelled, seconds))

    def failed(self, failure: KajabiError) -> KajabiError:
        """Return *failure* with what had been sent when it happened."""
        gave_up = failure.gave_up if failure.at_token_endpoint else None
        applied = self.on_wire and maybe_applied(failure, is_write=self.request.is_write)
        return failure.sent(attempts=self.attempts, maybe_applied=applied, gave_up=gave_up or self.gave_up)
