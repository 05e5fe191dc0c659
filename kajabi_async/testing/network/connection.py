"""One connection through a FaultProxy: two streams, each with its active toxics."""

import asyncio
from collections import Counter
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, Final, Literal

import attrs

from kajabi_async.testing.network.resets import reset
from kajabi_async.testing.toxics import AppliedToxic, PassOn

__all__ = ["Direction", "ProxiedConnection"]

Direction = Literal["upstream", "downstream"]
"""``upstream`` is from the client to the server, ``downstream`` from the server to the client."""

_READ_BYTES: Final = 65536
_LINGER_SECONDS: Final = 1.0
_WAITING_PIECES: Final = 64
"""The most pieces queued for a toxic before reading stops, so that a slow end slows the other."""


@attrs.define(eq=False)
class _Stream:
    """One direction of a connection."""

    direction: Direction
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    applied: list[AppliedToxic] = attrs.field(factory=list[AppliedToxic])
    pieces: asyncio.Queue[tuple[bytes, float]] = attrs.field(
        factory=lambda: asyncio.Queue[tuple[bytes, float]](_WAITING_PIECES)
    )

    async def read(self) -> None:
        """Queue received pieces with their time of arrival; an empty piece is the end."""
        piece = b"not yet"
        while piece:
            piece = await self.reader.read(_READ_BYTES)
            await self.pieces.put((piece, asyncio.get_running_loop().time()))

    async def write(self, counts: Counter[str]) -> None:
        """Send the queued pieces through the toxics."""

        async def send(piece: bytes) -> None:
            self.writer.write(piece)
            counts[f"bytes_{self.direction}"] += len(piece)
            await self.writer.drain()

        while True:
            piece, arrived_at = await self.pieces.get()
            if not piece:
                break
            through: PassOn = send
            for applied in reversed(self.applied):
                through = _step(applied, arrived_at, through)
            await through(piece)
        for applied in tuple(self.applied):
            await applied.toxic.ending(applied)
        if self.writer.can_write_eof():
            self.writer.write_eof()


def _step(applied: AppliedToxic, arrived_at: float, following: PassOn) -> PassOn:
    async def step(piece: bytes) -> None:
        if applied.removed.is_set():
            await following(piece)
        else:
            await applied.toxic.passing(piece, arrived_at, applied, following)

    return step


async def _read_out(reader: asyncio.StreamReader) -> None:
    while await reader.read(_READ_BYTES):
        pass


class ProxiedConnection:
    """A client's connection and the connection to the server behind it."""

    def __init__(
        self,
        client: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        server: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        counts: Counter[str],
    ) -> None:
        """Join the two connections; ``run`` starts the transfer."""
        self._writers = client[1], server[1]
        self._streams: dict[Direction, _Stream] = {
            "upstream": _Stream("upstream", client[0], server[1]),
            "downstream": _Stream("downstream", server[0], client[1]),
        }
        self._counts = counts
        self._tasks: set[asyncio.Task[None]] = set()
        self._ended = asyncio.Event()

    def apply(self, direction: Direction, applied: AppliedToxic) -> None:
        """Apply a toxic to one direction."""
        self._streams[direction].applied.append(applied)
        self._start(applied.toxic.connected(applied))

    def remove(self, number: int) -> None:
        """Remove one toxic if it is applied to this connection."""
        for stream in self._streams.values():
            for applied in [applied for applied in stream.applied if applied.number == number]:
                stream.applied.remove(applied)
                applied.removed.set()
                applied.toxic.removed(applied)

    async def run(self) -> None:
        """Transfer bytes until both directions have ended or the connection is broken."""
        for stream in self._streams.values():
            self._start(stream.read()).add_done_callback(self._end_if_broken)
        flowing = asyncio.gather(*(self._start(stream.write(self._counts)) for stream in self._streams.values()))
        flowing.add_done_callback(lambda _: self._ended.set())
        try:
            await self._ended.wait()
        finally:
            await self._finish(flowing)

    def _end_if_broken(self, reading: asyncio.Task[None]) -> None:
        if not reading.cancelled() and reading.exception() is not None:
            self._ended.set()

    async def _finish(self, flowing: asyncio.Future[list[None]]) -> None:
        for applied in (applied for stream in self._streams.values() for applied in stream.applied):
            applied.removed.set()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(flowing, *self._tasks, return_exceptions=True)
        self.close()
        await self._linger()
        for writer in self._writers:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _linger(self) -> None:
        # Closing a socket with unread data sends a reset, which may destroy bytes in transit.
        with suppress(TimeoutError):
            async with asyncio.timeout(_LINGER_SECONDS):
                readers = (stream.reader for stream in self._streams.values())
                await asyncio.gather(*map(_read_out, readers), return_exceptions=True)

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        return task

    def close(self) -> None:
        """Close both ends in order; bytes already passed on still arrive."""
        self._ended.set()
        for writer in self._writers:
            with suppress(OSError, RuntimeError):
                writer.write_eof()

    def reset(self) -> None:
        """Reset both ends (RST)."""
        if not self._ended.is_set():
            self._counts["reset"] += 1
        self.cut()

    def cut(self) -> None:
        """Abort both ends at once, without waiting for unread bytes."""
        self._ended.set()
        for writer in self._writers:
            reset(writer.transport)
