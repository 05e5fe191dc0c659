"""The state of one worker process of any queue: settings, one client, and the shared token and rate."""

import os
import socket
from contextlib import AsyncExitStack
from typing import Self

import attrs

from examples.workers.entitlements import Chunk, refresh
from examples.workers.sink import Sink
from kajabi_async import Kajabi
from kajabi_async.stores.redis import RedisRate, RedisTokenStore

__all__ = ["Process", "Settings"]


@attrs.frozen
class Settings:
    """Settings from the environment; the client reads its credentials from it as well."""

    redis_url: str
    """REDIS_URL: the queue, the results, the token and the rate."""
    redeliver_seconds: float
    """WORKERS_REDELIVER_SECONDS: the time without a heartbeat after which another worker gets a worker's chunks."""
    worker: str
    """WORKER_NAME, else host and process id."""
    per_second: float | None
    """KAJABI_PER_SECOND: the limit for all workers together; None to learn it."""

    @classmethod
    def from_env(cls) -> Self:
        """Read the settings."""
        per_second = os.environ.get("KAJABI_PER_SECOND")
        return cls(
            redis_url=os.environ.get("REDIS_URL", "redis://localhost:6379"),
            redeliver_seconds=float(os.environ.get("WORKERS_REDELIVER_SECONDS", "30")),
            worker=os.environ.get("WORKER_NAME") or f"{socket.gethostname()}-{os.getpid()}",
            per_second=float(per_second) if per_second else None,
        )


class Process:
    """The client of one worker process: opened once at its start, used for every chunk, closed at its end.

    It belongs to the event loop on which it was opened.
    """

    def __init__(self, settings: Settings, api: Kajabi, closing: AsyncExitStack) -> None:
        self._settings = settings
        self._api = api
        self._closing = closing

    @classmethod
    async def opened(cls, settings: Settings) -> Self:
        """Connect to the shared store and rate; no token is requested before the first chunk."""
        async with AsyncExitStack() as stack:
            tokens = await stack.enter_async_context(RedisTokenStore(settings.redis_url))
            rate = await stack.enter_async_context(
                RedisRate(settings.redis_url, name="entitlements", per_second=settings.per_second)
            )
            api = await stack.enter_async_context(Kajabi.from_env(token_store=tokens, rate_limit=rate))
            return cls(settings, api, stack.pop_all())

    async def refresh(self, chunk: Chunk) -> str:
        """Run one chunk; see `examples.workers.entitlements.refresh`."""
        async with Sink(self._settings.redis_url, chunk.run, worker=self._settings.worker) as sink:
            return await refresh(self._api, sink, chunk)

    async def aclose(self) -> None:
        """Close the client and the connections."""
        await self._closing.aclose()
