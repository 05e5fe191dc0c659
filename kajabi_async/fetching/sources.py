"""Where the ids of a bulk run come from: any iterable or async iterable, read one id at a time."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterable, Iterator
from typing import Any, Final, Protocol

from kajabi_async.checks import iterable_of

__all__ = ["THE_END", "Ids", "Source", "source_of"]

Ids = Iterable[str | int] | AsyncIterable[str | int]

_LOG: Final = logging.getLogger("kajabi_async")

THE_END: Final = object()
"""What is taken where no id is left."""


class Source(Protocol):
    """Where ids come from, one at a time."""

    at_once: Iterator[object] | None
    """The ids themselves, where nobody has to wait for one."""

    can_close: bool
    """Whether there is something to close: an async generator holds on to what it uses until then."""

    async def take(self) -> object:
        """Return the next id, or `THE_END`."""
        ...

    async def aclose(self) -> None:
        """Close what the ids come from; nobody may be waiting for one."""
        ...


class _Plain:
    """Ids from an iterable, which is left as it is: who handed it in may go on with it."""

    can_close = False

    def __init__(self, ids: Iterable[object]) -> None:
        self.at_once: Iterator[object] | None = iter(ids)

    async def take(self) -> object:
        return THE_END if self.at_once is None else next(self.at_once, THE_END)

    async def aclose(self) -> None:
        return


class _Asynchronous:
    """Ids from an async iterable, which takes one request for the next at a time."""

    def __init__(self, ids: AsyncIterable[object]) -> None:
        self.at_once: Iterator[object] | None = None
        self._ids: AsyncIterator[object] = aiter(ids)
        self.can_close = isinstance(self._ids, AsyncGenerator)
        self._turn = asyncio.Lock()

    async def take(self) -> object:
        async with self._turn:
            return await anext(self._ids, THE_END)

    async def aclose(self) -> None:
        generator: Any = self._ids
        if self.can_close:
            try:
                await generator.aclose()
            except Exception as error:  # noqa: BLE001 - the loop has been left, and nobody could catch it
                _LOG.warning("the source of the ids could not be closed: %s", type(error).__name__)


def source_of(ids: Ids) -> Source:
    """Give where to take *ids* from; InvalidArgumentError where they are no iterable, or one id by itself."""
    if isinstance(ids, AsyncIterable):
        return _Asynchronous(ids)
    return _Plain(iterable_of("ids", ids))
