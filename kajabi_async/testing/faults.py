"""Faults on order: answers that are wrong, late, cut off or far too big, for one operation or for all.

A fault is for one operation (by its name in ``kajabi_async.operations``), for one path, or for everything, the token
endpoint included; and for a number of requests, or for good.
"""

import asyncio
import struct
import zlib
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, Protocol, get_args

import attrs
from aiohttp import web

from kajabi_async.operations import OPERATIONS
from kajabi_async.testing.answers import JSON_API, PLAIN_JSON, Reply, encoded, error_reply
from kajabi_async.testing.records import RecordedRequest

__all__ = [
    "Canned",
    "Cut",
    "DropTime",
    "Failure",
    "Fault",
    "GzipBomb",
    "Incident",
    "Silence",
    "canned_reply",
    "checked_drop_time",
    "checked_target",
    "sent",
]

DropTime = Literal["before", "after_processing", "after_headers", "mid_body"]
"""When a connection is cut: before the request is looked at; after it took effect but before a byte of the answer;
after the headers; in the middle of the body."""

_BLOCK: Final = 1 << 20
_GZIP_HEADER: Final = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"


@attrs.frozen
class Incident:
    """One request that a fault happens to."""

    request: web.BaseRequest
    record: RecordedRequest
    process: Callable[[], Reply]
    """Lets the request take effect, and gives the real answer to it."""

    def cut(self) -> None:
        """Break the connection."""
        if self.request.transport is not None:
            self.request.transport.abort()


class Fault(Protocol):
    """What happens to a request instead of, or around, its being processed."""

    async def play(self, incident: Incident, /) -> web.StreamResponse:
        """Answer, or not, the way the fault says."""
        ...


def checked_target(target: str | None) -> str | None:
    """Give *target* back; ValueError for a name that is no operation, since such a fault would never happen."""
    if target is not None and not target.startswith("/") and target not in OPERATIONS:
        raise ValueError(f"no such operation: {target!r}; a path starts with a slash")
    return target


def checked_drop_time(when: DropTime) -> DropTime:
    """Give *when* back; ValueError for one that is none."""
    if when not in get_args(DropTime):
        raise ValueError(f"no such time to drop a connection: {when!r}; known are {', '.join(get_args(DropTime))}")
    return when


def sent(reply: Reply) -> web.Response:
    """Make the response that sends *reply*."""
    return web.Response(status=reply.status, body=reply.body or None, headers=reply.all_headers)


@attrs.frozen
class Failure:
    """An error answer in place of the real one; nothing takes effect."""

    status: int
    headers: Mapping[str, str]
    body: bytes | str | dict[str, Any] | None

    async def play(self, incident: Incident, /) -> web.StreamResponse:
        """Answer with the status and the body, or with the body the API would send for the status."""
        if self.body is not None:
            reply = canned_reply(self.status, self.body, None, self.headers)
        elif (incident.record.operation or "").startswith("oauth."):
            reply = Reply(self.status, encoded({"error": "Something went wrong"}), PLAIN_JSON, self.headers)
        else:
            reply = attrs.evolve(error_reply(self.status, "A fault on order."), headers=self.headers)
        return sent(reply)


@attrs.frozen
class Canned:
    """One fixed answer in place of the real one; nothing takes effect and no token is asked for."""

    reply: Reply

    async def play(self, _incident: Incident, /) -> web.StreamResponse:
        """Answer with it."""
        return sent(self.reply)


@attrs.frozen
class Cut:
    """A connection that breaks."""

    when: DropTime

    async def play(self, incident: Incident, /) -> web.StreamResponse:
        """Cut the connection; all but the earliest cut come after the request took effect."""
        if self.when == "before":
            incident.cut()
            return web.Response()
        response = sent(incident.process())
        if self.when == "after_processing":
            incident.cut()
            return response
        return await self._begun(incident, response)

    async def _begun(self, incident: Incident, response: web.Response) -> web.StreamResponse:
        body = response.body if isinstance(response.body, bytes) else b""
        begun = web.StreamResponse(status=response.status, headers=response.headers)
        # One byte more than there will be, so that the answer is cut even where it has no body.
        begun.content_length = len(body) + 1
        await begun.prepare(incident.request)
        await begun.write(body[: len(body) // 2] if self.when == "mid_body" else b"")
        incident.cut()
        return begun


@attrs.frozen
class Silence:
    """No answer until the fake is closed."""

    closing: asyncio.Event

    async def play(self, incident: Incident, /) -> web.StreamResponse:
        """Wait for the end."""
        await self.closing.wait()
        incident.cut()
        return web.Response()


@attrs.frozen
class GzipBomb:
    """A small compressed body that unpacks to a huge one."""

    decoded_bytes: int

    async def play(self, incident: Incident, /) -> web.StreamResponse:
        """Send a JSON document padded with spaces, packed once and repeated."""
        headers = {"Content-Type": JSON_API, "Content-Encoding": "gzip"}
        response = web.StreamResponse(headers=headers)
        await response.prepare(incident.request)
        await response.write(_GZIP_HEADER)
        await self._write_blocks(response)
        await response.write_eof()
        return response

    async def _write_blocks(self, response: web.StreamResponse) -> None:
        start, end, padding = b'{"data":[', b"]}", b" " * _BLOCK
        blocks, rest = divmod(max(0, self.decoded_bytes - len(start) - len(end)), _BLOCK)
        packed = _packed(padding)
        checksum = zlib.crc32(start)
        await response.write(_packed(start))
        for _ in range(blocks):
            await response.write(packed)
            checksum = zlib.crc32(padding, checksum)
        tail = padding[:rest] + end
        checksum = zlib.crc32(tail, checksum)
        size = len(start) + blocks * _BLOCK + len(tail)
        await response.write(_packed(tail, is_last=True) + struct.pack("<II", checksum, size & 0xFFFFFFFF))


def _packed(data: bytes, *, is_last: bool = False) -> bytes:
    # A full flush ends on a byte and forgets what came before, so that packed blocks can be repeated.
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush(zlib.Z_FINISH if is_last else zlib.Z_FULL_FLUSH)


def canned_reply(
    status: int,
    body: bytes | str | dict[str, Any] | list[Any] | None,
    content_type: str | None,
    headers: Mapping[str, str],
) -> Reply:
    """Make a reply of *body*: bytes as they are, text in UTF-8, anything else as JSON."""
    if body is None:
        return Reply(status, b"", content_type, headers)
    if isinstance(body, str):
        body = body.encode()
    payload = body if isinstance(body, bytes) else encoded(body)
    return Reply(status, payload, content_type or JSON_API, headers)
