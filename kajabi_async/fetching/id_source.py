"""The ids of a bulk run, or whatever else names its resources, such as emails: how they are compared and read.

Their source is any iterable or async iterable, read one id at a time.
"""

import logging
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from typing import Any, Final, Protocol

import attrs

from kajabi_async.checks import iterable_of
from kajabi_async.concurrency import Waiters
from kajabi_async.fetching.outcomes import Lookup
from kajabi_async.jsonapi.ids import checked_id

__all__ = ["IDS", "THE_END", "IdSource", "Ids", "Naming", "source_of"]

Ids = Iterable[str | int] | AsyncIterable[str | int]

_LOG: Final = logging.getLogger("kajabi_async")

_MOST_COMPARED: Final = 100_000
"""The most ids of a list that are compared with each other."""

THE_END: Final = object()
"""What a source returns when no id is left."""


@attrs.frozen
class Naming:
    """How the values of a run are checked and compared, and its outcomes made."""

    noun: str
    """The values in words, such as ``ids``."""
    verb: str
    """The call that starts the run."""
    key: Callable[[Any], str]
    """Returns the form of a value that is equal for all values of one resource; InvalidArgumentError for no value."""
    has_spellings: bool = False
    """Whether several values may have one key, and an outcome has the value as it was given."""
    outcome: Callable[[str, Lookup[Any]], Any] | None = None
    """Returns the outcome of a value from the lookup of its key; None if they are the same."""


IDS: Final = Naming("ids", "get_many", checked_id)


class IdSource(Protocol):
    """Ids, one at a time."""

    at_once: Iterator[object] | None
    """The ids themselves; None if each has to be awaited."""

    comes_once: bool
    """Whether it is known that no id comes a second time."""

    can_close: bool
    """Whether there is something to close: an async generator holds its resources until then."""

    async def take(self) -> object:
        """Return the next id, or `THE_END`."""
        ...

    async def aclose(self) -> None:
        """Close what the ids come from; no `take` may be running."""
        ...


class _Plain:
    """Ids from an iterable, which stays open: the caller may go on with it."""

    can_close = False

    def __init__(self, ids: Iterable[object]) -> None:
        self._ids = iter(ids)
        self.at_once: Iterator[object] | None = self._ids
        self.comes_once = _comes_once(ids)

    async def take(self) -> object:
        return next(self._ids, THE_END)

    async def aclose(self) -> None:
        return


class _Asynchronous:
    """Ids from an async iterable, which is asked for one id at a time."""

    comes_once = False

    def __init__(self, ids: AsyncIterable[object]) -> None:
        self.at_once: Iterator[object] | None = None
        self._ids: AsyncIterator[object] = aiter(ids)
        self.can_close = isinstance(self._ids, AsyncGenerator)
        self._is_asked = False
        self._waiters: Waiters[None] = Waiters()

    async def take(self) -> object:
        # Unlike with asyncio's lock, one that finds the next id ready need not wait for those that were woken.
        while self._is_asked:
            await self._waiters.wait(None, self._waiters.wake)
        self._is_asked = True
        try:
            return await anext(self._ids, THE_END)
        finally:
            self._is_asked = False
            if self._waiters:
                self._waiters.wake(None)

    async def aclose(self) -> None:
        generator: Any = self._ids
        if self.can_close:
            try:
                await generator.aclose()
            except Exception as error:  # noqa: BLE001 - the loop has been left, and no caller could catch it
                _LOG.warning("the source of the ids could not be closed: %s", type(error).__name__)


def _comes_once(ids: Any) -> bool:
    # Comparing takes memory for each id, and only texts that differ are sure to be different ids. A class derived from
    # list may be a source of its own, which is read once.
    if type(ids) not in (list, tuple) or len(ids) > _MOST_COMPARED:
        return False
    return {*map(type, ids)} <= {str} and len({*ids}) == len(ids)


def source_of(ids: Ids, *, noun: str = "ids") -> IdSource:
    """Return the source of *ids*, which the error calls *noun*; InvalidArgumentError for no iterable, or one text."""
    if isinstance(ids, AsyncIterable):
        return _Asynchronous(ids)
    return _Plain(iterable_of(noun, ids))
