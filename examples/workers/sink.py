"""Where the results go: Redis, written so that doing it twice changes nothing."""

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
"""The entitlements and the line in the feed, both or neither, and only for the first who comes with this customer."""


class Sink:
    """One run's results in Redis, kept for a week.

    ``entitlements:{run}:customers`` is a hash, id to text of `dumps`; ``...:changes`` a list of ids in the order in
    which they were written, for whoever acts on them: none is in it twice. ``...:done`` holds the report of each chunk,
    and ``...:begun`` who began which.
    """

    def __init__(self, redis_url: str, run: str, *, worker: str = "") -> None:
        made: Any = Redis
        # Any: the types of redis-py do not tell what comes back.
        self._redis: Any = made.from_url(redis_url, decode_responses=True)
        self._worker = worker
        # In braces what a cluster places by: the keys of a run lie together.
        self._customers, self._changes, self._done, self._begun = (
            f"entitlements:{{{run}}}:{part}" for part in ("customers", "changes", "done", "begun")
        )

    async def begin(self, chunk_key: str) -> str | None:
        """Note that this worker begins a chunk; give its report where it was done before."""
        await self._redis.rpush(self._begun, f"{chunk_key} {self._worker}")
        await self._redis.expire(self._begun, _KEPT_SECONDS)
        report: str | None = await self._redis.hget(self._done, chunk_key)
        return report

    async def missing(self, ids: Iterable[str]) -> list[str]:
        """Give those of *ids* that were not written yet."""
        asked = list(ids)
        written = await self._redis.hmget(self._customers, asked)
        return [each for each, text in zip(asked, written, strict=True) if text is None]

    async def write(self, customer_id: str, text: str) -> bool:
        """Write the result of one customer; False, and nothing changed, where there is one."""
        return bool(await self._redis.eval(_WRITE, 2, self._customers, self._changes, customer_id, text, _KEPT_SECONDS))

    async def finish(self, chunk_key: str, report: str) -> None:
        """Note that all of a chunk is written."""
        await self._redis.hset(self._done, chunk_key, report)
        await self._redis.expire(self._done, _KEPT_SECONDS)

    async def written(self) -> int:
        """Give the number of customers in the result."""
        count: int = await self._redis.hlen(self._customers)
        return count

    async def results(self) -> dict[str, str]:
        """Give the whole result, id to text of `dumps`."""
        results: dict[str, str] = await self._redis.hgetall(self._customers)
        return results

    async def changes(self) -> list[str]:
        """Give the ids in the order in which they were written."""
        ids: list[str] = await self._redis.lrange(self._changes, 0, -1)
        return ids

    async def done(self) -> set[str]:
        """Give the keys of the chunks that are done."""
        return set(await self._redis.hkeys(self._done))

    async def begun(self) -> list[tuple[str, str]]:
        """Give chunk and worker for every time that a worker began a chunk."""
        lines: list[str] = await self._redis.lrange(self._begun, 0, -1)
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
