"""The events of calls on their way to the observers and to the log; not imported until there is an observer."""

import itertools
import logging
from collections.abc import Iterable
from typing import Any, Final, Self

from kajabi_async.errors import KajabiError, api_error_class
from kajabi_async.exchange import SUCCESS, Request
from kajabi_async.operations import name_and_template
from kajabi_async.session.events import (
    OperationEnded,
    OperationStarted,
    RequestAnswered,
    RequestRetried,
    RequestStarted,
    RequestWaited,
    SessionEvent,
    SessionObserver,
    TokenRequestAnswered,
)
from kajabi_async.structs import Struct
from kajabi_async.wording import counted

__all__ = ["Reports", "log_event", "notify_all"]

_LOG: Final = logging.getLogger("kajabi_async")
_NUMBERS: Final = itertools.count(1)
_SHORTEST_WAIT_SECONDS: Final = 0.001


class Reports(Struct):
    """Reports what happens in one call to its observer."""

    observer: SessionObserver
    number: int
    name: str
    """The name in the table of operations; the method if it is not in the table."""

    @classmethod
    def begin(cls, observer: SessionObserver, request: Request, base_url: str) -> Self:
        """Report the start of a call."""
        name, template = name_and_template(request.method, request.path)
        reports = cls(observer, next(_NUMBERS), name)
        observer(OperationStarted(reports.number, name, request.method, template, base_url))
        return reports

    def waited(self, seconds: float) -> None:
        """Report the time that an attempt has waited to leave, unless it is too short to matter."""
        if seconds >= _SHORTEST_WAIT_SECONDS:
            self.observer(RequestWaited(self.number, self.name, seconds))

    def sent(self, attempt: int) -> None:
        """Report an attempt that leaves."""
        self.observer(RequestStarted(self.number, self.name, attempt))

    def answered(self, attempt: int, status: int | None, error: str, answer_bytes: int, seconds: float) -> None:
        """Report the end of an attempt, with *status*, or with None and the name of an *error*."""
        if status is not None and status not in SUCCESS:
            error = api_error_class(status).__name__
        self.observer(RequestAnswered(self.number, self.name, attempt, status, error, seconds, answer_bytes))

    def retried(self, attempt: int, error: KajabiError, after_seconds: float) -> None:
        """Report that another attempt follows the one that failed."""
        self.observer(RequestRetried(self.number, self.name, attempt, type(error).__name__, after_seconds))

    def ended(self, attempts: int, error: BaseException | None, seconds: float) -> None:
        """Report the end of the call."""
        cancelled = error is not None and not isinstance(error, Exception)
        name = "" if error is None else type(error).__name__
        self.observer(OperationEnded(self.number, self.name, attempts, name, cancelled, seconds))


def notify_all(observers: Iterable[SessionObserver]) -> SessionObserver:
    """Return one observer for all of *observers*."""
    receivers = tuple(observers)

    def notify(event: SessionEvent) -> None:
        for observer in receivers:
            try:
                observer(event)
            except Exception as error:  # noqa: BLE001 - an observer must not break what it observes
                _LOG.warning("an observer failed on %s: %r", type(event).__name__, error)

    return notify


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
