"""What has been yielded of one list: everything up to a stamp, and above it the rows one by one.

A stamp is a whole number that grows with the time of a row: microseconds since the epoch, or the id if rows carry no
time. Rows above ``settled`` may still get neighbours with the same stamp or a lower one: writes of one moment, and
writes that the server shows late. So each of them is remembered with its version.

A cursor has room for a few rows only. It names the newest of them; those before are one block, of which it carries the
number and a sum of hashes. If the list shows the same rows after a restart, they were all yielded; if not, the block is
yielded again.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Final, NamedTuple

import attrs

__all__ = ["MOST_NAMED", "Block", "Version", "Window", "earliest", "moment_of", "stamp_in", "stamp_of"]

MOST_NAMED: Final = 24
"""The number of rows of each list that a cursor names."""

_MODULUS: Final = 1 << 64
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def stamp_of(moment: datetime) -> int:
    """Return a time with its zone as microseconds since the epoch."""
    return (moment - _EPOCH) // _MICROSECOND


def moment_of(stamp: int) -> datetime:
    """Return the time of a stamp, in UTC."""
    return _EPOCH + stamp * _MICROSECOND


def stamp_in(row: object, name: str) -> int | None:
    """Return the stamp of an attribute of *row*; None without a time with its zone that can be read."""
    moment = getattr(row, name, None)
    return stamp_of(moment) if isinstance(moment, datetime) and moment.tzinfo is not None else None


def earliest(*stamps: int | None) -> int | None:
    """Return the lowest of *stamps*; None if there is none."""
    return min((each for each in stamps if each is not None), default=None)


class Version(NamedTuple):
    """One state of one row."""

    stamp: int
    id: str
    digest: int = 0
    """32 bits of what the row says; 0 for rows that appear once."""

    @property
    def place(self) -> tuple[int, int, str]:
        """The place in the order of rows: by stamp, and by the number that the id is."""
        return self.stamp, len(self.id), self.id

    def hash(self) -> int:
        """Return 64 bits of the version."""
        text = f"{self.stamp}\0{self.id}\0{self.digest}".encode("utf-8", "surrogatepass")
        return int.from_bytes(blake2b(text, digest_size=8).digest())


@attrs.frozen
class Block:
    """The rows above ``settled`` and up to a place, all of them yielded, as a number and a sum."""

    stamp: int
    id: str
    count: int
    total: int


class Window:
    """The rows of one list that have been yielded."""

    def __init__(self, settled: int | None = None, named: Iterable[Version] = (), block: Block | None = None) -> None:
        """Start with all rows up to *settled*, those *named*, and those of a *block*; None before the first read."""
        self.settled = settled
        self._versions: dict[str, Version] = {}
        self._order: list[tuple[tuple[int, int, str], str]] = []
        self._in_block = 0
        """The number of rows, from the first in order, that are summed up in `_total`."""
        self._total = 0
        self.unresolved = block
        """The block of a cursor, until `resolve` compares it with the list."""
        for version in named:
            self.add(version)

    def __len__(self) -> int:
        return len(self._order)

    def version_of(self, resource_id: str) -> Version | None:
        """Return the latest version of a row that was yielded; None if it is settled, or was not."""
        return self._versions.get(resource_id)

    def has(self, version: Version) -> bool:
        """Return whether this version of a row was yielded, or a later one: a server may answer with an old state."""
        if self.settled is not None and version.stamp <= self.settled:
            return True
        known = self._versions.get(version.id)
        return known is not None and (known == version or known.stamp > version.stamp)

    def has_exactly(self, version: Version) -> bool:
        """Return whether this very version was yielded: an end of access that is moved back is another one."""
        is_settled = self.settled is not None and version.stamp <= self.settled
        return is_settled or self._versions.get(version.id) == version

    def add(self, version: Version) -> None:
        """Note that a version was yielded, in place of an earlier one of the row."""
        self._discard(version.id)
        if self.settled is not None and version.stamp <= self.settled:
            return
        entry = version.place, version.id
        index = bisect_left(self._order, entry)
        insort(self._order, entry)
        self._versions[version.id] = version
        if index < self._in_block:
            self._in_block += 1
            self._total += version.hash()
        self._fit()

    def settle(self, stamp: int) -> None:
        """Note that all rows up to *stamp* were yielded, and that no other one can appear there."""
        if self.settled is not None and stamp <= self.settled:
            return
        self.settled = stamp
        end = bisect_left(self._order, ((stamp + 1, 0, ""), ""))
        for index, (_, resource_id) in enumerate(self._order[:end]):
            version = self._versions.pop(resource_id)
            if index < self._in_block:
                self._total -= version.hash()
        del self._order[:end]
        self._in_block = max(0, self._in_block - end)

    def resolve(self, versions: Iterable[Version]) -> None:
        """Compare the block of a cursor with the rows of a whole read; if they are the same, note them as yielded."""
        block, self.unresolved = self.unresolved, None
        if block is None:
            return
        settled = -1 if self.settled is None else self.settled
        end = Version(block.stamp, block.id).place
        rows = [each for each in versions if each.stamp > settled and each.place <= end]
        if len(rows) == block.count and sum(each.hash() for each in rows) % _MODULUS == block.total:
            for each in rows:
                self.add(each)

    @property
    def named(self) -> list[Version]:
        """The rows that a cursor names, in order."""
        return [self._versions[resource_id] for _, resource_id in self._order[self._in_block :]]

    @property
    def block(self) -> Block | None:
        """The rows before those that a cursor names; None if there are none."""
        if self.unresolved is not None:
            return self.unresolved
        if not self._in_block:
            return None
        last = self._versions[self._order[self._in_block - 1][1]]
        return Block(last.stamp, last.id, self._in_block, self._total % _MODULUS)

    def _discard(self, resource_id: str) -> None:
        version = self._versions.pop(resource_id, None)
        if version is None:
            return
        index = bisect_left(self._order, (version.place, resource_id))
        del self._order[index]
        if index < self._in_block:
            self._in_block -= 1
            self._total -= version.hash()

    def _fit(self) -> None:
        """Sum up the first rows, so that no more than `MOST_NAMED` are left to name."""
        while len(self._order) - self._in_block > MOST_NAMED:
            self._total += self._versions[self._order[self._in_block][1]].hash()
            self._in_block += 1
