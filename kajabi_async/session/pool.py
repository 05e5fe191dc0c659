"""The connection pool: aiohttp's connector and connections, and what aiohttp does not do by itself.

- `PooledConnection` notices what a server sends unasked while the connection is idle: the next request must not take
  it for its answer.
- `Pool.ask` sends a request over one of its connections and reads the head of the answer. An `aiohttp.ClientSession`
  works out for each request what is the same for all requests of a client, and sends again by itself when a connection
  breaks. `Pool.ask` does neither: every attempt is counted, and no write is repeated.
- The fork hook keeps a forked child from closing its copies: that would take the connections out of the event loop of
  the parent, which shares the selector.
"""

import asyncio
import errno
import os
import select
from collections.abc import Awaitable, Callable, Sequence
from contextvars import ContextVar
from functools import cached_property, partial
from typing import Any, Final
from weakref import WeakSet

import aiohttp
from aiohttp import hdrs
from aiohttp.client_proto import ResponseHandler
from aiohttp.client_reqrep import ConnectionKey
from aiohttp.connector import Connection
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

    _bytes_waiting: Callable[[int], object] | None = None

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
    _connection: Connection

    def close(self) -> None:
        """Close the connection, unless it is free already."""
        self._connection.close()


class _AnyRequest(aiohttp.ClientRequest):
    """Stands for every request of a pool: aiohttp's connector asks it for the server. It is never sent."""

    @cached_property
    def connection_key(self) -> ConnectionKey:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The key of the connections to the server."""
        return super().connection_key


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
        self._any_request = _AnyRequest(hdrs.METH_GET, server, loop=self._loop)
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
        return await self._connected(exchange, req, traces, timeout)

    async def ask(self, request: Request, head: bytes, exchange: Exchange, timeout: aiohttp.ClientTimeout) -> Reply:
        """Send *request*, which begins with *head*, and return its answer as soon as the head of that has come."""
        try:
            connection = await self._connected(exchange, self._any_request, [], timeout)
        except TimeoutError as error:
            raise aiohttp.ConnectionTimeoutError from error
        try:
            protocol: Any = connection.protocol
            body = request.body
            protocol.set_response_params(read_until_eof=True, skip_payload=request.method == hdrs.METH_HEAD)
            protocol.transport.write(head if body is None else head + body)
            message, content = await protocol.read()
            while message.code in _INFORMATIONAL:
                message, content = await protocol.read()
            content.on_eof(connection.release if body is None else partial(_release_if_sent, connection, len(body)))
        except BaseException:
            connection.close()
            raise
        return Reply(message.code, message.headers, content, connection)

    async def _connected(self, exchange: Exchange, req: Any, traces: Any, timeout: Any) -> Connection:
        """Return a connection for *exchange*; from then on the silence of the server is limited."""
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
        exchange.connected, exchange.on_reused = True, protocol.used
        exchange.deadline.request_left = protocol.used = True
        if exchange.read_seconds is not None:
            exchange.deadline.listen(exchange.read_seconds)
        return connection

    def _release(self, key: Any, protocol: Any, *, should_close: bool = False) -> None:
        _release(self, key, protocol, should_close=should_close)
        # Without a parser, bytes that come while the connection is idle are kept where `should_close` looks.
        protocol._parser = None  # noqa: SLF001 - it has no public name

    def close_at_once(self) -> None:
        """Close every connection, in use or not; `closed_at_last` waits until that is done."""
        self._closing = [asyncio.ensure_future(each) for each in self._close()]
        for each in self._closing:
            each.add_done_callback(_retrieve)

    async def closed_at_last(self) -> None:
        """Wait until everything that `close_at_once` closed is closed."""
        if self._closing:
            await asyncio.wait(self._closing)
        await self.close()


def _release_if_sent(connection: Connection, size: int) -> None:
    """Release *connection*, or close it if a part of a body of *size* bytes may still wait to be sent.

    Another request must not wait behind that: the server has answered, and may read no further.
    """
    transport = connection.transport
    # What is encrypted waits in a transport below that of TLS, which has no public name.
    is_encrypted = transport is not None and transport.get_extra_info("sslcontext") is not None
    if transport is None or transport.get_write_buffer_size() or (is_encrypted and size > _SENT_AT_ONCE_BYTES):
        connection.close()
    else:
        connection.release()


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
