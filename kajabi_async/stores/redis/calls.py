"""Redis commands that a cancelled caller never interrupts, and whose failures are errors of the SDK."""

import asyncio
import os
from collections.abc import Awaitable
from contextlib import suppress
from types import TracebackType
from typing import Any, Final, Self

from redis.asyncio import BlockingConnectionPool, Redis

from kajabi_async.errors import ConfigurationError, KajabiError, StoreUnavailableError, WrongLoopError
from kajabi_async.jsonapi.codec import json_array

__all__ = ["RedisBacked", "as_bytes", "texts_in", "unexpected_reply"]

_SECONDS: Final = 2.0
_MOST_CONNECTIONS: Final = 32
"""How many commands are under way at once; the others wait. redis-py 8 would refuse more than 100."""


class RedisBacked:
    """A base for objects in Redis: over a URL, with connections of its own, or a given client, not closed here."""

    def __init__(self, redis: "str | Redis") -> None:
        self._owned = isinstance(redis, str)
        # Any: the types of redis-py describe neither the awaitables nor their results.
        self._redis: Any = _connected(redis) if isinstance(redis, str) else redis
        self._pending: set[asyncio.Task[Any]] = set()
        self._bound_to: tuple[asyncio.AbstractEventLoop, int] | None = None
        self._closed = False

    def _command(self, *words: "str | bytes | float") -> "Awaitable[Any]":
        """Return an awaitable of the reply to a command; StoreUnavailableError if it fails or takes over 2 s.

        The command goes on if the caller is cancelled: on an interrupted connection, the next command would get its
        reply. WrongLoopError on another event loop than that of the first command.
        """
        error = self._usage_error()
        if error is not None:
            return _raised(error)
        self._bound_to = asyncio.get_running_loop(), os.getpid()
        task: asyncio.Task[Any] = asyncio.ensure_future(_awaited(self._redis.execute_command(*words)))
        self._pending.add(task)
        task.add_done_callback(self._forget)
        return _reply_of(task)

    def _script(self, text: str, names: "tuple[str, ...]", *arguments: "str | bytes | float") -> "Awaitable[Any]":
        return self._command("EVAL", text, len(names), *names, *arguments)

    async def aclose(self) -> None:
        """Wait for pending commands, and close connections of its own. Further calls do nothing."""
        if not self._closed and self._is_on_its_loop():
            if self._pending:
                await asyncio.wait(tuple(self._pending), timeout=_SECONDS)
            self._closed = True
            if self._owned:
                await self._redis.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    def _usage_error(self) -> KajabiError | None:
        if self._closed:
            return StoreUnavailableError(f"the {type(self).__name__} is closed")
        if not self._is_on_its_loop():
            return WrongLoopError(
                f"the {type(self).__name__} was used on another event loop before, or before a fork: make one for each "
                "loop, such as one per asyncio.run() or per worker"
            )
        return None

    def _is_on_its_loop(self) -> bool:
        return self._bound_to is None or self._bound_to == (asyncio.get_running_loop(), os.getpid())

    def _forget(self, task: "asyncio.Task[Any]") -> None:
        self._pending.discard(task)
        if not task.cancelled():
            task.exception()


def _connected(url: str) -> Any:
    pool_class: Any = BlockingConnectionPool
    limits = {"timeout": _SECONDS, "socket_timeout": _SECONDS, "socket_connect_timeout": _SECONDS}
    # The errors of redis-py about a URL are of many types, and any may show the password.
    with suppress(Exception):
        return Redis.from_pool(pool_class.from_url(url, max_connections=_MOST_CONNECTIONS, **limits))
    raise ConfigurationError("the URL of Redis must start with redis://, rediss:// or unix://")


async def _reply_of(task: "asyncio.Task[Any]") -> Any:
    await asyncio.wait({task}, timeout=_SECONDS)
    if not task.done():
        raise StoreUnavailableError(f"Redis did not answer within {_SECONDS:g} s")
    try:
        return task.result()
    except (Exception, asyncio.CancelledError) as failure:  # noqa: BLE001 - redis-py raises others on odd answers
        name = type(failure).__name__
    # The text of a Redis error may quote the command, and its frames hold the command and the password.
    raise StoreUnavailableError(f"Redis cannot be used ({name})")


async def _raised(error: KajabiError) -> Any:
    """Raise *error* when awaited: the frames of the calls before hold the words of the command, such as a token."""
    raise error


async def _awaited(reply: Awaitable[Any]) -> Any:
    return await reply


def texts_in(reply: Any, number: int) -> list[bytes | None]:
    """Return the texts of *reply*, None for each that is missing; StoreUnavailableError if they are not *number*."""
    texts = [as_bytes(each) for each in json_array(reply) or []]
    if len(texts) != number:
        raise unexpected_reply()
    return texts


def as_bytes(text: Any) -> bytes | None:
    """Return *text* of a reply as bytes, as a client of the caller may decode replies; None if it is none."""
    return text.encode(errors="replace") if isinstance(text, str) else text if isinstance(text, bytes) else None


def unexpected_reply() -> StoreUnavailableError:
    """Return the error for a reply of another type than that of the command."""
    return StoreUnavailableError("Redis sent a reply of an unexpected type")
