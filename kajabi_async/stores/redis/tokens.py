"""A token in Redis, for processes and machines."""

import uuid
from typing import Any, Final

import attrs
from redis.asyncio import Redis

from kajabi_async.session.token_store import Lease, StoredToken, checked_lease_seconds
from kajabi_async.stores.redis.calls import OverRedis
from kajabi_async.tracebacks import hides_arguments

__all__ = ["RedisTokenStore"]

_KEPT_SECONDS: Final = 90 * 24 * 3600
"""A refresh token may outlive its access token; one that nobody has used for so long is left to a new grant."""

_ACQUIRE: Final = """
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then
  return redis.call('INCR', KEYS[2])
end
return 0
"""

_RELEASE: Final = """
if redis.call('GET', KEYS[1]) == ARGV[1] then
  return redis.call('DEL', KEYS[1])
end
return 0
"""

_SAVE: Final = """
local version = tonumber(redis.call('HGET', KEYS[1], 'version') or '0')
local fence = tonumber(redis.call('HGET', KEYS[1], 'fence') or '0')
if version ~= tonumber(ARGV[1]) or fence > tonumber(ARGV[2]) then
  return 0
end
redis.call('HSET', KEYS[1], 'version', version + 1, 'fence', ARGV[2], 'token', ARGV[3])
redis.call('EXPIRE', KEYS[1], ARGV[4])
return 1
"""

_DISCARD: Final = """
if redis.call('HGET', KEYS[1], 'version') == ARGV[1] then
  return redis.call('DEL', KEYS[1])
end
return 0
"""


@hides_arguments
class RedisTokenStore(OverRedis):
    """Shares tokens among everybody who uses the same Redis: *redis* is a URL, or a client of yours.

    The lease is a key that Redis drops after *lease_seconds*, so a holder that dies is replaced then. What is saved is
    fenced: a holder that was slower than its lease never overwrites what its successor has saved. A Redis that evicts
    keys loses no more than a token, and one is asked for again.
    """

    def __init__(self, redis: "str | Redis", *, lease_seconds: float = 20.0, prefix: str = "kajabi_async") -> None:
        super().__init__(redis)
        self.lease_seconds = checked_lease_seconds(lease_seconds)
        self._prefix = prefix

    async def load(self, key: str) -> StoredToken | None:
        """Give the token of *key*; None where there is none. StoreUnavailableError where Redis fails."""
        version, text = await self._command("HMGET", self._name(key, "token"), "version", "token")
        token = None if text is None else StoredToken.from_bytes(_bytes(text))
        return None if token is None else attrs.evolve(token, version=int(version))

    async def acquire(self, key: str) -> Lease | None:
        """Give the lease of *key*, or None where somebody else holds it."""
        holder = uuid.uuid4().hex
        names = self._name(key, "lease"), self._name(key, "fence")
        milliseconds = round(self.lease_seconds * 1000)
        fence = int(await self._script(_ACQUIRE, names, holder, milliseconds))
        return Lease(holder, fence) if fence else None

    async def release(self, key: str, lease: Lease) -> None:
        """Give *lease* back; nothing happens where it is somebody else's by now."""
        await self._script(_RELEASE, (self._name(key, "lease"),), lease.holder)

    async def save(self, key: str, token: StoredToken, *, lease: Lease, replaces: int) -> bool:
        """Put *token* in the place of version *replaces*; False where another version or a later lease's is there."""
        names = (self._name(key, "token"),)
        saved = await self._script(_SAVE, names, replaces, lease.fence, token.to_bytes(), _KEPT_SECONDS)
        return bool(int(saved))

    async def discard(self, key: str, *, version: int) -> None:
        """Drop the token of *key* where it is still of *version*."""
        await self._script(_DISCARD, (self._name(key, "token"),), version)

    def _name(self, key: str, part: str) -> str:
        # In braces what a cluster places by: the three keys of a token lie together.
        return f"{self._prefix}:{{{key}}}:{part}"


def _bytes(text: Any) -> bytes:
    # A client that was handed in may decode answers.
    return text.encode() if isinstance(text, str) else text
