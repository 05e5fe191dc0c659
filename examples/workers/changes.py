"""What has changed, handled once for all workers: one of them at a time polls, from the cursor in Redis.

A run that finds the lease taken does nothing. The worker that holds it stores the cursor behind each change that it
has handled, in one step with renewing the lease, and stops once the lease is another's. A killed worker leaves the
lease to expire, and the next run resumes behind the last change that was stored: the change in hand is handled twice.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from typing import Any, Final

import attrs
from redis.asyncio import Redis

from kajabi_async import Kajabi
from kajabi_async.access import AccessGate
from kajabi_async.changes import Change

__all__ = ["ChangesJob", "forgetting"]

Handle = Callable[[Change], Awaitable[None]]

_STORE: Final = """
if redis.call('get', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('pexpire', KEYS[1], ARGV[2])
redis.call('set', KEYS[2], ARGV[3])
return 1
"""
_RELEASE: Final = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0"


def forgetting(gate: AccessGate, redis: Any, name: str, worker: str) -> Handle:
    """Return a handler that drops what the gate knows of the person, and writes the change to a feed."""

    async def handle(change: Change) -> None:
        await gate.notice(change)
        await redis.rpush(f"{{{name}}}:feed", f"{change.key} {worker}")

    return handle


@attrs.frozen
class ChangesJob:
    """The job of one worker process."""

    api: Kajabi
    redis: Any
    """A client of the Redis that all workers share."""
    handle: Handle
    name: str = "changes"
    lease_seconds: float = 30.0
    """How long a worker may take for one poll, or one change; after that another takes over."""

    @classmethod
    def connect(cls, url: str) -> Any:
        """Return a client of Redis whose answers are text."""
        made: Any = Redis
        return made.from_url(url, decode_responses=True)

    async def run(self) -> int:
        """Handle what has changed since the last run of any worker; return the number of changes, 0 if one is at it."""
        lease, cursor = f"{{{self.name}}}:lease", f"{{{self.name}}}:cursor"
        proof = secrets.token_hex(16)
        milliseconds = round(self.lease_seconds * 1000)
        if not await self.redis.set(lease, proof, nx=True, px=milliseconds):
            return 0
        handled = 0
        try:
            changes = self.api.changes(cursor=await self.redis.get(cursor))
            # In an outage the next run goes on: a poll that is cut short loses nothing.
            async with asyncio.timeout(self.lease_seconds / 2):
                found = await changes.poll()
            for change in found:
                await self.handle(change)
                if not await self.redis.eval(_STORE, 2, lease, cursor, proof, milliseconds, change.cursor):
                    return handled
                handled += 1
            # It has moved on, even if nothing has changed.
            await self.redis.eval(_STORE, 2, lease, cursor, proof, milliseconds, changes.cursor or "")
        except TimeoutError:
            return handled
        finally:
            await self.redis.eval(_RELEASE, 1, lease, proof)
        return handled
