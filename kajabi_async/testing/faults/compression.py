"""Faults of compression: bodies that decompress to far too much, or not at all."""

import gzip
import struct
import zlib
from typing import Any, ClassVar, Final, Literal, get_args

import attrs
from aiohttp import web

from kajabi_async.testing.faults.incident import Fault, Incident
from kajabi_async.testing.replies import JSON_API, Reply

__all__ = ["Bomb", "BrokenCompression", "Coding", "Damage"]

Coding = Literal["gzip", "deflate"]
"""A content coding; ``deflate`` is the zlib format (RFC 9110, section 8.4.1.2)."""

Damage = Literal["not_compressed", "truncated", "checksum"]
"""The damage of a compressed body: it is not compressed at all, its end is missing, or its checksum is wrong."""

_BLOCK: Final = 1 << 20
_GZIP_HEADER: Final = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
_ZLIB_HEADER: Final = b"\x78\xda"
_CHECKSUM_BYTES: Final[dict[Coding, slice]] = {"gzip": slice(-8, -4), "deflate": slice(-4, None)}
_TRUNCATED_BYTES: Final = 12


@attrs.frozen
class Bomb(Fault):
    """A small compressed body that decompresses to a huge JSON document; the request takes no effect."""

    coding: Coding = attrs.field(default="gzip", validator=attrs.validators.in_(get_args(Coding)))
    decoded_bytes: int = 300 * 2**20

    kind: ClassVar[str] = "bomb"

    @property
    def name(self) -> str:
        """``gzip_bomb`` or ``deflate_bomb``."""
        return f"{self.coding}_{self.kind}"

    async def play(self, incident: Incident, /) -> web.StreamResponse:
        """Send a JSON document padded with spaces, one compressed block repeated."""
        reply = Reply(200, content_type=JSON_API, headers={"Content-Encoding": self.coding})
        response = await incident.begin(reply, length=None)
        await response.write(_GZIP_HEADER if self.coding == "gzip" else _ZLIB_HEADER)
        await self._write_blocks(response)
        await response.write_eof()
        return response

    async def _write_blocks(self, response: web.StreamResponse) -> None:
        start, end, padding = b'{"data":[', b"]}", b" " * _BLOCK
        blocks, rest = divmod(max(0, self.decoded_bytes - len(start) - len(end)), _BLOCK)
        packed = _packed(padding)
        sum_up: Any = zlib.crc32 if self.coding == "gzip" else zlib.adler32
        checksum = sum_up(start)
        await response.write(_packed(start))
        for _ in range(blocks):
            await response.write(packed)
            checksum = sum_up(padding, checksum)
        tail = padding[:rest] + end
        checksum = sum_up(tail, checksum)
        size = len(start) + blocks * _BLOCK + len(tail)
        trailer = struct.pack("<II", checksum, size & 0xFFFFFFFF)
        await response.write(
            _packed(tail, is_last=True) + (trailer if self.coding == "gzip" else struct.pack(">I", checksum))
        )


def _packed(data: bytes, *, is_last: bool = False) -> bytes:
    # A full flush ends on a byte boundary and resets the dictionary, so compressed blocks can be repeated.
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush(zlib.Z_FINISH if is_last else zlib.Z_FULL_FLUSH)


@attrs.frozen
class BrokenCompression(Fault):
    """The real answer, declared as compressed, in a body that cannot be decompressed; the request takes effect."""

    coding: Coding = attrs.field(default="gzip", validator=attrs.validators.in_(get_args(Coding)))
    damage: Damage = attrs.field(default="not_compressed", validator=attrs.validators.in_(get_args(Damage)))

    kind: ClassVar[str] = "broken"

    @property
    def name(self) -> str:
        """``broken_gzip`` or ``broken_deflate``."""
        return f"{self.kind}_{self.coding}"

    def damaged(self, body: bytes) -> bytes:
        """Return the bytes to send in place of *body*; never empty."""
        if self.damage == "not_compressed":
            return body or b"{}"
        packed = bytearray(gzip.compress(body, mtime=0) if self.coding == "gzip" else zlib.compress(body))
        if self.damage == "truncated":
            return bytes(packed[: max(1, len(packed) - _TRUNCATED_BYTES)])
        checksum = _CHECKSUM_BYTES[self.coding]
        packed[checksum] = bytes(byte ^ 0xFF for byte in packed[checksum])
        return bytes(packed)

    async def play(self, incident: Incident, /) -> web.StreamResponse:
        """Answer with the damaged body."""
        reply = incident.process()
        headers = {**reply.headers, "Content-Encoding": self.coding}
        return incident.reply(attrs.evolve(reply, body=self.damaged(reply.body), headers=headers))
