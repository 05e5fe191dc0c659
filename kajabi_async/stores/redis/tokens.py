"""A token in Redis, shared by processes and machines."""

import contextlib
import re
import uuid
from typing import Any, Final

import attrs
from redis.asyncio import Redis

from kajabi_async.errors import KajabiError
from kajabi_async.session.auth.store import Lease, StoredToken, checked_lease_seconds, checked_version
from kajabi_async.stores.redis.calls import RedisBacked, texts_in, unexpected_reply
from kajabi_async.tracebacks import hides_arguments

__all__ = ["RedisTokenStore"]

_KEPT_SECONDS: Final = 90 * 24 * 3600
"""Seconds after which an unused token expires; its refresh token may be valid longer than its access token."""

_DIGITS: Final = re.compile(rb"[0-9]{1,16}")

_LOAD: Final = """
if redis.call('TYPE', KEYS[1]).ok ~= 'hash' then
  redis.call('DEL', KEYS[1])
  return {false, false, ''}
end
local found = redis.call('HMGET', KEYS[1], 'version', 'token')
return {found[1], found[2], redis.sha1hex((found[1] or '') .. ' ' .. (found[2] or ''))}
"""
"""Deletes a key that is not a hash: another program wrote it, and no token could be saved."""

_DROP: Final = """
local found = redis.call('HMGET', KEYS[1], 'version', 'token')
if redis.sha1hex((found[1] or '') .. ' ' .. (found[2] or '')) == ARGV[1] then
  redis.call('HDEL', KEYS[1], 'version', 'token')
end
return 0
"""
"""Compares by a hash, since a client that decodes replies does not return the stored bytes."""

_ACQUIRE: Final = """
if not redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then
  if redis.call('PTTL', KEYS[1]) == -1 then
    redis.call('PEXPIRE', KEYS[1], ARGV[2])
  end
  return 0
end
local fence = redis.pcall('INCR', KEYS[2])
if type(fence) ~= 'number' or fence < 1 or fence >= 2 ^ 53 then
  redis.call('SET', KEYS[2], 1)
  redis.call('DEL', KEYS[3])
  fence = 1
end
redis.call('EXPIRE', KEYS[2], ARGV[3])
return fence
"""
"""A lease without an expiry, written by another program, gets one. An invalid fence restarts at 1, and the token that
was saved under the old one is deleted."""

_RELEASE: Final = """
if redis.call('GET', KEYS[1]) == ARGV[1] then
  return redis.call('DEL', KEYS[1])
end
return 0
"""

_SAVE: Final = """
local version = tonumber(redis.call('HGET', KEYS[1], 'version') or '0')
local fence = tonumber(redis.call('HGET', KEYS[1], 'fence') or '0') or 0
local latest = tonumber(redis.call('GET', KEYS[2]) or '0') or 0
if version ~= tonumber(ARGV[1]) or (fence > tonumber(ARGV[2]) and fence <= latest) then
  return 0
end
redis.call('HSET', KEYS[1], 'version', version + 1, 'fence', ARGV[2], 'token', ARGV[3])
redis.call('EXPIRE', KEYS[1], ARGV[4])
return 1
"""
"""A stored fence beyond the latest issued one is invalid and ignored."""

_DISCARD: Final = """
if redis.call('HGET', KEYS[1], 'version') == ARGV[1] then
  return redis.call('HDEL', KEYS[1], 'version', 'token')
end
return 0
"""
"""Keeps the fence: a slow holder must not save an older token."""


@hides_arguments
class RedisTokenStore(RedisBacked):
    """A store of tokens for all clients of one Redis: ``redis`` is a URL or a client of yours.

    The lease is a key that expires after ``lease_seconds``, so another client can replace a holder that died. A fence
    protects the token: a holder that took longer than its lease never overwrites the token of its successor. If Redis
    evicts a key, only a token is lost, and a new one is requested.
    """

    def __init__(self, redis: "str | Redis", *, lease_seconds: float = 20.0, prefix: str = "kajabi_async") -> None:
        super().__init__(redis)
        self.lease_seconds = checked_lease_seconds(lease_seconds)
        self._prefix = prefix
        self._leases: dict[Lease, str] = {}

    async def load(self, key: str) -> StoredToken | None:
        """Return the token of ``key``, or None if there is none. StoreUnavailableError if Redis fails.

        An invalid value is deleted, so that the next token can be saved.
        """
        names = (self._name(key, "token"),)
        version, text, seen = texts_in(await self._script(_LOAD, names), 3)
        if seen is None:
            raise unexpected_reply()
        if version is None and text is None:
            return None
        token = None if text is None else StoredToken.from_bytes(text)
        number = checked_version(int(version)) if version is not None and _DIGITS.fullmatch(version) else None
        if token is None or not number:
            await self._script(_DROP, names, seen)
            return None
        return attrs.evolve(token, version=number)

    async def acquire(self, key: str) -> Lease | None:
        """Return the lease of ``key``, or None if another client has it."""
        holder = uuid.uuid4().hex
        names = self._name(key, "lease"), self._name(key, "fence"), self._name(key, "token")
        milliseconds = round(self.lease_seconds * 1000)
        fence = _number(await self._script(_ACQUIRE, names, holder, milliseconds, _KEPT_SECONDS))
        if not fence:
            return None
        lease = Lease(holder, fence)
        self._leases[lease] = key
        return lease

    async def release(self, key: str, lease: Lease) -> None:
        """Release ``lease`` of ``key``; do nothing if another client has it by now."""
        self._leases.pop(lease, None)
        await self._script(_RELEASE, (self._name(key, "lease"),), lease.holder)

    async def save(self, key: str, token: StoredToken, *, lease: Lease, replaces: int) -> bool:
        """Replace version ``replaces`` with ``token``; return False if another version or a later lease's is stored."""
        names = self._name(key, "token"), self._name(key, "fence")
        return bool(_number(await self._script(_SAVE, names, replaces, lease.fence, token.to_bytes(), _KEPT_SECONDS)))

    async def discard(self, key: str, *, version: int) -> None:
        """Remove the token of ``key`` if it still has ``version``."""
        await self._script(_DISCARD, (self._name(key, "token"),), version)

    async def aclose(self) -> None:
        """Release all leases, wait for pending commands, and close the connection unless it was given."""
        for lease, key in tuple(self._leases.items()):
            with contextlib.suppress(KajabiError):
                await self.release(key, lease)
        await super().aclose()

    def _name(self, key: str, part: str) -> str:
        # The hash tag in braces keeps the three keys of a token in one slot of a cluster.
        return f"{self._prefix}:{{{key}}}:{part}"


def _number(answer: Any) -> int:
    if not isinstance(answer, int):
        raise unexpected_reply()
    return answer
