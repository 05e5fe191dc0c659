"""The attributes of spans and metrics: OpenTelemetry's semantic conventions, and ``kajabi.*`` for what they lack.

https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-client-span. ``url.full`` is left out, since it holds
ids and query values; ``url.template`` is used instead.
"""

from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

import attrs

__all__ = ["SCHEMA_URL", "Attributes", "Target", "outcome", "target_of"]

Attributes = dict[str, str | int | float | bool]

SCHEMA_URL: Final = "https://opentelemetry.io/schemas/1.37.0"
"""The version of the conventions that define the names below."""

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_FIRST_ERROR_STATUS: Final = 400


@attrs.frozen
class Target:
    """The requests of one method to one path template on one server."""

    name: str
    """The name of their spans."""
    attributes: Attributes


@lru_cache(maxsize=1024)
def target_of(method: str, template: str, base_url: str) -> Target:
    """Return the target; *template* is empty if the operation is not in the table of operations."""
    parts = urlsplit(base_url)
    attributes: Attributes = {
        "http.request.method": method,
        "url.scheme": parts.scheme,
        "server.address": parts.hostname or "",
        "server.port": parts.port or _DEFAULT_PORTS.get(parts.scheme, 0),
    }
    if not template:
        return Target(method, attributes)
    attributes["url.template"] = f"{parts.path}{template}"
    return Target(f"{method} {parts.path}{template}", attributes)


def outcome(status: int | None, error: str) -> Attributes:
    """Return the attributes of a request's outcome; ``error.type`` is among them only for an error.

    An answer 4xx or 5xx is an error, and so is no answer, even if no caller waits for it; 3xx is not.
    """
    if status is None:
        return {"error.type": error}
    if status >= _FIRST_ERROR_STATUS:
        return {"http.response.status_code": status, "error.type": str(status)}
    return {"http.response.status_code": status}
