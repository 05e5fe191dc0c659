"""Where the ids of a bulk run come from: any iterable or async iterable, read one id at a time."""

import asyncio
from collections.abc import AsyncIterable, Iterable, Iterator
from typing import Any, Final, Protocol

from kajabi_async.errors import InvalidArgumentError

__all__ = ["THE_END", "Ids", "Source", "source_of"]

Ids = Iterable[str | int] | AsyncIterable[str | int]

THE_END: Final = object()
"""What is taken where no id is left."""


class Source(Protocol):
    """Where ids come from, one at a time."""

    at_once: Iterator[object] | None
    """The ids themselves, where nobody has to wait for one."""

    async def take(self) -> object:
        """Give the next id, or `THE_END`."""
        ...


class _Plain:
    """Ids from an iterable."""

    def __init__(self, ids: Iterable[object]) -> None:
        self.at_once: Iterator[object] | None = iter(ids)

    async def take(self) -> object:
        return THE_END if self.at_once is None else next(self.at_once, THE_END)


class _Asynchronous:
    """Ids from an async iterable, which takes one request for the next at a time."""

    def __init__(self, ids: AsyncIterable[object]) -> None:
        self.at_once: Iterator[object] | None = None
        self._ids = aiter(ids)
        self._turn = asyncio.Lock()

    async def take(self) -> object:
        async with self._turn:
            return await anext(self._ids, THE_END)


def source_of(ids: Ids) -> Source:
    """Give where to take *ids* from; InvalidArgumentError where they are no iterable, or one id by itself."""
    given: Any = ids
    if isinstance(ids, AsyncIterable):
        return _Asynchronous(ids)
    if isinstance(given, str | bytes) or not isinstance(given, Iterable):
        raise InvalidArgumentError(f"ids must be an iterable of ids, got {type(given).__name__}; for one id use get()")
    return _Plain(ids)
