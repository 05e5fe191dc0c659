"""Planned ends of access, which come without a write to the purchase.

The list of purchases takes ``filter[deactivated_at_gt]`` and ``sort=deactivated_at`` (API document): one request, sent
once an end has come, returns what has ended and when the next one is planned. So no plan has to be remembered but the
time of the next.
"""

import logging
from functools import partial
from typing import Any, Final

import attrs

from kajabi_async.changes.waiting import SECOND, Patience
from kajabi_async.changes.watched import PAGE_SIZE
from kajabi_async.changes.window import earliest, moment_of, stamp_in
from kajabi_async.errors import DecodeError, NotFoundError
from kajabi_async.fetching.context import Context
from kajabi_async.fetching.walk import Novelty, PageWalk
from kajabi_async.models.commerce import Purchase
from kajabi_async.resources.commerce import Purchases

__all__ = ["Ends", "PlannedEnds", "end_of"]

_MOST_PLANNED: Final = 1000
_LOG: Final = logging.getLogger("kajabi_async")


def end_of(purchase: Purchase) -> int | None:
    """Return the stamp at which the access of *purchase* ends or ended; None without one that can be read."""
    return stamp_in(purchase, "deactivated_at")


@attrs.define
class Ends:
    """What a look at the planned ends found."""

    come: dict[str, tuple[Purchase, int]] = attrs.field(factory=dict[str, tuple[Purchase, int]])
    """The purchases whose end has come, by id, with its stamp."""
    following: int | None = None
    """The stamp of the next planned end."""
    is_sure: bool = True
    """Whether no end can have been missed."""

    def take(self, purchase: Purchase, stamp: int, now: int) -> None:
        """Note the end of *purchase*."""
        if stamp <= now:
            self.come[purchase.id] = (purchase, stamp)
        else:
            self.following = earliest(self.following, stamp)


class PlannedEnds:
    """Finds the purchases whose planned end has come."""

    def __init__(self, context: Context, patience: Patience) -> None:
        self._purchases = Purchases(context)
        self._patience = patience
        self._seen: dict[str, int] = {}
        """The planned ends that rows showed, for a server that ignores the filter: bounded, and lost at a restart."""
        self._is_filtered = True

    def note(self, purchase: Purchase, stamp: int | None, now: int) -> None:
        """Note what a row shows of its end."""
        self._seen.pop(purchase.id, None)
        if stamp is not None and stamp > now and len(self._seen) < _MOST_PLANNED:
            self._seen[purchase.id] = stamp

    async def look(self, after: int, now: int) -> Ends:
        """Return the ends after the stamp *after*, up to *now*, and the first one that follows."""
        if self._is_filtered:
            # The filter is rounded down: not every server compares fractions of a second.
            ends = await self._listed(after - after % SECOND, now)
            if ends is not None:
                return ends
            self._is_filtered = False
            _LOG.warning(
                "the server ignores filter[deactivated_at_gt] on purchases: of the planned ends of access only those "
                "are yielded whose purchase was written while this process watched"
            )
        return await self._one_by_one(now)

    async def _listed(self, after: int, now: int) -> Ends | None:
        """Read the list of ends in its order; None if it is not filtered."""
        pages = self._purchases.list(deactivated_at_gt=moment_of(after), sort="deactivated_at", page_size=PAGE_SIZE)
        request = pages.lister
        walk, novelty = PageWalk(request, request.query.encode(), 0), Novelty()
        ends, last, total, is_sorted = Ends(), after, -1, True
        while True:
            page = await self._patience.persist(walk.next)
            for row in page.rows:
                stamp = None if isinstance(row, DecodeError) else end_of(row)
                if isinstance(row, DecodeError) or (stamp is None and "deactivated_at" in row.unreadable_attributes()):
                    continue
                if stamp is None or stamp <= after - SECOND:
                    return None
                is_sorted, last = is_sorted and stamp >= last, stamp
                ends.take(row, stamp, now)
            # Rows that leave the list while it is read move others to earlier pages.
            ends.is_sure = ends.is_sure and (total < 0 or (page.total_count is not None and page.total_count >= total))
            total = page.total_count or 0
            if page.next_query is None or (is_sorted and ends.following is not None):
                return ends
            novelty.refuse_fruitless(page.rows, is_new=novelty.note(page.rows))

    async def _one_by_one(self, now: int) -> Ends:
        ends = Ends()
        for resource_id, planned in list(self._seen.items()):
            if planned > now:
                ends.following = earliest(ends.following, planned)
                continue
            try:
                purchase: Any = await self._patience.persist(partial(self._purchases.get, resource_id))
            except NotFoundError:
                del self._seen[resource_id]
                continue
            del self._seen[resource_id]
            stamp = end_of(purchase)
            if stamp is not None:
                ends.take(purchase, stamp, now)
        return ends
