"""The current data of the fake: the seeded families, overlaid with created, changed and deleted rows."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Final, Protocol, TypeVar

import attrs

from kajabi_async.testing.dataset.family import Family, Readable, SeededRow
from kajabi_async.testing.owner_index import Links, Owned, SeededLinks
from kajabi_async.testing.recorded import WriteKind
from kajabi_async.testing.rows import Row

__all__ = ["Seed", "Source", "Store"]

_KEPT_ROWS: Final = 8192
"""The number of seeded rows in the cache; the others are generated again on request."""
_FEW: Final = 2000
"""A type with more seeded rows would crowd the others out of the cache when a filter reads all of them."""


@attrs.define
class _Shelf:
    """One family with its changes."""

    family: Family | None
    changed: dict[str, Row] = attrs.field(factory=dict[str, Row])
    removed: list[int] = attrs.field(factory=list[int])
    """The positions of deleted seeded rows, ascending."""
    added: list[str] = attrs.field(factory=list[str])
    """The ids of rows that are not seeded, oldest first."""
    ranks: list[int] = attrs.field(factory=list[int])
    """The rank of each of these, ascending."""
    rank_of_added: dict[str, int] = attrs.field(factory=dict[str, int])
    next_rank: int = attrs.field(init=False, default=attrs.Factory(lambda self: self.seeded, takes_self=True))
    written: dict[str, int] = attrs.field(factory=dict[str, int])
    """The ids that were created, changed or deleted, with the version of the latest write, the latest last."""
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

    def restore(self, position: int) -> None:
        if self.has_removed(position):
            del self.removed[bisect_left(self.removed, position)]

    def add(self, resource_id: str) -> None:
        if resource_id not in self.rank_of_added:
            self.added.append(resource_id)
            self.ranks.append(self.next_rank)
            self.rank_of_added[resource_id] = self.next_rank
            self.next_rank += 1

    def remove_added(self, resource_id: str) -> None:
        index = bisect_left(self.ranks, self.rank_of_added.pop(resource_id))
        del self.ranks[index], self.added[index]

    def id_at(self, index: int) -> str:
        kept = self.seeded - len(self.removed)
        if self.family is None or index >= kept:
            return self.added[index - kept]
        # Each deleted row before it moves it by one.
        before = bisect_right(range(len(self.removed)), index, key=lambda number: self.removed[number] - number)
        return self.family.id_at(index + before)

    def __len__(self) -> int:
        return self.seeded - len(self.removed) + len(self.added)


R_co = TypeVar("R_co", bound=Readable, covariant=True)


class Source(Protocol[R_co]):
    """Resources to read: those of the seed, or the current ones."""

    @property
    def seed(self) -> "Seed":
        """The resources as the seed makes them."""
        ...

    def get(self, type_name: str, resource_id: str) -> R_co | None:
        """Return the row, which must not be modified; None if it does not exist."""
        ...

    def written_of(self, owned: Owned, owner: str) -> tuple[str, ...]:
        """Return the ids of written rows that belong to *owner*, or did."""
        ...


class Seed:
    """The resources as the seed makes them, whatever was written since."""

    def __init__(self, families: Mapping[str, Family]) -> None:
        """Read from *families*."""
        self._families = families
        self.made = lru_cache(maxsize=_KEPT_ROWS)(self._make)
        """Returns the whole row of a type at a position, which must not be modified."""
        self.submissions = SeededLinks(Owned.SUBMISSIONS_OF_CONTACT, self)
        """The seeded form submissions by their contact."""

    @property
    def seed(self) -> "Seed":
        """The seed itself."""
        return self

    def get(self, type_name: str, resource_id: str) -> Readable | None:
        """Return the row; None if it is not seeded."""
        position = self.position(type_name, resource_id)
        return None if position is None else self.at(type_name, position)

    def _make(self, type_name: str, position: int) -> Row:
        return self._families[type_name].make(position)

    def at(self, type_name: str, position: int) -> Readable:
        """Return the row at *position*, from the cache if there is room for all rows of the type."""
        family = self._families[type_name]
        return self.made(type_name, position) if family.size <= _FEW else SeededRow(family, position)

    def position(self, type_name: str, resource_id: str) -> int | None:
        """Return the position of an id; None if it is not seeded."""
        family = self._families.get(type_name)
        return None if family is None else family.position_of(resource_id)

    def size(self, type_name: str) -> int:
        """Return the number of seeded rows of the type."""
        family = self._families.get(type_name)
        return 0 if family is None else family.size

    def written_of(self, owned: Owned, owner: str) -> tuple[str, ...]:
        """Return no ids: nothing is written."""
        del owned, owner
        return ()


class Store:
    """All resources by type and id."""

    def __init__(self, families: Mapping[str, Family]) -> None:
        """Start with the seeded rows."""
        self.seed = Seed(families)
        """The resources as they were at the start."""
        self._shelves = {type_name: _Shelf(family) for type_name, family in families.items()}
        self._links = {owned: Links(owned, self) for owned in Owned}
        self.version = 0
        """A number that grows with every change."""
        self.note: Callable[[WriteKind, str, str], None] = lambda _kind, _type, _id: None
        """Called with every write: its kind, the type and the id."""

    def _shelf(self, type_name: str) -> _Shelf:
        shelf = self._shelves.get(type_name)
        if shelf is None:
            shelf = self._shelves[type_name] = _Shelf(None)
        return shelf

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
        return self.seed.made(type_name, position)

    def edit(self, type_name: str, resource_id: str) -> Row:
        """Return the row for modification in place before the next read; KeyError if it does not exist."""
        row = self.get(type_name, resource_id)
        if row is None:
            raise KeyError((type_name, resource_id))
        shelf = self._shelves[type_name]
        if resource_id not in shelf.changed or row.verbatim is not None:
            shelf.changed[resource_id] = row.copy()
        self.mark_written(type_name, resource_id)
        self.note("changed", type_name, resource_id)
        return shelf.changed[resource_id]

    def put(self, row: Row) -> Row:
        """Add *row*, replacing any with its type and id; return it."""
        kind: WriteKind = "created" if self.get(row.type, row.id) is None else "changed"
        shelf = self._shelf(row.type)
        position = shelf.position_of(row.id)
        if position is None:
            shelf.add(row.id)
            shelf.highest = max(shelf.highest, int(row.id) if row.id.isascii() and row.id.isdecimal() else 0)
        else:
            shelf.restore(position)
        shelf.changed[row.id] = row
        self.mark_written(row.type, row.id)
        self.note(kind, row.type, row.id)
        return row

    def delete(self, type_name: str, resource_id: str) -> bool:
        """Delete the row; return False if it did not exist."""
        if self.get(type_name, resource_id) is None:
            return False
        shelf = self._shelves[type_name]
        position = shelf.position_of(resource_id)
        if position is None:
            shelf.remove_added(resource_id)
        else:
            insort(shelf.removed, position)
        shelf.changed.pop(resource_id, None)
        self.mark_written(type_name, resource_id)
        self.note("deleted", type_name, resource_id)
        return True

    def mark_written(self, type_name: str, resource_id: str) -> None:
        """Note that a row is about to change, or has changed, without a record of a write."""
        self.version += 1
        written = self._shelf(type_name).written
        written.pop(resource_id, None)
        written[resource_id] = self.version
        for links in self._links.values():
            if links.owned.type == type_name:
                links.note(resource_id)

    def written_since(self, type_name: str, version: int) -> list[str]:
        """Return the ids of the type that were created, changed or deleted after *version*, the earliest first."""
        found: list[str] = []
        for resource_id, at in reversed(self._shelf(type_name).written.items()):
            if at <= version:
                break
            found.append(resource_id)
        return found[::-1]

    def written_of(self, owned: Owned, owner: str) -> tuple[str, ...]:
        """Return the ids of written rows that belong to *owner*, or did."""
        return self._links[owned].of(owner)

    def owners(self, owned: Owned, resource_id: str) -> tuple[str, ...]:
        """Return the owners of a row: by the seed, and every one that a write gave it."""
        return self._links[owned].owners(resource_id)

    def new_id(self, type_name: str) -> str:
        """Return an id of the type that no row has or had, larger than all others."""
        shelf = self._shelf(type_name)
        last = shelf.family.id_at(shelf.seeded - 1) if shelf.family and shelf.seeded else "0"
        return str(max(shelf.highest, int(last) if last.isdecimal() else 0) + 1)

    def count(self, type_name: str) -> int:
        """Return the number of rows of the type."""
        return len(self._shelf(type_name))

    def ids(self, type_name: str, start: int, stop: int, *, newest_first: bool = False) -> Iterator[str]:
        """Yield the ids from index *start* up to *stop*, in the order of creation or in reverse."""
        shelf = self._shelf(type_name)
        last = len(shelf) - 1
        for index in range(start, min(stop, last + 1)):
            yield shelf.id_at(last - index if newest_first else index)

    def rank(self, type_name: str, resource_id: str) -> int:
        """Return the place of an existing row in the order of creation, which stays until the row is deleted."""
        shelf = self._shelf(type_name)
        position = shelf.position_of(resource_id)
        return shelf.rank_of_added[resource_id] if position is None else position

    def id_of_rank(self, type_name: str, rank: int) -> str:
        """Return the id of the row with that rank."""
        shelf = self._shelf(type_name)
        if shelf.family is not None and rank < shelf.seeded:
            return shelf.family.id_at(rank)
        return shelf.added[bisect_left(shelf.ranks, rank)]

    def rows(self, type_name: str) -> Iterator[Row]:
        """Yield every row of the type in the order of creation, generating each when it is reached."""
        for resource_id in list(self.ids(type_name, 0, self.count(type_name))):
            row = self.get(type_name, resource_id)
            if row is not None:
                yield row
