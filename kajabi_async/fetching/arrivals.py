"""Outcomes of a run between their arrival and the caller's loop, and the latest of them."""

from collections import deque
from collections.abc import Iterator
from itertools import chain
from typing import Final, Generic, TypeVar

from kajabi_async.fetching.outcomes import Failed
from kajabi_async.passing import is_passing

__all__ = ["RECENT_BYTES", "RECENT_OUTCOMES", "AsArrived", "InOrder", "Recent"]

T = TypeVar("T")


class AsArrived(deque[tuple[int, str, T]]):
    """In the order it arrives; false if there is none."""

    put = deque[tuple[int, str, T]].append
    take = deque[tuple[int, str, T]].popleft

    def close_gaps(self) -> None:
        """Do nothing: there are none."""


class InOrder(Generic[T]):
    """In the order of their numbers; false if the next has not arrived."""

    def __init__(self) -> None:
        self._waiting: dict[int, tuple[int, str, T]] = {}
        self._next = 0

    def __bool__(self) -> bool:
        return self._next in self._waiting

    def __iter__(self) -> Iterator[tuple[int, str, T]]:
        return iter(self._waiting.values())

    def put(self, numbered: tuple[int, str, T]) -> None:
        """Keep what is told of one id until it is its turn."""
        self._waiting[numbered[0]] = numbered

    def take(self) -> tuple[int, str, T]:
        """Return what is told of the next id."""
        numbered = self._waiting.pop(self._next)
        self._next += 1
        return numbered

    def close_gaps(self) -> None:
        """Wait no longer for what has not arrived: it never will."""
        arrived = sorted(self._waiting.values(), key=lambda numbered: numbered[0])
        self._waiting = dict(enumerate(arrived, self._next))

    def clear(self) -> None:
        """Drop everything."""
        self._waiting.clear()


RECENT_OUTCOMES: Final = 4096
"""So many outcomes, and at least half of them, are kept, unless they are too large."""
RECENT_BYTES: Final = 4 * 2**20
"""So many bytes of answers are kept, and at least half of them."""

_SIZE_OF_AN_OBJECT: Final = 16 * 2**10
"""What anything that is no body is counted as: how large it is cannot be told."""


class Recent(Generic[T]):
    """What was told of an id lately."""

    def __init__(self) -> None:
        self._latest: dict[str, T] = {}
        self._before: dict[str, T] = {}
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._latest) + len(self._before)

    def get(self, resource_id: str) -> T | None:
        """Return what was told of an id; None if it is not known any more."""
        told = self._latest.get(resource_id)
        return self._before.get(resource_id) if told is None else told

    def put(self, resource_id: str, told: T) -> None:
        """Keep what is told of an id; what alone is larger than half of all is not kept."""
        size = len(told) if isinstance(told, bytes) else _SIZE_OF_AN_OBJECT
        if size > RECENT_BYTES // 2:
            return
        self._bytes += size
        if self._bytes > RECENT_BYTES // 2 or len(self._latest) >= RECENT_OUTCOMES // 2:
            self._latest, self._before, self._bytes = {}, self._latest, size
        self._latest[resource_id] = told

    def answered(self) -> str | None:
        """Return an id that the API has answered lately; None if there is none."""
        for resource_id, told in chain(reversed(self._latest.items()), reversed(self._before.items())):
            if not (isinstance(told, Failed) and is_passing(told.error)):
                return resource_id
        return None

    def clear(self) -> None:
        """Drop everything."""
        self._latest, self._before, self._bytes = {}, {}, 0
