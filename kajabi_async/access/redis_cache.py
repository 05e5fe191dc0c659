"""A cache in Redis, shared by processes and machines."""

from collections.abc import Sequence
from typing import Final

from kajabi_async.checks import positive_seconds, string
from kajabi_async.errors import ConfigurationError
from kajabi_async.stores.redis.calls import RedisBacked, texts_in

try:
    from redis.asyncio import Redis
except ImportError as missing:
    raise ImportError("RedisCache needs redis: pip install 'kajabi-async[redis]'") from missing

__all__ = ["RedisCache"]

_MOST_AT_ONCE: Final = 500
_LONGEST_SECONDS: Final = 10.0**10


class RedisCache(RedisBacked):
    """A cache for all gates of one Redis: ``redis`` is a URL or a client of yours, which is not closed here.

    It holds ids, times and keyed hashes. Who can write to that Redis can let people in: restrict access to it. Keys
    start with ``prefix`` in braces, so that a cluster keeps them in one slot.
    """

    def __init__(self, redis: "str | Redis", *, prefix: str = "kajabi_async:access") -> None:
        super().__init__(redis)
        self._prefix = f"{{{string(prefix, of='prefix', error=ConfigurationError)}}}"

    async def get(self, key: str) -> bytes | None:
        """Return the value of ``key``; None if there is none. StoreUnavailableError if Redis fails."""
        return (await self.read_many((key,)))[0]

    async def read_many(self, keys: Sequence[str]) -> list[bytes | None]:
        """Return the values of ``keys``, in their order, by one command for each 500 of them."""
        values: list[bytes | None] = []
        for start in range(0, len(keys), _MOST_AT_ONCE):
            some = keys[start : start + _MOST_AT_ONCE]
            values += texts_in(await self._command("MGET", *map(self._name, some)), len(some))
        return values

    async def set(self, key: str, value: bytes, *, seconds: float) -> None:
        """Keep ``value`` for ``seconds``. StoreUnavailableError if Redis fails."""
        milliseconds = round(1000 * positive_seconds(seconds, of="seconds", below=_LONGEST_SECONDS))
        await self._command("SET", self._name(key), value, "PX", max(1, milliseconds))

    async def delete(self, key: str) -> None:
        """Drop ``key``. StoreUnavailableError if Redis fails."""
        await self._command("DEL", self._name(key))

    def _name(self, key: str) -> str:
        return f"{self._prefix}:{key}"
