"""Faults of what the server remembers: the time, and which tokens it takes."""

from typing import ClassVar

import attrs
from aiohttp import web

from kajabi_async.testing.answers import error_reply
from kajabi_async.testing.faults.incident import Fault, Incident
from kajabi_async.testing.oauth import NO_LIVE_TOKEN
from kajabi_async.testing.records import RecordedRequest

__all__ = ["ClockJump", "ExpiredToken", "RefusedToken"]


@attrs.frozen
class ClockJump(Fault):
    """The server's clock jumps as a request comes in, which is then answered as ever.

    It moves the lives of tokens, the Date headers and the times that writes create: forward for more than nought
    seconds, back for less.
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
    """The token of a request is dead as it arrives, and stays dead; its refresh token stays good."""

    kind: ClassVar[str] = "token_expired"

    def fits(self, record: RecordedRequest) -> bool:
        """Tell whether the request carries a token."""
        return _carries_token(record)

    async def play(self, incident: Incident, /) -> web.StreamResponse:
        """Kill the token, then answer what is answered to a dead one."""
        incident.tokens.expire(incident.access_token)
        return incident.answered()


@attrs.frozen
class RefusedToken(Fault):
    """A 401 for a token that is good, as from a server that has not heard of it yet; the next request is let in."""

    kind: ClassVar[str] = "token_refused"

    def fits(self, record: RecordedRequest) -> bool:
        """Tell whether the request carries a token."""
        return _carries_token(record)

    async def play(self, incident: Incident, /) -> web.StreamResponse:
        """Refuse; nothing takes effect."""
        return incident.reply(error_reply(401, NO_LIVE_TOKEN))
