"""Small servers on loopback that do what a well-behaved server would not."""

import asyncio
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from kajabi_async.exchange import Request
from kajabi_async.session import ClientCredentials, RetryPolicy, SessionManager, Timeouts

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
GET = Request("GET", "/v1/customers/1", authorized=False)
POST = Request("POST", "/v1/contacts", body=b"{}", authorized=False)
DELETE = Request("DELETE", "/v1/contacts/1", authorized=False)


def answer(body: bytes = b"{}", *, status: str = "200 OK", headers: str = "") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/vnd.api+json\r\n{headers}"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


async def read_request(reader: asyncio.StreamReader) -> bytes:
    """Return one whole request; raise IncompleteReadError if the client is gone."""
    head = await reader.readuntil(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            head += await reader.readexactly(int(line.partition(b":")[2]))
    return head


class RecordingServer:
    """A handler that answers all requests alike, and keeps its connections and what was sent."""

    def __init__(self, sent: bytes) -> None:
        self.seen: list[str] = []
        self.connections = 0
        self.sent = sent

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        while True:
            self.seen.append((await read_request(reader)).decode())
            writer.write(self.sent)


@asynccontextmanager
async def serving(handler: Handler, *, tls: ssl.SSLContext | None = None) -> AsyncGenerator[str]:
    """Serve connections with *handler* and yield the base URL."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handler(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()

    # A connection that finds the queue full is made a second later.
    server = await asyncio.start_server(handle, "127.0.0.1", 0, backlog=1000, ssl=tls)
    try:
        yield f"{'http' if tls is None else 'https'}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


@asynccontextmanager
async def session(base_url: str, **settings: Any) -> AsyncGenerator[SessionManager]:
    """Yield a session without waits between attempts, by default; a test that hangs with it fails."""
    settings.setdefault("credentials", ClientCredentials("id", "secret"))
    settings.setdefault("retry", RetryPolicy(max_attempts=1))
    settings.setdefault("timeouts", Timeouts(total=20.0))
    manager = SessionManager(base_url=base_url, **settings)
    try:
        async with asyncio.timeout(20):
            yield manager
    finally:
        await manager.aclose()
