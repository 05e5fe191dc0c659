"""Faults of the server's state: its clock, and the tokens that it accepts."""

from typing import ClassVar

import attrs
from aiohttp import web

from kajabi_async.testing.faults.incident import Fault, Incident
from kajabi_async.testing.oauth import NO_LIVE_TOKEN
from kajabi_async.testing.recorded import RecordedRequest
from kajabi_async.testing.replies import error_reply

__all__ = ["ClockJump", "ExpiredToken", "RefusedToken"]


@attrs.frozen
class ClockJump(Fault):
    """A jump of the server's clock when a request arrives, which is then answered normally.

    It affects token lifetimes, Date headers and the times of writes: forward for a positive number of seconds, back
    for a negative one.
    """

    seconds: float = 3600.0

    kind: ClassVar[str] = "clock"

    @property
    def name(self) -> str:
        """``clock_forward`` or ``clock_back``."""
        return f"{self.kind}_{'back' if self.seconds < 0 else 'forward'}"

    async def play(self, incident: Incident, /) -> web.StreamResponse:
        """Jump, then answer."""
        incident.clock.jump(self.seconds)
        return incident.answered()


def _carries_token(record: RecordedRequest) -> bool:
    return "authorization" in record.headers and not (record.operation or "").startswith("oauth.")


@attrs.frozen
class ExpiredToken(Fault):
    """The access token of a request expires on arrival; its refresh token stays valid."""

    kind: ClassVar[str] = "token_expired"

    def fits(self, record: RecordedRequest) -> bool:
        """Return whether the request carries a token."""
        return _carries_token(record)

    async def play(self, incident: Incident, /) -> web.StreamResponse:
        """Expire the token, then answer as for any expired token."""
        incident.tokens.expire(incident.access_token)
        return incident.answered()


@attrs.frozen
class RefusedToken(Fault):
    """A 401 for a valid token, as from a server that does not know it yet; the next request is accepted."""

    kind: ClassVar[str] = "token_refused"

    def fits(self, record: RecordedRequest) -> bool:
        """Return whether the request carries a token."""
        return _carries_token(record)

    async def play(self, incident: Incident, /) -> web.StreamResponse:
        """Answer with the 401; the request takes no effect."""
        return incident.reply(error_reply(401, NO_LIVE_TOKEN))
