"""One token for all clients that share a store: which of them requests a new one, and which take that one over."""

import asyncio
import hashlib
import hmac
import json
import logging
import math
import random
from collections.abc import Awaitable, Coroutine
from typing import Any, Final, TypeVar

from kajabi_async.clock import Clock
from kajabi_async.errors import RequestTimeoutError, StoreUnavailableError
from kajabi_async.operations import operation
from kajabi_async.session.auth.checked_store import CheckedStore
from kajabi_async.session.auth.grants import Grants
from kajabi_async.session.auth.store import Lease, StoredToken, TokenStore
from kajabi_async.session.auth.token import Token, Unusable
from kajabi_async.session.credentials import Credentials

__all__ = ["SharedToken", "derived_key", "store_key"]

T = TypeVar("T")

_LOG: Final = logging.getLogger("kajabi_async")
_LOOK_AGAIN_SECONDS: Final = 0.05
_PATIENCE_SECONDS: Final = 1.0
"""How much longer than a lease a client waits for its holder, before it requests a token without the lease."""
_REQUEST_SHARE: Final = 0.8
_LONGEST_REST_SECONDS: Final = 60.0
"""A store that fails repeatedly is left alone for twice as long each time, up to this."""
_GUESSES_SLOWED_BY: Final = 100_000
"""Rounds of PBKDF2 on a password: a reader of the names in a store could try likely ones."""


class SharedToken:
    """The token of one key in a store, as one client sees it."""

    def __init__(self, store: TokenStore, key: str, clock: Clock, grants: Grants, *, place: object = "the API") -> None:
        """Share the token under *key* of *store*; errors name *place* as what *grants* request tokens from."""
        self._place = place
        self._store = CheckedStore(store, key)
        self._clock = clock
        self._grants = grants
        self._version = 0
        self._failed = False
        self._failures = 0
        self._rest_until = -math.inf
        self.taken = 0
        """The number of tokens taken from the store, where other clients had put them."""

    async def renewed(self, unusable: Unusable) -> Token:
        """Return a token from the store other than the *unusable* ones, or request one and put it there.

        If the store fails, a token is requested all the same, with a warning, and the store is left alone for a while.
        """
        if self._clock.monotonic() < self._rest_until:
            return await self._grants.request()
        self._failed = False
        try:
            return await self._taken_or_requested(unusable)
        finally:
            self._note_health()

    async def forget(self) -> None:
        """Drop the token that was last taken from the store or put there, if it is still that one."""
        await self._quietly(self._store.discard(version=self._version))

    async def aclose(self) -> None:
        """Wait for calls of the store that are under way."""
        await self._store.aclose()

    def _note_health(self) -> None:
        if self._failed:
            rest = min(_LONGEST_REST_SECONDS, 2.0 ** min(self._failures, 30))
            self._failures += 1
            self._rest_until = self._clock.monotonic() + rest
        elif self._failures:
            self._failures, self._rest_until = 0, -math.inf
            _LOG.info("the token store can be used again")

    async def _taken_or_requested(self, unusable: Unusable) -> Token:
        try:
            found = await self._taken_or_leased(unusable)
        except StoreUnavailableError as error:
            self._warn(error)
            return await self._grants.request()
        if isinstance(found, Token):
            return found
        if found is None:
            _LOG.warning("the lease of the shared token is held for too long: asking for a token without it")
            self._failed = True
            return await self._grants.request()
        try:
            return await self._with_lease(found, unusable)
        finally:
            await self._quietly(self._store.release(found))

    async def _taken_or_leased(self, unusable: Unusable) -> Token | Lease | None:
        until = self._clock.monotonic() + self._store.lease_seconds + _PATIENCE_SECONDS
        while self._clock.monotonic() < until:
            token = self._taken(await self._store.load(), unusable)
            if token is not None:
                return token
            lease = await self._store.acquire()
            if lease is not None:
                return lease
            # Spread, so that not all clients look at the same moment.
            await self._clock.sleep(_LOOK_AGAIN_SECONDS * (1.0 + random.random()))  # noqa: S311
        return None

    async def _with_lease(self, lease: Lease, unusable: Unusable) -> Token:
        stored = await self._quietly(self._store.load())
        # The previous holder of the lease may have finished in between.
        token = self._taken(stored, unusable)
        if token is not None:
            return token
        token = await self._in_time(self._requested(stored, unusable))
        if token.shared:
            return token
        return await self._saved(token, stored, lease, unusable)

    async def _requested(self, stored: StoredToken | None, unusable: Unusable) -> Token:
        refresh = self._grants.refresh_token
        if stored is not None and stored.refresh is not None and stored.access != unusable.rejected:
            refresh = stored.refresh
        token = None if refresh is None else await self._grants.refresh(refresh)
        if token is None and refresh is not None:
            # Refresh tokens serve once: a client that had lost the lease may have used it, and stored its successor.
            token = self._taken(await self._quietly(self._store.load()), unusable)
        return token or await self._grants.first()

    async def _saved(self, token: Token, stored: StoredToken | None, lease: Lease, unusable: Unusable) -> Token:
        """Store *token* and return the token to use: another client's, if that came first and is valid."""
        for _ in range(2):
            version = 0 if stored is None else stored.version
            saving = self._store.save(token.to_store(self._clock), lease=lease, replaces=version)
            done = await self._quietly(saving)
            if done:
                self._version = version + 1
            if done is not False:
                return token
            stored = await self._quietly(self._store.load())
            another = self._taken(stored, unusable)
            if another is not None:
                return another
        return token

    async def _in_time(self, requesting: Coroutine[Any, Any, Token]) -> Token:
        seconds = self._store.lease_seconds * _REQUEST_SHARE
        limit = asyncio.timeout(seconds)
        try:
            async with limit:
                return await requesting
        except TimeoutError:
            if not limit.expired():
                raise
        row = operation("oauth.token")
        error = RequestTimeoutError(
            f"no token from {self._place} within {seconds:g} s, four fifths of the lease of the token store",
            phase="total",
            seconds=seconds,
            method=row.method,
            path=row.path,
        )
        error.at_token_endpoint = True
        raise error

    def _taken(self, stored: StoredToken | None, unusable: Unusable) -> Token | None:
        if stored is None or not self._is_valid(stored) or unusable.holds(stored.access):
            return None
        self._version = stored.version
        self.taken += 1
        return Token.from_store(stored, self._clock)

    def _is_valid(self, stored: StoredToken) -> bool:
        return bool(stored.access.reveal()) and (stored.expires_at is None or stored.expires_at > self._clock.time())

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
    """Return the name of the token in a store, the same for all clients with the same credentials, secrets included.

    It is a keyed hash: nothing of the credentials can be read from it, and it cannot be made without all of them.
    """
    return derived_key(credentials, base_url, "token").hex()[:32]


def derived_key(credentials: Credentials, base_url: str, purpose: str) -> bytes:
    """Return 32 bytes that all clients with the same credentials share, secrets included, and others cannot make."""
    fields = credentials.form()
    proof = json.dumps(sorted((name, str(value)) for name, value in fields.items())).encode()
    if "password" in fields:
        proof = hashlib.pbkdf2_hmac("sha256", proof, base_url.encode(), _GUESSES_SLOWED_BY)
    return hmac.digest(proof, f"kajabi_async {purpose}\n{base_url}".encode(), "sha256")
