"""The connection pool: aiohttp's connector and connections, and what aiohttp does not do by itself.

- `PooledConnection` notices what a server sends unasked while the connection is idle: the next request must not take it
  for its answer.
- `Pool.ask` sends a request over one of its connections and reads the head of the answer. An `aiohttp.ClientSession`
  works out for each request what is the same for all requests of a client, and sends again by itself when a connection
  breaks. `Pool.ask` does neither: every attempt is counted, and no write is repeated.
- Idle connections wait in the pool for the next `Pool.ask`, that of the latest answer first, so that those not needed
  any more are closed. The connector, in which aiohttp keeps them, gets them when a session asks for one.
- The fork hook keeps a forked child from closing its copies: that would take the connections out of the event loop of
  the parent, which shares the selector.
"""

import asyncio
import errno
import os
import select
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextvars import ContextVar
from functools import partial
from time import monotonic
from typing import Any, Final
from weakref import WeakSet, ref

import aiohttp
from aiohttp import hdrs
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from aiohttp.http import HttpResponseParser
from aiohttp.http_exceptions import HttpProcessingError
from multidict import CIMultiDictProxy
from yarl import URL

from kajabi_async.exchange import Request
from kajabi_async.session.binding import Binding
from kajabi_async.session.limits.deadlines import Deadline
from kajabi_async.structs import Struct

__all__ = ["CURRENT", "Exchange", "Pool", "Reply", "close_spoiled", "ignore_surplus"]

_KEEP_ALIVE_SECONDS: Final = 15.0
_DNS_CACHE_SECONDS: Final = 300

_SENT_AT_ONCE_BYTES: Final = 16 * 1024
"""Up to this size a body goes into the buffer of the socket, which is empty: the request before it was answered."""

_PARSES_IN_C: Final = HttpResponseParser.__module__ == "aiohttp._http_parser"
"""Whether aiohttp parses answers in C: such a parser says whether it is in the middle of one."""

_HUNG_UP: Final = os.strerror(errno.ECONNRESET)

_INFORMATIONAL: Final = frozenset(range(100, 200)) - {101}
"""Statuses of interim answers, which the real answer follows."""


class Exchange(Struct):
    """One request and its answer as the pool sees them."""

    deadline: Deadline
    read_seconds: float | None
    """The limit on the silence of the server."""
    connected: bool = False
    """Whether it has a connection of our own pool."""
    on_reused: bool = False
    """Whether another request had used that connection before."""
    proxy: Any = None
    """The URL of the proxy on the way, of a session that was handed in; None without one."""
    connection: "PooledConnection | None" = None
    """The connection that `Pool.ask` uses for it, up to the end of the answer."""

    def goes_over(self, connection: "PooledConnection") -> None:
        """Note the connection of the request; from then on the silence of the server is limited."""
        self.connected, self.on_reused = True, connection.used
        self.deadline.request_left = connection.used = True
        self.expect_bytes()

    def expect_bytes(self) -> None:
        """Restart the limit on silence, if the bytes come through our own pool."""
        if self.connected and self.read_seconds is not None:
            self.deadline.listen(self.read_seconds)


CURRENT: Final[ContextVar[Exchange | None]] = ContextVar("exchange", default=None)
"""The exchange that a session sends a request for; aiohttp passes nothing of the caller's to the connector."""


