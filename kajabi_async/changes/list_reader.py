"""Reading the new rows of one list: newest first, down to what is settled.

Rows move while pages are read. A row that is inserted, or written and so moves to the front, shifts the others to later
pages: they come twice, none is missed. A row that is deleted shifts them to earlier pages, and one may be missed. Rows
with the same time may stand in another order on each request, and then a row may be on neither of two pages.

One answer is what the list was at one moment. So a stretch of the list that is on one page is sure to be known whole;
one over several pages only if reading them again shows nothing new. Nothing else is settled: the next poll reads it
again.
"""

import logging
from collections.abc import Callable
from typing import Any, Final

import attrs

from kajabi_async.changes.waiting import Patience
from kajabi_async.changes.watched import Watched
from kajabi_async.changes.window import Version, Window
from kajabi_async.errors import DecodeError
from kajabi_async.fetching.page import FetchedPage, ListRequest
from kajabi_async.fetching.walk import Novelty, PageWalk
from kajabi_async.models.resource import Resource

__all__ = ["ListReader", "NewRows"]

MOST_PASSES: Final = 6
"""The number of times that one poll reads the pages of a list that does not come to rest."""
LATE: Final = 60_000_000
"""How much later than its time the server may show a row, in microseconds."""
BARREN_IF_SHUFFLED: Final = 4
"""The number of passes in a row without a new row, after which a list in random order is known whole."""
_KEPT_AT_START: Final = 50
_LOG: Final = logging.getLogger("kajabi_async")


@attrs.define
class NewRows:
    """The rows above what is settled, from one or more passes over the pages."""

    rows: dict[str, tuple[Resource, Version]] = attrs.field(factory=dict[str, tuple[Resource, Version]])
    """By id, each in its latest state."""
    settled_rows: list[Resource] = attrs.field(factory=list[Resource])
    """The other rows of the pages."""
    is_sure: bool = False
    """Whether no row up to the aimed stamp can have been missed."""
    is_entire: bool = False
    """Whether the list ended."""
    settled: int = 0
    """The stamp that the pages were read down to."""
    aimed: int = 0
    """The stamp that can be settled if it is sure."""

    @property
    def newest(self) -> int:
        """The highest stamp that was read."""
        return max((version.stamp for _, version in self.rows.values()), default=self.settled)


@attrs.define
class _Pass:
    """One pass over the pages."""

    pages: int = 0
    slots: int = 0
    """The number of rows of the list before the first settled one."""
    unreadable: int = 0
    repeated: int = 0
    tied: bool = False
    """Whether rows with the same stamp stand on both sides of an end of a page."""
    fell: bool = False
    """Whether the total of the list fell, so that rows moved to earlier pages."""
    total: int | None = None
    ids: set[str] = attrs.field(factory=set[str])
    new: list[int] = attrs.field(factory=list[int])
    """The stamps of the rows that were neither yielded nor on the pages of an earlier pass."""
    first: int = 0
    """The first stamp of the last page."""
    last: int | None = None
    """The last stamp of the page before."""
    reached: bool = False
    """Whether a settled row was read."""

    @property
    def is_shuffled(self) -> bool:
        """Whether rows with the same time may stand in another order on each request."""
        return self.repeated > 0 and self.tied

    def shows_all_up_to(self, stamp: int) -> bool:
        """Return whether one page shows all rows from the settled ones up to *stamp*."""
        return self.pages == 1 or self.first > stamp


