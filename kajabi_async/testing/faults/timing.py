"""Faults of time: answers that are late, slow or missing."""

from random import Random
from typing import ClassVar, Final

import attrs
from aiohttp import web

from kajabi_async.testing.faults.incident import Fault, Incident

__all__ = ["Delay", "Dribble", "Hang", "Latency"]

_PIECES: Final = 20


@attrs.frozen
class Delay(Fault):
    """A delay before the request is processed and answered normally."""

    seconds: float = 0.05
    up_to: float | None = None
    """The longest delay; each is drawn evenly between *seconds* and this. None for exactly *seconds*."""

    kind: ClassVar[str] = "latency"

    @property
    def name(self) -> str:
        """``latency``, or ``random_latency``."""
        return self.kind if self.up_to is None else f"random_{self.kind}"

    def drawn(self, random: Random) -> float:
        """Return a delay in seconds."""
        return self.seconds if self.up_to is None else random.uniform(self.seconds, self.up_to)

    async def play(self, incident: Incident, /) -> web.StreamResponse:
        """Wait, then answer."""
        await incident.pause(self.drawn(incident.random))
        return incident.answered()


Latency = Delay
"""The name of `Delay` in version 0.1.0, which a toxic has as well."""


@attrs.frozen
class Dribble(Fault):
    """The real answer, with its body in small pieces and a pause before each."""

    pause: float = 0.01
    """Seconds before each piece."""
    piece_bytes: int | None = attrs.field(default=None, validator=attrs.validators.optional(attrs.validators.ge(1)))
    """The size of a piece; None for a twentieth of the body."""

    kind: ClassVar[str] = "dribble"

    async def play(self, incident: Incident, /) -> web.StreamResponse:
        """Send piece by piece, until the end or until the fake is closed."""
        reply = incident.process()
        size = self.piece_bytes or max(1, -(-len(reply.body) // _PIECES))
        response = await incident.begin(reply, length=len(reply.body))
        for start in range(0, len(reply.body), size):
            await incident.pause(self.pause)
            if incident.closing.is_set():
                incident.cut()
                break
            await response.write(reply.body[start : start + size])
        return response


@attrs.frozen
class Hang(Fault):
    """No answer until the client disconnects or the fake is closed; the request takes no effect.

    With *after_headers* the request takes effect and the headers are sent, but not the body.
    """

    after_headers: bool = False

    kind: ClassVar[str] = "hang"

    @property
    def name(self) -> str:
        """``hang`` or ``hang_after_headers``."""
        return f"{self.kind}_after_headers" if self.after_headers else self.kind

    async def play(self, incident: Incident, /) -> web.StreamResponse:
        """Wait for the end, then cut the connection."""
        response: web.StreamResponse = web.Response()
        if self.after_headers:
            reply = incident.process()
            # One extra byte, so that the client waits even for an answer without a body.
            response = await incident.begin(reply, length=len(reply.body) + 1)
        await incident.wait_for_the_end()
        incident.cut()
        return response
