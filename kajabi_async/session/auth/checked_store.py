"""A token store as the session calls it: in bounded time, with errors of this package only, every result checked."""

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

    A lease that a cancelled or late `acquire` still takes is released, so that the next holder need not wait for its
    end.
    """

    def __init__(self, store: TokenStore, key: str) -> None:
        self._store = store
        self._key = key
        self.lease_seconds = _checked_lease(store)
        self._under_way: set[asyncio.Task[Any]] = set()

    async def load(self) -> StoredToken | None:
        """Return the stored token without its unusable parts; None if there is none."""
        found: Any = await self._call(lambda: self._store.load(self._key))
        return found.checked() if isinstance(found, StoredToken) else None

    async def acquire(self) -> Lease | None:
        """Return the lease, or None if another client holds it."""
        taking = self._begin(lambda: self._store.acquire(self._key))
        try:
            lease: Any = await self._result_of(taking)
        except asyncio.CancelledError:
            # If cancelled again, the release continues in its task, and `aclose` waits for it.
            await asyncio.wait({self._begin(lambda: self._release_late(taking))}, timeout=_SECONDS)
            raise
        except StoreUnavailableError:
            if not taking.done():
                self._begin(lambda: self._release_late(taking))
            raise
        if lease is not None and not isinstance(lease, Lease):
            raise StoreUnavailableError(f"acquire() of the token store returned {type(lease).__name__}, not a lease")
        return lease

    async def release(self, lease: Lease) -> None:
        """Release *lease*."""
        await self._call(lambda: self._store.release(self._key, lease))

    async def save(self, token: StoredToken, *, lease: Lease, replaces: int) -> bool:
        """Replace version *replaces* by *token*; False if the store holds another version."""
        return bool(await self._call(lambda: self._store.save(self._key, token, lease=lease, replaces=replaces)))

    async def discard(self, *, version: int) -> None:
        """Drop the token if it still has *version*."""
        await self._call(lambda: self._store.discard(self._key, version=version))

    async def aclose(self) -> None:
        """Wait a while for running calls, and cancel those that do not end."""
        if self._under_way:
            _, late = await asyncio.wait(tuple(self._under_way), timeout=_SECONDS)
            for task in late:
                task.cancel()

    async def _call(self, call: Callable[[], Awaitable[T]]) -> T:
        return await self._result_of(self._begin(call))

    async def _result_of(self, calling: "asyncio.Task[T]") -> T:
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

    async def _release_late(self, taking: "asyncio.Task[Any]") -> None:
        await asyncio.wait({taking})
        if not taking.cancelled() and taking.exception() is None and isinstance(taking.result(), Lease):
            await self._store.release(self._key, taking.result())

    def _begin(self, call: Callable[[], Awaitable[T]]) -> "asyncio.Task[T]":
        """Start a call in its own task: a cancelled caller leaves no call half done."""
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
