"""One request on the wire, one answer back: by a connection of the pool, or by an aiohttp session."""

import asyncio
import sys
import weakref
from collections.abc import Mapping
from contextlib import suppress
from types import FunctionType
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
from aiohttp import hdrs
from aiohttp.http_exceptions import ContentEncodingError, HttpProcessingError
from yarl import URL

from kajabi_async.concurrency import on_loop
from kajabi_async.errors import (
    ConfigurationError,
    ConnectionFailedError,
    InvalidArgumentError,
    KajabiError,
)
from kajabi_async.exchange import FORM, JSON_API, METHODS, Answer, Request
from kajabi_async.jsonapi.limits import excess_in, surely_small, width_in
from kajabi_async.session.binding import Binding
from kajabi_async.session.credentials import Secret
from kajabi_async.session.failures import (
    Place,
    Translate,
    broken,
    connect_timed_out,
    misused,
    never_connected,
    no_http,
    not_decompressed,
    proxy_refused,
    read_timed_out,
    refuse_size,
)
from kajabi_async.session.handed_in import check_session, sets_user_agent
from kajabi_async.session.limits.deadlines import Deadline, Timeouts
from kajabi_async.session.pool import Exchange, Pool, Reply, ignore_surplus
from kajabi_async.session.session_route import SessionRoute
from kajabi_async.tracebacks import without_frames

__all__ = ["Transport"]

_PLAIN_JSON: Final = "application/json"
_METHODS: Final = (*METHODS, "HEAD", "OPTIONS")
_WITH_A_LENGTH: Final = ("POST", "PATCH", "PUT", "DELETE")
"""The methods whose requests have a length even without a body, of 0."""

_MODULE_OF_SESSIONS: Final = aiohttp.client.__dict__

_LARGEST_RATIO: Final = 200
_RATIO_COUNTS_FROM_BYTES: Final = 2**20


