"""A taskiq broker on a Redis stream that soon redelivers a dead worker's messages, however long a task takes."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from functools import partial
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError
from taskiq import AckableMessage
from taskiq_redis import RedisStreamBroker

__all__ = ["HeldStreamBroker"]


class HeldStreamBroker(RedisStreamBroker):
    """Renews its claim on messages every third of *redeliver_seconds*, and claims messages that are not renewed.

    The base class measures from the delivery, so its timeout must be longer than the longest task, and it claims under
    a lock without a time limit: a worker killed while it has the lock stops all redelivery. XAUTOCLAIM gives a message
    to one consumer only, so no lock is needed.
    """

    def __init__(self, url: str, *, name: str, redeliver_seconds: float) -> None:
        # "0" includes messages from before the first worker. One at a time, or other workers would wait for the rest.
        super().__init__(
            url, queue_name=name, consumer_group_name=name, consumer_id="0", xread_count=1, xread_block=500
        )
        self._idle_milliseconds = round(redeliver_seconds * 1000)
        self._held: set[bytes] = set()

    async def listen(self) -> AsyncGenerator[AckableMessage, None]:
        """Yield new messages, and those whose worker does not renew its claim."""
        made: Any = Redis
        redis = made(connection_pool=self.connection_pool)
        holding = asyncio.create_task(self._hold(redis))
        try:
            while True:
                for message_id, fields in [*await self._new(redis), *await self._abandoned(redis)]:
                    self._held.add(message_id)
                    yield AckableMessage(data=fields[b"data"], ack=partial(self._done, redis, message_id))
        finally:
            holding.cancel()
            with suppress(asyncio.CancelledError):
                await holding

    async def _new(self, redis: Any) -> list[Any]:
        streams = {self.queue_name: ">"}
        answer = await redis.xreadgroup(
            self.consumer_group_name, self.consumer_name, streams, count=self.count, block=self.block
        )
        return [message for _, messages in answer for message in messages]

    async def _abandoned(self, redis: Any) -> list[Any]:
        answer = await redis.xautoclaim(
            self.queue_name, self.consumer_group_name, self.consumer_name, self._idle_milliseconds, count=1
        )
        return [(message_id, fields) for message_id, fields in answer[1] if fields]

    async def _hold(self, redis: Any) -> None:
        while True:
            await asyncio.sleep(self._idle_milliseconds / 3000)
            with suppress(RedisError, OSError):
                if held := list(self._held):
                    await redis.xclaim(
                        *(self.queue_name, self.consumer_group_name, self.consumer_name, 0, held), justid=True
                    )

    async def _done(self, redis: Any, message_id: bytes) -> None:
        self._held.discard(message_id)
        async with redis.pipeline(transaction=True) as both:
            both.xack(self.queue_name, self.consumer_group_name, message_id)
            # A stream keeps acknowledged messages, and would grow forever.
            both.xdel(self.queue_name, message_id)
            await both.execute()