class PooledConnection(ResponseHandler):
    """One connection of our own pool. It is closed without a goodbye: nothing is left to send."""

    used = False
    """Whether a request has used it."""
    idle_since = 0.0
    """The moment when its last answer had come, on the monotonic clock."""

    _bytes_waiting: Callable[[int], object] | None = None
    _spare_parser: Any = None
    """The parser of the answer before, ready for the next one: making one takes longer than parsing a small answer."""

    def expect_answer(self, *, to_head: bool) -> None:
        """Parse what comes next as an answer; one to a HEAD request has no body."""
        parser, self._spare_parser = self._spare_parser, None
        if parser is None or to_head:
            self.set_response_params(read_until_eof=True, skip_payload=to_head)
        else:
            self._parser = parser

    def keep_parser(self, *, chunked: bool) -> None:
        """Keep the parser, which has parsed a whole answer; if it has got more, the connection cannot be kept.

        That of a *chunked* answer would take a trailer of it for a header of the next one.
        """
        if not _PARSES_IN_C or self._skip_payload or self._parser is None:
            return
        if not _is_between_answers(self._parser):
            self.force_close()
        elif not chunked:
            self._spare_parser = self._parser

    def rest(self) -> None:
        """Parse nothing: bytes that come while the connection is idle are kept where `should_close` looks."""
        self._parser = None
        self.idle_since = monotonic()

    def drop_parser(self) -> None:
        """Drop the parser that was kept: a session sets up one of its own."""
        self._spare_parser = None

    def connection_lost(self, exc: BaseException | None) -> None:
        """End what waits for the connection. The parser leads back to it: with both, garbage would be left."""
        self._spare_parser = None
        super().connection_lost(exc)

    def has_surplus(self) -> bool:
        """Return whether the server has sent anything since its last answer, read already or not."""
        if self.should_close:
            return True
        if self._bytes_waiting is None:
            self._bytes_waiting = _bytes_waiting(self.transport)
        return bool(self._bytes_waiting(0))

    def resume_reading(self, resume_parser: bool = True) -> None:
        """Go on reading if that was paused; aiohttp tries to after each body."""
        if self._reading_paused or self._buffer_paused:
            super().resume_reading(resume_parser)

    def close(self) -> None:
        """Close at once, whether or not everything was sent."""
        self.abort()


class Reply(Struct):
    """An answer of which only the head was read; when its *content* ends, its connection is free, or closed."""

    status: int
    headers: CIMultiDictProxy[str]
    content: aiohttp.StreamReader
    _exchange: Exchange
    _pool: "Pool"

    def close(self) -> None:
        """Close the connection, unless it is free already."""
        self._pool.drop(self._exchange)


_POOLS: Final["WeakSet[Pool]"] = WeakSet()


def _after_fork() -> None:
    for pool in _POOLS:
        pool.belongs_to_parent()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


# Bound here, as every request calls both: before Python 3.12 each `super()` costs more than the call.
_connect: Final[Callable[..., Awaitable[Connection]]] = aiohttp.TCPConnector.connect
_release: Final[Callable[..., None]] = aiohttp.TCPConnector._release  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - it is extended below


