"""One token for everybody who shares a store: who may ask for a new one, and who takes what another has got."""

import asyncio
import hashlib
import hmac
import json
import logging
import math
import random
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final, TypeVar

import attrs

from kajabi_async.clock import Clock
from kajabi_async.errors import RequestTimeoutError, StoreUnavailableError
from kajabi_async.operations import operation
from kajabi_async.session.auth.checked_store import CheckedStore
from kajabi_async.session.auth.store import Lease, StoredToken, TokenStore
from kajabi_async.session.auth.token import Token
from kajabi_async.session.credentials import Credentials, Secret

__all__ = ["SharedToken", "Wanted", "store_key"]

T = TypeVar("T")

_LOG: Final = logging.getLogger("kajabi_async")
_LOOK_AGAIN_SECONDS: Final = 0.05
_PATIENCE_SECONDS: Final = 1.0
"""How much longer than a lease one waits for its holder, before asking without it."""
_ASKING_SHARE: Final = 0.8
_LONGEST_REST_SECONDS: Final = 60.0
"""A store that fails again and again is left alone for twice as long each time, up to this."""
_GUESSES_SLOWED_BY: Final = 100_000
"""Rounds of PBKDF2 on a password: whoever reads the names in a store could try likely ones."""


@attrs.frozen(kw_only=True)
class Wanted:
    """What a token is wanted for, and how it is asked for."""

    held: Token | None
    """The one in hand, which a new one must differ from."""
    refused: Secret | None
    """The one that the API refused before its time."""
    refresh: Secret | None
    """The refresh token in hand."""
    by_refresh_token: Callable[[Secret], Awaitable[Token | None]]
    """Gives None where the API does not accept the refresh token."""
    by_first_grant: Callable[[], Awaitable[Token]]

    async def asked(self, refresh: Secret | None) -> Token:
        """Ask by *refresh* where there is one, else or where it is not accepted by the first grant."""
        token = None if refresh is None else await self.by_refresh_token(refresh)
        return token or await self.by_first_grant()


