"""The observer that turns events of a session into spans and measurements.

Their attributes are those of OpenTelemetry's semantic conventions, and ``kajabi.*`` for what they lack:
https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-client-span. ``url.full`` is left out, since it holds
ids and query values; ``url.template`` is used instead.
"""

import time
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

import attrs
from opentelemetry.context import Context, get_current
from opentelemetry.metrics import MeterProvider, get_meter
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

__all__ = ["Tracing", "outcome", "target_of"]

Attributes = dict[str, str | int | float | bool]

SCHEMA_URL: Final = "https://opentelemetry.io/schemas/1.37.0"
"""The version of the conventions that define the names below."""

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_FIRST_ERROR_STATUS: Final = 400
_MAX_OPEN: Final = 100_000
"""The number of open spans kept, so that operations that never end do not fill the memory."""
_LOST: Final = "lost"
"""The ``error.type`` of an operation whose end was not observed."""
_DURATION_BOUNDARIES: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
"""The boundaries that the conventions advise for ``http.client.request.duration``."""
_WAIT_BOUNDARIES: Final = (0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)


@attrs.frozen
class _Target:
    """The requests of one method to one path template on one server."""

    name: str
    """The name of their spans."""
    attributes: Attributes


@attrs.define(eq=False)
class _Open:
    """An operation in progress."""

    span: Span
    context: Context
    """The context with its span as the current one: the parent of its requests."""
    target: _Target
    request: Span | None = None

    def end(self) -> None:
        if self.request is not None:
            self.request.end()
        self.span.end()


class Tracing:
    """An observer that records traces and metrics of clients: ``Kajabi(observers=[Tracing()])``.

    Each operation, such as ``kajabi customers.get``, is a child span of the caller's current one, and each of its
    requests a child span of kind CLIENT; the span of the operation never becomes the current one. Token requests, for
    which many operations may wait, are children of the current span of the caller that started them. Waits, retries
    and new tokens are recorded too.

    No id, no query value and no part of a body goes into a span or a metric. One instance serves any number of clients.
    """

    def __init__(
        self, tracer_provider: TracerProvider | None = None, meter_provider: MeterProvider | None = None
    ) -> None:
        """Use the given providers; the defaults are the global ones (``opentelemetry.trace`` and ``.metrics``)."""
        self._tracer = get_tracer("kajabi_async", tracer_provider=tracer_provider, schema_url=SCHEMA_URL)
        meter = get_meter("kajabi_async", meter_provider=meter_provider, schema_url=SCHEMA_URL)
        self._durations = meter.create_histogram(
            "http.client.request.duration",
            unit="s",
            description="Duration of HTTP client requests.",
            explicit_bucket_boundaries_advisory=_DURATION_BOUNDARIES,
        )
        self._waits = meter.create_histogram(
            "kajabi.client.wait.duration",
            unit="s",
            description="Time that requests waited for a slot, a permit or the end of a pause.",
            explicit_bucket_boundaries_advisory=_WAIT_BOUNDARIES,
        )
        self._retries = meter.create_counter(
            "kajabi.client.retries", unit="{retry}", description="Failed requests that were sent again."
        )
        self._tokens = meter.create_counter(
            "kajabi.client.token.refreshes", unit="{token}", description="Tokens fetched, or taken from a store."
        )
        # Clients may be in several threads: each step below is one atomic operation of the dict.
        self._open: dict[int, _Open] = {}

    def __call__(self, event: SessionEvent) -> None:
        """Record *event*; called by the session on its event loop."""
        match event:
            case OperationStarted():
                self._start(event)
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

    def _start(self, event: OperationStarted) -> None:
        attributes: Attributes = {"kajabi.operation": event.name}
        parent = get_current()
        span = self._tracer.start_span(f"kajabi {event.name}", parent, SpanKind.INTERNAL, attributes)
        target = target_of(event.method, event.template, event.base_url)
        self._open[event.operation] = _Open(span, set_span_in_context(span, parent), target)
        if len(self._open) > _MAX_OPEN:
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        for number in list(self._open)[: max(1, _MAX_OPEN // 10)]:
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
        # With its context, a measurement is linked to the span (exemplars).
        context = set_span_in_context(span, running.context)
        self._durations.record(event.seconds, {**running.target.attributes, **ended}, context)

    def _waited(self, event: RequestWaited) -> None:
        running = self._open.get(event.operation)
        if running is not None:
            running.span.add_event("kajabi.wait", {"kajabi.wait.seconds": event.seconds})
        context = None if running is None else running.context
        self._waits.record(event.seconds, {"kajabi.operation": event.name}, context)

    def _retried(self, event: RequestRetried) -> None:
        running = self._open.get(event.operation)
        if running is not None:
            attributes: Attributes = {
                "error.type": event.error,
                "kajabi.attempt": event.attempt,
                "kajabi.retry.after_seconds": event.after_seconds,
            }
            running.span.add_event("kajabi.retry", attributes)
        context = None if running is None else running.context
        self._retries.add(1, {"kajabi.operation": event.name, "error.type": event.error}, context)

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
        started = now - round(event.seconds * 1e9)
        span = self._tracer.start_span(target.name, get_current(), SpanKind.CLIENT, attributes, start_time=started)
        ended = outcome(event.status, event.error)
        _finish_request(span, ended, now)
        self._durations.record(event.seconds, {**target.attributes, **ended}, set_span_in_context(span))

    def _token_refreshed(self, event: TokenRefreshed) -> None:
        attributes: Attributes = {"kajabi.token.shared": event.shared}
        self._tracer.start_span("kajabi token", get_current(), SpanKind.INTERNAL, attributes).end()
        self._tokens.add(1, attributes)


def _finish_request(span: Span, ended: Attributes, end_time: int | None = None) -> None:
    span.set_attributes(ended)
    if "error.type" in ended:
        # No description: the conventions ask for none if the attributes say the same.
        span.set_status(Status(StatusCode.ERROR))
    span.end(end_time)


def _fail(span: Span, error: str) -> None:
    span.set_attribute("error.type", error)
    span.set_status(Status(StatusCode.ERROR))


@lru_cache(maxsize=1024)
def target_of(method: str, template: str, base_url: str) -> _Target:
    """Return the target; *template* is empty if the operation is not in the table of operations."""
    parts = urlsplit(base_url)
    attributes: Attributes = {
        "http.request.method": method,
        "url.scheme": parts.scheme,
        "server.address": parts.hostname or "",
        "server.port": parts.port or _DEFAULT_PORTS.get(parts.scheme, 0),
    }
    if not template:
        return _Target(method, attributes)
    attributes["url.template"] = f"{parts.path}{template}"
    return _Target(f"{method} {parts.path}{template}", attributes)


def outcome(status: int | None, error: str) -> Attributes:
    """Return the attributes of a request's outcome; ``error.type`` is among them only for an error.

    An answer 4xx or 5xx is an error, and so is no answer, even if no caller waits for it; 3xx is not.
    """
    if status is None:
        return {"error.type": error}
    if status >= _FIRST_ERROR_STATUS:
        return {"http.response.status_code": status, "error.type": str(status)}
    return {"http.response.status_code": status}
