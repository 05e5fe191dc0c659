"""The connection pool: aiohttp's connector, connections and requests, and what aiohttp does not do by itself.

- `Pool` allows each exchange one connection and never a second: aiohttp retries by itself when a connection breaks, but
  every attempt has to be counted, bounded by the retry budget, and never a repeated write.
- `PooledConnection` notices what a server sends unasked while the connection is idle: the next request must not take
  it for its answer.
- `PooledRequest` spares each request what is the same for all requests of a client: its headers and its server.
- `CURRENT` leads from the connector to the exchange, as aiohttp passes nothing of the caller's to `connect`.
- The fork hook keeps a forked child from closing its copies: that would take the connections out of the event loop of
  the parent, which shares the selector.
"""

import asyncio
import os
import select
from collections.abc import Awaitable, Callable, Sequence
from contextvars import ContextVar
from functools import partial
from typing import Any, Final
from weakref import WeakSet

import aiohttp
from aiohttp import hdrs
from aiohttp.client_proto import ResponseHandler
from aiohttp.client_reqrep import ConnectionKey
from aiohttp.connector import Connection
from multidict import CIMultiDict

from kajabi_async.session.binding import Binding
from kajabi_async.session.limits.deadlines import Deadline
from kajabi_async.structs import Struct

__all__ = ["CURRENT", "Exchange", "Pool", "PooledRequest", "close_spoiled", "ignore_surplus"]

_KEEP_ALIVE_SECONDS: Final = 15.0
_DNS_CACHE_SECONDS: Final = 300


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
"""The exchange of the running task; set for as long as its request is sent and its answer read."""


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

    def close(self) -> None:
        """Close at once, whether or not everything was sent."""
        self.abort()


_MERGED: Final[type[CIMultiDict[str]]] = CIMultiDict
"""The class of the headers that a session hands to its requests."""


class PooledRequest(aiohttp.ClientRequest):
    """A request of our own session, which has one server and sets every header: neither is worked out again."""

    pool_key: ConnectionKey | None = None
    """The key of the connections to that server; None until one request has worked it out."""

    @property
    def connection_key(self) -> ConnectionKey:
        """The key under which the pool keeps the connections that can carry this request."""
        return super().connection_key if self.pool_key is None else self.pool_key

    def update_headers(self, headers: Any) -> None:
        """Take the *headers* that the session has merged as they are; aiohttp copies them one by one."""
        if type(headers) is _MERGED and hdrs.HOST in headers:
            self.headers = headers
        else:
            super().update_headers(headers)

    def update_auto_headers(self, skip_auto_headers: Any) -> None:
        """Add the headers that every request needs, unless the session has set them."""
        if skip_auto_headers is not None or hdrs.ACCEPT_ENCODING not in self.headers:
            super().update_auto_headers(skip_auto_headers)


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

    def __init__(self, binding: Binding) -> None:
        super().__init__(  # pyright: ignore[reportUnknownMemberType] - aiohttp's own
            limit=0, ttl_dns_cache=_DNS_CACHE_SECONDS, keepalive_timeout=_KEEP_ALIVE_SECONDS
        )
        self._binding = binding
        self.is_copy = False
        """Whether this is the copy in a forked child."""
        # Any: it makes connections of our class.
        self._factory: Any = partial(PooledConnection, self._loop)
        self._closing: Sequence[asyncio.Future[Any]] = ()
        # Of the one server that the pool has connections to.
        self._key: ConnectionKey | None = None
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
        """Return a connection for the current exchange; from then on the silence of the server is limited."""
        exchange = CURRENT.get()
        if exchange is None:
            return await super().connect(req, traces, timeout)
        if exchange.connected:
            raise aiohttp.ServerDisconnectedError
        if self._key is None:
            self._key = req.connection_key
        req.pool_key = self._key
        while True:
            connection = await _connect(self, req, traces, timeout)
            protocol: Any = connection.protocol
            if not protocol.used or not protocol.has_surplus():
                break
            connection.close()
        if self._closed:
            # The client was closed while the connection was made, or the process was forked.
            connection.close()
            self._binding.check_open()
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
