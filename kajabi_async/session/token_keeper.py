"""The one token of a client: fetched when needed, renewed ahead of its end, replaced when it is refused."""

import logging
from collections.abc import Awaitable, Callable
from typing import Final

from kajabi_async.errors import KajabiError
from kajabi_async.session.clock import Clock
from kajabi_async.session.credentials import Credentials, RefreshTokenCredentials, Secret
from kajabi_async.session.shared_token import SharedToken, Wanted
from kajabi_async.session.token import Token
from kajabi_async.single_flight import SingleFlight

__all__ = ["AskForToken", "TokenKeeper"]

_LOG: Final = logging.getLogger("kajabi_async")
_AHEAD_AGAIN_SECONDS: Final = 30.0

AskForToken = Callable[[Credentials, bool], Awaitable[bytes]]
"""Sends a token request and gives the body of its answer; the flag says whether it may be repeated."""


class TokenKeeper:
    """Keeps the token of one client; at most one request for a token is under way at any time.

    With a *shared* token that holds for everybody who shares its store.
    """

    def __init__(
        self, credentials: Credentials, ask: AskForToken, clock: Clock, shared: SharedToken | None = None
    ) -> None:
        self._credentials = credentials
        self._ask = ask
        self._clock = clock
        self._shared = shared
        self._token: Token | None = None
        self._refresh: Secret | None = None
        self._refused: Secret | None = None
        self._ahead_not_before = 0.0
        self.on_new: Callable[[Token], None] = _nobody_is_told
        self._flight: SingleFlight[None, Token] = SingleFlight(abandon=False)

    @property
    def held(self) -> Token | None:
        """The token, alive or not; None before the first and after `forget`."""
        return self._token

    @property
    def taken(self) -> int:
        """How many tokens were taken from a store, where others had put them."""
        return 0 if self._shared is None else self._shared.taken

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
            self._flight.begin(None, self._renewed_ahead)
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
            self._refused = refused.access
            if not isinstance(self._credentials, RefreshTokenCredentials):
                # Refused before its time: the key was rotated or revoked, and the refresh token went with it.
                self._refresh = None
        return await self.renewed()

    async def forget(self) -> None:
        """Drop the token and its refresh token, in the store as well."""
        self._refused = None if self._token is None else self._token.access
        self._token = self._refresh = None
        if self._shared is not None:
            await self._shared.forget()

    async def aclose(self) -> None:
        """Cancel the request that may be under way."""
        await self._flight.aclose()

    async def _renewed_ahead(self) -> Token:
        try:
            return await self._renew()
        except KajabiError as error:
            # Nobody waits for it, so nobody else would tell.
            _LOG.warning("the token could not be renewed ahead of its end: %s", type(error).__name__)
            raise

    async def _renew(self) -> Token:
        wanted = Wanted(
            held=self._token,
            refused=self._refused,
            refresh=self._refresh,
            by_refresh_token=self._by_refresh_token,
            by_first_grant=self._by_first_grant,
        )
        if self._shared is None:
            token = await wanted.asked(wanted.refresh)
        else:
            token = await self._shared.renewed(wanted)
        self._token = token
        self._refresh = token.refresh or self._refresh
        self._refused = None
        self._ahead_not_before = 0.0
        _LOG.info("took a shared token" if token.shared else "fetched a token", extra={"shared": token.shared})
        self.on_new(token)
        return token

    async def _by_refresh_token(self, refresh: Secret) -> Token | None:
        try:
            return await self._asked(RefreshTokenCredentials(refresh.reveal()), may_repeat=False)
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


def _nobody_is_told(_: Token) -> None:
    return