class Pool(aiohttp.TCPConnector):
    """The connections of one client."""

    def __init__(self, binding: Binding, server: URL) -> None:
        super().__init__(  # pyright: ignore[reportUnknownMemberType] - aiohttp's own
            limit=0, ttl_dns_cache=_DNS_CACHE_SECONDS, keepalive_timeout=_KEEP_ALIVE_SECONDS
        )
        self._binding = binding
        self.is_copy = False
        """Whether this is the copy in a forked child."""
        # Any: it makes connections of our class.
        self._factory: Any = partial(PooledConnection, self._loop)
        self._closing: Sequence[asyncio.Future[Any]] = ()
        # It stands for every request: the connector asks it for the server. It is never sent.
        self._any_request = aiohttp.ClientRequest(hdrs.METH_GET, server, loop=self._loop)
        self._key = self._any_request.connection_key
        self._idle: deque[PooledConnection] = deque()
        """The idle connections, the latest last."""
        self._idle_timer: asyncio.TimerHandle | None = None
        _POOLS.add(self)

    def belongs_to_parent(self) -> None:
        """Note that this is a copy in a forked child, which neither hands out nor closes connections."""
        self._closed = self.is_copy = True

    @property
    def event_loop(self) -> asyncio.AbstractEventLoop:
        """The loop of the connections."""
        return self._loop

    def __del__(self, _: object = None) -> None:
        """Do nothing: the client warns and closes, where aiohttp would warn once more."""

    async def connect(self, req: Any, traces: Any, timeout: Any) -> Connection:
        """Return a connection for a session's request; ServerDisconnectedError if the current exchange has had one."""
        exchange = CURRENT.get()
        if exchange is None:
            return await super().connect(req, traces, timeout)
        if exchange.connected:
            raise aiohttp.ServerDisconnectedError
        self._hand_over_idle()
        connection = await self._connected(req, traces, timeout)
        protocol: Any = connection.protocol
        exchange.goes_over(protocol)
        return connection

    async def ask(self, request: Request, head: bytes, exchange: Exchange, timeout: aiohttp.ClientTimeout) -> Reply:
        """Send *request*, which begins with *head*, and return its answer as soon as the head of that has come."""
        connection = self._idle_connection()
        if connection is None:
            connection = await self._new_connection(timeout)
        exchange.connection = connection
        try:
            body = request.body
            connection.expect_answer(to_head=request.method == hdrs.METH_HEAD)
            exchange.goes_over(connection)
            transport: Any = connection.transport
            transport.write(head if body is None else head + body)
            message, content = await connection.read()
            while message.code in _INFORMATIONAL:
                message, content = await connection.read()
            body_size = 0 if body is None else len(body)
            if content.is_eof():
                connection.keep_parser(chunked=message.chunked)
                self._answered(exchange, body_size)
            else:
                content.on_eof(partial(self._answered, exchange, body_size))
        except BaseException:
            self.drop(exchange)
            raise
        return Reply(message.code, message.headers, content, exchange, self)

    def drop(self, exchange: Exchange) -> None:
        """Close the connection of *exchange*, if it still has one."""
        connection, exchange.connection = exchange.connection, None
        if connection is not None:
            self._release(self._key, connection, should_close=True)

    def _answered(self, exchange: Exchange, body_size: int) -> None:
        """Keep the connection of *exchange*, if it still has one that can be used again."""
        connection = exchange.connection
        if (
            connection is None
            or self._closed
            or connection.should_close
            or (body_size and not _is_sent(connection, body_size))
        ):
            self.drop(exchange)
            return
        exchange.connection = None
        connection.rest()
        self._idle.append(connection)
        if self._idle_timer is None:
            self._arm_idle_timer(_KEEP_ALIVE_SECONDS)

    def _idle_connection(self) -> PooledConnection | None:
        """Return the connection that has been idle for the shortest time, if one can be used."""
        while self._idle and not self._closed:
            connection = self._idle.pop()
            is_fresh = monotonic() - connection.idle_since <= _KEEP_ALIVE_SECONDS
            if is_fresh and connection.is_connected() and not connection.has_surplus():
                return connection
            self._release(self._key, connection, should_close=True)
        return None

    def _hand_over_idle(self) -> None:
        """Leave the idle connections to the connector, where a session looks for them."""
        while self._idle:
            connection = self._idle.popleft()
            connection.drop_parser()
            idle_since, is_good = connection.idle_since, connection.is_connected() and not connection.should_close
            self._release(self._key, connection, should_close=not is_good)
            if is_good:
                # aiohttp would count from now on.
                self._conns[self._key][-1] = connection, idle_since

    async def _new_connection(self, timeout: aiohttp.ClientTimeout) -> PooledConnection:
        try:
            connection: Any = await self._connected(self._any_request, [], timeout)
        except TimeoutError as error:
            raise aiohttp.ConnectionTimeoutError from error
        protocol: PooledConnection = connection.protocol
        # Else it would be closed with this object.
        connection._protocol = None  # noqa: SLF001 - it has no public name
        return protocol

    def _arm_idle_timer(self, seconds: float) -> None:
        self._idle_timer = self._loop.call_later(seconds, _idle_timer_went_off, ref(self))

    def close_idle(self) -> None:
        """Close the connections that have been idle for too long."""
        self._idle_timer = None
        oldest = monotonic() - _KEEP_ALIVE_SECONDS
        while self._idle and self._idle[0].idle_since <= oldest:
            self._release(self._key, self._idle.popleft(), should_close=True)
        if self._idle:
            self._arm_idle_timer(self._idle[0].idle_since - oldest)

    async def _connected(self, req: Any, traces: Any, timeout: Any) -> Connection:
        """Return a connection of the connector that can be used."""
        while True:
            connection = await _connect(self, req, traces, timeout)
            protocol: Any = connection.protocol
            if not protocol.used or not protocol.has_surplus():
                break
            connection.close()
        if self._closed or not protocol.is_connected():
            # The client was closed while the connection was made, the process was forked, or the server hung up.
            connection.close()
            self._binding.check_open()
            raise aiohttp.ClientConnectorError(req.connection_key, ConnectionResetError(errno.ECONNRESET, _HUNG_UP))
        return connection

    def _release(self, key: Any, protocol: Any, *, should_close: bool = False) -> None:
        _release(self, key, protocol, should_close=should_close)
        protocol.rest()

    def close_at_once(self) -> None:
        """Close every connection, in use or not; `closed_at_last` waits until that is done."""
        self._idle.clear()
        if self._idle_timer is not None:
            self._idle_timer.cancel()
        self._closing = [asyncio.ensure_future(each) for each in self._close()]
        for each in self._closing:
            each.add_done_callback(_retrieve)

    async def closed_at_last(self) -> None:
        """Wait until everything that `close_at_once` closed is closed."""
        if self._closing:
            await asyncio.wait(self._closing)
        await self.close()


