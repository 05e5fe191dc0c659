"""The changes of one poll, oldest first, and how the state advances with each that is yielded.

After each change the state says exactly what was yielded, so that its cursor resumes behind it: a list is settled only
below the first of its rows that is still to come.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import attrs

from kajabi_async.changes.cursor import State
from kajabi_async.changes.ends import end_of
from kajabi_async.changes.kinds import AccessEnded, Change, PurchaseChanged, PurchaseMade
from kajabi_async.changes.watched import Watched
from kajabi_async.changes.window import Version, Window, earliest, moment_of, stamp_in
from kajabi_async.models.commerce import Purchase
from kajabi_async.models.resource import Resource

__all__ = ["Batch", "Item", "Settled", "items_of_end", "items_of_purchase", "items_of_row"]

# Causes before effects, if their times are equal.
_CONTACT, _CUSTOMER, _ORDER, _MADE, _ENDED, _CHANGED, _OTHER = range(7)
_RANKS: Final[Mapping[str, int]] = {"contacts": _CONTACT, "customers": _CUSTOMER, "orders": _ORDER}


@attrs.frozen
class Item:
    """A change that is still to be yielded, and what is noted when it is."""

    when: int
    """The stamp by which the changes of a poll are ordered."""
    rank: int
    change: Change
    """Without its cursor, which `Batch.take` adds."""
    name: str
    """The list of its row."""
    version: Version | None = None
    """The version of the row that is then yielded; None if another change of the row follows."""
    end: Version | None = None
    """The end of access that is then yielded."""

    @property
    def order(self) -> tuple[int, int, str, int, str]:
        """The place among the changes of a poll."""
        resource_id = self.change.resource.id
        return self.when, self.rank, self.name, len(resource_id), resource_id


def items_of_row(watched: Watched, row: Resource, version: Version, now: int) -> Iterator[Item]:
    """Yield the change that a row of a list other than purchases is."""
    kind = watched.noticed_as
    assert kind is not None  # noqa: S101 - only purchases have several kinds
    # The rows of a list without times come last: they are not older than the poll that noticed them.
    when = version.stamp if watched.is_timed else now
    detail = f":{version.stamp}:{version.digest:08x}" if watched.is_versioned else ""
    change = kind(resource=row, at=moment_of(when), key=f"{watched.name}:{row.id}:{kind.kind}{detail}", cursor="")
    yield Item(when, _RANKS.get(watched.name, _OTHER), change, watched.name, version)


def items_of_purchase(
    purchase: Purchase, version: Version, *, now: int, window: Window, ends: Window
) -> Iterator[Item]:
    """Yield the changes that a new version of a purchase is: made or changed, and over."""
    end = end_of(purchase)
    # What the server has written by its own time has come, whatever the Date of its answer says.
    ended = end if end is not None and end <= max(now, version.stamp) else None
    created = stamp_in(purchase, "created_at")
    if created is not None and created > (window.settled or 0) and window.version_of(purchase.id) is None:
        if ended is not None and ended <= (ends.settled or 0):
            # No look would find this end again, so the purchase counts as yielded only once its end is.
            yield _item(PurchaseMade, purchase, created, "", None)
            yield attrs.evolve(_ended(purchase, ended), when=created, version=version)
            return
        yield _item(PurchaseMade, purchase, created, "", version)
        if ended is not None:
            yield from items_of_end(purchase, ended, ends)
        return
    if ended is not None and not ends.has_exactly(Version(ended, purchase.id)):
        yield from items_of_end(purchase, ended, ends, version)
        return
    detail = f":{version.stamp}:{version.digest:08x}"
    changed = _item(PurchaseChanged, purchase, version.stamp, detail, version)
    if ended is not None and ended <= (ends.settled or 0):
        # It may have been set to a time in the past, so it is yielded, for a second time if it was not.
        yield attrs.evolve(_ended(purchase, ended), when=version.stamp)
    yield changed


def items_of_end(purchase: Purchase, end: int, ends: Window, version: Version | None = None) -> Iterator[Item]:
    """Yield the end of the access of *purchase*, unless it was yielded."""
    noted = Version(end, purchase.id)
    if not ends.has_exactly(noted):
        yield attrs.evolve(_ended(purchase, end), version=version, end=noted)


def _item(kind: type[Change], purchase: Purchase, when: int, detail: str, version: Version | None) -> Item:
    key = f"purchases:{purchase.id}:{kind.kind}{detail}"
    change = kind(resource=purchase, at=moment_of(when), key=key, cursor="")
    return Item(when, _MADE if kind is PurchaseMade else _CHANGED, change, "purchases", version)


def _ended(purchase: Purchase, end: int) -> Item:
    return attrs.evolve(_item(AccessEnded, purchase, end, f":{end}", None), rank=_ENDED)


@attrs.define
class Settled:
    """How far each list and the ends are settled once a whole batch has been yielded."""

    lists: dict[str, int] = attrs.field(factory=dict[str, int])
    ends: int | None = None
    next_end: int | None = None
    knows_plans: bool = False


class Batch:
    """The changes of one poll that are still to be yielded."""

    def __init__(self, state: State, items: Iterable[Item], settled: Settled) -> None:
        self._items = sorted(items, key=lambda item: item.order)
        self._state = state
        self._settled = settled
        self._next = 0
        self._floors, self._ends = self._still_to_come()
        # Before the first change is yielded, the ends that it brings are still planned.
        self._advance()

    def __len__(self) -> int:
        return len(self._items) - self._next

    def take(self, owner: str) -> Change:
        """Return the next change, and note that it was yielded."""
        item = self._items[self._next]
        self._next += 1
        if item.version is not None:
            self._state.windows[item.name].add(item.version)
        if item.end is not None:
            self._state.ends.add(item.end)
        self._advance()
        return attrs.evolve(item.change, cursor=self._state.cursor(owner))

    def _still_to_come(self) -> tuple[list[dict[str, int]], list[int | None]]:
        """Return for each place the lowest stamp, of each list and of the ends, that is not yielded there."""
        floors: list[dict[str, int]] = [{}]
        ends: list[int | None] = [None]
        for item in reversed(self._items):
            floor = floors[-1]
            if item.version is not None and item.version.stamp < floor.get(item.name, item.version.stamp + 1):
                floor = {**floor, item.name: item.version.stamp}
            end = ends[-1]
            if item.end is not None:
                end = earliest(end, item.end.stamp)
            floors.append(floor)
            ends.append(end)
        return floors[::-1], ends[::-1]

    def _advance(self) -> None:
        """Settle what is yielded by now."""
        floor, end = self._floors[self._next], self._ends[self._next]
        state, settled = self._state, self._settled
        for name, stamp in settled.lists.items():
            state.windows[name].settle(min(stamp, floor.get(name, stamp + 1) - 1))
        if settled.ends is not None:
            state.ends.settle(settled.ends if end is None else min(settled.ends, end - 1))
        state.next_end = earliest(settled.next_end, end)
        state.knows_plans = settled.knows_plans
