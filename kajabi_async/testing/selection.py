"""The rows that one list selects, found in small steps and kept up to date with every write."""

from array import array
from bisect import bisect_left
from collections.abc import Callable, Generator, Iterator, Sequence
from datetime import datetime
from typing import Any, Final

import attrs

from kajabi_async.testing.filter_scope import FilterScope, Moment
from kajabi_async.testing.filters import Filter, affected_by
from kajabi_async.testing.sorting import KINDS, Key, comparable, merge_sorted, sort_key
from kajabi_async.testing.state import Store

__all__ = ["Selection"]

_STEP: Final = 32
"""The number of rows that are tested without a pause: two milliseconds if each has to be generated."""
_COPIED: Final = 10_000
"""The number of positions that are copied without a pause."""

_FiltersIn = Callable[[FilterScope], tuple[Filter, ...]]
_Steps = Generator[None, None, list[int]]


class Selection:
    """The rows of a type that pass filters, in the order of creation or sorted by attributes.

    Seeded rows are tested as the seed makes them, which no write changes. Rows that were written, and those that read
    written rows, are tested again. So the scan may pause while writes happen, and the result is still of one moment.
    """

    def __init__(
        self, type_name: str, store: Store, filters_in: _FiltersIn, sort: Sequence[str], scope: FilterScope
    ) -> None:
        """Select nothing yet. *scope* is that of the current rows; *sort* are attributes, a minus for descending."""
        self._type = type_name
        self._store = store
        self._sort = sort
        self._moment = scope.moment
        """The time of the latest test of a written row."""
        self._filters = filters_in(scope)
        self._seed_moment = Moment(scope.moment.now)
        """The time of the tests of the seeded rows."""
        self._seed_filters = filters_in(attrs.evolve(scope, source=store.seed, moment=self._seed_moment))
        self._order: array[int] | None = None
        """The ranks of the selected rows; None before the first scan."""
        self._tested: dict[str, int] = {}
        """The ranks of the rows that were selected when they were tested again."""
        self._keys: dict[int, Key] = {}
        """Their sort keys."""
        self._timed: dict[str, datetime | None] = {}
        """The rows whose tests depend on the time, with the time from which they turn out otherwise."""
        self._due: datetime | None = None
        """The earliest of these times, or an earlier one."""
        self._version = 0
        self._running: Iterator[None] | None = None

    def work(self, begun: datetime, clock: Callable[[], datetime]) -> Iterator[None]:
        """Bring the selection up to date, and yield between small steps.

        Several callers may do so together. *begun* is the time for which the seeded rows are tested: a scan may take
        longer than its result would hold.
        """
        while not self._is_current(begun, clock()):
            if self._running is None:
                self._running = self._update(begun, clock)
            try:
                next(self._running)
            except StopIteration:
                self._running = None
            except BaseException:
                self._running = self._order = None
                raise
            yield

    def ids(self, start: int, stop: int, *, newest_first: bool) -> list[str]:
        """Return the ids from index *start* up to *stop*, in order or in reverse."""
        order = self._order or array("q")
        if newest_first:
            start, stop = max(0, len(order) - stop), max(0, len(order) - start)
        ranks = order[start:stop][:: -1 if newest_first else 1]
        return [self._store.id_of_rank(self._type, rank) for rank in ranks]

    def __len__(self) -> int:
        return len(self._order or ())

    def _is_current(self, begun: datetime, now: datetime) -> bool:
        if self._running is not None or self._order is None or self._version != self._store.version:
            return False
        return not (self._is_outdated(begun, now) or self._is_due(now))

    def _is_outdated(self, begun: datetime, now: datetime) -> bool:
        """Return whether the seeded rows have to be tested again: the time has passed that of one, or was set back."""
        return self._seed_moment.has_changed(begun) or self._seed_moment.is_set_back(now)

    def _is_due(self, now: datetime) -> bool:
        return bool(self._timed) and ((self._due is not None and now >= self._due) or self._moment.now > now)

    def _update(self, begun: datetime, clock: Callable[[], datetime]) -> Iterator[None]:
        if self._order is None or self._is_outdated(begun, clock()):
            self._order = None
            self._order = yield from self._scan(begun)
        while pending := self._pending(clock()):
            for number, resource_id in enumerate(pending, 1):
                self._test(self._order, resource_id, clock())
                if number % _STEP == 0:
                    yield

    def _scan(self, begun: datetime) -> Generator[None, None, "array[int]"]:
        self._seed_moment.restart(begun)
        self._version, self._due = 0, None
        for known in (self._tested, self._keys, self._timed):
            known.clear()
        for each in self._seed_filters:
            yield from each.preparation(self._store.seed)
        positions = yield from self._passing(self._candidates())
        if self._sort:
            positions = yield from self._sorted(positions)
        order = array("q")
        positions.reverse()
        while positions:
            order.extend(reversed(positions[-_COPIED:]))
            # Freeing a million numbers at once would be a pause of its own.
            del positions[-_COPIED:]
            yield
        return order

    def _candidates(self) -> Sequence[int]:
        narrowed = [found for each in self._seed_filters if (found := each.positions(self._store.seed)) is not None]
        return min(narrowed, key=len, default=range(self._store.seed.size(self._type)))

    def _passing(self, positions: Sequence[int]) -> _Steps:
        tests, at, found = [each.passes for each in self._seed_filters], self._store.seed.at, list[int]()
        for start in range(0, len(positions), _STEP):
            for position in positions[start : start + _STEP]:
                row = at(self._type, position)
                for test in tests:
                    if not test(row):
                        break
                else:
                    found.append(position)
            yield
        return found

    def _sorted(self, positions: list[int]) -> _Steps:
        # The last attribute first: each pass keeps the order of rows that are equal.
        for name in reversed(self._sort):
            if name.startswith("-"):
                positions.reverse()
            positions = yield from self._sorted_by(name.removeprefix("-"), positions)
            if name.startswith("-"):
                positions.reverse()
        return positions

    def _sorted_by(self, attribute: str, positions: list[int]) -> _Steps:
        values: list[Any] = [None] * self._store.seed.size(self._type)
        of_kind: tuple[list[int], ...] = tuple([] for _ in KINDS)
        for start in range(0, len(positions), _STEP):
            for position in positions[start : start + _STEP]:
                kind, values[position] = comparable(attribute, self._store.seed.at(self._type, position))
                of_kind[kind].append(position)
            yield
        found: list[int] = []
        for group in of_kind:
            merged = yield from merge_sorted(group, values)
            yield
            if found:
                found += merged
            else:
                found = merged
        while values:
            del values[-_COPIED:]
            yield
        return found

    def _pending(self, now: datetime) -> list[str]:
        pending = affected_by(self._store, self._type, self._version)
        self._version = self._store.version
        if self._is_due(now):
            is_set_back = self._moment.now > now
            pending |= {key: None for key, at in self._timed.items() if is_set_back or (at is not None and at <= now)}
            self._due = min((at for at in self._timed.values() if at is not None and at > now), default=None)
            self._moment.restart(now)
        return list(pending)

    def _test(self, order: "array[int]", resource_id: str, now: datetime) -> None:
        """Test a row again, and move it to its place or out of the selection."""
        self._remove(order, resource_id)
        row = self._store.get(self._type, resource_id)
        self._moment.restart(now)
        passes = row is not None and all(each.passes(row) for each in self._filters)
        self._note_time(resource_id)
        if row is not None and passes:
            rank = self._store.rank(self._type, resource_id)
            self._tested[resource_id] = rank
            if self._sort:
                self._keys[rank] = (*sort_key(self._sort, row), rank)
            order.insert(self._index(order, rank), rank)

    def _remove(self, order: "array[int]", resource_id: str) -> None:
        rank = self._tested.pop(resource_id, None)
        if rank is None:
            rank = self._store.seed.position(self._type, resource_id)
        if rank is None:
            return
        index = self._index(order, rank)
        if index < len(order) and order[index] == rank:
            del order[index]
        self._keys.pop(rank, None)

    def _note_time(self, resource_id: str) -> None:
        self._timed.pop(resource_id, None)
        if self._moment.is_compared:
            due = self._timed[resource_id] = self._moment.until
            if due is not None and (self._due is None or due < self._due):
                self._due = due

    def _index(self, order: "array[int]", rank: int) -> int:
        if not self._sort:
            return bisect_left(order, rank)
        return bisect_left(order, self._key(rank), key=self._key)

    def _key(self, rank: int) -> Key:
        known = self._keys.get(rank)
        return known or (*sort_key(self._sort, self._store.seed.at(self._type, rank)), rank)
