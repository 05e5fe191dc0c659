"""The contract of every token store, and the three that fulfil it."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from kajabi_async.session.auth.store import MemoryTokenStore, StoredToken, TokenStore
from kajabi_async.session.credentials import Secret
from kajabi_async.stores.file import FileTokenStore
from kajabi_async.stores.redis import RedisTokenStore

MakeStores = Callable[[], AbstractAsyncContextManager[tuple[TokenStore, TokenStore]]]
"""A function that opens two views of one store, as of two clients."""

KEY = "ab12"
ANOTHER_KEY = "cd34"


def token(access: str = "a1", refresh: str | None = "r1") -> StoredToken:
    return StoredToken(Secret(access), None if refresh is None else Secret(refresh), 1_800_000_000.5, 1_800_000_100.0)


async def saved(store: TokenStore, replaces: int = 0) -> bool:
    """Return whether the store has saved a token in place of version *replaces*, with a lease of its own."""
    lease = await store.acquire(KEY)
    assert lease is not None
    try:
        return await store.save(KEY, token(), lease=lease, replaces=replaces)
    finally:
        await store.release(KEY, lease)


def in_memory() -> MakeStores:
    @asynccontextmanager
    async def make() -> AsyncGenerator[tuple[TokenStore, TokenStore]]:
        store = MemoryTokenStore()
        yield store, store

    return make


def in_a_file(folder: Path) -> MakeStores:
    @asynccontextmanager
    async def make() -> AsyncGenerator[tuple[TokenStore, TokenStore]]:
        yield FileTokenStore(folder), FileTokenStore(folder)

    return make


def in_redis(url: str) -> MakeStores:
    @asynccontextmanager
    async def make() -> AsyncGenerator[tuple[TokenStore, TokenStore]]:
        async with RedisTokenStore(url) as one, RedisTokenStore(url) as other:
            yield one, other

    return make
