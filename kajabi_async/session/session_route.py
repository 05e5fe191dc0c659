"""Requests that an aiohttp session sends: one that was handed in, or the client's own while something watches it."""

from typing import Any

import aiohttp
from aiohttp import hdrs
from yarl import URL

from kajabi_async.exchange import Request
from kajabi_async.session.binding import Binding
from kajabi_async.session.credentials import Secret
from kajabi_async.session.handed_in import check_loop
from kajabi_async.session.limits.deadlines import Timeouts
from kajabi_async.session.pool import Exchange, PooledRequest, close_spoiled

__all__ = ["SessionRoute"]


class SessionRoute:
    """Sends each request once by a session, with the session's own headers, proxy, tracers and middlewares."""

    def __init__(self, origin: str, binding: Binding, *, handed_in: bool) -> None:
        self._origin = origin
        self._binding = binding
        self._handed_in = handed_in

    async def ask(
        self,
        session: aiohttp.ClientSession,
        request: Request,
        *,
        target: str,
        headers: dict[str, str],
        token: Secret | None,
        exchange: Exchange,
        timeouts: Timeouts,
    ) -> aiohttp.ClientResponse:
        """Return the answer as soon as its head has come."""
        check_loop(session)
        if token is not None and not self._handed_in:
            # Tests with aioresponses look for it here. A session that was handed in may have a .netrc to replace it.
            headers = {**headers, hdrs.AUTHORIZATION: f"Bearer {token.reveal()}"}
        theirs: Any = session
        return await session.request(
            request.method,
            # Already encoded: yarl must neither unquote nor normalize it.
            URL(f"{self._origin}{target}", encoded=True),
            headers=headers,
            data=request.body,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(sock_connect=timeouts.connect, sock_read=timeouts.read),
            raise_for_status=False,
            auto_decompress=True,
            # The session's own are in between: they may send again, but aiohttp may not.
            middlewares=(
                _SendOnce(),
                *theirs._middlewares,  # noqa: SLF001 - it has no public name
                self._leaving(session.connector, token, exchange),
            ),
        )

    def _leaving(self, connector: object, token: Secret | None, exchange: Exchange) -> aiohttp.ClientMiddlewareType:
        """Return the last middleware: it sets the token after the session and ``.netrc`` have set theirs."""

        async def leave(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
            self._binding.check_open()
            close_spoiled(connector, request.connection_key)
            request.headers.pop(hdrs.AUTHORIZATION, None)
            if token is not None:
                request.headers[hdrs.AUTHORIZATION] = f"Bearer {token.reveal()}"
            exchange.deadline.request_left = True
            exchange.proxy = request.proxy
            if isinstance(request, PooledRequest):
                request.exchange = exchange
            return await handler(request)

        return leave


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
