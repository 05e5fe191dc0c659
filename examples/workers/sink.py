"""The storage of the results in Redis; writing a result twice changes nothing."""

from collections.abc import Iterable
from types import TracebackType
from typing import Any, Final, Self

from redis.asyncio import Redis

__all__ = ["Sink"]

_KEPT_SECONDS: Final = 7 * 24 * 3600

_WRITE: Final = """
if redis.call('HSETNX', KEYS[1], ARGV[1], ARGV[2]) == 0 then
  return 0
end
redis.call('RPUSH', KEYS[2], ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[3])
redis.call('EXPIRE', KEYS[2], ARGV[3])
return 1
"""
"""Writes the entitlements and the line in the feed atomically, and only once per customer."""


class Sink:
    """One run's results in Redis, kept for a week.

    ``entitlements:{run}:customers`` is a hash, id to text of `dumps`; ``...:changes`` a list of ids in the order in
    which they were written, without duplicates. ``...:done`` has the report of each completed chunk, and
    ``...:started`` the chunks that each worker started.
    """

    def __init__(self, redis_url: str, run: str, *, worker: str = "") -> None:
        made: Any = Redis
        # Any: the types of redis-py are ambiguous.
        self._redis: Any = made.from_url(redis_url, decode_responses=True)
        self._worker = worker
        # The hash tag in braces keeps the keys of a run on one node of a cluster.
        self._customers, self._changes, self._done, self._started = (
            f"entitlements:{{{run}}}:{part}" for part in ("customers", "changes", "done", "started")
        )

    async def begin(self, chunk_key: str) -> str | None:
        """Record that this worker starts a chunk; return the report if the chunk was completed before."""
        await self._redis.rpush(self._started, f"{chunk_key} {self._worker}")
        await self._redis.expire(self._started, _KEPT_SECONDS)
        report: str | None = await self._redis.hget(self._done, chunk_key)
        return report

    async def missing(self, ids: Iterable[str]) -> list[str]:
        """Return those of *ids* that were not written yet."""
        requested = list(ids)
        written = await self._redis.hmget(self._customers, requested)
        return [each for each, text in zip(requested, written, strict=True) if text is None]

    async def write(self, customer_id: str, text: str) -> bool:
        """Write the result of one customer; return False, with nothing changed, if it was written before."""
        return bool(await self._redis.eval(_WRITE, 2, self._customers, self._changes, customer_id, text, _KEPT_SECONDS))

    async def finish(self, chunk_key: str, report: str) -> None:
        """Record that a chunk is completely written."""
        await self._redis.hset(self._done, chunk_key, report)
        await self._redis.expire(self._done, _KEPT_SECONDS)

    async def written(self) -> int:
        """Return the number of customers in the result."""
        count: int = await self._redis.hlen(self._customers)
        return count

    async def results(self) -> dict[str, str]:
        """Return the whole result, id to text of `dumps`."""
        results: dict[str, str] = await self._redis.hgetall(self._customers)
        return results

    async def changes(self) -> list[str]:
        """Return the ids in the order in which they were written."""
        ids: list[str] = await self._redis.lrange(self._changes, 0, -1)
        return ids

    async def done(self) -> set[str]:
        """Return the keys of the completed chunks."""
        return set(await self._redis.hkeys(self._done))

    async def started(self) -> list[tuple[str, str]]:
        """Return a pair of chunk and worker for each start of a chunk."""
        lines: list[str] = await self._redis.lrange(self._started, 0, -1)
        return [(key, worker) for key, _, worker in (line.partition(" ") for line in lines)]

    async def aclose(self) -> None:
        """Close the connections."""
        await self._redis.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()
