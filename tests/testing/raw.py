"""A bare socket: the bytes on the wire, and how the connection ended."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Literal

import attrs

from kajabi_async.testing import FakeKajabi

Ending = Literal["open", "closed", "reset"]


def get(path: str, token: str = "", *, method: str = "GET", body: bytes = b"") -> bytes:
    """Return the bytes of a request."""
    head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
    head += "Content-Type: application/vnd.api+json\r\n" if body else ""
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


@attrs.define
class Line:
    """One connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, request: bytes) -> None:
        self.writer.write(request)
        await self.writer.drain()

    async def answer(self) -> bytes:
        """Return one complete answer with a Content-Length."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        return head + await self.reader.readexactly(length)

    async def rest(self) -> tuple[bytes, Ending]:
        """Return everything until the connection ends, and how it ended."""
        got = b""
        try:
            while piece := await self.reader.read(65536):
                got += piece
        except ConnectionResetError:
            return got, "reset"
        return got, "closed"


@asynccontextmanager
async def line_to(port: int) -> AsyncGenerator[Line]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield Line(reader, writer)
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


def port_of(fake: FakeKajabi) -> int:
    return int(fake.base_url.rpartition(":")[2])


async def exchanged(fake: FakeKajabi, request: bytes) -> tuple[bytes, Ending]:
    """Send one request on its own connection; return the received bytes and how the connection ended."""
    async with line_to(port_of(fake)) as line:
        await line.send(request)
        return await line.rest()


async def hit(fake: FakeKajabi) -> None:
    """Wait until a fault has happened."""
    for _ in range(10_000):
        if fake.injected:
            return
        await asyncio.sleep(0)
    raise AssertionError


def closing(request: bytes) -> bytes:
    """Add ``Connection: close`` to a request."""
    return request.replace(b"Host: x\r\n", b"Host: x\r\nConnection: close\r\n")


def body_of(answer: bytes) -> bytes:
    return answer.partition(b"\r\n\r\n")[2]
