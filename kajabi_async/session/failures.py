"""Errors of this package for failures on the wire, with nothing of the HTTP library in them."""

import os
from collections.abc import Callable
from typing import Any, Final, Literal, NoReturn
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
from kajabi_async.structs import FrozenStruct

__all__ = [
    "Place",
    "Translate",
    "broken",
    "connect_timed_out",
    "misused",
    "never_connected",
    "no_http",
    "not_decompressed",
    "proxy_refused",
    "read_timed_out",
    "refuse_size",
]

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_LONGEST_REASON: Final = 60
_TEXT_OF_ASYNCIO: Final = "Connect call failed"
"""It repeats the address in place of the reason of the operating system."""

Translate = Callable[[Any, Request, Timeouts, "Place"], KajabiError]


class Place(FrozenStruct, frozen=True):
    """The server that requests go to, as errors name it: without credentials."""

    host: str
    port: int | None
    """None if it is the default of the scheme."""
    proxy: str = ""
    """The proxy on the way, as host and port."""

    @classmethod
    def of(cls, base_url: str) -> "Place":
        """Return the place of a URL."""
        parts = urlsplit(base_url)
        return cls(parts.hostname or "", None if parts.port == _DEFAULT_PORTS.get(parts.scheme) else parts.port)

    def via(self, proxy: Any) -> "Place":
        """Return this place as it is reached through *proxy*, a URL of the HTTP library, or without one if None."""
        return self if proxy is None else Place(self.host, self.port, _address(proxy.host, proxy.port))

    def __str__(self) -> str:
        address = _address(self.host, self.port)
        return f"{address} through the proxy {self.proxy}" if self.proxy else address


def never_connected(error: Any, request: Request, _: Timeouts, place: Place) -> TransportError:
    """Return the error for a failed connection: nothing was sent."""
    reason = getattr(error, "strerror", None) or type(error).__name__
    number = getattr(error, "errno", None)
    if _TEXT_OF_ASYNCIO in reason and number is not None:
        reason = os.strerror(number)
    if "WRONG_VERSION_NUMBER" in reason or "RECORD_LAYER_FAILURE" in reason:
        reason += "; the server does not speak TLS at this port"
    host, port = getattr(error, "host", None), getattr(error, "port", None)
    where = str(place)
    if host is not None:
        where = _address(host, port)
        if where == place.proxy:
            where = f"the proxy {where} on the way to {_address(place.host, place.port)}"
        elif place.proxy:
            where = f"{where} through the proxy {place.proxy}"
    return _unsent(f"could not connect to {where}: {reason}", request)


def proxy_refused(error: Any, request: Request, _: Timeouts, place: Place) -> TransportError:
    """Return the error for a proxy that did not connect to the server: nothing was sent to that."""
    reason = f"{error.status} {str(error.message)[:_LONGEST_REASON]}".rstrip()
    proxy = f"the proxy {place.proxy}" if place.proxy else "the proxy"
    return _unsent(f"{proxy} made no connection to {_address(place.host, place.port)}, but answered {reason}", request)


def broken(error: Any, request: Request, _: Timeouts, place: Place) -> TransportError:
    """Return the error for a connection that broke before the answer or in it."""
    message = f"the connection to {place} broke before the whole answer had come ({type(error).__name__})"
    return ConnectionFailedError(message, method=request.method, path=request.path)


def no_http(_: Any, request: Request, __: Timeouts, place: Place) -> TransportError:
    """Return the error for an answer that is not HTTP."""
    return ConnectionFailedError(f"the answer of {place} was not HTTP", method=request.method, path=request.path)


def not_decompressed(_: Any, request: Request, __: Timeouts, ___: Place) -> KajabiError:
    """Return the error for a body that does not match its content encoding."""
    return DecodeError("the compressed body cannot be decompressed", context=f"{request.method} {request.path}")


def connect_timed_out(_: Any, request: Request, timeouts: Timeouts, place: Place) -> TransportError:
    """Return the error for a connection that took too long: nothing was sent."""
    text = f"no connection to {place} within {timeouts.connect} s"
    return _timed_out(text, "connect", request, timeouts)


def read_timed_out(_: Any, request: Request, timeouts: Timeouts, place: Place) -> TransportError:
    """Return the error for a server that was silent for too long."""
    return _timed_out(f"nothing came from {place} for {timeouts.read} s", "read", request, timeouts)


def _timed_out(text: str, phase: Literal["connect", "read"], request: Request, timeouts: Timeouts) -> TransportError:
    seconds: float | None = getattr(timeouts, phase)
    return RequestTimeoutError(text, phase=phase, seconds=seconds, method=request.method, path=request.path)


def _unsent(message: str, request: Request) -> ConnectionFailedError:
    failure = ConnectionFailedError(message, method=request.method, path=request.path)
    failure.never_sent = True
    return failure


def _address(host: str | None, port: int | None) -> str:
    address = f"[{host}]" if host and ":" in host else host or "an unknown host"
    return address if port is None else f"{address}:{port}"


def misused(error: Any, _: Request, __: Timeouts, ___: Place) -> KajabiError:
    """Return the error for a session that is closed or unusable."""
    return ConfigurationError(f"the HTTP session cannot be used: {error}")


def refuse_size(excess: str, request: Request) -> NoReturn:
    """Raise AnswerTooLargeError for the answer to *request*; *excess* says what it has too much of."""
    raise AnswerTooLargeError(excess, context=f"{request.method} {request.path}")
