"""Errors of this package for failures on the wire, with nothing of the HTTP library in them."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any, Literal, NoReturn
from urllib.parse import urlsplit

from kajabi_async.errors import (
    AnswerTooLargeError,
    ConfigurationError,
    ConnectionFailedError,
    DecodeError,
    KajabiError,
    RequestTimeoutError,
    TransportError,
)
from kajabi_async.exchange import Request
from kajabi_async.session.limits.deadlines import Timeouts

__all__ = [
    "Translate",
    "broken",
    "connect_timed_out",
    "misused",
    "never_connected",
    "no_http",
    "not_decompressed",
    "read_timed_out",
    "refuse_size",
]

Translate = Callable[[Any, Request, Timeouts], KajabiError]


def never_connected(error: Any, request: Request, _: Timeouts) -> TransportError:
    """Return the error for a failed connection: nothing was sent."""
    reason = getattr(error, "strerror", None) or type(error).__name__
    text = f"could not connect{_to(getattr(error, 'host', None), getattr(error, 'port', None))}: {reason}"
    failure = ConnectionFailedError(text, method=request.method, path=request.path)
    failure.never_sent = True
    return failure


def broken(error: Any, request: Request, _: Timeouts) -> TransportError:
    """Return the error for a connection that broke before the answer or in it."""
    message = f"the connection broke before the whole answer had come ({type(error).__name__})"
    return ConnectionFailedError(message, method=request.method, path=request.path)


def no_http(_: Any, request: Request, __: Timeouts) -> TransportError:
    """Return the error for an answer that is not HTTP."""
    return ConnectionFailedError("the answer was not HTTP", method=request.method, path=request.path)


def not_decompressed(_: Any, request: Request, __: Timeouts) -> KajabiError:
    """Return the error for a body that does not match its content encoding."""
    return DecodeError("the compressed body cannot be decompressed", context=f"{request.method} {request.path}")


def _to(host: str | None, port: int | None) -> str:
    if not host:
        return ""
    address = f"[{host}]" if ":" in host else host
    return f" to {address}" if port is None else f" to {address}:{port}"


def _host_in(error: Any) -> tuple[str | None, int | None]:
    """Return the host that did not answer, which stands in the text of such an error alone; its path is left out."""
    for word in str(error).split():
        if "://" in word:
            with suppress(ValueError):
                url = urlsplit(word)
                return url.hostname, url.port
    return None, None


def connect_timed_out(error: Any, request: Request, timeouts: Timeouts) -> TransportError:
    """Return the error for a connection that took too long: nothing was sent."""
    return _timed_out(f"no connection{_to(*_host_in(error))} within {timeouts.connect} s", "connect", request, timeouts)


def read_timed_out(_: Any, request: Request, timeouts: Timeouts) -> TransportError:
    """Return the error for a server that was silent for too long."""
    return _timed_out(f"nothing came for {timeouts.read} s", "read", request, timeouts)


def _timed_out(text: str, phase: Literal["connect", "read"], request: Request, timeouts: Timeouts) -> TransportError:
    seconds: float | None = getattr(timeouts, phase)
    return RequestTimeoutError(text, phase=phase, seconds=seconds, method=request.method, path=request.path)


def misused(error: Any, _: Request, __: Timeouts) -> KajabiError:
    """Return the error for a session that is closed or unusable."""
    return ConfigurationError(f"the HTTP session cannot be used: {error}")


def refuse_size(excess: str, request: Request) -> NoReturn:
    """Raise AnswerTooLargeError for the answer to *request*; *excess* says what it has too much of."""
    raise AnswerTooLargeError(excess, context=f"{request.method} {request.path}")
