"""The effects of a FaultProxy on the bytes that pass it, named as in Toxiproxy.

=============================  =====================================================================
``latency``                    every byte arrives later: ``Latency(seconds, jitter)``
``down``                       the port is closed, open connections are cut: ``Down()``
``bandwidth``                  a limited number of bytes a second: ``Bandwidth(bytes_per_second)``
``slow_close``                 the end of a stream arrives later: ``SlowClose(seconds)``
``timeout``                    bytes vanish, then the connection closes: ``Timeout(seconds)``
``reset_peer``                 the connection is reset: ``ResetPeer(seconds)``
``slicer``                     bytes arrive in small pieces: ``Slicer(average, variation, pause)``
``limit_data``                 the connection closes after a number of bytes: ``LimitData(bytes)``
=============================  =====================================================================

Times are in seconds (Toxiproxy: milliseconds), sizes in bytes.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from random import Random
from typing import Any, ClassVar, Final, Protocol

import attrs

__all__ = [
    "AppliedToxic",
    "Bandwidth",
    "Breakable",
    "Down",
    "Latency",
    "LimitData",
    "PassOn",
    "ResetPeer",
    "Slicer",
    "SlowClose",
    "Timeout",
    "Toxic",
]

_TICKS_PER_SECOND: Final = 20


def _not_negative(instance: "Toxic", attribute: "attrs.Attribute[Any]", value: Any) -> None:
    if value < 0:
        raise ValueError(f"{instance.kind}: {attribute.name} is at least 0, not {value}")


def _positive(instance: "Toxic", attribute: "attrs.Attribute[Any]", value: Any) -> None:
    if value <= 0:
        raise ValueError(f"{instance.kind}: {attribute.name} is more than 0, not {value}")


PassOn = Callable[[bytes], Awaitable[None]]
"""A function that passes bytes to the next toxic, or to the other end."""


class Breakable(Protocol):
    """The part of a proxied connection that toxics use."""

    def close(self) -> None:
        """Close both ends in order; bytes already passed on still arrive."""

    def reset(self) -> None:
        """Reset both ends (RST)."""


@attrs.define(eq=False)
class AppliedToxic:
    """One toxic applied to one direction of one connection."""

    toxic: "Toxic"
    number: int
    """Its number in the order of addition to the proxy, from 1."""
    connection: Breakable
    random: Random
    """Seeded with the proxy's seed, the number of the connection and the number of the toxic."""
    removed: asyncio.Event = attrs.field(factory=asyncio.Event)
    """Set when the toxic is removed or the connection ends."""
    passed: int = 0
    """The number of bytes passed on so far, counted by the toxic."""

    async def wait(self, seconds: float | None) -> bool:
        """Wait ``seconds``, None for ever; return True if the toxic was removed before."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.removed.wait()
        return self.removed.is_set()


class Toxic:
    """An effect on a connection; a custom toxic overrides the hooks that it needs.

    The hooks are awaited one after another for each piece of data, so that no piece overtakes another.
    """

    __slots__ = ()

    kind: ClassVar[str] = "toxic"
    """The name in Toxiproxy."""

    async def connected(self, applied: AppliedToxic) -> None:
        """Run beside the transfer, from the connection's start or from when the toxic is added."""

    async def passing(self, piece: bytes, arrived_at: float, applied: AppliedToxic, pass_on: PassOn) -> None:
        """Pass ``piece`` on, modified or delayed; ``arrived_at`` is a time of the loop's clock."""
        del arrived_at, applied
        await pass_on(piece)

    async def ending(self, applied: AppliedToxic) -> None:
        """Wait until the end of the stream may be passed on."""

    def removed(self, applied: AppliedToxic) -> None:
        """Undo the effect on the connection when the toxic is removed."""


@attrs.frozen
class Latency(Toxic):
    """Every byte arrives ``seconds`` later, plus or minus ``jitter``; order and throughput stay the same."""

    seconds: float = attrs.field(validator=_not_negative)
    jitter: float = attrs.field(default=0.0, validator=_not_negative)

    kind: ClassVar[str] = "latency"

    async def passing(self, piece: bytes, arrived_at: float, applied: AppliedToxic, pass_on: PassOn) -> None:
        """Delay the piece."""
        delay = self.seconds + applied.random.uniform(-self.jitter, self.jitter)
        left = arrived_at + delay - asyncio.get_running_loop().time()
        if left > 0:
            await applied.wait(left)
        await pass_on(piece)