class SharedToken:
    """The token of one key in a store, as one client sees it."""

    def __init__(self, store: TokenStore, key: str, clock: Clock) -> None:
        self._store = CheckedStore(store, key)
        self._clock = clock
        self._version = 0
        self._failed = False
        self._failures = 0
        self._rest_until = -math.inf
        self.taken = 0
        """How many tokens were taken that others had put there."""

    async def renewed(self, wanted: Wanted) -> Token:
        """Return a token that another has put there, or ask for one and put it there.

        If the store fails, one is asked for all the same, with a warning, and the store is left alone for a while.
        """
        if self._clock.monotonic() < self._rest_until:
            return await wanted.asked(wanted.refresh)
        self._failed = False
        try:
            return await self._taken_or_asked(wanted)
        finally:
            self._note_health()

    async def forget(self) -> None:
        """Drop the token that was last taken or put there, if it is still that one."""
        await self._quietly(self._store.discard(version=self._version))

    async def aclose(self) -> None:
        """Let calls of the store that are under way end."""
        await self._store.aclose()

    def _note_health(self) -> None:
        if self._failed:
            rest = min(_LONGEST_REST_SECONDS, 2.0 ** min(self._failures, 30))
            self._failures += 1
            self._rest_until = self._clock.monotonic() + rest
        elif self._failures:
            self._failures, self._rest_until = 0, -math.inf
            _LOG.info("the token store can be used again")

    async def _taken_or_asked(self, wanted: Wanted) -> Token:
        try:
            found = await self._taken_or_leased(wanted)
        except StoreUnavailableError as error:
            self._warn(error)
            return await wanted.asked(wanted.refresh)
        if isinstance(found, Token):
            return found
        if found is None:
            _LOG.warning("the lease of the shared token is held for too long: asking for a token without it")
            self._failed = True
            return await wanted.asked(wanted.refresh)
        try:
            return await self._under(found, wanted)
        finally:
            await self._quietly(self._store.release(found))

    async def _taken_or_leased(self, wanted: Wanted) -> Token | Lease | None:
        until = self._clock.monotonic() + self._store.lease_seconds + _PATIENCE_SECONDS
        while self._clock.monotonic() < until:
            token = self._taken(await self._store.load(), wanted)
            if token is not None:
                return token
            lease = await self._store.acquire()
            if lease is not None:
                return lease
            # Not everybody at the same moment.
            await self._clock.sleep(_LOOK_AGAIN_SECONDS * (1.0 + random.random()))  # noqa: S311
        return None

    async def _under(self, lease: Lease, wanted: Wanted) -> Token:
        stored = await self._quietly(self._store.load())
        # Whoever held the lease before may have been done in between.
        token = self._taken(stored, wanted)
        if token is not None:
            return token
        token = await self._in_time(self._asked(stored, wanted))
        if token.shared:
            return token
        return await self._saved(token, stored, lease, wanted)

    async def _asked(self, stored: StoredToken | None, wanted: Wanted) -> Token:
        refresh = wanted.refresh
        if stored is not None and stored.refresh is not None and stored.access != wanted.refused:
            refresh = stored.refresh
        token = None if refresh is None else await wanted.by_refresh_token(refresh)
        if token is None and refresh is not None:
            # Refresh tokens serve once: somebody who had lost the lease may have used it, and put the next one there.
            token = self._taken(await self._quietly(self._store.load()), wanted)
        return token or await wanted.by_first_grant()

    async def _saved(self, token: Token, stored: StoredToken | None, lease: Lease, wanted: Wanted) -> Token:
        """Put *token* there, and give the one to use: another's where that came first and serves."""
        for _ in range(2):
            version = 0 if stored is None else stored.version
            saving = self._store.save(token.to_store(self._clock), lease=lease, replaces=version)
            done = await self._quietly(saving)
            if done:
                self._version = version + 1
            if done is not False:
                return token
            stored = await self._quietly(self._store.load())
            another = self._taken(stored, wanted)
            if another is not None:
                return another
        return token

    async def _in_time(self, asking: Coroutine[Any, Any, Token]) -> Token:
        seconds = self._store.lease_seconds * _ASKING_SHARE
        limit = asyncio.timeout(seconds)
        try:
            async with limit:
                return await asking
        except TimeoutError:
            if not limit.expired():
                raise
        row = operation("oauth.token")
        error = RequestTimeoutError(
            f"no token within {seconds:g} s, four fifths of the lease of the token store",
            phase="total",
            seconds=seconds,
            method=row.method,
            path=row.path,
        )
        error.at_token_endpoint = True
        raise error

    def _taken(self, stored: StoredToken | None, wanted: Wanted) -> Token | None:
        if stored is None or not self._serves(stored, wanted):
            return None
        self._version = stored.version
        self.taken += 1
        return Token.from_store(stored, self._clock)

    def _serves(self, stored: StoredToken, wanted: Wanted) -> bool:
        if not stored.access.reveal() or (stored.expires_at is not None and stored.expires_at <= self._clock.time()):
            return False
        return stored.access != wanted.refused and (wanted.held is None or stored.access != wanted.held.access)

    async def _quietly(self, call: Awaitable[T]) -> T | None:
        try:
            return await call
        except StoreUnavailableError as error:
            self._warn(error)
            return None

    def _warn(self, error: StoreUnavailableError) -> None:
        # Once for each outage: the store is tried again with later renewals.
        if not self._failed and not self._failures:
            _LOG.warning("the token store cannot be used, each process asks for tokens of its own: %s", error)
        self._failed = True


def store_key(credentials: Credentials, base_url: str) -> str:
    """Return the name under which those who know the same credentials, secrets included, find the token.

    It is a keyed hash: nothing of the credentials can be read from it, and it cannot be made without all of them.
    """
    fields = credentials.form()
    proof = json.dumps(sorted((name, str(value)) for name, value in fields.items())).encode()
    if "password" in fields:
        proof = hashlib.pbkdf2_hmac("sha256", proof, base_url.encode(), _GUESSES_SLOWED_BY)
    return hmac.digest(proof, b"kajabi_async token\n" + base_url.encode(), "sha256").hex()[:32]
