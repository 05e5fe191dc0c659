"""What a fault is, and what it is given: one request, and all that can be done to it."""

import asyncio
from abc import ABC, abstractmethod
from contextlib import suppress
from random import Random
from typing import ClassVar, Final, Protocol

import attrs
from aiohttp import web

from kajabi_async.operations import OPERATIONS
from kajabi_async.testing.answers import Reply
from kajabi_async.testing.network.resets import reset
from kajabi_async.testing.oauth import TokenDesk
from kajabi_async.testing.records import RecordedRequest
from kajabi_async.testing.server_clock import ServerClock
from kajabi_async.testing.store import Store

__all__ = ["Fault", "Incident", "Process", "checked_target", "sent"]

_LOOK_AGAIN: Final = 0.25


class Process(Protocol):
    """Lets a request take effect, and gives the real answer to it."""

    def __call__(self, *, rows_before: int = 0) -> Reply:
        """Process the request; a list begins with *rows_before* more rows, the last of the page before."""
        ...


def sent(reply: Reply, clock: ServerClock) -> web.Response:
    """Make the response that sends *reply*, dated by *clock*."""
    return web.Response(status=reply.status, body=reply.body or None, headers=_dated(reply, clock))


def _dated(reply: Reply, clock: ServerClock) -> dict[str, str]:
    return {"Date": clock.http_date(), **reply.all_headers}


@attrs.frozen
class Incident:
    """One request that a fault happens to."""

    request: web.BaseRequest
    record: RecordedRequest
    process: Process
    seed: str
    """What ``random`` grows from: the plan's seed and the request, so that the same request draws the same."""
    clock: ServerClock
    tokens: TokenDesk
    store: Store
    closing: asyncio.Event

    @property
    def random(self) -> Random:
        """A new source of numbers, the same each time for the same seed."""
        return Random(self.seed)  # noqa: S311 - nothing here is a secret

    @property
    def access_token(self) -> str:
        """The bearer token that came with the request; empty where there was none."""
        return self.record.headers.get("authorization", "").partition(" ")[2].strip()

    def reply(self, reply: Reply) -> web.Response:
        """Make the response that sends *reply*."""
        return sent(reply, self.clock)

    def answered(self) -> web.Response:
        """Let the request take effect and make the response to it."""
        return self.reply(self.process())

    async def begin(self, reply: Reply, *, length: int | None) -> web.StreamResponse:
        """Send the headers of *reply*, promising *length* bytes, or in chunks for None."""
        begun = web.StreamResponse(status=reply.status, headers=_dated(reply, self.clock))
        if length is None:
            begun.enable_chunked_encoding()
        else:
            begun.content_length = length
        await begun.prepare(self.request)
        return begun

    async def pause(self, seconds: float) -> None:
        """Wait, at most until the fake is closed."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.closing.wait()

    async def wait_for_the_end(self) -> None:
        """Wait until the fake is closed or the client has gone."""
        # The library tells nobody that a client has gone, but takes the connection away.
        while self.request.transport is not None and not self.closing.is_set():
            await self.pause(_LOOK_AGAIN)

    def close(self) -> None:
        """Close the connection, as a server does that ends: what was written still arrives (FIN)."""
        if self.request.transport is not None:
            self.request.transport.close()

    def cut(self) -> None:
        """Break the connection at once."""
        if self.request.transport is not None:
            self.request.transport.abort()

    async def reset(self) -> None:
        """Break the connection with a reset (RST), after what was written has left."""
        transport = self.request.transport
        if transport is None:
            return
        # No byte may wait, so that draining means that all of them have left.
        transport.set_write_buffer_limits(high=0)
        with suppress(ConnectionError):
            await self.request.writer.drain()
        reset(transport)


class Fault(ABC):
    """What happens to a request instead of, or around, its being processed.

    A fault of your own is a subclass with a ``kind`` and a ``play``::

        class Teapot(Fault):
            kind = "teapot"

            async def play(self, incident):
                return incident.reply(Reply(418, b"short and stout", "text/plain"))
    """

    __slots__ = ()

    kind: ClassVar[str] = "fault"
    """What it is counted as in ``FakeKajabi.injected``."""

    @property
    def name(self) -> str:
        """What this one is counted as; the kind, where its settings make no other of it."""
        return self.kind

    def fits(self, record: RecordedRequest) -> bool:
        """Tell whether this fault can happen to a request; one that cannot waits for the next request."""
        del record
        return True

    @abstractmethod
    async def play(self, incident: Incident, /) -> web.StreamResponse:
        """Answer, or not, the way the fault says."""


def checked_target(target: str | None) -> str | None:
    """Give *target* back; ValueError for a name that is no operation, since such a fault would never happen."""
    if target is not None and not target.startswith("/") and target not in OPERATIONS:
        raise ValueError(f"no such operation: {target!r}; a path starts with a slash")
    return target
