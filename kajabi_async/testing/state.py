"""The current data of the fake: the seeded families, overlaid with created, changed and deleted rows."""

from bisect import bisect_left, insort
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Final

import attrs

from kajabi_async.testing.dataset.family import Family
from kajabi_async.testing.recorded import WriteKind
from kajabi_async.testing.rows import Row

__all__ = ["Store"]

_KEPT_ROWS: Final = 8192
"""The number of seeded rows in the cache; the others are generated again on request."""


@attrs.define
class _Shelf:
    """One family with its changes."""

    family: Family | None
    changed: dict[str, Row] = attrs.field(factory=dict[str, Row])
    removed: list[int] = attrs.field(factory=list[int])
    """The positions of deleted seeded rows, ascending."""
    added: dict[str, None] = attrs.field(factory=dict[str, None])
    """The ids of rows that are not seeded, oldest first."""
    highest: int = 0
    """The highest id that was ever given to a row that is not seeded."""

    @property
    def seeded(self) -> int:
        return self.family.size if self.family else 0

    def position_of(self, resource_id: str) -> int | None:
        return self.family.position_of(resource_id) if self.family else None

    def has_removed(self, position: int) -> bool:
        index = bisect_left(self.removed, position)
        return index < len(self.removed) and self.removed[index] == position

    def __len__(self) -> int:
        return self.seeded - len(self.removed) + len(self.added)


class Store:
    """All resources by type and id."""

    def __init__(self, families: Mapping[str, Family]) -> None:
        """Start with the seeded rows."""
        self._shelves = {type_name: _Shelf(family) for type_name, family in families.items()}
        self._seeded_row = lru_cache(maxsize=_KEPT_ROWS)(self._make)
        self.version = 0
        """A number that grows with every change."""
        self.note: Callable[[WriteKind, str, str], None] = lambda _kind, _type, _id: None
        """Called with every write: its kind, the type and the id."""

    def _make(self, type_name: str, position: int) -> Row:
        family = self._shelves[type_name].family
        if family is None:
            raise KeyError(type_name)
        return family.make(position)

    def _shelf(self, type_name: str) -> _Shelf:
        return self._shelves.setdefault(type_name, _Shelf(None))

    def get(self, type_name: str, resource_id: str) -> Row | None:
        """Return the row, which must not be modified; None if it does not exist."""
        shelf = self._shelves.get(type_name)
        if shelf is None:
            return None
        changed = shelf.changed.get(resource_id)
        if changed is not None:
            return changed
        position = shelf.position_of(resource_id)
        if position is None or shelf.has_removed(position):
            return None
        return self._seeded_row(type_name, position)

    def edit(self, type_name: str, resource_id: str) -> Row:
        """Return the row for modification in place; KeyError if it does not exist."""
        row = self.get(type_name, resource_id)
        if row is None:
            raise KeyError((type_name, resource_id))
        shelf = self._shelves[type_name]
        self.version += 1
        if resource_id not in shelf.changed or row.verbatim is not None:
            shelf.changed[resource_id] = row.copy()
        self.note("changed", type_name, resource_id)
        return shelf.changed[resource_id]

    def put(self, row: Row) -> Row:
        """Add *row*, replacing any with its type and id; return it."""
        kind: WriteKind = "created" if self.get(row.type, row.id) is None else "changed"
        shelf = self._shelf(row.type)
        position = shelf.position_of(row.id)
        if position is None:
            shelf.added[row.id] = None
            shelf.highest = max(shelf.highest, int(row.id) if row.id.isascii() and row.id.isdecimal() else 0)
        elif shelf.has_removed(position):
            shelf.removed.remove(position)
        shelf.changed[row.id] = row
        self.version += 1
        self.note(kind, row.type, row.id)
        return row

    def delete(self, type_name: str, resource_id: str) -> bool:
        """Delete the row; return False if it did not exist."""
        if self.get(type_name, resource_id) is None:
            return False
        shelf = self._shelves[type_name]
        position = shelf.position_of(resource_id)
        if position is None:
            del shelf.added[resource_id]
        else:
            insort(shelf.removed, position)
        shelf.changed.pop(resource_id, None)
        self.version += 1
        self.note("deleted", type_name, resource_id)
        return True

    def new_id(self, type_name: str) -> str:
        """Return an id of the type that no row has or had, larger than all others."""
        shelf = self._shelf(type_name)
        last = shelf.family.id_at(shelf.seeded - 1) if shelf.family and shelf.seeded else "0"
        return str(max(shelf.highest, int(last) if last.isdecimal() else 0) + 1)

    def count(self, type_name: str) -> int:
        """Return the number of rows of the type."""
        shelf = self._shelves.get(type_name)
        return 0 if shelf is None else len(shelf)

    def ids(self, type_name: str, start: int, stop: int, *, newest_first: bool = False) -> Iterator[str]:
        """Yield the ids from index *start* up to *stop*, in the order of creation or in reverse."""
        shelf = self._shelf(type_name)
        last = len(shelf) - 1
        added = list(shelf.added)
        for index in range(start, min(stop, last + 1)):
            yield self._id_at(shelf, last - index if newest_first else index, added)

    def rows(self, type_name: str) -> Iterator[Row]:
        """Yield every row of the type in the order of creation, generating each when it is reached."""
        for resource_id in self.ids(type_name, 0, self.count(type_name)):
            row = self.get(type_name, resource_id)
            if row is not None:
                yield row

    def changed_rows(self, type_name: str) -> Iterator[Row]:
        """Yield the rows of the type that were created or changed."""
        yield from self._shelf(type_name).changed.values()

    @staticmethod
    def _id_at(shelf: _Shelf, index: int, added: list[str]) -> str:
        kept = shelf.seeded - len(shelf.removed)
        if shelf.family is None or index >= kept:
            return added[index - kept]
        for removed in shelf.removed:
            if removed > index:
                break
            index += 1
        return shelf.family.id_at(index)
