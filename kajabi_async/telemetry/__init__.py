"""OpenTelemetry traces and metrics of a client (extra ``otel``); no other package imports `opentelemetry`.

Imports the events of `session`. `tracing` has the observer.
"""

try:
    from kajabi_async.telemetry.tracing import Tracing
except ModuleNotFoundError as error:
    if not (error.name or "").startswith("opentelemetry"):
        raise
    raise ImportError("traces and metrics need the extra 'otel': pip install 'kajabi-async[otel]'") from error

__all__ = ["Tracing"]
