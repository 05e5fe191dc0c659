"""One request on the wire, one answer back; the only module of the session that knows which HTTP library does it."""

import asyncio
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from contextvars import ContextVar
from functools import partial
from typing import Any, Final
from urllib.parse import urlsplit
from weakref import WeakSet

import aiohttp
from aiohttp import hdrs
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from aiohttp.http_exceptions import ContentEncodingError
from yarl import URL

from kajabi_async.errors import (
    ConfigurationError,
    ConnectionFailedError,
    KajabiError,
)
from kajabi_async.exchange import FORM, JSON_API, Answer, Request
from kajabi_async.jsonapi.limits import excess_in, surely_small, width_in
from kajabi_async.records import Record
from kajabi_async.session.binding import Binding
from kajabi_async.session.credentials import Secret
from kajabi_async.session.failures import (
    Translate,
    broken,
    connect_timed_out,
    misused,
    never_connected,
    no_http,
    not_decompressed,
    read_timed_out,
    refuse_size,
)
from kajabi_async.session.handed_in import check_loop, check_session, sets_user_agent
from kajabi_async.session.limits.deadlines import Deadline, Timeouts
from kajabi_async.session.surplus import await_nothing, bytes_waiting, close_spoiled, watch_idle
from kajabi_async.tracebacks import without_frames

__all__ = ["Transport"]

_KEEP_ALIVE_SECONDS: Final = 15.0
_DNS_CACHE_SECONDS: Final = 300
_LARGEST_RATIO: Final = 200
_RATIO_COUNTS_FROM_BYTES: Final = 2**20


