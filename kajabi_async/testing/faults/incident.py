"""The base class of faults, and the incident that a fault handles: one request and the ways to answer it."""

import asyncio
from abc import ABC, abstractmethod
from contextlib import suppress
from random import Random
from typing import ClassVar, Final, Protocol

import attrs
from aiohttp import web

from kajabi_async.operations import OPERATIONS
from kajabi_async.testing.network.resets import reset
from kajabi_async.testing.oauth import TokenDesk
from kajabi_async.testing.recorded import RecordedRequest
from kajabi_async.testing.replies import Reply
from kajabi_async.testing.server_clock import ServerClock
from kajabi_async.testing.state import Store

__all__ = ["Fault", "Incident", "RealAnswer", "checked_target", "pause", "sent"]

_POLL_SECONDS: Final = 0.25


class RealAnswer(Protocol):
    """A function that processes a request and returns its real answer."""

    def __call__(self, *, rows_before: int = 0) -> Reply:
        """Answer the request; a list begins with the last *rows_before* rows of the preceding page."""
        ...


def sent(reply: Reply, clock: ServerClock) -> web.Response:
    """Return a response with ``reply``, dated by ``clock``."""
    return web.Response(status=reply.status, body=reply.body or None, headers=_dated(reply, clock))


async def pause(seconds: float, closing: asyncio.Event) -> None:
    """Wait ``seconds``, at most until the fake is ``closing``."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await closing.wait()


def _dated(reply: Reply, clock: ServerClock) -> dict[str, str]:
    return {"Date": clock.http_date(), **reply.all_headers}


@attrs.frozen
class Incident:
    """One request hit by a fault."""

    request: web.BaseRequest
    record: RecordedRequest
    process: RealAnswer
    seed: str
    """The seed of ``random``: from the plan's seed and the request, so that equal requests draw equal numbers."""
    clock: ServerClock
    tokens: TokenDesk
    store: Store
    closing: asyncio.Event

    @property
    def random(self) -> Random:
        """A new random number generator, with the same numbers for the same seed."""
        return Random(self.seed)  # noqa: S311 - nothing here is a secret

    @property
    def access_token(self) -> str:
        """The bearer token of the request; empty without one."""
        return self.record.headers.get("authorization", "").partition(" ")[2].strip()

    def reply(self, reply: Reply) -> web.Response:
        """Return a response with ``reply``."""
        return sent(reply, self.clock)

    def answered(self) -> web.Response:
        """Answer the request and return the response."""
        return self.reply(self.process())

    async def begin(self, reply: Reply, *, length: int | None) -> web.StreamResponse:
        """Send the headers of ``reply``, with ``length`` as Content-Length; None for chunked encoding."""
        response = web.StreamResponse(status=reply.status, headers=_dated(reply, self.clock))
        if length is None:
            response.enable_chunked_encoding()
        else:
            response.content_length = length
        await response.prepare(self.request)
        return response

    async def pause(self, seconds: float) -> None:
        """Wait ``seconds``, at most until the fake is closed."""
        await pause(seconds, self.closing)

    async def wait_for_the_end(self) -> None:
        """Wait until the fake is closed or the client disconnects."""
        # aiohttp has no event for a disconnect, but clears the transport.
        while self.request.transport is not None and not self.closing.is_set():
            await self.pause(_POLL_SECONDS)

    def close(self) -> None:
        """Close the connection in order (FIN); bytes already written still arrive."""
        if self.request.transport is not None:
            self.request.transport.close()

    def cut(self) -> None:
        """Abort the connection."""
        if self.request.transport is not None:
            self.request.transport.abort()

    async def reset(self) -> None:
        """Reset the connection (RST) after all written bytes are sent."""
        transport = self.request.transport
        if transport is None:
            return
        # With a limit of 0, drain() returns only when every byte is sent.
        transport.set_write_buffer_limits(high=0)
        with suppress(ConnectionError):
            await self.request.writer.drain()
        reset(transport)


class Fault(ABC):
    """An effect on a request, instead of or around its processing.

    A custom fault is a subclass with a ``kind`` and a ``play``::

        class Teapot(Fault):
            kind = "teapot"

            async def play(self, incident):
                return incident.reply(Reply(418, b"short and stout", "text/plain"))
    """

    __slots__ = ()

    kind: ClassVar[str] = "fault"
    """The kind, part of ``name``."""

    @property
    def name(self) -> str:
        """The name counted in ``FakeKajabi.injected``: the kind, unless the settings make it another."""
        return self.kind

    def fits(self, record: RecordedRequest) -> bool:
        """Return whether this fault can hit a request; otherwise it waits for the next one."""
        del record
        return True

    @abstractmethod
    async def play(self, incident: Incident, /) -> web.StreamResponse:
        """Return the faulty response, or break the connection."""


def checked_target(target: str | None) -> str | None:
    """Return ``target``; ValueError for an unknown operation, because such a fault would never happen."""
    if target is not None and not target.startswith("/") and target not in OPERATIONS:
        raise ValueError(f"no such operation: {target!r}; a path starts with a slash")
    return target
