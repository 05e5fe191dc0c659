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
from kajabi_async.session.pool import CURRENT, Exchange, close_spoiled

__all__ = ["SessionRoute"]


class SessionRoute:
    """Sends each request once, with the headers, the proxy, the tracers and the middlewares of the session."""

    def __init__(self, binding: Binding, *, handed_in: bool) -> None:
        self._binding = binding
        self._handed_in = handed_in

    async def ask(
        self,
        session: aiohttp.ClientSession,
        request: Request,
        url: URL,
        *,
        headers: dict[str, str],
        token: Secret | None,
        exchange: Exchange,
        timeouts: Timeouts,
    ) -> aiohttp.ClientResponse:
        """Return the answer as soon as its head has come; *headers* are those of the request, without the token's."""
        options: dict[str, Any]
        if self._handed_in:
            options = self._in_place_of_the_pool(session, token, exchange, timeouts)
        else:
            options = {"timeout": aiohttp.ClientTimeout(sock_connect=timeouts.connect)}
            if token is not None:
                # Here and not on the way to the wire: tests with aioresponses look for the token here.
                headers = {**headers, hdrs.AUTHORIZATION: token.as_bearer()}
        outer = CURRENT.set(exchange)
        try:
            return await session.request(
                request.method,
                url,
                headers=headers,
                data=request.body,
                # aiohttp adds a media type to what has no body.
                skip_auto_headers=(hdrs.CONTENT_TYPE,),
                allow_redirects=False,
                **options,
            )
        finally:
            CURRENT.reset(outer)

    def _in_place_of_the_pool(
        self, session: Any, token: Secret | None, exchange: Exchange, timeouts: Timeouts
    ) -> dict[str, Any]:
        """Return the options that replace the work of `Pool` for a session that was handed in."""
        check_loop(session)
        theirs = session._middlewares  # noqa: SLF001 - it has no public name
        return {
            "timeout": aiohttp.ClientTimeout(sock_connect=timeouts.connect, sock_read=timeouts.read),
            "raise_for_status": False,
            "auto_decompress": True,
            # The session's own are in between: they may send again, but aiohttp may not.
            "middlewares": (_SendOnce(), *theirs, self._leaving(session.connector, token, exchange)),
        }

    def _leaving(self, connector: object, token: Secret | None, exchange: Exchange) -> aiohttp.ClientMiddlewareType:
        """Return the last middleware: it sets the token after the session and ``.netrc`` have set theirs."""

        async def leave(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
            self._binding.check_open()
            close_spoiled(connector, request.connection_key)
            request.headers.pop(hdrs.AUTHORIZATION, None)
            if token is not None:
                request.headers[hdrs.AUTHORIZATION] = token.as_bearer()
            exchange.deadline.request_left = True
            exchange.proxy = request.proxy
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