def _idle_timer_went_off(pool: "ref[Any]") -> None:
    found: Pool | None = pool()
    if found is not None:
        found.close_idle()


def _is_between_answers(parser: Any) -> bool:
    """Return whether *parser*, which has parsed an answer, has got nothing after it."""
    try:
        return parser.feed_eof() is None
    except HttpProcessingError:
        return False


def _is_sent(connection: PooledConnection, size: int) -> bool:
    """Return whether a body of *size* bytes was sent for certain.

    Another request must not wait behind the rest: the server has answered, and may read no further.
    """
    transport: Any = connection.transport
    # What is encrypted waits in a transport below that of TLS, which has no public name.
    is_encrypted = transport is not None and transport.get_extra_info("sslcontext") is not None
    unsent = transport is None or transport.get_write_buffer_size()
    return not unsent and not (is_encrypted and size > _SENT_AT_ONCE_BYTES)


def ignore_surplus(connector: Any) -> None:
    """Keep surplus bytes, not parsed, on the idle connections last returned to a *connector* handed in."""
    for idle in getattr(connector, "_conns", {}).values():
        for protocol, _ in reversed(idle):
            if protocol._parser is None:  # noqa: SLF001 - it has no public name
                break
            protocol._parser = None  # noqa: SLF001


def close_spoiled(connector: Any, key: object) -> None:
    """Close the idle connections of a *connector* handed in on which surplus bytes have come."""
    for protocol, _ in getattr(connector, "_conns", {}).get(key, ()):
        if not protocol.should_close and not _bytes_waiting(protocol.transport)(0):
            # The one that aiohttp takes next.
            return
        protocol.close()


def _bytes_waiting(transport: Any) -> Callable[[int], object]:
    """Return a function that returns, called with 0, whether unread bytes have come for *transport*.

    It always says no on a system without `select.poll`.
    """
    socket = None if transport is None else transport.get_extra_info("socket")
    descriptor = -1 if socket is None else socket.fileno()
    if descriptor < 0 or not hasattr(select, "poll"):
        return _no_bytes
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return poll.poll


def _no_bytes(_: int) -> None:
    return


def _retrieve(done: asyncio.Future[Any]) -> None:
    if not done.cancelled():
        done.exception()
