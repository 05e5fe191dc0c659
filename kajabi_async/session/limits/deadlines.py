"""Deadlines of blocks of code, all kept by one timer of the event loop.

A timer for every request, as `asyncio.timeout` has it, costs a good part of what a request costs.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping
from types import TracebackType
from typing import Any, Final, Literal, Self, TypeVar

import attrs

from kajabi_async.checks import number
from kajabi_async.errors import ClientClosedError, ConfigurationError, RequestTimeoutError, TimeoutPhase
from kajabi_async.exchange import Request
from kajabi_async.structs import Struct, Value

__all__ = ["Deadline", "Deadlines", "Timeouts", "checked_seconds", "closed_meanwhile", "ran_out", "ran_out_in_line"]

T = TypeVar("T")

_RAN_OUT: Final[Mapping[str, str]] = {
    "queue": "no place among the requests under way",
    "total": "not done, waiting and repeating included,",
    "sent": "sent, but not done, repeating included,",
}


def ran_out(
    seconds: float | None, limit: Literal["queue", "total", "sent"], request: Request, *, place: object = ""
) -> RequestTimeoutError:
    """Return the error for a request to ``place`` that a limit has ended; "sent" leaves out the client's queue."""
    message = f"{_RAN_OUT[limit]} within {seconds} s{f' (host {place})' if place else ''}"
    phase: TimeoutPhase = "total" if limit == "sent" else limit
    return RequestTimeoutError(message, phase=phase, seconds=seconds, method=request.method, path=request.path)


def ran_out_in_line(seconds: float | None, line: str, request: Request, *, place: object) -> RequestTimeoutError:
    """Return the error for a ``request`` that was not sent within ``seconds``; ``line`` says what it waited for."""
    message = f"not sent within {seconds} s to {place}, as it stood in the client's own line: {line}"
    return RequestTimeoutError(message, phase="queue", seconds=seconds, method=request.method, path=request.path)


def closed_meanwhile(request: Request, *, left: bool) -> ClientClosedError:
    """Return the error for a ``request`` that ended when the client was closed, before or after it ``left``."""
    what = "has no answer" if left else "was not sent"
    return ClientClosedError(f"{request.method} {request.path} {what}: the client was closed meanwhile")


