"""The values of a run that reads a list: which of them a page has brought, and which are still to be found."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import repeat
from typing import Any

import attrs

from kajabi_async.errors import InvalidArgumentError
from kajabi_async.fetching.id_source import THE_END, IdSource, Naming

__all__ = ["Pending"]


@attrs.frozen(eq=False)
class _Bad:
    """A value that has no key, and perhaps cannot be a key of a dictionary either."""

    value: Any


class Pending:
    """The values of a run by their keys; a key is taken off once a page has brought its record."""

    def __init__(self, *, ordered: bool, naming: Naming) -> None:
        self._ordered = ordered
        self._key, self._has_spellings = naming.key, naming.has_spellings
        self._times: dict[str, int] = {}
        """How often each key was given; negative once it was seen, so that all keep their order."""
        self._spellings: dict[str, list[Any]] = {}
        """The values of a key, if one of them differs from it."""
        self._bad: list[_Bad] = []
        self._in_order: list[tuple[str, Any] | _Bad] = []
        self._next = 0

    async def read(self, source: IdSource) -> None:
        """Read *source* to its end; what it raises is raised."""
        while (value := await source.take()) is not THE_END:
            try:
                key = self._key(value)
            except InvalidArgumentError:
                # Its outcome comes from the run, which checks it again.
                kept = self._in_order if self._ordered else self._bad
                kept.append(_Bad(value))
                continue
            times = self._times.get(key, 0)
            self._times[key] = times + 1
            if self._ordered:
                self._in_order.append((key, value if self._has_spellings else key))
            elif self._has_spellings and (value != key or key in self._spellings):
                self._spellings.setdefault(key, [key] * times).append(value)

    @property
    def keys(self) -> Mapping[str, int]:
        """The keys, in the order in which they were first given."""
        return self._times

    def is_unseen(self, key: str) -> bool:
        """Return whether *key* is one of the keys and no page has brought it."""
        return self._times.get(key, 0) > 0

    def is_repeated(self, key: str) -> bool:
        """Return whether *key* was given more than once."""
        return abs(self._times.get(key, 0)) > 1

    def bad(self) -> Iterator[Any]:
        """Return the values that have no key; none if the order is kept."""
        return map(_given, self._bad)

    def seen(self, key: str) -> Iterator[Any]:
        """Take a key off, and return its values; none if the order is kept."""
        self._times[key] = -self._times[key]
        return iter(()) if self._ordered else self._values(key)

    def ready(self) -> Iterator[Any]:
        """Yield, if the order is kept, the values that are next in it and have been seen."""
        while self._next < len(self._in_order):
            following = self._in_order[self._next]
            if isinstance(following, tuple) and self.is_unseen(following[0]):
                return
            self._next += 1
            yield _given(following)

    def rest(self) -> Iterator[Any]:
        """Yield everything that was not yet returned."""
        if self._ordered:
            yield from map(_given, self._in_order[self._next :])
        else:
            for key, times in self._times.items():
                if times > 0:
                    yield from self._values(key)

    def in_order(self, values: Iterable[Any]) -> list[Any]:
        """Return *values*, some of those of the run, in the order of the source."""
        given = list(values)
        if self._ordered:
            return given
        by_key: dict[str, list[Any]] = {}
        others: list[Any] = []
        for value in given:
            by_key.setdefault(key, []).append(value) if (key := self._known_key(value)) else others.append(value)
        return [*(value for key in self._times for value in by_key.get(key, ())), *others]

    def _known_key(self, value: Any) -> str | None:
        try:
            key = self._key(value)
        except InvalidArgumentError:
            return None
        return key if key in self._times else None

    def _values(self, key: str) -> Iterator[Any]:
        spellings = self._spellings.get(key)
        return repeat(key, abs(self._times[key])) if spellings is None else iter(spellings)


def _given(kept: tuple[str, Any] | _Bad) -> Any:
    return kept.value if isinstance(kept, _Bad) else kept[1]
