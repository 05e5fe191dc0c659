"""The exports of a tracing observer, as trees for comparison."""

from collections.abc import Iterator
from typing import Any

import attrs
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import HistogramDataPoint, InMemoryMetricReader, NumberDataPoint
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, Sampler

from kajabi_async import Kajabi, RetryPolicy
from kajabi_async.telemetry import Tracing
from kajabi_async.testing import FakeKajabi

__all__ = ["Node", "Recording"]


@attrs.frozen
class Node:
    """A span and its children, in the order of their start."""

    span: ReadableSpan
    children: "tuple[Node, ...]"

    @property
    def name(self) -> str:
        return self.span.name

    @property
    def attributes(self) -> dict[str, Any]:
        return dict(self.span.attributes or {})

    @property
    def events(self) -> list[tuple[str, dict[str, Any]]]:
        return [(event.name, dict(event.attributes or {})) for event in self.span.events]

    @property
    def outline(self) -> tuple[Any, ...]:
        """Name, kind, status and the outlines of the children."""
        kind, status = self.span.kind.name, self.span.status.status_code.name
        return (self.name, kind, status, *(child.outline for child in self.children))

    def named(self, name: str) -> "Node":
        found = [node for node in self.all() if node.name == name]
        assert len(found) == 1, [node.name for node in self.all()]
        return found[0]

    def all(self) -> "Iterator[Node]":
        yield self
        for child in self.children:
            yield from child.all()


class Recording:
    """An observer with providers of its own, and the exported spans and metrics."""

    def __init__(self, sampler: Sampler = ALWAYS_ON) -> None:
        self.exporter = InMemorySpanExporter()
        self.reader = InMemoryMetricReader()
        self.provider = TracerProvider(sampler, shutdown_on_exit=False)
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.tracing = Tracing(self.provider, MeterProvider([self.reader], shutdown_on_exit=False))
        self.tracer = self.provider.get_tracer("tests")

    def client(self, fake: FakeKajabi, **options: Any) -> Kajabi:
        """Return a client of *fake* with this observer; by default it retries without waiting."""
        given: dict[str, Any] = {"client_id": fake.client_id, "client_secret": fake.client_secret}
        given |= {"base_url": fake.base_url, "retry": RetryPolicy(base_seconds=0.0), "observers": [self.tracing]}
        given |= options
        return Kajabi(**given)

    @property
    def spans(self) -> tuple[ReadableSpan, ...]:
        return self.exporter.get_finished_spans()

    def trees(self) -> list[Node]:
        """Return the roots of all finished spans."""
        spans = sorted(self.spans, key=lambda span: span.start_time or 0)
        known = {_id(span) for span in spans}
        return [_node(span, spans) for span in spans if span.parent is None or span.parent.span_id not in known]

    def tree(self) -> Node:
        """Return the only root."""
        (root,) = self.trees()
        return root

    def metrics(self) -> dict[str, Any]:
        data = self.reader.get_metrics_data()
        assert data is not None
        scopes = [scope for resource in data.resource_metrics for scope in resource.scope_metrics]
        return {metric.name: metric for scope in scopes for metric in scope.metrics}

    def points(self, name: str) -> list[tuple[dict[str, Any], Any]]:
        """Return the measurements of one instrument: attributes, and the sum or (for a histogram) the count."""
        return [(dict(point.attributes or {}), _value(point)) for point in self.metrics()[name].data.data_points]


def _value(point: NumberDataPoint | HistogramDataPoint) -> float:
    return point.count if isinstance(point, HistogramDataPoint) else point.value


def _id(span: ReadableSpan) -> int:
    context = span.get_span_context()
    assert context is not None
    return context.span_id


def _node(span: ReadableSpan, spans: list[ReadableSpan]) -> Node:
    below = [each for each in spans if each.parent is not None and each.parent.span_id == _id(span)]
    return Node(span, tuple(_node(each, spans) for each in below))
