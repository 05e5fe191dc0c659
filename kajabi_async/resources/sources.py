"""Where the ids of a bulk run come from: any iterable or async iterable, read one id at a time."""

import asyncio
from collections.abc import AsyncIterable, Iterable
from typing import Any, Protocol

from kajabi_async.errors import InvalidArgumentError

__all__ = ["Ids", "Source", "source_of"]

Ids = Iterable[str | int] | AsyncIterable[str | int]


class Source(Protocol):
    """Where ids come from, one at a time."""

    async def take(self) -> tuple[object] | None:
        """Give the next id, or None at the end."""
        ...


class _Plain:
    """Ids from an iterable."""

    def __init__(self, ids: Iterable[object]) -> None:
        self._ids = iter(ids)

    async def take(self) -> tuple[object] | None:
        for given in self._ids:
            return (given,)
        return None


class _Asynchronous:
    """Ids from an async iterable, which takes one request for the next at a time."""

    def __init__(self, ids: AsyncIterable[object]) -> None:
        self._ids = aiter(ids)
        self._turn = asyncio.Lock()

    async def take(self) -> tuple[object] | None:
        async with self._turn:
            try:
                return (await anext(self._ids),)
            except StopAsyncIteration:
                return None


def source_of(ids: Ids) -> Source:
    """Give where to take *ids* from; InvalidArgumentError where they are no iterable, or one id by itself."""
    given: Any = ids
    if isinstance(ids, AsyncIterable):
        return _Asynchronous(ids)
    if isinstance(given, str | bytes) or not isinstance(given, Iterable):
        raise InvalidArgumentError(f"ids must be an iterable of ids, got {type(given).__name__}; for one id use get()")
    return _Plain(ids)
