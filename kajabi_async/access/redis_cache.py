"""A cache in Redis, shared by processes and machines."""

import asyncio
import copy
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from kajabi_async.checks import positive_seconds, string
from kajabi_async.errors import ConfigurationError, StoreUnavailableError
from kajabi_async.jsonapi.codec import json_array
from kajabi_async.stores.redis.calls import RedisBacked

if TYPE_CHECKING:
    from redis.asyncio import Redis

__all__ = ["RedisCache"]

_MOST_AT_ONCE: Final = 500
_LONGEST_SECONDS: Final = 10.0**10


class RedisCache(RedisBacked):
    """A cache for all gates of one Redis: ``redis`` is a URL or a client of yours, which is not closed here.

    It holds ids, times and keyed hashes. Who can write to that Redis can let people in: restrict access to it. Keys
    start with ``prefix`` in braces, so that a cluster keeps them in one slot. Reads of the same moment are one command.
    """

    def __init__(self, redis: "str | Redis", *, prefix: str = "kajabi_async:access") -> None:
        super().__init__(redis)
        self._prefix = f"{{{string(prefix, of='prefix', error=ConfigurationError)}}}"
        self._pending_reads: dict[str, list[asyncio.Future[bytes | None]]] = {}
        self._reading: set[asyncio.Task[None]] = set()

    async def get(self, key: str) -> bytes | None:
        """Return the value of ``key``; None if there is none. StoreUnavailableError if Redis fails."""
        return (await self.get_many((key,)))[0]

    async def get_many(self, keys: Sequence[str]) -> list[bytes | None]:
        """Return the values of ``keys``, in one command with all other reads of this moment."""
        loop = asyncio.get_running_loop()
        # Before the first await: the error of another event loop is for the caller.
        self._check_loop()
        futures = [self._pend(key, loop) for key in keys]
        return [await future for future in futures]

    async def set(self, key: str, value: bytes, *, seconds: float) -> None:
        """Keep ``value`` for ``seconds``. StoreUnavailableError if Redis fails."""
        milliseconds = round(1000 * positive_seconds(seconds, of="seconds", below=_LONGEST_SECONDS))
        await self._command("SET", self._name(key), value, "PX", max(1, milliseconds))

    async def delete(self, key: str) -> None:
        """Drop ``key``. StoreUnavailableError if Redis fails."""
        await self._command("DEL", self._name(key))

    def _pend(self, key: str, loop: asyncio.AbstractEventLoop) -> "asyncio.Future[bytes | None]":
        if not self._pending_reads:
            loop.call_soon(self._read)
        future: asyncio.Future[bytes | None] = loop.create_future()
        self._pending_reads.setdefault(key, []).append(future)
        return future

    def _read(self) -> None:
        """Send the pending reads; called once for each moment."""
        pending, self._pending_reads = self._pending_reads, {}
        keys = [*pending]
        for start in range(0, len(keys), _MOST_AT_ONCE):
            some = {key: pending[key] for key in keys[start : start + _MOST_AT_ONCE]}
            task = asyncio.get_running_loop().create_task(self._answer(some))
            self._reading.add(task)
            task.add_done_callback(self._reading.discard)

    async def _answer(self, pending: "dict[str, list[asyncio.Future[bytes | None]]]") -> None:
        failure: Exception
        try:
            values = json_array(await self._command("MGET", *map(self._name, pending))) or []
        except (StoreUnavailableError, ConfigurationError) as error:
            failure = error
        except asyncio.CancelledError:
            failure = StoreUnavailableError("the event loop ended while Redis was read")
        else:
            if len(values) == len(pending):
                _settle(pending, values)
                return
            failure = StoreUnavailableError("Redis sent a reply of an unexpected type")
        for futures in pending.values():
            for future in futures:
                if not future.done():
                    # A copy for each, so that no traceback grows with their number.
                    future.set_exception(copy.copy(failure))

    def _name(self, key: str) -> str:
        return f"{self._prefix}:{key}"


def _settle(pending: "dict[str, list[asyncio.Future[bytes | None]]]", values: list[Any]) -> None:
    for value, futures in zip(values, pending.values(), strict=True):
        for future in futures:
            if not future.done():
                future.set_result(_bytes(value))


def _bytes(text: Any) -> bytes | None:
    # A client of the caller may decode replies.
    return text.encode(errors="replace") if isinstance(text, str) else text if isinstance(text, bytes) else None