@attrs.frozen
class Down(Toxic):
    """The port is closed: new connections are refused, open ones are reset. The direction does not matter."""

    kind: ClassVar[str] = "down"

    async def connected(self, applied: AppliedToxic) -> None:
        """Reset the connection."""
        applied.connection.reset()


@attrs.frozen
class Bandwidth(Toxic):
    """A limit of bytes per second on each connection."""

    bytes_per_second: float = attrs.field(validator=_positive)

    kind: ClassVar[str] = "bandwidth"

    async def passing(self, piece: bytes, arrived_at: float, applied: AppliedToxic, pass_on: PassOn) -> None:
        """Pass on the bytes of a twentieth of a second at a time."""
        del arrived_at
        size = max(1, int(self.bytes_per_second / _TICKS_PER_SECOND))
        for start in range(0, len(piece), size):
            part = piece[start : start + size]
            await applied.wait(len(part) / self.bytes_per_second)
            await pass_on(part)


@attrs.frozen
class SlowClose(Toxic):
    """The end of a stream arrives ``seconds`` later."""

    seconds: float = attrs.field(validator=_not_negative)

    kind: ClassVar[str] = "slow_close"

    async def ending(self, applied: AppliedToxic) -> None:
        """Delay the end."""
        await applied.wait(self.seconds)


@attrs.frozen
class Timeout(Toxic):
    """No byte passes; the connection is closed after ``seconds``, or with 0 when the toxic is removed.

    Bytes received meanwhile are lost, so the connection cannot continue afterwards.
    """

    seconds: float = attrs.field(default=0.0, validator=_not_negative)

    kind: ClassVar[str] = "timeout"

    async def connected(self, applied: AppliedToxic) -> None:
        """Close the connection after the time."""
        if self.seconds > 0 and not await applied.wait(self.seconds):
            applied.connection.close()

    async def passing(self, piece: bytes, arrived_at: float, applied: AppliedToxic, pass_on: PassOn) -> None:
        """Discard the piece."""

    def removed(self, applied: AppliedToxic) -> None:
        """Close the connection."""
        applied.connection.close()


@attrs.frozen
class ResetPeer(Toxic):
    """The connection is reset at both ends, ``seconds`` after its start or the addition of the toxic."""

    seconds: float = attrs.field(default=0.0, validator=_not_negative)

    kind: ClassVar[str] = "reset_peer"

    async def connected(self, applied: AppliedToxic) -> None:
        """Reset the connection after the time."""
        if not await applied.wait(self.seconds):
            applied.connection.reset()


@attrs.frozen
class Slicer(Toxic):
    """Bytes arrive in pieces of ``average_bytes``, give or take ``variation_bytes``, and pauses after each."""

    average_bytes: int = attrs.field(validator=_positive)
    variation_bytes: int = attrs.field(default=0, validator=_not_negative)
    pause: float = attrs.field(default=0.0, validator=_not_negative)

    kind: ClassVar[str] = "slicer"

    def slices(self, piece: bytes, random: Random) -> Iterator[bytes]:
        """Yield the slices of ``piece``."""
        start = 0
        while start < len(piece):
            size = self.average_bytes + random.randint(-self.variation_bytes, self.variation_bytes)
            end = start + max(1, size)
            yield piece[start:end]
            start = end

    async def passing(self, piece: bytes, arrived_at: float, applied: AppliedToxic, pass_on: PassOn) -> None:
        """Pass on the slices."""
        del arrived_at
        for part in self.slices(piece, applied.random):
            await pass_on(part)
            await applied.wait(self.pause)


@attrs.frozen
class LimitData(Toxic):
    """The connection is closed, in order, after ``limit_bytes``."""

    limit_bytes: int = attrs.field(validator=_not_negative)

    kind: ClassVar[str] = "limit_data"

    async def passing(self, piece: bytes, arrived_at: float, applied: AppliedToxic, pass_on: PassOn) -> None:
        """Pass on bytes up to the limit, then close the connection."""
        del arrived_at
        allowed = piece[: max(0, self.limit_bytes - applied.passed)]
        applied.passed += len(allowed)
        if allowed:
            await pass_on(allowed)
        if applied.passed >= self.limit_bytes:
            applied.connection.close()
