"""What is told of numbered ids, until the loop takes it: as it arrives, or in the order of the numbers."""

from collections import deque
from collections.abc import Iterator
from typing import Generic, TypeVar

__all__ = ["AsArrived", "InOrder"]

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
