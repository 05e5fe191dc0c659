"""The latest outcomes of a run, to answer ids that come again: bounded by number and by bytes, whatever comes."""

from itertools import chain
from typing import Final, Generic, TypeVar

from kajabi_async.passing import is_passing
from kajabi_async.resources.outcomes import Failed

__all__ = ["RECENT_BYTES", "RECENT_OUTCOMES", "Recent"]

T = TypeVar("T")

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