class Transport:
    """Sends requests through the pool or a session that was handed in, and translates aiohttp's errors."""

    def __init__(
        self,
        *,
        base_url: str,
        binding: Binding,
        timeouts: Timeouts,
        max_answer_bytes: int,
        max_answer_elements: int,
        user_agent: str,
        http_session: aiohttp.ClientSession | None = None,
    ) -> None:
        self._base = urlsplit(base_url)
        self.place = Place.of(base_url)
        """The server, as errors name it."""
        self._binding = binding
        self._timeouts = timeouts
        self._max_answer_bytes = max_answer_bytes
        self._max_answer_elements = max_answer_elements
        self._surely_small = min(max_answer_bytes, surely_small(max_answer_elements))
        self._server = URL.build(scheme=self._base.scheme, authority=self._base.netloc)
        self._on_every_request: dict[str, str] = {hdrs.ACCEPT: JSON_API, hdrs.USER_AGENT: user_agent}
        self._connect = _connect_within(timeouts.connect)
        self._owned = http_session is None
        self._route = SessionRoute(binding, handed_in=not self._owned)
        self._session = http_session
        self._is_made_by_others = False
        """Whether something has changed how sessions are made, to see or to direct what they send."""
        self._unwatched: tuple[object, object] = None, None
        """The methods of the session's class that were found to be aiohttp's own."""
        self._connector: Pool | None = None
        if http_session is not None:
            _check_handed_in(http_session, base_url)
            if sets_user_agent(http_session):
                del self._on_every_request[hdrs.USER_AGENT]
        self._shared_lines = self._as_lines(JSON_API), self._as_lines(_PLAIN_JSON)
        """The headers that requests share, as they are sent: those of JSON:API, and those of a form."""

    async def send(
        self, request: Request, token: Secret | None, deadline: Deadline, timeouts: Timeouts | None = None
    ) -> Answer:
        """Return the answer, whatever its status; raise one of the package's errors if none came or it is unreadable.

        Called in the block of *deadline*, which also limits the silence of the server. *timeouts* replace those of the
        transport. ClientClosedError, with nothing sent, once the client has begun to close.
        """
        limits = timeouts or self._timeouts
        exchange = Exchange(deadline, limits.read)
        deadline.request_left = False
        reply: Reply | aiohttp.ClientResponse | None = None
        try:
            session, target = self._session or self._open(), self._target(request)
            if self._connector is None or self._is_watched(session):
                reply = await self._route.ask(
                    session,
                    request,
                    self._url(target),
                    headers=self._headers(request),
                    token=token,
                    exchange=exchange,
                    timeouts=limits,
                )
            else:
                connect = self._connect if timeouts is None else _connect_within(limits.connect)
                # In no variable: the frame of this function is in the traceback of what it raises.
                reply = await self._connector.ask(request, self._head(request, target, token), exchange, connect)
            headers, content, most = reply.headers, reply.content, self._max_answer_bytes
            if hdrs.CONTENT_ENCODING in headers:
                most = min(most, _unpacked_at_most(headers))
            # A small body has come along with the head.
            body = content.read_nowait() if content.is_eof() else await _read(content, most, exchange)
            if len(body) > self._surely_small or len(body) > most:
                self._refuse_excess(body, most, request)
            return Answer(reply.status, headers, body)
        except BaseException as error:  # noqa: BLE001 - nothing foreign leaves this module
            if reply is not None:
                reply.close()
            failure = self._failure(error, request, exchange, limits)
        finally:
            deadline.stop_listening()
            if not self._owned and self._session is not None:
                ignore_surplus(self._session.connector)
        # Raised out here, even a cancellation or Ctrl-C, so that it keeps neither a foreign exception nor a frame of
        # aiohttp's with the headers and the body in its variables.
        try:
            raise without_frames(failure)
        finally:
            del failure

    def close(self) -> None:
        """Close the pool at once, without waiting; a session that was handed in is left as it is."""
        session = self._session
        if self._owned and session is not None and self._connector is not None:
            self._session = None
            self._connector.close_at_once()
            # Marks it closed, and takes the connector away from it.
            session.detach()

    async def closed(self) -> None:
        """Wait until the sockets of the pool are gone, after `close`."""
        if self._connector is not None:
            await self._connector.closed_at_last()
            self._connector = None

    def abandon(self) -> None:
        """Drop the pool without a goodbye to the server: another process owns it, or its event loop is closed."""
        session, self._session = self._session, None
        if self._owned and session is not None and self._connector is not None:
            with suppress(RuntimeError):
                # A closed event loop closes nothing; a pending lookup of the host may complain about that.
                self._connector.close_at_once()
            session.detach()
            self._connector = None

    @property
    def is_open(self) -> bool:
        """Whether there is a pool of our own, of this process, that was not closed."""
        return self._session is not None and self._connector is not None and not self._connector.is_copy

    def _open(self) -> aiohttp.ClientSession:
        self._binding.check_open()
        self._connector = Pool(self._binding, self._server)
        # Requests go by it only while something watches it; otherwise it shows that nothing does.
        self._session = session = aiohttp.ClientSession(
            connector=self._connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False, raise_for_status=False
        )
        self._is_made_by_others = not _is_aiohttps(getattr(type(session), "__init__", None))
        # At exit as well: a client that is still open then is reported by its session manager, and not by aiohttp.
        weakref.finalize(self, _drop, self._session, self._connector)
        return session

    def _is_watched(self, session: aiohttp.ClientSession) -> bool:
        """Return whether a tracer or a mock is to see what *session* sends."""
        kind = type(session)
        one, other = getattr(kind, "request", None), getattr(kind, "_request", None)
        known_one, known_other = self._unwatched
        # By identity: a wrapper may say that it equals what it wraps.
        if one is not known_one or other is not known_other:
            if not (_is_aiohttps(one) and _is_aiohttps(other)):
                return True
            self._unwatched = one, other
        return self._is_made_by_others

    def _target(self, request: Request) -> str:
        """Return path and query as they are sent; InvalidArgumentError for a request that cannot be sent as it is."""
        path = f"{self._base.path}{request.path}"
        target = f"{path}?{request.query}" if request.query else path
        if not target.isprintable() or " " in target or target[:1] != "/":
            raise InvalidArgumentError(
                "the path of a request must start with a slash, and neither path nor query may hold blanks or control "
                "characters: percent-encode them"
            )
        if request.method not in _METHODS:
            raise InvalidArgumentError(f"the method of a request must be one of {', '.join(_METHODS)}")
        if not request.content_type.isprintable():
            raise InvalidArgumentError("the media type of a request may not hold control characters")
        return target

    def _url(self, target: str) -> URL:
        # Already encoded: yarl must neither unquote nor normalize it.
        path, _, query = target.partition("?")
        authority = self._server.raw_authority
        return URL.build(scheme=self._server.scheme, authority=authority, path=path, query_string=query, encoded=True)

    def _headers(self, request: Request) -> dict[str, str]:
        """Return the headers of *request* but for the token and those that any HTTP client adds."""
        headers = {**self._on_every_request}
        if request.content_type == FORM:
            headers[hdrs.ACCEPT] = _PLAIN_JSON
        if request.body is not None:
            headers[hdrs.CONTENT_TYPE] = request.content_type
        return headers

    def _head(self, request: Request, target: str, token: Secret | None) -> bytes:
        """Return the request line and the headers of *request*, up to the body."""
        shared, body = self._shared_lines[request.content_type == FORM], request.body
        bearer = "" if token is None else f"Authorization: {token.as_bearer()}\r\n"
        of_body = "Content-Length: 0\r\n" if request.method in _WITH_A_LENGTH else ""
        if body is not None:
            of_body = f"Content-Type: {request.content_type}\r\nContent-Length: {len(body)}\r\n"
        return f"{request.method} {target} HTTP/1.1\r\n{shared}{bearer}{of_body}\r\n".encode()

    def _as_lines(self, accepted: str) -> str:
        """Return the headers of every request that accepts this media type, as they are sent."""
        headers: dict[str, str] = {hdrs.HOST: str(self._server.host_port_subcomponent)}
        headers.update(aiohttp.ClientRequest.DEFAULT_HEADERS.items())
        headers |= {**self._on_every_request, hdrs.ACCEPT: accepted}
        return "".join(f"{name}: {value}\r\n" for name, value in headers.items())

    def _refuse_excess(self, body: bytes, most: int, request: Request) -> None:
        """Raise AnswerTooLargeError for a body of more than *most* bytes, or that would become too much."""
        if len(body) > most:
            refuse_size(f"larger than the limit of {most} bytes, counted after decompression", request)
        if excess := excess_in(body, self._max_answer_elements, "max_answer_elements") or width_in(body):
            refuse_size(excess, request)

    def _failure(self, error: BaseException, request: Request, exchange: Exchange, limits: Timeouts) -> BaseException:
        """Return what to raise for *error*: an error of the package for a foreign one and for silence."""
        place = self.place.via(exchange.proxy)
        if isinstance(error, asyncio.CancelledError):
            silenced = exchange.deadline.stop_listening()
            return read_timed_out(None, request, limits, place) if silenced else error
        if isinstance(error, KajabiError) or not isinstance(error, Exception):
            return error
        failure = _translated(error, request, limits, place)
        if isinstance(failure, ConfigurationError):
            # A closed session is what a forked child has of the client's.
            return self._refusal() or failure
        if isinstance(failure, ConnectionFailedError):
            failure.on_reused_connection = exchange.on_reused and isinstance(error, _BEFORE_THE_ANSWER)
        return failure

    def _refusal(self) -> KajabiError | None:
        """Return why no request may leave now; None if one may."""
        try:
            self._binding.check_open()
        except KajabiError as refusal:
            return refusal
        return None


