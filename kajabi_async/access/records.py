"""The cache as a gate uses it: in bounded time, never failing a read, with what this process remembers in reserve."""

import asyncio
import copy
import logging
from collections.abc import Awaitable, Callable, Generator, Sequence
from contextlib import contextmanager
from typing import Any, Final, TypeVar

import attrs

from kajabi_async.access.cache import Cache, MemoryCache
from kajabi_async.clock import Clock
from kajabi_async.errors import ConfigurationError, StoreUnavailableError

__all__ = ["Records"]

T = TypeVar("T")

_LOG: Final = logging.getLogger("kajabi_async")
_BUSY: Final = 4
_RECENT_SECONDS: Final = 60.0
_LONGEST_REST_SECONDS: Final = 60.0
_REMEMBERED: Final = 20_000
_REMEMBERED_SECONDS: Final = 86_400.0


@attrs.define(eq=False)
class _ReadBatch:
    """The reads of one moment."""

    loop: asyncio.AbstractEventLoop
    keys: dict[str, None] = attrs.field(factory=dict[str, None])
    waiting: "list[asyncio.Future[None]]" = attrs.field(factory=list["asyncio.Future[None]"])
    values: dict[str, bytes | None] | None = None
    """What was read; None if the cache failed."""

    def settle(self, error: ConfigurationError | None) -> None:
        """Wake all who wait, or raise *error* to them."""
        for future in self.waiting:
            if future.done():
                continue
            if error is None:
                future.set_result(None)
            else:
                # A copy for each, so that no traceback grows with their number.
                future.set_exception(copy.copy(error))


