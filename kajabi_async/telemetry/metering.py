"""The metrics: durations of requests and waits, retries and token refreshes."""

from typing import Final

from opentelemetry.context import Context
from opentelemetry.metrics import MeterProvider, get_meter

from kajabi_async.telemetry.attributes import SCHEMA_URL, Attributes

__all__ = ["Instruments"]

_DURATION_BOUNDARIES: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
"""The boundaries that the conventions advise for ``http.client.request.duration``."""
_WAIT_BOUNDARIES: Final = (0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)


class Instruments:
    """The instruments; a *context* links a measurement to its span (exemplars)."""

    def __init__(self, provider: MeterProvider | None) -> None:
        meter = get_meter("kajabi_async", meter_provider=provider, schema_url=SCHEMA_URL)
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

    def requested(self, seconds: float, attributes: Attributes, context: Context | None) -> None:
        """Record a finished request, including token requests."""
        self._durations.record(seconds, attributes, context)

    def waited(self, seconds: float, operation: str, context: Context | None) -> None:
        """Record a wait before a request."""
        self._waits.record(seconds, {"kajabi.operation": operation}, context)

    def retried(self, operation: str, error: str, context: Context | None) -> None:
        """Record the retry of a request that failed with *error*."""
        self._retries.add(1, {"kajabi.operation": operation, "error.type": error}, context)

    def refreshed(self, *, shared: bool) -> None:
        """Record a new token."""
        self._tokens.add(1, {"kajabi.token.shared": shared})