def _translated(error: Exception, request: Request, limits: Timeouts, place: Place) -> KajabiError:
    for foreign, translate in _TRANSLATIONS:
        if isinstance(error, foreign):
            return translate(error, request, limits, place)
    return broken(error, request, limits, place)


def _connect_within(seconds: float | None) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(sock_connect=seconds)


def _check_handed_in(session: object, base_url: str) -> None:
    if not isinstance(session, aiohttp.ClientSession):
        raise ConfigurationError(f"http_session must be an aiohttp.ClientSession, got {type(session).__name__}")
    check_session(session, base_url)


def _is_aiohttps(method: object) -> bool:
    """Return whether a method of a session class is aiohttp's own, and neither wrapped nor replaced."""
    # A wrapper may have the name, the module's name and even the code of what it wraps.
    return type(method) is FunctionType and method.__globals__ is _MODULE_OF_SESSIONS


def _drop(session: aiohttp.ClientSession, pool: Pool) -> None:
    """Close what a client left open; the warning comes from its session manager, and aiohttp adds none."""
    session.detach()
    if not pool.closed:
        on_loop(pool.event_loop, pool.close_at_once)


async def _read(content: aiohttp.StreamReader, most: int, exchange: Exchange) -> bytes:
    """Return the body, or the part that had come when it grew larger than *most* bytes."""
    pieces: list[bytes] = []
    size = 0
    while size <= most and (piece := await content.readany()):
        pieces.append(piece)
        size += len(piece)
        if content.at_eof():
            break
        exchange.expect_bytes()
    return b"".join(pieces)


def _unpacked_at_most(headers: Mapping[str, str]) -> int:
    """Return the largest body that the compressed length allows, if the answer states it: bombs end early."""
    packed = headers.get(hdrs.CONTENT_LENGTH)
    return sys.maxsize if packed is None else max(_RATIO_COUNTS_FROM_BYTES, int(packed) * _LARGEST_RATIO)


def _cut(error: Any, request: Request, timeouts: Timeouts, place: Place) -> KajabiError:
    if isinstance(error.__cause__, ContentEncodingError):
        return not_decompressed(error, request, timeouts, place)
    return broken(error, request, timeouts, place)


_BEFORE_THE_ANSWER: Final = (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)

_TRANSLATIONS: Final[tuple[tuple[type[Exception], Translate], ...]] = (
    # The most specific first: some are subclasses of those below.
    (aiohttp.ConnectionTimeoutError, connect_timed_out),
    (asyncio.TimeoutError, read_timed_out),
    (aiohttp.ClientConnectorError, never_connected),
    (aiohttp.ClientSSLError, never_connected),
    (aiohttp.ServerFingerprintMismatch, never_connected),
    (aiohttp.ClientHttpProxyError, proxy_refused),
    (aiohttp.InvalidURL, misused),
    (aiohttp.ClientPayloadError, _cut),
    (ContentEncodingError, not_decompressed),
    (HttpProcessingError, no_http),
    (aiohttp.ClientResponseError, no_http),
    (aiohttp.ClientError, broken),
    (OSError, broken),
    (RuntimeError, misused),
    (ValueError, no_http),
)
