"""A token in Redis, for processes and machines."""

import contextlib
import re
import uuid
from typing import Any, Final

import attrs
from redis.asyncio import Redis

from kajabi_async.errors import KajabiError, StoreUnavailableError
from kajabi_async.jsonapi.codec import json_array
from kajabi_async.session.auth.store import Lease, StoredToken, checked_lease_seconds, checked_version
from kajabi_async.stores.redis.calls import OverRedis
from kajabi_async.tracebacks import hides_arguments

__all__ = ["RedisTokenStore"]

_KEPT_SECONDS: Final = 90 * 24 * 3600
"""A refresh token may outlive its access token; one that nobody has used for so long is left to a new grant."""

_DIGITS: Final = re.compile(rb"[0-9]{1,16}")

_LOAD: Final = """
if redis.call('TYPE', KEYS[1]).ok ~= 'hash' then
  redis.call('DEL', KEYS[1])
  return {false, false, ''}
end
local found = redis.call('HMGET', KEYS[1], 'version', 'token')
return {found[1], found[2], redis.sha1hex((found[1] or '') .. ' ' .. (found[2] or ''))}
"""
"""What is no hash is none of ours, and would keep every token from being saved."""

_DROP: Final = """
local found = redis.call('HMGET', KEYS[1], 'version', 'token')
if redis.sha1hex((found[1] or '') .. ' ' .. (found[2] or '')) == ARGV[1] then
  redis.call('HDEL', KEYS[1], 'version', 'token')
end
return 0
"""
"""Compared by a hash: a client that decodes its answers does not return the bytes that lie there."""

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
"""A lease without an end, which is none of ours, gets one. A fence that cannot be counted on begins again, and what
was written by the old one goes."""

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
"""A fence beyond the latest that was given out is none of ours."""

_DISCARD: Final = """
if redis.call('HGET', KEYS[1], 'version') == ARGV[1] then
  return redis.call('HDEL', KEYS[1], 'version', 'token')
end
return 0
"""
"""The fence stays: a holder that was slow must not put an older token there."""


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
        self._leases: dict[Lease, str] = {}

    async def load(self, key: str) -> StoredToken | None:
        """Return the token of *key*; None if there is none. StoreUnavailableError if Redis fails.

        What lies there and cannot be a token is dropped, so that the next one can be saved.
        """
        names = (self._name(key, "token"),)
        version, text, seen = _found(await self._script(_LOAD, names))
        if version is None and text is None:
            return None
        token = StoredToken.from_bytes(text or b"")
        number = checked_version(int(version)) if version is not None and _DIGITS.fullmatch(version) else None
        if token is None or not number:
            await self._script(_DROP, names, seen)
            return None
        return attrs.evolve(token, version=number)

    async def acquire(self, key: str) -> Lease | None:
        """Return the lease of *key*, or None if somebody else holds it."""
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
        """Give *lease* back; nothing happens if it is somebody else's by now."""
        self._leases.pop(lease, None)
        await self._script(_RELEASE, (self._name(key, "lease"),), lease.holder)

    async def save(self, key: str, token: StoredToken, *, lease: Lease, replaces: int) -> bool:
        """Put *token* in the place of version *replaces*; False if another version or a later lease's is there."""
        names = self._name(key, "token"), self._name(key, "fence")
        return bool(_number(await self._script(_SAVE, names, replaces, lease.fence, token.to_bytes(), _KEPT_SECONDS)))

    async def discard(self, key: str, *, version: int) -> None:
        """Drop the token of *key* if it is still of *version*."""
        await self._script(_DISCARD, (self._name(key, "token"),), version)

    async def aclose(self) -> None:
        """Give leases back, let what is under way end, and close the connection, unless it was handed in."""
        for lease, key in tuple(self._leases.items()):
            with contextlib.suppress(KajabiError):
                await self.release(key, lease)
        await super().aclose()

    def _name(self, key: str, part: str) -> str:
        # In braces what a cluster places by: the three keys of a token lie together.
        return f"{self._prefix}:{{{key}}}:{part}"


def _found(answer: Any) -> tuple[bytes | None, bytes | None, bytes]:
    elements = json_array(answer) or []
    found = [_bytes(each) for each in elements]
    if len(found) != 3 or found[2] is None:  # noqa: PLR2004
        raise StoreUnavailableError("Redis gave an answer of another kind than the one asked for")
    return found[0], found[1], found[2]


def _number(answer: Any) -> int:
    if not isinstance(answer, int):
        raise StoreUnavailableError("Redis gave an answer of another kind than the one asked for")
    return answer


def _bytes(text: Any) -> bytes | None:
    # A client that was handed in may decode answers.
    return text.encode(errors="replace") if isinstance(text, str) else text if isinstance(text, bytes) else None
