"""A token store as the session calls it: in bounded time, with errors of ours alone, and nothing believed unchecked."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

from kajabi_async.checks import positive_seconds
from kajabi_async.errors import ConfigurationError, StoreUnavailableError
from kajabi_async.session.auth.store import Lease, StoredToken, TokenStore

__all__ = ["CheckedStore"]

T = TypeVar("T")

_SECONDS: Final = 3.0
"""How long a call of a store may take; those of this package give up before."""


class CheckedStore:
    """One key of a store. Every method raises StoreUnavailableError if the store fails, whatever it raised itself.

    A lease that a cancelled or late `acquire` still takes is given back, so that the next holder need not wait for its
    end.
    """

    def __init__(self, store: TokenStore, key: str) -> None:
        self._store = store
        self._key = key
        self.lease_seconds = _checked_lease(store)
        self._under_way: set[asyncio.Task[Any]] = set()

    async def load(self) -> StoredToken | None:
        """Return what lies there; what cannot be used of it is left out, as if it were not there."""
        found: Any = await self._call(lambda: self._store.load(self._key))
        return found.checked() if isinstance(found, StoredToken) else None

    async def acquire(self) -> Lease | None:
        """Return the lease, or None if somebody else holds it."""
        taking = self._begin(lambda: self._store.acquire(self._key))
        try:
            lease: Any = await self._ended(taking)
        except asyncio.CancelledError:
            # Cancelled once more, it goes on by itself, and `aclose` waits for it.
            await asyncio.wait({self._begin(lambda: self._give_back(taking))}, timeout=_SECONDS)
            raise
        except StoreUnavailableError:
            if not taking.done():
                self._begin(lambda: self._give_back(taking))
            raise
        if lease is not None and not isinstance(lease, Lease):
            raise StoreUnavailableError(f"acquire() of the token store returned {type(lease).__name__}, not a lease")
        return lease

    async def release(self, lease: Lease) -> None:
        """Give *lease* back."""
        await self._call(lambda: self._store.release(self._key, lease))

    async def save(self, token: StoredToken, *, lease: Lease, replaces: int) -> bool:
        """Put *token* in the place of version *replaces*; False if another version is there."""
        return bool(await self._call(lambda: self._store.save(self._key, token, lease=lease, replaces=replaces)))

    async def discard(self, *, version: int) -> None:
        """Drop the token if it is still of *version*."""
        await self._call(lambda: self._store.discard(self._key, version=version))

    async def aclose(self) -> None:
        """Let calls under way end, for a while, and cancel those that do not."""
        if self._under_way:
            _, late = await asyncio.wait(tuple(self._under_way), timeout=_SECONDS)
            for task in late:
                task.cancel()

    async def _call(self, call: Callable[[], Awaitable[T]]) -> T:
        return await self._ended(self._begin(call))

    async def _ended(self, calling: "asyncio.Task[T]") -> T:
        await asyncio.wait({calling}, timeout=_SECONDS)
        if not calling.done():
            raise StoreUnavailableError(f"the token store gave no answer within {_SECONDS:g} s")
        try:
            return calling.result()
        except (StoreUnavailableError, ConfigurationError):
            raise
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - a store of any make may raise anything
            # The text may quote what was sent to the store.
            raise StoreUnavailableError(f"the token store failed ({type(error).__name__})") from None

    async def _give_back(self, taking: "asyncio.Task[Any]") -> None:
        await asyncio.wait({taking})
        if not taking.cancelled() and taking.exception() is None and isinstance(taking.result(), Lease):
            await self._store.release(self._key, taking.result())

    def _begin(self, call: Callable[[], Awaitable[T]]) -> "asyncio.Task[T]":
        """Start a call in a task of its own: a cancelled caller leaves none half done."""
        calling = asyncio.ensure_future(_awaited(call))
        self._under_way.add(calling)
        calling.add_done_callback(self._forget)
        return calling

    def _forget(self, calling: "asyncio.Task[Any]") -> None:
        self._under_way.discard(calling)
        if not calling.cancelled():
            calling.exception()


async def _awaited(call: Callable[[], Awaitable[T]]) -> T:
    return await call()


def _checked_lease(store: TokenStore) -> float:
    given = getattr(store, "lease_seconds", None)
    return positive_seconds(given, of="token_store.lease_seconds", below=10**6, error=ConfigurationError)
