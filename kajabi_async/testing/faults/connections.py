"""Faults of the connection: cut, reset or closed at any point of an exchange."""

from typing import ClassVar, Final, Literal, get_args

import attrs
from aiohttp import web

from kajabi_async.testing.faults.incident import Fault, Incident
from kajabi_async.testing.recorded import RecordedRequest
from kajabi_async.testing.replies import Reply

__all__ = ["Cut", "CutBody", "DropTime", "Framing", "LostAnswer", "Reset", "ResetTime"]

DropTime = Literal["before", "after_processing", "after_headers", "mid_body"]
"""When a connection is cut: before the request is processed; after it took effect but before a byte of the answer;
after the headers; in the middle of the body."""

ResetTime = Literal["before_answer", "mid_body"]
"""When a connection is reset: before the request is processed, or after half of the body."""

Framing = Literal["length", "chunked"]
"""How an answer marks its end: by Content-Length, or by a last chunk."""

_PADDING: Final = b" "


async def _half_sent(incident: Incident, reply: Reply, framing: Framing = "length") -> web.StreamResponse:
    # One extra byte, so that an answer without a body is cut as well.
    body = reply.body + _PADDING
    response = await incident.begin(reply, length=None if framing == "chunked" else len(body))
    await response.write(body[: len(body) // 2])
    return response


@attrs.frozen
class Cut(Fault):
    """A connection that is aborted; unsent bytes are lost."""

    when: DropTime = attrs.field(default="before", validator=attrs.validators.in_(get_args(DropTime)))

    kind: ClassVar[str] = "drop"

    async def play(self, incident: Incident, /) -> web.StreamResponse:
        """Cut the connection; unless *when* is ``before``, after the request took effect."""
        if self.when == "before":
            incident.cut()
            return web.Response()
        reply = incident.process()
        if self.when == "after_processing":
            incident.cut()
            return web.Response()
        response = await incident.begin(reply, length=len(reply.body) + 1)
        if self.when == "mid_body":
            await response.write(reply.body[: len(reply.body) // 2])
        incident.cut()
        return response


@attrs.frozen
class LostAnswer(Fault):
    """A request that takes effect without an answer: the connection is closed in order, without a byte."""

    kind: ClassVar[str] = "lost_answer"

    async def play(self, incident: Incident, /) -> web.StreamResponse:
        """Process the request and close."""
        incident.process()
        incident.close()
        return web.Response()


@attrs.frozen
class CutBody(Fault):
    """An answer that ends too early: after half of its bytes the connection is closed in order.

    With ``length`` the header announces more than is sent; with ``chunked`` the last chunk is missing. The request
    takes effect.
    """

    framing: Framing = attrs.field(default="length", validator=attrs.validators.in_(get_args(Framing)))

    kind: ClassVar[str] = "cut"

    @property
    def name(self) -> str:
        """``cut_length`` or ``cut_chunked``."""
        return f"{self.kind}_{self.framing}"

    async def play(self, incident: Incident, /) -> web.StreamResponse:
        """Send half of the body and close."""
        response = await _half_sent(incident, incident.process(), self.framing)
        incident.close()
        return response


@attrs.frozen
class Reset(Fault):
    """A connection that is reset (RST).

    With *reused_only* it never hits the first request of a connection: servers close idle connections this way, just
    as the next request arrives. With ``mid_body`` the request takes effect.
    """

    when: ResetTime = attrs.field(default="before_answer", validator=attrs.validators.in_(get_args(ResetTime)))
    reused_only: bool = False

    kind: ClassVar[str] = "reset"

    @property
    def name(self) -> str:
        """``reset_before_answer`` or ``reset_mid_body``; ``reset_reused`` with *reused_only*."""
        return f"{self.kind}_reused" if self.reused_only else f"{self.kind}_{self.when}"

    def fits(self, record: RecordedRequest) -> bool:
        """Return whether the connection was used before, or *reused_only* is off."""
        return record.on_reused_connection or not self.reused_only

    async def play(self, incident: Incident, /) -> web.StreamResponse:
        """Reset the connection."""
        if self.when == "before_answer":
            await incident.reset()
            return web.Response()
        response = await _half_sent(incident, incident.process())
        await incident.reset()
        return response
