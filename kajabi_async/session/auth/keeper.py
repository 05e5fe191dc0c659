"""The one token of a client: requested when needed, renewed ahead of its end, replaced when it is refused."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from typing import Final

from kajabi_async.clock import Clock
from kajabi_async.concurrency import SingleFlight
from kajabi_async.errors import ApiError, GaveUp, KajabiError
from kajabi_async.session.auth.backoff import TokenBackoff
from kajabi_async.session.auth.grants import is_unusable, spends_refresh_token
from kajabi_async.session.auth.shared import SharedToken, Wanted
from kajabi_async.session.auth.token import Token
from kajabi_async.session.credentials import Credentials, RefreshTokenCredentials, Secret
from kajabi_async.session.retry import RetryPolicy

__all__ = ["AskForToken", "TokenKeeper"]

_LOG: Final = logging.getLogger("kajabi_async")
_AHEAD_AGAIN_SECONDS: Final = 30.0

AskForToken = Callable[[Credentials, int], Awaitable[Token]]
"""Sends one token request and returns the token; the number counts the attempts since the last success, from 1."""


class TokenKeeper:
    """Keeps the token of one client; at most one request for a token is under way at any time.

    With a *shared* token that holds for everybody who shares its store. Requests that fail are followed by a growing
    pause, which is everybody's who waits for a token; a refresh token is kept until the API says that it is spent.
    """

    def __init__(
        self,
        credentials: Credentials,
        ask: AskForToken,
        clock: Clock,
        shared: SharedToken | None = None,
        *,
        backoff: TokenBackoff | None = None,
    ) -> None:
        self._credentials = credentials
        self._ask = ask
        self._clock = clock
        self._shared = shared
        self._backoff = backoff or TokenBackoff(RetryPolicy(), clock, random.random, lambda: 0.0)
        self._token: Token | None = None
        self._refresh: Secret | None = None
        self._refused: Secret | None = None
        self._renewing: asyncio.Task[object] | None = None
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
        """Return the token if it still serves, and begin to renew it if its end is near."""
        token = self._token
        if token is None or token.expires_at is None or token.renew_at is None:
            return token
        now = self._clock.monotonic()
        if now < token.renew_at:
            return token
        if now >= token.expires_at:
            return None
        if now >= self._ahead_not_before and self._backoff.is_open:
            # Not on every request while renewing fails: the old token serves for a while.
            self._ahead_not_before = now + _AHEAD_AGAIN_SECONDS
            self._flight.begin(None, self._renewed_ahead)
        return token

    async def renewed(self, deadline: float | None = None) -> Token:
        """Return a new token, from the request that is under way if there is one.

        A failed request is repeated as the retry policy says, after a pause that all callers share. Raise what it
        failed with, `at_token_endpoint` set, if no more are made or if *deadline*, on the monotonic clock, comes first.
        """
        before, failures_before = self._token, self._backoff.failures
        while True:
            await self._backoff.enter(deadline)
            # Fewer than before, once a request has succeeded meanwhile.
            failures_before = min(failures_before, self._backoff.failures)
            token = self._token
            if token is not None and token is not before and self.live() is token:
                # Another caller came out of the same pause first.
                return token
            try:
                return await self._flight.run(None, self._renew)
            except KajabiError as error:
                because: GaveUp | None = "final"
                if error.at_token_endpoint:
                    because = self._backoff.gave_up(error, deadline, failures_before=failures_before)
                if because is not None:
                    attempts = max(1, self._backoff.failures)
                    raise error.sent(attempts=attempts, maybe_applied=False, gave_up=because) from error.__cause__

    async def replace(self, refused: Token, deadline: float | None = None) -> Token:
        """Return another token than *refused*; a new one is requested only if that one is still the current one."""
        token = self._token
        if token is not None and token.access != refused.access:
            return token
        if token is not None:
            self._token = None
            self._refused = refused.access
            if not isinstance(self._credentials, RefreshTokenCredentials):
                # Refused before its time: the key was rotated or revoked, and the refresh token went with it.
                self._refresh = None
        return await self.renewed(deadline)

    async def exchange(self) -> Token | None:
        """Request a token by the refresh token, which it uses up; None if there is none or it is spent."""
        refresh = self._refresh
        if refresh is None:
            return None
        try:
            token = await self._asked(RefreshTokenCredentials(refresh))
        except ApiError as error:
            if spends_refresh_token(error):
                return None
            raise
        self._token, self._refresh = token, token.refresh or refresh
        return token

    async def settle(self) -> None:
        """Wait until no token request is under way."""
        while self._renewing is not None:
            await asyncio.wait({self._renewing})

    async def forget(self, token: Token | None = None) -> None:
        """Drop *token*, or the current one, with its refresh token, in the store as well; a newer one is left."""
        if token is not None and token is not self._token:
            return
        self._refused = None if self._token is None else self._token.access
        self._token = self._refresh = None
        if self._shared is not None:
            await self._shared.forget()

    async def aclose(self) -> None:
        """Cancel the request that may be under way."""
        await self._flight.aclose()
        if self._shared is not None:
            await self._shared.aclose()

    async def _renewed_ahead(self) -> Token:
        try:
            return await self._renew()
        except KajabiError as error:
            # No caller waits for it, so no caller would report it.
            _LOG.warning("the token could not be renewed ahead of its end: %s", type(error).__name__)
            raise

    async def _renew(self) -> Token:
        self._renewing = asyncio.current_task()
        try:
            return await self._renewed()
        finally:
            self._renewing = None

    async def _renewed(self) -> Token:
        wanted = Wanted(
            held=self._token,
            refused=self._refused,
            refresh=self._refresh,
            by_refresh_token=self._by_refresh_token,
            by_first_grant=self._by_first_grant,
        )
        try:
            token = await (wanted.asked(wanted.refresh) if self._shared is None else self._shared.renewed(wanted))
        except KajabiError as error:
            if error.at_token_endpoint:
                self._backoff.failed(error)
            raise
        self._backoff.succeeded()
        self._token = token
        self._refresh = token.refresh or self._refresh
        self._refused = None
        self._ahead_not_before = 0.0
        _LOG.info("took a shared token" if token.shared else "fetched a token", extra={"shared": token.shared})
        self.on_new(token)
        return token

    async def _by_refresh_token(self, refresh: Secret) -> Token | None:
        """Return None if *refresh* leads to no token and the first grant is to be tried."""
        given = self._credentials.refresh_token if isinstance(self._credentials, RefreshTokenCredentials) else None
        if refresh == given:
            # The first grant sends the same.
            return None
        try:
            return await self._asked(RefreshTokenCredentials(refresh))
        except ApiError as error:
            if spends_refresh_token(error):
                self._refresh = None if self._refresh == refresh else self._refresh
            elif given is not None or not is_unusable(error):
                # It passes, or is not about the refresh token: that one is kept and used later.
                raise
            _LOG.info("the refresh token was not accepted (%s), falling back to the first grant", type(error).__name__)
            return None

    async def _by_first_grant(self) -> Token:
        return await self._asked(self._credentials)

    async def _asked(self, credentials: Credentials) -> Token:
        try:
            return await self._ask(credentials, self._backoff.failures + 1)
        except KajabiError as error:
            error.at_token_endpoint = True
            raise


def _nobody_is_told(_: Token) -> None:
    return
