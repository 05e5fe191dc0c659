"""The answers of the fake (status, headers, body) and the shapes of its errors."""

import json
from collections.abc import Mapping
from typing import Any, Final
from uuid import uuid4

import attrs

__all__ = [
    "JSON_API",
    "PLAIN_JSON",
    "ApiProblem",
    "Reply",
    "encoded",
    "error_reply",
    "not_found",
    "plain_error",
    "plain_reply",
    "unprocessable",
]

JSON_API: Final = "application/vnd.api+json"
PLAIN_JSON: Final = "application/json"

_ENCODER: Final = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False)
_TITLES: Final = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    409: "Conflict",
    415: "Unsupported Media Type",
    422: "Unprocessable Content",
    429: "Too Many Requests",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}


@attrs.frozen
class Reply:
    """One complete answer."""

    status: int
    body: bytes = b""
    content_type: str | None = JSON_API
    headers: Mapping[str, str] = attrs.field(factory=dict[str, str])

    @classmethod
    def of(cls, document: Any, status: int = 200) -> "Reply":
        """Return an answer with a JSON:API document."""
        return cls(status, encoded(document))

    @property
    def all_headers(self) -> dict[str, str]:
        """The headers to send, with a request id on every JSON:API answer."""
        request_id = {"x-request-id": str(uuid4())} if self.content_type == JSON_API else {}
        content_type = {"Content-Type": self.content_type} if self.content_type else {}
        return {**content_type, **request_id, **self.headers}


class ApiProblem(Exception):  # noqa: N818 - it is an answer, not an error of the fake
    """An error document as the result of an operation: operations raise it, the server sends it."""

    def __init__(self, status: int, detail: str, source: Mapping[str, str] | None = None) -> None:
        """Store the ``status``, and the ``detail`` and ``source`` of the one error."""
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.source = source


def encoded(document: Any) -> bytes:
    """Return ``document`` as compact JSON."""
    return _ENCODER.encode(document).encode()


def plain_reply(status: int, value: object) -> Reply:
    """Return an answer in plain JSON."""
    return Reply(status, encoded(value), PLAIN_JSON)


def plain_error(status: int, message: str) -> Reply:
    """Return an error as a flat object, not JSON:API: those of the token endpoints (API document)."""
    return plain_reply(status, {"error": message})


def error_reply(status: int, detail: str, source: Mapping[str, str] | None = None) -> Reply:
    """Return an error document with one error; its status is text, its source may be null (observed)."""
    title = _TITLES.get(status, "Error")
    return Reply.of({"errors": [{"status": str(status), "source": source, "title": title, "detail": detail}]}, status)


def not_found(type_name: str, resource_id: str) -> ApiProblem:
    """Return the 404 for a resource that does not exist."""
    return ApiProblem(404, f"Couldn't find {type_name} with id {resource_id}")


def unprocessable(attribute: str, detail: str) -> ApiProblem:
    """Return the 422 for an invalid attribute of the body."""
    return ApiProblem(422, detail, {"pointer": f"/data/attributes/{attribute}"})