class Deadline(Struct):
    """Ends a block of code by cancelling its task, and swallows that cancellation, like ``asyncio.timeout``.

    Code after the block runs only if the time ran out inside it; cancellations by others pass through.
    """

    _deadlines: "Deadlines"
    _loop: asyncio.AbstractEventLoop
    _task: asyncio.Task[Any]
    _cancelling: int
    at: float
    """On the clock of the event loop."""
    silent_at: float = math.inf
    """The same, for the silence of the server that the block listens to."""
    _ran_out: bool = False
    _silenced: bool = False
    _seconds_left: float = math.inf
    """The rest of the time of a suspended deadline."""
    request_left: bool = False
    """Whether the last request of the block got a connection; set by its sender."""

    def suspend(self) -> None:
        """Stop the time of the block until `resume`."""
        self._seconds_left, self.at = self.at - self._loop.time(), math.inf

    def resume(self) -> None:
        """Let the rest of the time run from now on."""
        self.at = self._loop.time() + self._seconds_left
        if self.at < self._deadlines.armed_for:
            self._deadlines.arm_for(self.at)

    def listen(self, seconds: float) -> None:
        """Limit the silence of the server to ``seconds`` from now; each call replaces the one before."""
        self.silent_at = self._loop.time() + seconds
        if self.silent_at < self._deadlines.armed_for:
            self._deadlines.arm_for(self.silent_at)

    def stop_listening(self) -> bool:
        """Return whether silence alone cancelled the task; the block may then go on."""
        self.silent_at = math.inf
        # Where the client is closed, that ends the block, although silence came first.
        if not self._silenced or self._deadlines.are_ended:
            return False
        self._ran_out = self._silenced = False
        self._deadlines.add(self)
        if self.at < self._deadlines.armed_for:
            self._deadlines.arm_for(self.at)
        return self._task.uncancel() <= self._cancelling

    def run_out(self, *, silenced: bool = False) -> None:
        """Cancel the task, to end the block or, with ``silenced``, only its current exchange."""
        self._ran_out, self._silenced = True, silenced
        self._task.cancel()

    @property
    def has_run_out(self) -> bool:
        """Whether the task was cancelled by this deadline."""
        return self._ran_out

    def is_of(self, task: asyncio.Task[Any] | None) -> bool:
        """Return whether ``task`` runs the block."""
        return self._task is task

    def __enter__(self) -> Self:
        self._deadlines.add(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        self._deadlines.discard(self)
        if not self._ran_out:
            return False
        return self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError


class Deadlines:
    """The deadlines of one session, and the timer that is armed for the first of them."""

    def __init__(self) -> None:
        self._running: set[Deadline] = set()
        # Bound here, as every request calls both: that saves a call each. `end_all` replaces the second.
        self.add = self._running.add
        self.discard: Callable[[Deadline], None] = self._running.discard
        self.are_ended = False
        """Whether `end_all` was called: code after a block then runs because of that."""
        self._ended: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.armed_for = math.inf
        """The moment the timer is set for, on the clock of the event loop."""

    def limit(self, seconds: float | None, *, loop: asyncio.AbstractEventLoop | None = None) -> Deadline:
        """Return a deadline ``seconds`` from now, for a ``with`` block; None sets no limit.

        Pass the running ``loop`` if it is known: Python 3.11 makes a system call to find it.
        """
        running = loop or asyncio.get_running_loop()
        task = asyncio.current_task(running)
        assert task is not None  # noqa: S101 - only a task can await a request
        at = math.inf if seconds is None else running.time() + seconds
        if at < self.armed_for:
            self.arm_for(at)
        return Deadline(self, running, task, task.cancelling(), at)

    async def within(
        self, seconds: float | None, work: Awaitable[T], *, phase: Literal["queue", "total"], request: Request
    ) -> T:
        """Return the result of ``work``; RequestTimeoutError after ``seconds``."""
        with self.limit(seconds):
            return await work
        raise ran_out(seconds, phase, request)

    def arm_for(self, at: float) -> None:
        """Set the timer to the moment ``at``."""
        if self.are_ended:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_at(at, self._go_off)
        self.armed_for = at

    def end_all(self) -> None:
        """End every running block as if its time had run out; further calls do not end it again."""
        self.are_ended = True
        self.discard = self._discard_and_notify
        for deadline in tuple(self._running):
            if not deadline.has_run_out:
                deadline.run_out()

    async def all_ended(self) -> None:
        """Wait until all blocks ended by `end_all` were left, except one that this is called in."""
        here = asyncio.current_task()
        while any(not deadline.is_of(here) for deadline in self._running):
            self._ended = self._ended or asyncio.get_running_loop().create_future()
            # Waited for, not awaited: others wait for it too, and a cancelled waiter must not cancel it.
            await asyncio.wait({self._ended})

    def _discard_and_notify(self, deadline: Deadline) -> None:
        self._running.discard(deadline)
        if self._ended is not None:
            self._ended.set_result(None)
            self._ended = None

    def close(self) -> None:
        """Remove the timer from the event loop, unless a block still runs."""
        if self._timer is not None and (self.are_ended or not self._running):
            self._timer.cancel()
            self._timer, self.armed_for = None, math.inf

    def _go_off(self) -> None:
        # The loop's clock is coarse: a timer may go off a moment before the time it was armed for.
        now = max(self.armed_for, asyncio.get_running_loop().time())
        self._timer, self.armed_for = None, math.inf
        for deadline in tuple(self._running):
            if deadline.at <= now or deadline.silent_at <= now:
                self.discard(deadline)
                deadline.run_out(silenced=deadline.at > now)
        first = min((min(deadline.at, deadline.silent_at) for deadline in self._running), default=math.inf)
        if first < math.inf:
            self.arm_for(first)


def checked_seconds(name: str, seconds: object) -> float | None:
    """Return ``seconds`` if it is a positive number or None; ConfigurationError otherwise."""
    expected = "a positive number of seconds, or None for no limit"
    if seconds is None:
        return None
    return number(seconds, of=name, expected=expected, fits=lambda it: 0 < it < math.inf, error=ConfigurationError)


def _check(_: "Timeouts", field: "attrs.Attribute[float | None]", value: object) -> None:
    checked_seconds(f"the timeout {field.name}", value)


def _limit(default: float | None) -> Any:
    return attrs.field(default=default, validator=_check)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Timeouts(Value):
    """Limits in seconds; None sets none."""

    total: float | None = _limit(60.0)
    """The whole operation: the queue, connecting, every attempt and the waits between them."""
    queue: float | None = _limit(None)
    """Waiting in the client's queue, for a slot and a permit of the rate."""
    connect: float | None = _limit(10.0)
    """Making a connection."""
    read: float | None = _limit(30.0)
    """The head of an answer, and after it the gap between two pieces of the body."""