class ListReader:
    """Reads one list."""

    def __init__(self, watched: Watched, request: ListRequest[Any], patience: Patience) -> None:
        self.watched = watched
        self._request = request
        self._patience = patience
        self._warned: set[str] = set()

    async def read(self, window: Window, aim: Callable[[int], int]) -> NewRows:
        """Return the rows above what *window* has settled; the first read chooses a stamp near the newest row.

        *aim* returns the stamp that is to be settled, if the newest row has a stamp: up to it the pages are read until
        no row can have been missed, or a few times.
        """
        reading, barren = NewRows(), 0
        settled = window.settled
        for _ in range(MOST_PASSES):
            once = await self._pass(settled, window, reading)
            settled = reading.settled
            aimed = reading.aimed = aim(reading.newest)
            barren = 0 if any(stamp <= aimed for stamp in once.new) else barren + 1
            needed = BARREN_IF_SHUFFLED if once.is_shuffled else 1
            reading.is_sure = aimed <= settled or once.shows_all_up_to(aimed) or barren >= needed
            lacks = once.fell or (once.is_shuffled and len(reading.rows) + once.unreadable < once.slots)
            if reading.is_sure and not lacks:
                break
        return reading

    async def _pass(self, settled: int | None, window: Window, reading: NewRows) -> _Pass:
        walk = PageWalk(self._request, self._request.query.encode(), 0)
        novelty, once = Novelty(), _Pass()
        reading.settled_rows = []
        while True:
            page = await self._patience.persist(walk.next)
            once.pages += 1
            total, once.total = once.total, page.total_count
            once.fell = once.fell or (total is not None and once.total is not None and once.total < total)
            versions = self._versions(page)
            if settled is None:
                settled = _starting_point(self.watched, [each.stamp for _, each in versions if each], page)
            reading.settled = settled
            self._take(versions, window, once, reading)
            reading.is_entire = page.next_query is None
            if once.reached or page.next_query is None:
                return once
            novelty.refuse_fruitless(page.rows, is_new=novelty.note(page.rows))

    def _take(
        self, versions: list[tuple[Resource, Version | None]], window: Window, once: _Pass, reading: NewRows
    ) -> None:
        stamps = [each.stamp for _, each in versions if each is not None]
        once.first = stamps[0] if stamps else once.first
        is_first = True
        for row, version in versions:
            if version is not None and version.stamp <= reading.settled:
                once.reached = True
                reading.settled_rows.append(row)
                continue
            once.slots += not once.reached
            if version is None:
                once.unreadable += not once.reached
            elif version.id in once.ids:
                once.repeated += 1
            else:
                once.tied = once.tied or (is_first and version.stamp == once.last)
                is_first = False
                once.ids.add(version.id)
                self._keep(row, version, window, once, reading)
        once.last = stamps[-1] if stamps else once.last

    @staticmethod
    def _keep(row: Resource, version: Version, window: Window, once: _Pass, reading: NewRows) -> None:
        known = reading.rows.get(version.id)
        if known is not None and known[1].stamp > version.stamp:
            return
        if not (window.has(version) or (known is not None and known[1] == version)):
            once.new.append(version.stamp)
        reading.rows[version.id] = (row, version)

    def _versions(self, page: FetchedPage[Any]) -> list[tuple[Resource, Version | None]]:
        """Return the rows with their versions; DecodeError if none carries the time that the list is sorted by."""
        name, key = self.watched.name, self.watched.sort_key
        read = [row for row in page.rows if not isinstance(row, DecodeError)]
        versions: list[tuple[Any, Version | None]] = [
            (row, None if isinstance(row, DecodeError) else self.watched.version_of(row)) for row in page.rows
        ]
        stamps = [each.stamp for _, each in versions if each is not None]
        if read and not stamps:
            raise DecodeError(f"no row came with a {key} that can be read, by which new ones are known", context=name)
        if len(stamps) < len(page.rows):
            self._warn("a row of %s has no %s that can be read, and is left out of the changes", name, key)
        if self.watched.is_timed and stamps != sorted(stamps, reverse=True):
            self._warn("the list of %s is not sorted by %s: changes on later pages may be missed", name, key)
        return versions

    def _warn(self, text: str, *arguments: str) -> None:
        # Once: the same row comes with every poll.
        if text not in self._warned:
            self._warned.add(text)
            _LOG.warning(text, *arguments)


def _starting_point(watched: Watched, stamps: list[int], page: FetchedPage[Any]) -> int:
    """Return the stamp below which all rows are old, from the first page of a list that starts to be watched.

    Rows above it are remembered one by one: others may yet appear between them.
    """
    if not stamps:
        return 0
    newest = max(stamps)
    ordered = sorted(stamps, reverse=True)
    is_long = page.next_query is not None or len(ordered) > _KEPT_AT_START
    floor = ordered[min(_KEPT_AT_START, len(ordered)) - 1] if is_long else ordered[-1] - 1
    if watched.is_timed:
        floor = max(floor, newest - LATE)
    # Other rows may yet get the very time of the newest.
    return min(floor, newest - 1)
