"""The answers to visitors if a call to Kajabi fails, for all routes."""

import logging
import math
from typing import Final

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from starlette.requests import ClientDisconnect

from kajabi_async import (
    ApiError,
    DecodeError,
    InvalidArgumentError,
    KajabiError,
    NotFoundError,
    RateLimitError,
    RequestTimeoutError,
    ServerError,
    TransportError,
    UntrustedLinkError,
)
from kajabi_async.escaping.text import escape_line
from kajabi_async.webhooks import WebhookError

__all__ = ["answer_errors"]

logger = logging.getLogger(__name__)

ANSWERS: Final[dict[type[Exception], tuple[int, str]]] = {
    NotFoundError: (404, "There is no such record."),
    InvalidArgumentError: (400, "The address holds something that cannot be an id."),
    RateLimitError: (503, "Too many requests just now; try again later."),
    RequestTimeoutError: (504, "Kajabi did not answer in time."),
    TransportError: (502, "Kajabi cannot be reached."),
    ServerError: (502, "Kajabi has a problem."),
    DecodeError: (502, "Kajabi has a problem."),
    UntrustedLinkError: (502, "Kajabi has a problem."),
    # Every other error is ours, such as a wrong secret or a permission that the key lacks.
    KajabiError: (500, "Something is wrong on our side."),
}
RETRY_AFTER_SECONDS: Final = 10
"""For a rate limit that does not state its duration."""


def answer_errors(app: FastAPI) -> None:
    """Register handlers that answer each error of the SDK with a text of this application."""
    app.add_exception_handler(KajabiError, _kajabi_error)
    app.add_exception_handler(WebhookError, _webhook_error)
    app.add_exception_handler(ClientDisconnect, _client_disconnect)


async def _kajabi_error(_: Request, error: Exception) -> Response:
    status, detail = next(ANSWERS[cls] for cls in type(error).__mro__ if cls in ANSWERS)
    if status >= 500:  # noqa: PLR2004
        logger.error("answered %d: %s", status, escape_line(_described(error)))
    headers: dict[str, str] = {}
    if isinstance(error, RateLimitError):
        headers["Retry-After"] = str(math.ceil(error.retry_after or RETRY_AFTER_SECONDS))
    return JSONResponse({"detail": detail}, status, headers)


async def _webhook_error(_: Request, error: Exception) -> Response:
    logger.warning("a delivery was refused: %s", error)
    return Response(status_code=error.http_status if isinstance(error, WebhookError) else 500)


async def _client_disconnect(_: Request, __: Exception) -> Response:
    # Never received, but without it every disconnected client is logged as an error.
    return Response(status_code=400)


def _described(error: Exception) -> str:
    """Describe *error* for the log, without the text of Kajabi's answer, which may contain personal data."""
    name = type(error).__name__
    if isinstance(error, ApiError):
        answered = f"{error.method} {error.path} was answered {error.status} [request {error.request_id}]"
        return f"{name}: {answered} {error.hint}".rstrip()
    if isinstance(error, DecodeError):
        return f"{name}: {error.context} {error.path}".rstrip()
    return f"{name}: {error.reason if isinstance(error, UntrustedLinkError) else error}"
