"""Calls of Redis that a cancelled caller never breaks off, and whose failures are errors of ours."""

import asyncio
import os
from collections.abc import Awaitable
from contextlib import suppress
from types import TracebackType
from typing import Any, Final, Self

from redis.asyncio import Redis

from kajabi_async.errors import ConfigurationError, StoreUnavailableError, WrongLoopError

__all__ = ["OverRedis"]

_SECONDS: Final = 2.0


class OverRedis:
    """What stands on Redis: a URL, for a connection of its own, or a client that was handed in and is not closed."""

    def __init__(self, redis: "str | Redis") -> None:
        self._owned = isinstance(redis, str)
        # Any: the types of redis-py tell neither what is awaited nor what comes back.
        self._redis: Any = _connected(redis) if isinstance(redis, str) else redis
        self._under_way: set[asyncio.Task[Any]] = set()
        self._bound_to: tuple[asyncio.AbstractEventLoop, int] | None = None
        self._closed = False

    def _command(self, *words: "str | bytes | float") -> "Awaitable[Any]":
        """Return Redis' answer to a command, to be awaited; StoreUnavailableError if it fails or takes over 2 s.

        It goes on if the caller is cancelled: a connection that is left between question and answer would hand the
        answer to whoever uses it next. WrongLoopError on another event loop than that of the first command. *words*
        may hold a token, so they are in no frame that an error leaves through.
        """
        if self._closed or not self._is_here():
            words = ()
        self._check_loop()
        calling: asyncio.Task[Any] = asyncio.ensure_future(_awaited(self._redis.execute_command(*words)))
        self._under_way.add(calling)
        calling.add_done_callback(self._forget)
        return _answer(calling)

    def _script(self, text: str, names: "tuple[str, ...]", *arguments: "str | bytes | float") -> "Awaitable[Any]":
        return self._command("EVAL", text, len(names), *names, *arguments)

    async def aclose(self) -> None:
        """Let what is under way end, and close the connection, unless it was handed in. May be called again."""
        if not self._closed and self._is_here():
            if self._under_way:
                await asyncio.wait(tuple(self._under_way), timeout=_SECONDS)
            self._closed = True
            if self._owned:
                await self._redis.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    def _check_loop(self) -> None:
        if self._closed:
            raise StoreUnavailableError(f"the {type(self).__name__} is closed")
        if not self._is_here():
            raise WrongLoopError(
                f"the {type(self).__name__} was used on another event loop before, or before a fork: make one for each "
                "loop, such as one per asyncio.run() or per worker"
            )
        if self._bound_to is None:
            self._bound_to = asyncio.get_running_loop(), os.getpid()

    def _is_here(self) -> bool:
        return self._bound_to is None or self._bound_to == (asyncio.get_running_loop(), os.getpid())

    def _forget(self, calling: "asyncio.Task[Any]") -> None:
        self._under_way.discard(calling)
        if not calling.cancelled():
            calling.exception()


def _connected(url: str) -> Any:
    made: Any = Redis
    # redis-py takes a URL apart option by option, and raises all sorts of errors, any of which may show the password.
    with suppress(Exception):
        return made.from_url(url, socket_timeout=_SECONDS, socket_connect_timeout=_SECONDS)
    raise ConfigurationError("the URL of Redis must begin with redis://, rediss:// or unix://")


async def _answer(calling: "asyncio.Task[Any]") -> Any:
    await asyncio.wait({calling}, timeout=_SECONDS)
    if not calling.done():
        raise StoreUnavailableError(f"Redis gave no answer within {_SECONDS:g} s")
    try:
        return calling.result()
    except (Exception, asyncio.CancelledError) as failure:  # noqa: BLE001 - redis-py raises others on odd answers
        name = type(failure).__name__
    # The text of a Redis error may quote what was sent to it, and its frames hold that and the password.
    raise StoreUnavailableError(f"Redis cannot be used ({name})")


async def _awaited(answer: Awaitable[Any]) -> Any:
    return await answer
