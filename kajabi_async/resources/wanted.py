"""The ids of a run that has to know them all before it begins."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import repeat
from typing import Any

import attrs

from kajabi_async.errors import InvalidIdError
from kajabi_async.jsonapi.ids import checked_id
from kajabi_async.resources.sources import THE_END, Source

__all__ = ["Wanted"]


@attrs.frozen(eq=False)
class _Refused:
    """A value that can be no id, and perhaps cannot be looked for in a dictionary either."""

    value: Any


class Wanted:
    """Ids as they were given, each noted with how often it comes, and taken off when a page has brought it."""

    def __init__(self, *, ordered: bool) -> None:
        self._ordered = ordered
        self._times: dict[str, int] = {}
        """How often each was given; the same below zero once it was seen, so that all keep their places."""
        self._refused: list[_Refused] = []
        self._in_order: list[str | _Refused] = []
        self._place = 0

    async def read(self, source: Source) -> None:
        """Read *source* to its end; whatever it raises is raised."""
        while (value := await source.take()) is not THE_END:
            try:
                resource_id = checked_id(value)
            except InvalidIdError:
                # Its outcome is told by the run, which checks it again.
                kept = self._in_order if self._ordered else self._refused
                kept.append(_Refused(value))
                continue
            self._times[resource_id] = self._times.get(resource_id, 0) + 1
            if self._ordered:
                self._in_order.append(resource_id)

    @property
    def ids(self) -> Mapping[str, int]:
        """The ids, in the order they were given first."""
        return self._times

    def is_unseen(self, resource_id: str) -> bool:
        """Tell whether an id is wanted that no page has brought."""
        return self._times.get(resource_id, 0) > 0

    def refused(self) -> Iterator[Any]:
        """Give what can be no id, to be told at once; nothing where the order of the ids is kept to."""
        return map(_given, self._refused)

    def seen(self, resource_id: str) -> Iterator[str]:
        """Take an id off, and give it as often as it was given; nothing where the order of the ids is kept to."""
        times = self._times[resource_id]
        self._times[resource_id] = -times
        return repeat(resource_id, 0 if self._ordered else times)

    def due(self) -> Iterator[Any]:
        """Give, where the order of the ids is kept to, those that are next in it and known by now."""
        while self._place < len(self._in_order):
            following = self._in_order[self._place]
            if isinstance(following, str) and self.is_unseen(following):
                return
            self._place += 1
            yield _given(following)

    def rest(self) -> Iterator[Any]:
        """Give everything that was not given yet."""
        if self._ordered:
            yield from map(_given, self._in_order[self._place :])
        else:
            for resource_id, times in self._times.items():
                yield from repeat(resource_id, times)

    def in_order(self, given: Iterable[Any]) -> list[Any]:
        """Return *given*, some of the ids and values that can be none, in the order of the source."""
        values = list(given)
        if self._ordered:
            return values
        times = Counter(each for each in values if isinstance(each, str))
        known = [each for resource_id in self._times for each in repeat(resource_id, times.pop(resource_id, 0))]
        return [*known, *(each for each in values if not isinstance(each, str) or each in times)]


def _given(kept: str | _Refused) -> Any:
    return kept.value if isinstance(kept, _Refused) else kept
