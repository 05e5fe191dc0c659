"""The one token of a client: requested when needed, renewed ahead of its end, replaced when it is rejected."""

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from kajabi_async.clock import Clock
from kajabi_async.concurrency import SingleFlight
from kajabi_async.errors import AuthenticationError, GaveUp, KajabiError
from kajabi_async.session.auth.grants import Grants
from kajabi_async.session.auth.token import Token, Unusable
from kajabi_async.session.credentials import Secret

if TYPE_CHECKING:
    from kajabi_async.session.auth.shared import SharedToken

__all__ = ["TokenKeeper"]

_LOG: Final = logging.getLogger("kajabi_async")
_AHEAD_AGAIN_SECONDS: Final = 30.0


class TokenKeeper:
    """Keeps the token of one client; at most one token request is under way at any time.

    With a *shared* token that holds for all clients that share its store. A failed request is followed by a growing
    pause for all calls that wait for a token.
    """

    def __init__(self, grants: Grants, clock: Clock, shared: "SharedToken | None" = None) -> None:
        self._grants = grants
        self._clock = clock
        self._shared = shared
        self._backoff = grants.backoff
        self._token: Token | None = None
        self._rejected: Secret | None = None
        self._renewing: asyncio.Task[object] | None = None
        self._ahead_not_before = 0.0
        self.on_new: Callable[[Token], None] = _ignore
        self._flight: SingleFlight[None, Token] = SingleFlight(abandon=False)

    @property
    def taken(self) -> int:
        """The number of tokens taken from a store, where other clients had put them."""
        return 0 if self._shared is None else self._shared.taken

    def live(self) -> Token | None:
        """Return the token if it is still valid, and start its renewal if its end is near."""
        token = self._token
        if token is None or token.expires_at is None or token.renew_at is None:
            return token
        now = self._clock.monotonic()
        if now < token.renew_at:
            return token
        if now >= token.expires_at:
            return None
        if now >= self._ahead_not_before and self._backoff.is_open:
            # Not on every request while the renewal fails: the old token is valid for a while.
            self._ahead_not_before = now + _AHEAD_AGAIN_SECONDS
            self._flight.begin(None, self._renewed_ahead)
        return token

    async def renewed(self, deadline: float | None = None) -> Token:
        """Return a new token, from the request that is under way if there is one.

        A failed request is retried as the retry policy says, after a pause that all callers share. Raise its error,
        `at_token_endpoint` set, if no retry follows or if *deadline*, on the monotonic clock, comes first.
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

    async def replace(self, rejected: Token, deadline: float | None = None) -> Token:
        """Return another token than *rejected*; a new one is requested only if that one is still the current one."""
        token = self._token
        if token is not None and token.access != rejected.access:
            return token
        if token is not None:
            self._token = None
            self._rejected = rejected.access
            self._grants.token_rejected()
        return await self.renewed(deadline)

    async def revoke(self) -> None:
        """Revoke the token and drop it, in the store as well; without a token, nothing is sent.

        ApiError or TransportError if the API did not confirm it: the token is kept then.
        """
        while self._renewing is not None:
            # The token that a renewal brings is to be revoked, not the one before it.
            await asyncio.wait({self._renewing})
        token = self._token
        if token is None:
            return
        try:
            await self._grants.revoke(token)
        except AuthenticationError:
            # It may have reached its end, which its refresh token outlives: that one leads to another.
            successor = await self._grants.exchange()
            if successor is not None:
                self._token = token = successor
                await self._grants.revoke(successor)
        await self.forget(token)

    async def forget(self, token: Token | None = None) -> None:
        """Drop *token*, or the current one, with its refresh token, in the store as well; a newer one is left."""
        if token is not None and token is not self._token:
            return
        self._rejected = None if self._token is None else self._token.access
        self._token = self._grants.refresh_token = None
        if self._shared is not None:
            await self._shared.forget()

    async def aclose(self) -> None:
        """Cancel the token request that may be under way."""
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
            token = await self._request()
        except KajabiError as error:
            if error.at_token_endpoint:
                self._backoff.failed(error)
            raise
        finally:
            self._renewing = None
        self._backoff.succeeded()
        self._token = token
        self._grants.keep(token)
        self._rejected = None
        self._ahead_not_before = 0.0
        _LOG.info("took a shared token" if token.shared else "fetched a token", extra={"shared": token.shared})
        self.on_new(token)
        return token

    async def _request(self) -> Token:
        if self._shared is None:
            return await self._grants.request()
        current = None if self._token is None else self._token.access
        return await self._shared.renewed(Unusable(current, self._rejected))


def _ignore(_: Token) -> None:
    return
