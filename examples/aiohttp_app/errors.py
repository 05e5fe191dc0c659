"""The answers to visitors if a call to Kajabi fails, for all routes."""

import logging
import math
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler

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


@web.middleware
async def answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer each error of the SDK with a text of this application."""
    try:
        return await handler(request)
    except WebhookError as error:
        logger.warning("a delivery was refused: %s", error)
        return web.Response(status=error.http_status)
    except KajabiError as error:
        return _answer(error)
    except ConnectionResetError:
        # Never received, but without it every disconnected client is logged as an error.
        return web.Response(status=400)


def _answer(error: KajabiError) -> web.Response:
    status, detail = next(ANSWERS[cls] for cls in type(error).__mro__ if cls in ANSWERS)
    if status >= 500:  # noqa: PLR2004
        logger.error("answered %d: %s", status, escape_line(_described(error)))
    headers: dict[str, str] = {}
    if isinstance(error, RateLimitError):
        headers["Retry-After"] = str(math.ceil(error.retry_after or RETRY_AFTER_SECONDS))
    return web.json_response({"detail": detail}, status=status, headers=headers)


def _described(error: KajabiError) -> str:
    """Describe *error* for the log, without the text of Kajabi's answer, which may contain personal data."""
    name = type(error).__name__
    if isinstance(error, ApiError):
        answered = f"{error.method} {error.path} was answered {error.status} [request {error.request_id}]"
        return f"{name}: {answered} {error.hint}".rstrip()
    if isinstance(error, DecodeError):
        return f"{name}: {error.context} {error.path}".rstrip()
    return f"{name}: {error.reason if isinstance(error, UntrustedLinkError) else error}"
