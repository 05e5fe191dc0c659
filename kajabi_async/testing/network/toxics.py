"""What a FaultProxy does to the bytes that pass it, named as Toxiproxy names it."""

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


def _more_than_none(instance: "Toxic", attribute: "attrs.Attribute[Any]", value: Any) -> None:
    if value <= 0:
        raise ValueError(f"{instance.kind}: {attribute.name} is more than 0, not {value}")


PassOn = Callable[[bytes], Awaitable[None]]
"""Hands bytes to the next toxic, or to the other end."""


class Breakable(Protocol):
    """A proxied connection, as far as toxics may touch it."""

    def close(self) -> None:
        """Close both ends in order; what was passed on still arrives."""

    def reset(self) -> None:
        """Reset both ends (RST)."""


@attrs.define(eq=False)
class AppliedToxic:
    """One toxic at work on one direction of one connection."""

    toxic: "Toxic"
    number: int
    """As which the proxy was given it, from 1."""
    connection: Breakable
    random: Random
    """Grown from the proxy's seed, the number of the connection and that of the toxic."""
    removed: asyncio.Event = attrs.field(factory=asyncio.Event)
    """Set when the toxic is taken away or the connection ends."""
    passed: int = 0
    """How many bytes have been passed on so far; the toxic counts."""

    async def wait(self, seconds: float | None) -> bool:
        """Wait for so long, None for ever; True where the toxic was removed before."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.removed.wait()
        return self.removed.is_set()


class Toxic:
    """What happens to a connection; a toxic of your own overrides what it needs.

    The hooks are awaited while the bytes wait, in their order, so that none overtakes another.
    """

    __slots__ = ()

    kind: ClassVar[str] = "toxic"
    """Its name in Toxiproxy."""

    async def connected(self, applied: AppliedToxic) -> None:
        """Start with a connection, beside what passes: on connecting, or when the toxic is added."""

    async def passing(self, piece: bytes, arrived_at: float, applied: AppliedToxic, pass_on: PassOn) -> None:
        """Pass *piece* on, changed or late; *arrived_at* is a time of the loop's clock."""
        del arrived_at, applied
        await pass_on(piece)

    async def ending(self, applied: AppliedToxic) -> None:
        """Return when the end of the stream may be passed on."""

    def removed(self, applied: AppliedToxic) -> None:
        """Leave the connection as it should be without the toxic."""


@attrs.frozen
class Latency(Toxic):
    """Every byte arrives *seconds* later, *jitter* more or less; streams keep their order and their speed."""

    seconds: float = attrs.field(validator=_not_negative)
    jitter: float = attrs.field(default=0.0, validator=_not_negative)

    kind: ClassVar[str] = "latency"

    async def passing(self, piece: bytes, arrived_at: float, applied: AppliedToxic, pass_on: PassOn) -> None:
        """Hold the piece until its time has come."""
        delay = self.seconds + applied.random.uniform(-self.jitter, self.jitter)
        left = arrived_at + delay - asyncio.get_running_loop().time()
        if left > 0:
            await applied.wait(left)
        await pass_on(piece)


@attrs.frozen
class Down(Toxic):
    """Nobody listens: new connections are refused, open ones are cut. Its direction does not matter."""

    kind: ClassVar[str] = "down"

    async def connected(self, applied: AppliedToxic) -> None:
        """Cut the connection."""
        applied.connection.reset()


@attrs.frozen
class Bandwidth(Toxic):
    """At most so many bytes a second pass, on each connection."""

    bytes_per_second: float = attrs.field(validator=_more_than_none)

    kind: ClassVar[str] = "bandwidth"

    async def passing(self, piece: bytes, arrived_at: float, applied: AppliedToxic, pass_on: PassOn) -> None:
        """Pass on what a twentieth of a second allows, again and again."""
        del arrived_at
        size = max(1, int(self.bytes_per_second / _TICKS_PER_SECOND))
        for start in range(0, len(piece), size):
            part = piece[start : start + size]
            await applied.wait(len(part) / self.bytes_per_second)
            await pass_on(part)


@attrs.frozen
class SlowClose(Toxic):
    """The end of a stream arrives *seconds* after it came."""

    seconds: float = attrs.field(validator=_not_negative)

    kind: ClassVar[str] = "slow_close"

    async def ending(self, applied: AppliedToxic) -> None:
        """Hold the end."""
        await applied.wait(self.seconds)


@attrs.frozen
class Timeout(Toxic):
    """Nothing passes; the connection is closed after *seconds*, or for 0 when the toxic is removed.

    What came meanwhile is lost, so that a connection can never go on after it.
    """

    seconds: float = attrs.field(default=0.0, validator=_not_negative)

    kind: ClassVar[str] = "timeout"

    async def connected(self, applied: AppliedToxic) -> None:
        """Close when the time is over."""
        if self.seconds > 0 and not await applied.wait(self.seconds):
            applied.connection.close()

    async def passing(self, piece: bytes, arrived_at: float, applied: AppliedToxic, pass_on: PassOn) -> None:
        """Lose the piece."""

    def removed(self, applied: AppliedToxic) -> None:
        """Close the connection."""
        applied.connection.close()


@attrs.frozen
class ResetPeer(Toxic):
    """The connection is reset at both ends, *seconds* after it was made or the toxic was added."""

    seconds: float = attrs.field(default=0.0, validator=_not_negative)

    kind: ClassVar[str] = "reset_peer"

    async def connected(self, applied: AppliedToxic) -> None:
        """Reset when the time is over."""
        if not await applied.wait(self.seconds):
            applied.connection.reset()


@attrs.frozen
class Slicer(Toxic):
    """Bytes arrive in pieces of *average_bytes*, *variation_bytes* more or less, with *pause* seconds after each."""

    average_bytes: int = attrs.field(validator=_more_than_none)
    variation_bytes: int = attrs.field(default=0, validator=_not_negative)
    pause: float = attrs.field(default=0.0, validator=_not_negative)

    kind: ClassVar[str] = "slicer"

    def slices(self, piece: bytes, random: Random) -> Iterator[bytes]:
        """Cut *piece* up."""
        start = 0
        while start < len(piece):
            size = self.average_bytes + random.randint(-self.variation_bytes, self.variation_bytes)
            end = start + max(1, size)
            yield piece[start:end]
            start = end

    async def passing(self, piece: bytes, arrived_at: float, applied: AppliedToxic, pass_on: PassOn) -> None:
        """Pass on slice after slice."""
        del arrived_at
        for part in self.slices(piece, applied.random):
            await pass_on(part)
            await applied.wait(self.pause)


@attrs.frozen
class LimitData(Toxic):
    """The connection is closed, in order, when so many bytes have passed."""

    limit_bytes: int = attrs.field(validator=_not_negative)

    kind: ClassVar[str] = "limit_data"

    async def passing(self, piece: bytes, arrived_at: float, applied: AppliedToxic, pass_on: PassOn) -> None:
        """Pass on what is left of the limit."""
        del arrived_at
        allowed = piece[: max(0, self.limit_bytes - applied.passed)]
        applied.passed += len(allowed)
        if allowed:
            await pass_on(allowed)
        if applied.passed >= self.limit_bytes:
            applied.connection.close()