class Records:
    """Reads and writes one cache.

    A read never fails: if the cache raises or takes longer than *seconds*, it is left alone for a time that doubles up
    to a minute, and this process works with what it remembers. A write is remembered in any case.
    """

    def __init__(self, cache: Cache, clock: Clock, *, seconds: float, namespace: str) -> None:
        self._cache = cache
        self._clock = clock
        self._seconds = seconds
        self._namespace = namespace
        self.is_local = type(cache) is MemoryCache
        """Whether `read_now` has everything that the cache has."""
        if type(cache) is MemoryCache:
            self._memory = cache
        else:
            self._memory = MemoryCache(most_entries=_REMEMBERED, monotonic=clock.monotonic)
        self._seen_at: dict[str, float] = {}
        self._writing: dict[str, bytes] = {}
        """Values on their way to the cache, which are read in place of those in it."""
        self._tasks: set[asyncio.Task[Any]] = set()
        self._reads = 0
        self._batch: _ReadBatch | None = None
        self._answering_on: asyncio.AbstractEventLoop | None = None
        self._failures = 0
        self._failed_at = self._rest_until = float("-inf")

    @property
    def is_busy(self) -> bool:
        """Whether many reads wait for the cache."""
        return self._reads >= _BUSY

    def read_now(self, keys: Sequence[str]) -> list[bytes | None]:
        """Return what this process remembers of *keys*."""
        return [self._memory.read(f"{self._namespace}:{key}") for key in keys]

    def read_recent(self, keys: Sequence[str]) -> list[bytes | None] | None:
        """Return what the cache had a moment ago; None if one of *keys* was not looked up within a minute."""
        since = self._clock.monotonic() - _RECENT_SECONDS
        if any(self._seen_at.get(key, since) <= since for key in keys):
            return None
        return self.read_now(keys)

    async def read(self, keys: Sequence[str]) -> list[bytes | None]:
        """Return the values of *keys*; ConfigurationError if the cache belongs to another event loop.

        One call of the cache runs at a time, and the next one has all keys that are needed by then.
        """
        if self.is_local or self._is_resting():
            return self.read_now(keys)
        batch = self._joined_batch(keys)
        future: asyncio.Future[None] = batch.loop.create_future()
        batch.waiting.append(future)
        self._reads += 1
        try:
            await future
        finally:
            self._reads -= 1
        values = batch.values
        return self.read_now(keys) if values is None else [self._writing.get(key, values[key]) for key in keys]

    def _joined_batch(self, keys: Sequence[str]) -> "_ReadBatch":
        loop, batch = asyncio.get_running_loop(), self._batch
        if batch is None or batch.loop is not loop:
            batch = self._batch = _ReadBatch(loop)
            if self._answering_on is not loop:
                loop.call_soon(self._send, batch)
        batch.keys.update(dict.fromkeys(keys))
        return batch

    def _send(self, batch: "_ReadBatch") -> None:
        self._batch, self._answering_on = None, batch.loop
        self.begin(lambda: self._answer(batch))

    async def _answer(self, batch: "_ReadBatch") -> None:
        keys = [*batch.keys]
        error: ConfigurationError | None = None
        try:
            values = await self._call(lambda: self._read(keys))
        except StoreUnavailableError as failure:
            self._failed(failure)
        except ConfigurationError as failure:
            error = failure
        else:
            self._succeeded()
            batch.values = dict(zip(keys, values, strict=True))
            for key, value in batch.values.items():
                self._remember(key, value)
        finally:
            self._answering_on = None
        batch.settle(error)
        following = self._batch
        if following is None:
            return
        if batch.values is None:
            # It came while the cache failed, and need not wait for that itself.
            self._batch = None
            following.settle(error)
        else:
            self._send(following)

    async def write(self, key: str, value: bytes, *, seconds: float) -> None:
        """Keep *value*; StoreUnavailableError if only this process remembers it."""
        self.write_now(key, value, seconds=seconds)
        if self.is_local:
            return
        with self._changing():
            self._writing[key] = value
            try:
                await self._call(lambda: self._cache.set(f"{self._namespace}:{key}", value, seconds=seconds))
            finally:
                if self._writing.get(key) is value:
                    del self._writing[key]

    def write_now(self, key: str, value: bytes, *, seconds: float) -> None:
        """Remember *value* in this process."""
        self._memory.write(f"{self._namespace}:{key}", value, seconds)
        self._note_seen(key)

    def drop_now(self, key: str) -> None:
        """Drop *key* in this process."""
        self._memory.drop(f"{self._namespace}:{key}")
        self._seen_at.pop(key, None)

    async def delete(self, key: str) -> None:
        """Drop *key*; StoreUnavailableError if only this process has dropped it."""
        self.drop_now(key)
        if not self.is_local:
            with self._changing():
                await self._call(lambda: self._cache.delete(f"{self._namespace}:{key}"))

    @contextmanager
    def _changing(self) -> Generator[None]:
        """Note whether a change of the cache succeeds; StoreUnavailableError at once while it is left alone."""
        if self._is_resting():
            raise StoreUnavailableError("the cache of the access gate failed a moment ago")
        try:
            yield
        except StoreUnavailableError as error:
            self._failed(error)
            raise
        self._succeeded()

    async def _read(self, keys: Sequence[str]) -> list[bytes | None]:
        names = [f"{self._namespace}:{key}" for key in keys]
        read_many: Any = getattr(self._cache, "read_many", None)
        found: Any = await (read_many(names) if read_many else asyncio.gather(*map(self._cache.get, names)))
        values = [value.encode() if isinstance(value, str) else value for value in found]
        if len(values) != len(names):
            raise StoreUnavailableError("read_many() of the cache returned another number of values")
        return values

    def _remember(self, key: str, value: bytes | None) -> None:
        if value is None:
            self._memory.drop(f"{self._namespace}:{key}")
        else:
            # How long it is kept matters little: each record says when it was read.
            self._memory.write(f"{self._namespace}:{key}", value, _REMEMBERED_SECONDS)
        self._note_seen(key)

    def _note_seen(self, key: str) -> None:
        if not self.is_local:
            if len(self._seen_at) > _REMEMBERED:
                self._seen_at.clear()
            self._seen_at[key] = self._clock.monotonic()

    async def _call(self, call: Callable[[], Awaitable[T]]) -> T:
        calling = self.begin(call)
        await asyncio.wait({calling}, timeout=self._seconds)
        if not calling.done():
            calling.cancel()
            raise StoreUnavailableError(f"the cache of the access gate gave no answer within {self._seconds:g} s")
        try:
            return calling.result()
        except (StoreUnavailableError, ConfigurationError):
            raise
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - a cache of any make may raise anything
            name = type(error).__name__
        # The text may quote what was sent to the cache.
        raise StoreUnavailableError(f"the cache of the access gate failed ({name})")

    def begin(self, call: Callable[[], Awaitable[T]]) -> "asyncio.Task[T]":
        """Start a call in its own task: neither a cancelled caller nor a call that ignores cancellation holds it.

        Its failure is logged if nothing awaits it.
        """
        task = asyncio.ensure_future(_awaited(call))
        self._tasks.add(task)
        task.add_done_callback(self._forget)
        return task

    def _forget(self, task: "asyncio.Task[Any]") -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()

    def _is_resting(self) -> bool:
        now = self._clock.monotonic()
        if now < self._rest_until:
            return True
        if self._failures:
            # One call finds out whether it works again; the others go on without it meanwhile.
            self._rest_until = now + 2 * self._seconds
        return False

    def _failed(self, error: StoreUnavailableError) -> None:
        if not self._failures:
            _LOG.warning("the access gate works without its cache: %s", error)
        now = self._clock.monotonic()
        if now >= self._failed_at + 2 * self._seconds or not self._failures:
            # Calls of the same moment fail together, and count as one.
            rest = min(_LONGEST_REST_SECONDS, 2.0 ** min(self._failures, 30))
            self._failures, self._failed_at, self._rest_until = self._failures + 1, now, now + rest

    def _succeeded(self) -> None:
        if self._failures:
            self._failures, self._rest_until = 0, float("-inf")
            _LOG.info("the cache of the access gate can be used again")


async def _awaited(call: Callable[[], Awaitable[T]]) -> T:
    return await call()
