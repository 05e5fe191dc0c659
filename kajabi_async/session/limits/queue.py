"""The wait of an operation for the gate, and the errors that end it."""

from kajabi_async.clock import Clock
from kajabi_async.concurrency import TooLateError
from kajabi_async.errors import KajabiError, PausedError, RequestTimeoutError
from kajabi_async.exchange import Request
from kajabi_async.session.limits.deadlines import Deadlines, ran_out_in_line
from kajabi_async.session.limits.gate import Gate, NoPermitError
from kajabi_async.session.running_operation import RunningOperation
from kajabi_async.structs import Struct

__all__ = ["Queue"]


class Queue(Struct):
    """The operations of one client that the gate does not let through at once."""

    gate: Gate
    deadlines: Deadlines
    clock: Clock
    place: object
    """The server, as errors name it."""

    async def enter(self, running: RunningOperation, most_seconds: float | None) -> None:
        """Wait for a slot and a permit; a call, whose wait counts, waits for *most_seconds* at most.

        RequestTimeoutError with the phase "queue" if these, or the time of the call, end before; PausedError if a pause
        of all requests outlasts that time, and at once for an operation that its caller retries.
        """
        request = running.request
        if request.once and self.gate.is_paused:
            raise self._paused(request, self.gate.paused_for())
        if not running.line_counts:
            await self.gate.enter_for_run()
            return
        seconds = None if self.gate.is_open else most_seconds
        running.in_line = True
        failure: KajabiError
        try:
            await self.deadlines.within(seconds, self.gate.enter(running.deadline), phase="queue", request=request)
        except NoPermitError:
            failure = self.ran_out(running.seconds, request)
        except TooLateError as error:
            failure = self._paused(request, error.seconds_left)
        except RequestTimeoutError:
            failure = self.ran_out(seconds, request)
        else:
            running.in_line = False
            return
        raise failure

    def ran_out(self, seconds: float | None, request: Request) -> RequestTimeoutError:
        """Return the error for a *request* that was not sent within *seconds*, with what it waited for."""
        return ran_out_in_line(seconds, self.gate.line(), request, place=self.place)

    def _paused(self, request: Request, left: float) -> PausedError:
        paused = PausedError(status=429, method=request.method, path=request.path, retry_after=left)
        paused.retry_at = self.clock.time() + left
        return paused