class Transport:
    """The pool, or a session that was handed in, and how its failures are told."""

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
        self._binding = binding
        self._timeouts = timeouts
        self._max_answer_bytes = max_answer_bytes
        self._max_answer_elements = max_answer_elements
        self._surely_small = surely_small(max_answer_elements)
        self._on_every_request: dict[str, str] = {hdrs.ACCEPT: JSON_API, hdrs.USER_AGENT: user_agent}
        self._latest_query = "", URL.build(scheme=self._base.scheme, authority=self._base.netloc)
        self._owned = http_session is None
        self._session = http_session
        self._connector: _Connector | None = None
        if http_session is not None:
            _check_handed_in(http_session, base_url)
            if sets_user_agent(http_session):
                del self._on_every_request[hdrs.USER_AGENT]

    async def send(self, request: Request, token: Secret | None, deadline: Deadline) -> Answer:
        """Return the answer, whatever its status; an error of our own tree if none came or it cannot be read.

        Called in the block of *deadline*, by which the server's silence is limited as well. ClientClosedError, with
        nothing sent, from the moment on that the client begins to close.
        """
        failure: BaseException
        sending = _Sending(deadline, self._timeouts.read)
        before = _SENDING.set(sending)
        deadline.request_left = False
        try:
            session = self._session or self._open()
            options: dict[str, Any] = {} if self._owned else self._foreign_options(session, token)
            response = await session.request(
                request.method,
                self._url(request),
                headers=self._headers(request, token),
                data=request.body,
                allow_redirects=False,
                **options,
            )
            try:
                most = self._max_answer_bytes
                if hdrs.CONTENT_ENCODING in response.headers:
                    most = min(most, _unpacked_at_most(response))
                content = response.content
                # What is small has come along with the head.
                body = content.read_nowait() if content.is_eof() else await _read(content, most, sending)
                if len(body) > min(most, self._surely_small):
                    self._refuse_excess(body, most, request)
                return Answer(response.status, response.headers, body)
            except BaseException:
                response.close()
                raise
        except asyncio.CancelledError as error:
            failure = read_timed_out(None, request, self._timeouts) if deadline.stop_listening() else error
        except KajabiError as error:
            failure = error
        except Exception as error:  # noqa: BLE001 - nothing foreign leaves this module
            failure = self._translated(error, request)
            if isinstance(failure, ConnectionFailedError):
                failure.on_reused_connection = sending.on_reused and isinstance(error, _BEFORE_THE_ANSWER)
        except BaseException as error:  # noqa: BLE001 - raised again below
            failure = error
        finally:
            deadline.stop_listening()
            _SENDING.reset(before)
            if not self._owned and self._session is not None:
                watch_idle(self._session.connector)
        # Raised out here, so that neither a foreign exception nor a frame of aiohttp's, with the headers and the body
        # in its variables, hangs on what leaves, be it a cancellation by the caller or Ctrl-C.
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
            await self._connector.gone()
            self._connector = None

    def abandon(self) -> None:
        """Let go of the pool without a word to the server: it is another process's, or its event loop is no more."""
        session, self._session = self._session, None
        if self._owned and session is not None and self._connector is not None:
            with suppress(RuntimeError):
                # Nothing is closed on an event loop that is; a lookup of the host may complain of that.
                self._connector.close_at_once()
            session.detach()
            self._connector = None

    @property
    def is_open(self) -> bool:
        """Whether there is a pool of our own, of this process, that was not closed."""
        return self._owned and self._session is not None and not self._session.closed

    def _open(self) -> aiohttp.ClientSession:
        self._binding.check_open()
        self._connector = _Connector(self._binding)
        self._session = aiohttp.ClientSession(
            connector=self._connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=self._on_every_request,
            timeout=aiohttp.ClientTimeout(total=None, connect=None, sock_connect=self._timeouts.connect),
            trust_env=False,
            raise_for_status=False,
        )
        return self._session

    def _foreign_options(self, session: Any, token: Secret | None) -> dict[str, Any]:
        """Return what does for a session that was handed in what our own connector does for our own."""
        check_loop(session)
        timeouts = self._timeouts
        theirs = session._middlewares  # noqa: SLF001 - it has no public name
        return {
            "timeout": aiohttp.ClientTimeout(
                total=None, connect=None, sock_connect=timeouts.connect, sock_read=timeouts.read
            ),
            "raise_for_status": False,
            "auto_decompress": True,
            # Theirs are in between: what they send again is their own doing, what aiohttp would send again is not.
            "middlewares": (_SendOnce(), *theirs, self._leaving(session.connector, token)),
        }

    def _leaving(self, connector: object, token: Secret | None) -> aiohttp.ClientMiddlewareType:
        """Return what puts the token on, where neither the session nor a ``.netrc`` puts another in its place."""

        async def leave(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
            self._binding.check_open()
            close_spoiled(connector, request.connection_key)
            request.headers.pop(hdrs.AUTHORIZATION, None)
            if token is not None:
                request.headers[hdrs.AUTHORIZATION] = f"Bearer {token.reveal()}"
            sending = _SENDING.get()
            if sending is not None:
                sending.deadline.request_left = True
            return await handler(request)

        return leave

    def _url(self, request: Request) -> URL:
        # Encoded already: yarl must not undo what was quoted, nor walk up a path.
        query, url = self._latest_query
        if request.query != query:
            base = self._base
            url = URL.build(scheme=base.scheme, authority=base.netloc, query_string=request.query, encoded=True)
            self._latest_query = request.query, url
        return url.with_path(f"{self._base.path}{request.path}", encoded=True, keep_query=True)

    def _headers(self, request: Request, token: Secret | None) -> dict[str, str]:
        """Return the headers besides those that the session has; those of a session that was handed in are not ours."""
        headers: dict[str, str] = {} if self._owned else {**self._on_every_request}
        if token is not None and self._owned:
            # Here and not on the way to the wire: whoever tests with aioresponses looks for it here.
            headers[hdrs.AUTHORIZATION] = f"Bearer {token.reveal()}"
        if request.content_type == FORM:
            headers[hdrs.ACCEPT] = "application/json"
        if request.body is not None:
            headers[hdrs.CONTENT_TYPE] = request.content_type
        return headers

    def _refuse_excess(self, body: bytes, most: int, request: Request) -> None:
        """Raise AnswerTooLargeError for a body of more than *most* bytes, or that would become too much."""
        if len(body) > most:
            refuse_size(f"larger than the limit of {most} bytes, counted after decompression", request)
        if excess := excess_in(body, self._max_answer_elements, "max_answer_elements") or width_in(body):
            refuse_size(excess, request)

    def _translated(self, error: Exception, request: Request) -> KajabiError:
        for foreign, translate in _TRANSLATIONS:
            if isinstance(error, foreign):
                return translate(error, request, self._timeouts)
        return broken(error, request, self._timeouts)


class _Sending(Record, eq=False):
    """One exchange as the pool sees it, and the limit on the server's silence in it."""

    deadline: Deadline
    read_seconds: float | None
    connected: bool = False
    on_reused: bool = False

    def goes_on(self) -> None:
        """Begin to wait for the next bytes, where it is our own pool that they come through."""
        if self.connected and self.read_seconds is not None:
            self.deadline.listen(self.read_seconds)


_SENDING: Final[ContextVar[_Sending | None]] = ContextVar("sending", default=None)


class _Protocol(ResponseHandler):
    """One connection of our own pool. It is closed without waiting: there is nothing left to say to the server."""

    used = False
    """Whether a request has left by it."""

    _bytes_are_there: Callable[[int], object] | None = None

    def has_surplus(self) -> bool:
        """Return whether the server sent anything since its last answer, read already or not; it answers nothing."""
        if self.should_close:
            return True
        if self._bytes_are_there is None:
            self._bytes_are_there = bytes_waiting(self.transport)
        return bool(self._bytes_are_there(0))

    def close(self) -> None:
        """Close at once, whether or not everything was sent."""
        self.abort()


_CONNECTORS: Final["WeakSet[_Connector]"] = WeakSet()


def _after_fork() -> None:
    # Those of the child are copies: to close a connection there would take it out of the parent's event loop as well.
    for connector in _CONNECTORS:
        connector.belongs_to_parent()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


class _Connector(aiohttp.TCPConnector):
    """A pool that knows the exchange it gives a connection to, and gives it no second one.

    aiohttp sends again by itself where a connection breaks. Every attempt is to be ours: counted, bounded by the
    budget, and never one of a write.
    """

    def __init__(self, binding: Binding) -> None:
        super().__init__(  # pyright: ignore[reportUnknownMemberType] - aiohttp's own
            limit=0, ttl_dns_cache=_DNS_CACHE_SECONDS, keepalive_timeout=_KEEP_ALIVE_SECONDS
        )
        self._binding = binding
        # Any: it makes connections of a class of ours.
        self._factory: Any = partial(_Protocol, self._loop)
        self._leaving: Sequence[asyncio.Future[Any]] = ()
        _CONNECTORS.add(self)

    def belongs_to_parent(self) -> None:
        """Note that this is a copy in a forked child, which neither gives nor closes connections."""
        self._closed = True

    async def connect(self, *arguments: Any, **keywords: Any) -> Connection:
        """Return a connection, as the pool does; from then on silence is limited."""
        sending = _SENDING.get()
        if sending is None:
            return await super().connect(*arguments, **keywords)
        if sending.connected:
            raise aiohttp.ServerDisconnectedError
        while True:
            connection = await super().connect(*arguments, **keywords)
            protocol: Any = connection.protocol
            if not protocol.used or not protocol.has_surplus():
                break
            connection.close()
        try:
            # Much may have happened while it was made.
            self._binding.check_open()
        except BaseException:
            connection.close()
            raise
        sending.connected, sending.on_reused = True, protocol.used
        sending.deadline.request_left = protocol.used = True
        if sending.read_seconds is not None:
            sending.deadline.listen(sending.read_seconds)
        return connection

    def _release(self, key: Any, protocol: Any, *, should_close: bool = False) -> None:
        super()._release(key, protocol, should_close=should_close)
        await_nothing(protocol)

    def close_at_once(self) -> None:
        """Close every connection, in use or not; `gone` waits until that is done."""
        self._leaving = [asyncio.ensure_future(each) for each in self._close(abort_ssl=True)]
        for each in self._leaving:
            each.add_done_callback(_retrieved)

    async def gone(self) -> None:
        """Wait until what `close_at_once` closed is closed."""
        if self._leaving:
            await asyncio.wait(self._leaving)
        await self.close()


def _retrieved(done: asyncio.Future[Any]) -> None:
    if not done.cancelled():
        done.exception()


def _check_handed_in(session: object, base_url: str) -> None:
    if not isinstance(session, aiohttp.ClientSession):
        raise ConfigurationError(f"http_session must be an aiohttp.ClientSession, got {type(session).__name__}")
    check_session(session, base_url)


class _SendOnce:
    """A client middleware that lets one send through, for sessions that have a pool of their own."""

    def __init__(self) -> None:
        self._sent = False

    async def __call__(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        if self._sent:
            raise aiohttp.ServerDisconnectedError
        self._sent = True
        return await handler(request)


async def _read(content: aiohttp.StreamReader, most: int, sending: _Sending) -> bytes:
    """Give the body, or what has come of it when it got larger than *most* bytes."""
    pieces: list[bytes] = []
    size = 0
    while size <= most and (piece := await content.readany()):
        pieces.append(piece)
        size += len(piece)
        if content.at_eof():
            break
        sending.goes_on()
    return b"".join(pieces)


def _unpacked_at_most(response: aiohttp.ClientResponse) -> int:
    """Give how large the body may become by what its compressed length allows, where that is told: bombs end early."""
    packed = response.content_length
    return sys.maxsize if packed is None else max(_RATIO_COUNTS_FROM_BYTES, packed * _LARGEST_RATIO)


def _cut(error: Any, request: Request, timeouts: Timeouts) -> KajabiError:
    if isinstance(error.__cause__, ContentEncodingError):
        return not_decompressed(error, request, timeouts)
    return broken(error, request, timeouts)


_BEFORE_THE_ANSWER: Final = (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)

_TRANSLATIONS: Final[tuple[tuple[type[Exception], Translate], ...]] = (
    # The most specific first: some are subclasses of those below.
    (aiohttp.ConnectionTimeoutError, connect_timed_out),
    (asyncio.TimeoutError, read_timed_out),
    (aiohttp.ClientConnectorError, never_connected),
    (aiohttp.ClientSSLError, never_connected),
    (aiohttp.InvalidURL, misused),
    (aiohttp.ClientPayloadError, _cut),
    (ContentEncodingError, not_decompressed),
    (aiohttp.ClientResponseError, no_http),
    (aiohttp.ClientError, broken),
    (OSError, broken),
    (RuntimeError, misused),
    (ValueError, no_http),
)
