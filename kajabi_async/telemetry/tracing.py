"""The observer: events of a session in, spans and measurements out."""

import time
from typing import Final

import attrs
from opentelemetry.context import Context, get_current
from opentelemetry.metrics import MeterProvider
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, TracerProvider, get_tracer, set_span_in_context

from kajabi_async.session.events import (
    OperationEnded,
    OperationStarted,
    RequestAnswered,
    RequestRetried,
    RequestStarted,
    RequestWaited,
    SessionEvent,
    TokenRefreshed,
    TokenRequestAnswered,
)
from kajabi_async.telemetry.attributes import SCHEMA_URL, Attributes, Target, outcome, target_of
from kajabi_async.telemetry.metering import Instruments

__all__ = ["Tracing"]

_MOST_OPEN: Final = 100_000
"""Operations at once whose spans are kept; what never ends must not fill the memory."""
_LOST: Final = "lost"
"""The ``error.type`` of an operation whose end nobody saw."""


@attrs.define(eq=False)
class _Open:
    """An operation under way."""

    span: Span
    context: Context
    """With its span as the current one: what its requests hang on."""
    target: Target
    request: Span | None = None

    def end(self) -> None:
        if self.request is not None:
            self.request.end()
        self.span.end()


class Tracing:
    """Traces and measures what clients do, as an observer: ``Kajabi(observers=[Tracing()])``.

    Each operation, such as ``kajabi customers.get``, is a span below the caller's current one, and each of its requests
    a span of kind CLIENT below it; the operation's own is never made the current one. Requests for a token, which many
    operations may wait for, hang on the span of the caller that began them. Waits, repeats and new tokens are told too.

    No id, no query value and nothing of a body goes into a span or a metric. One instance serves any number of clients.
    """

    def __init__(
        self, tracer_provider: TracerProvider | None = None, meter_provider: MeterProvider | None = None
    ) -> None:
        """Use the given providers, or those that the program has set for itself (``opentelemetry.trace``)."""
        self._tracer = get_tracer("kajabi_async", tracer_provider=tracer_provider, schema_url=SCHEMA_URL)
        self._instruments = Instruments(meter_provider)
        # Of clients in several threads, where need be: each step below is one operation of the dict.
        self._open: dict[int, _Open] = {}

    def __call__(self, event: SessionEvent) -> None:
        """Take in what has happened; called by the session, on its event loop."""
        match event:
            case OperationStarted():
                self._begin(event)
            case RequestStarted():
                self._send(event)
            case RequestAnswered():
                self._answered(event)
            case RequestWaited():
                self._waited(event)
            case RequestRetried():
                self._retried(event)
            case OperationEnded():
                self._end(event)
            case TokenRequestAnswered():
                self._token_requested(event)
            case TokenRefreshed():
                self._token_refreshed(event)
            case _:
                return

    def _begin(self, event: OperationStarted) -> None:
        attributes: Attributes = {"kajabi.operation": event.name}
        parent = get_current()
        span = self._tracer.start_span(f"kajabi {event.name}", parent, SpanKind.INTERNAL, attributes)
        target = target_of(event.method, event.template, event.base_url)
        self._open[event.operation] = _Open(span, set_span_in_context(span, parent), target)
        if len(self._open) > _MOST_OPEN:
            self._give_up_oldest()

    def _give_up_oldest(self) -> None:
        for number in list(self._open)[: max(1, _MOST_OPEN // 10)]:
            running = self._open.pop(number, None)
            if running is not None:
                _fail(running.span, _LOST)
                running.end()

    def _send(self, event: RequestStarted) -> None:
        running = self._open.get(event.operation)
        if running is None:
            return
        attributes = dict(running.target.attributes)
        if event.attempt > 1:
            attributes["http.request.resend_count"] = event.attempt - 1
        running.request = self._tracer.start_span(running.target.name, running.context, SpanKind.CLIENT, attributes)

    def _answered(self, event: RequestAnswered) -> None:
        running = self._open.get(event.operation)
        if running is None or running.request is None:
            return
        span, running.request = running.request, None
        ended = outcome(event.status, event.error)
        _finish_request(span, ended)
        context = set_span_in_context(span, running.context)
        self._instruments.requested(event.seconds, {**running.target.attributes, **ended}, context)

    def _waited(self, event: RequestWaited) -> None:
        running = self._open.get(event.operation)
        if running is not None:
            running.span.add_event("kajabi.wait", {"kajabi.wait.seconds": event.seconds})
        self._instruments.waited(event.seconds, event.name, None if running is None else running.context)

    def _retried(self, event: RequestRetried) -> None:
        running = self._open.get(event.operation)
        if running is not None:
            attributes: Attributes = {
                "error.type": event.error,
                "kajabi.attempt": event.attempt,
                "kajabi.retry.after_seconds": event.after_seconds,
            }
            running.span.add_event("kajabi.retry", attributes)
        self._instruments.retried(event.name, event.error, None if running is None else running.context)

    def _end(self, event: OperationEnded) -> None:
        running = self._open.pop(event.operation, None)
        if running is None:
            return
        running.span.set_attribute("kajabi.attempts", event.attempts)
        if event.error:
            _fail(running.span, event.error)
        running.end()

    def _token_requested(self, event: TokenRequestAnswered) -> None:
        target = target_of(event.method, event.template, event.base_url)
        attributes: Attributes = {**target.attributes, "kajabi.operation": event.name}
        if event.attempt > 1:
            attributes["http.request.resend_count"] = event.attempt - 1
        now = time.time_ns()
        began = now - round(event.seconds * 1e9)
        span = self._tracer.start_span(target.name, get_current(), SpanKind.CLIENT, attributes, start_time=began)
        ended = outcome(event.status, event.error)
        _finish_request(span, ended, now)
        self._instruments.requested(event.seconds, {**target.attributes, **ended}, set_span_in_context(span))

    def _token_refreshed(self, event: TokenRefreshed) -> None:
        attributes: Attributes = {"kajabi.token.shared": event.shared}
        self._tracer.start_span("kajabi token", get_current(), SpanKind.INTERNAL, attributes).end()
        self._instruments.refreshed(shared=event.shared)


def _finish_request(span: Span, ended: Attributes, end_time: int | None = None) -> None:
    span.set_attributes(ended)
    if "error.type" in ended:
        # Without a description: the conventions want none where the attributes tell it.
        span.set_status(Status(StatusCode.ERROR))
    span.end(end_time)


def _fail(span: Span, error: str) -> None:
    span.set_attribute("error.type", error)
    span.set_status(Status(StatusCode.ERROR))
