"""One request on the wire, one answer back; the only module of the session that knows which HTTP library does it."""

import asyncio
import sys
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Final, NoReturn
from urllib.parse import urlsplit

import aiohttp
from aiohttp import hdrs
from aiohttp.connector import Connection
from aiohttp.http_exceptions import ContentEncodingError
from multidict import CIMultiDict
from yarl import URL

from kajabi_async.errors import (
    AnswerTooLargeError,
    ConfigurationError,
    ConnectionFailedError,
    DecodeError,
    KajabiError,
    RequestTimeoutError,
    TransportError,
)
from kajabi_async.exchange import FORM, JSON_API, Answer, Request
from kajabi_async.jsonapi.limits import excess_in, width_in
from kajabi_async.records import Record
from kajabi_async.session.credentials import Secret
from kajabi_async.session.deadlines import Deadline
from kajabi_async.session.timeouts import Timeouts

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
        timeouts: Timeouts,
        max_answer_bytes: int,
        max_answer_elements: int,
        user_agent: str,
        http_session: aiohttp.ClientSession | None = None,
    ) -> None:
        self._base = urlsplit(base_url)
        self._timeouts = timeouts
        self._max_answer_bytes = max_answer_bytes
        self._max_answer_elements = max_answer_elements
        self._on_every_request = {hdrs.ACCEPT: JSON_API, hdrs.USER_AGENT: user_agent}
        self._latest_query = "", URL.build(scheme=self._base.scheme, authority=self._base.netloc)
        self._owned = http_session is None
        self._session = http_session
        self._token_of_pool: Secret | None = None

    async def send(self, request: Request, token: Secret | None, deadline: Deadline) -> Answer:
        """Give the answer, whatever its status; an error of our own tree where none came or it cannot be read.

        Called in the block of *deadline*, by which the server's silence is limited as well.
        """
        failure: KajabiError
        sending = _Sending(deadline, self._timeouts.read)
        before = _SENDING.set(sending)
        try:
            options: dict[str, Any] = {} if self._owned else self._foreign_options()
            session = self._session or self._open()
            response = await session.request(
                request.method,
                self._url(request),
                headers=self._headers(request, token, session),
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
                if len(body) > most:
                    _refuse(f"larger than the limit of {most} bytes, counted after decompression", request)
                if excess := excess_in(body, self._max_answer_elements, "max_answer_elements") or width_in(body):
                    _refuse(excess, request)
                return Answer(response.status, response.headers, body)
            except BaseException:
                response.close()
                raise
        except KajabiError:
            raise
        except asyncio.CancelledError:
            if not deadline.stop_listening():
                raise
            failure = _read_timed_out(None, request, self._timeouts)
        except Exception as error:  # noqa: BLE001 - nothing foreign leaves this module
            failure = self._translated(error, request)
            if isinstance(failure, ConnectionFailedError):
                failure.on_reused_connection = sending.on_reused and isinstance(error, _BEFORE_THE_ANSWER)
        finally:
            deadline.stop_listening()
            _SENDING.reset(before)
        # Raised out here, so that no foreign exception, with the headers in its frames, hangs on ours.
        raise failure

    async def aclose(self) -> None:
        """Close the pool; a session that was handed in is left as it is."""
        session, self._session = self._session, None if self._owned else self._session
        if self._owned and session is not None:
            await session.close()

    @property
    def is_open(self) -> bool:
        """Whether there is a pool of our own that was not closed."""
        return self._owned and self._session is not None

    def _open(self) -> aiohttp.ClientSession:
        self._session = aiohttp.ClientSession(
            connector=_Connector(limit=0, ttl_dns_cache=_DNS_CACHE_SECONDS, keepalive_timeout=_KEEP_ALIVE_SECONDS),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=self._on_every_request,
            timeout=aiohttp.ClientTimeout(total=None, connect=None, sock_connect=self._timeouts.connect),
            trust_env=False,
            raise_for_status=False,
        )
        return self._session

    def _foreign_options(self) -> dict[str, Any]:
        """Give what does for a session that was handed in what our own connector does for our own."""
        timeouts = self._timeouts
        return {
            "timeout": aiohttp.ClientTimeout(
                total=None, connect=None, sock_connect=timeouts.connect, sock_read=timeouts.read
            ),
            "middlewares": (_SendOnce(),),
        }

    def _url(self, request: Request) -> URL:
        # Encoded already: yarl must not undo what was quoted, nor walk up a path.
        query, url = self._latest_query
        if request.query != query:
            base = self._base
            url = URL.build(scheme=base.scheme, authority=base.netloc, query_string=request.query, encoded=True)
            self._latest_query = request.query, url
        return url.with_path(f"{self._base.path}{request.path}", encoded=True, keep_query=True)

    def _headers(
        self, request: Request, token: Secret | None, session: aiohttp.ClientSession
    ) -> CIMultiDict[str] | None:
        """Give the headers besides those that *session* has; our own pool has the token as well, as long as it lasts.

        To be called right before the request, which takes a copy of those.
        """
        if self._owned:
            if token is not self._token_of_pool:
                self._token_of_pool = token
                _authorize(session.headers, token)
            if request.body is None and request.content_type == JSON_API:
                return None
            headers: CIMultiDict[str] = CIMultiDict()
        else:
            headers = CIMultiDict(self._on_every_request)
            _authorize(headers, token)
        if request.content_type == FORM:
            headers[hdrs.ACCEPT] = "application/json"
        if request.body is not None:
            headers[hdrs.CONTENT_TYPE] = request.content_type
        return headers

    def _translated(self, error: Exception, request: Request) -> KajabiError:
        for foreign, translate in _TRANSLATIONS:
            if isinstance(error, foreign):
                return translate(error, request, self._timeouts)
        return _broken(error, request, self._timeouts)


def _authorize(headers: CIMultiDict[str], token: Secret | None) -> None:
    if token is None:
        headers.pop(hdrs.AUTHORIZATION, None)
    else:
        headers[hdrs.AUTHORIZATION] = f"Bearer {token.reveal()}"


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


class _Connector(aiohttp.TCPConnector):
    """A pool that knows the exchange it gives a connection to, and gives it no second one.

    aiohttp sends again by itself where a connection breaks. Every attempt is to be ours: counted, bounded by the
    budget, and never one of a write.
    """

    async def connect(self, *arguments: Any, **keywords: Any) -> Connection:
        """Give a connection, as the pool does; from then on silence is limited."""
        sending = _SENDING.get()
        if sending is None:
            return await super().connect(*arguments, **keywords)
        if sending.connected:
            raise aiohttp.ServerDisconnectedError
        connection = await super().connect(*arguments, **keywords)
        used = vars(connection.protocol)
        sending.connected, sending.on_reused = True, _USED in used
        used[_USED] = True
        if sending.read_seconds is not None:
            sending.deadline.listen(sending.read_seconds)
        return connection


_USED: Final = "used_by_kajabi_async"


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


def _refuse(excess: str, request: Request) -> NoReturn:
    raise AnswerTooLargeError(excess, context=f"{request.method} {request.path}")


def _unpacked_at_most(response: aiohttp.ClientResponse) -> int:
    """Give how large the body may become by what its compressed length allows, where that is told: bombs end early."""
    packed = response.content_length
    return sys.maxsize if packed is None else max(_RATIO_COUNTS_FROM_BYTES, packed * _LARGEST_RATIO)


Translate = Callable[[Any, Request, Timeouts], KajabiError]


def _never_connected(error: Any, request: Request, _: Timeouts) -> TransportError:
    reason = getattr(error, "strerror", None) or type(error).__name__
    failure = ConnectionFailedError(f"could not connect: {reason}", method=request.method, path=request.path)
    failure.never_sent = True
    return failure


def _broken(error: Any, request: Request, _: Timeouts) -> TransportError:
    message = f"the connection broke before the whole answer had come ({type(error).__name__})"
    return ConnectionFailedError(message, method=request.method, path=request.path)


def _no_http(_: Any, request: Request, __: Timeouts) -> TransportError:
    return ConnectionFailedError("the answer was not HTTP", method=request.method, path=request.path)


def _not_decompressed(_: Any, request: Request, __: Timeouts) -> KajabiError:
    return DecodeError("the compressed body cannot be decompressed", context=f"{request.method} {request.path}")


def _cut(error: Any, request: Request, timeouts: Timeouts) -> KajabiError:
    if isinstance(error.__cause__, ContentEncodingError):
        return _not_decompressed(error, request, timeouts)
    return _broken(error, request, timeouts)


def _connect_timed_out(_: Any, request: Request, timeouts: Timeouts) -> TransportError:
    return RequestTimeoutError(
        f"no connection within {timeouts.connect} s",
        phase="connect",
        seconds=timeouts.connect,
        method=request.method,
        path=request.path,
    )


def _read_timed_out(_: Any, request: Request, timeouts: Timeouts) -> TransportError:
    return RequestTimeoutError(
        f"nothing came for {timeouts.read} s",
        phase="read",
        seconds=timeouts.read,
        method=request.method,
        path=request.path,
    )


def _misused(error: Any, _: Request, __: Timeouts) -> KajabiError:
    return ConfigurationError(f"the HTTP session cannot be used: {error}")


_BEFORE_THE_ANSWER: Final = (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)

_TRANSLATIONS: Final[tuple[tuple[type[Exception], Translate], ...]] = (
    # The most specific first: some are subclasses of those below.
    (aiohttp.ConnectionTimeoutError, _connect_timed_out),
    (asyncio.TimeoutError, _read_timed_out),
    (aiohttp.ClientConnectorError, _never_connected),
    (aiohttp.ClientSSLError, _never_connected),
    (aiohttp.InvalidURL, _misused),
    (aiohttp.ClientPayloadError, _cut),
    (ContentEncodingError, _not_decompressed),
    (aiohttp.ClientResponseError, _no_http),
    (aiohttp.ClientError, _broken),
    (OSError, _broken),
    (RuntimeError, _misused),
    (ValueError, _no_http),
)
