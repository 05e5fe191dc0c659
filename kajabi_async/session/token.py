"""The one token of a client: fetched when needed, renewed ahead of its end, replaced when it is refused."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import attrs

from kajabi_async.errors import DecodeError, KajabiError
from kajabi_async.jsonapi.decoding import decode, json_object
from kajabi_async.session.clock import Clock
from kajabi_async.session.credentials import Credentials, RefreshTokenCredentials, Secret
from kajabi_async.single_flight import SingleFlight

__all__ = ["AskForToken", "Token", "TokenKeeper"]

_LOG: Final = logging.getLogger("kajabi_async")
_LONGEST_AHEAD_SECONDS: Final = 300.0
_SHARE_AHEAD: Final = 0.1
_AHEAD_AGAIN_SECONDS: Final = 30.0
_LONGEST_LIFE_SECONDS: Final = 10.0**9


@attrs.frozen
class Token:
    """An access token with what came along; times are on the monotonic clock, None where no life was stated."""

    access: Secret
    refresh: Secret | None
    renew_at: float | None
    expires_at: float | None

    @classmethod
    def from_body(cls, body: bytes, *, asked_at: float) -> "Token":
        """Read the token endpoint's answer; its life counts from before it was asked for."""
        members = json_object(decode(body, context="the token answer"))
        if members is None:
            raise DecodeError("an object was expected", context="the token answer")
        access = _secret(members, "access_token")
        if access is None:
            raise DecodeError("no usable access_token", path="access_token", context="the token answer")
        life = _life(members.get("expires_in"))
        if life is None:
            return cls(access, _secret(members, "refresh_token"), None, None)
        ahead = min(_LONGEST_AHEAD_SECONDS, life * _SHARE_AHEAD)
        return cls(access, _secret(members, "refresh_token"), asked_at + life - ahead, asked_at + life)


AskForToken = Callable[[Credentials, bool], Awaitable[bytes]]
"""Sends a token request and gives the body of its answer; the flag says whether it may be repeated."""


class TokenKeeper:
    """Keeps the token of one client; at most one request for a token is under way at any time."""

    def __init__(self, credentials: Credentials, ask: AskForToken, clock: Clock) -> None:
        self._credentials = credentials
        self._ask = ask
        self._clock = clock
        self._token: Token | None = None
        self._refresh: Secret | None = None
        self._ahead_not_before = 0.0
        self._flight: SingleFlight[None, Token] = SingleFlight(abandon=False)

    @property
    def held(self) -> Token | None:
        """The token, alive or not; None before the first and after `forget`."""
        return self._token

    def live(self) -> Token | None:
        """Give the token where it still serves, and begin to renew it where its end is near."""
        token = self._token
        if token is None or token.expires_at is None or token.renew_at is None:
            return token
        now = self._clock.monotonic()
        if now < token.renew_at:
            return token
        if now >= token.expires_at:
            return None
        if now >= self._ahead_not_before:
            # Not on every request while renewing fails: the old token serves for a while.
            self._ahead_not_before = now + _AHEAD_AGAIN_SECONDS
            self._flight.begin(None, self._renew)
        return token

    async def renewed(self) -> Token:
        """Give a new token, from the request that is under way where there is one."""
        return await self._flight.run(None, self._renew)

    async def replace(self, refused: Token) -> Token:
        """Give another token than *refused*; only where that one is still the current one, a new one is asked for."""
        token = self._token
        if token is not None and token.access != refused.access:
            return token
        if token is not None:
            self._token = None
            if not isinstance(self._credentials, RefreshTokenCredentials):
                # Refused before its time: the key was rotated or revoked, and the refresh token went with it.
                self._refresh = None
        return await self.renewed()

    def forget(self) -> None:
        """Drop the token and its refresh token."""
        self._token = self._refresh = None

    async def aclose(self) -> None:
        """Cancel the request that may be under way."""
        await self._flight.aclose()

    async def _renew(self) -> Token:
        token = await self._by_refresh_token() or await self._by_first_grant()
        self._token = token
        self._refresh = token.refresh or self._refresh
        self._ahead_not_before = 0.0
        _LOG.info("fetched a token")
        return token

    async def _by_refresh_token(self) -> Token | None:
        if self._refresh is None:
            return None
        try:
            return await self._asked(RefreshTokenCredentials(self._refresh.reveal()), may_repeat=False)
        except KajabiError as error:
            self._refresh = None
            _LOG.info("the refresh token was not accepted (%s), falling back to the first grant", type(error).__name__)
            return None

    async def _by_first_grant(self) -> Token:
        may_repeat = not isinstance(self._credentials, RefreshTokenCredentials)
        return await self._asked(self._credentials, may_repeat=may_repeat)

    async def _asked(self, credentials: Credentials, *, may_repeat: bool) -> Token:
        asked_at = self._clock.monotonic()
        return Token.from_body(await self._ask(credentials, may_repeat), asked_at=asked_at)


def _secret(members: Mapping[str, Any], name: str) -> Secret | None:
    value = members.get(name)
    if isinstance(value, str) and value.isascii() and value.isprintable() and value.strip() == value != "":
        return Secret(value)
    return None


def _life(expires_in: Any) -> float | None:
    if isinstance(expires_in, str) and expires_in.isascii() and expires_in.isdigit():
        expires_in = int(expires_in[:12])
    if isinstance(expires_in, bool) or not isinstance(expires_in, int | float) or expires_in <= 0:
        return None
    return min(float(expires_in), _LONGEST_LIFE_SECONDS)
