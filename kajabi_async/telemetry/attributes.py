"""What spans and metrics are labelled with: the field's semantic conventions, and ``kajabi.*`` for what they lack.

https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-client-span. Not given is ``url.full``, which holds
ids and query values; ``url.template`` tells as much as may be told.
"""

from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

import attrs

__all__ = ["SCHEMA_URL", "Attributes", "Target", "outcome", "target_of"]

Attributes = dict[str, str | int | float | bool]

SCHEMA_URL: Final = "https://opentelemetry.io/schemas/1.37.0"
"""The version of the conventions that the names below are taken from."""

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_FIRST_ERROR_STATUS: Final = 400


@attrs.frozen
class Target:
    """Which requests are meant: all those of one method to one template on one server."""

    name: str
    """Of their spans."""
    attributes: Attributes


@lru_cache(maxsize=1024)
def target_of(method: str, template: str, base_url: str) -> Target:
    """Give the target; *template* is empty where the operation is not in the table of operations."""
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
    """Give the attributes of how a request ended; ``error.type`` is among them exactly where it is an error.

    An answer 4xx or 5xx is one, as is none at all, also where nobody waited for it any more; 3xx is none.
    """
    if status is None:
        return {"error.type": error}
    if status >= _FIRST_ERROR_STATUS:
        return {"http.response.status_code": status, "error.type": str(status)}
    return {"http.response.status_code": status}
