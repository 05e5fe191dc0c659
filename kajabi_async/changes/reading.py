"""Reading the new rows of one list: newest first, down to what is settled.

Rows move while pages are read. A row that is inserted, or written and so moves to the front, shifts the others to later
pages: they come twice, none is missed. A row that is deleted shifts them to earlier pages, and one may be missed; the
total of the list falls then. Rows with the same time may stand in another order on each request, and then a row may be
on neither of two pages. In these cases the pages are read again; a list that does not come to rest is read again by
the next poll, as nothing of it is settled before.
"""

import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final, Protocol, TypeVar

import attrs

from kajabi_async.changes.watched import Watched
from kajabi_async.changes.window import Version
from kajabi_async.errors import DecodeError
from kajabi_async.fetching.page import FetchedPage, ListRequest
from kajabi_async.fetching.walk import Novelty, PageWalk
from kajabi_async.models.resource import Resource

__all__ = ["ListReader", "Persist", "Reading", "starting_point"]

T = TypeVar("T")

MOST_PASSES: Final = 5
"""The number of times that one poll reads the pages of a list that does not come to rest."""
LATE: Final = 60_000_000
"""How much later than its time the server may show a row, in microseconds."""
_KEPT_AT_START: Final = 50
_LOG: Final = logging.getLogger("kajabi_async")


class Persist(Protocol):
    """Awaits a call until it fails with nothing that passes."""

    async def __call__(self, act: Callable[[], Awaitable[T]], /) -> T:
        """Return what *act* returns."""
        ...


@attrs.define
class Reading:
    """The rows above what is settled, from one or more passes over the pages."""

    rows: dict[str, tuple[Resource, Version]] = attrs.field(factory=dict[str, tuple[Resource, Version]])
    """By id, each in its latest state."""
    settled_rows: list[Resource] = attrs.field(factory=list[Resource])
    """The other rows of the pages."""
    is_sure: bool = False
    """Whether no row can have been missed."""
    is_entire: bool = False
    """Whether the list ended."""
    settled: int = 0
    """The stamp that the pages were read down to."""

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
    totals: list[int | None] = attrs.field(factory=list[int | None])
    ids: set[str] = attrs.field(factory=set[str])
    last: int | None = None
    """The stamp of the last row of the page before."""
    reached: bool = False
    """Whether a settled row was read."""

    @property
    def fell(self) -> bool:
        """Whether the total of the list fell, so that rows may have moved to earlier pages; True if it is unknown."""
        known = [each for each in self.totals if each is not None]
        return len(known) < len(self.totals) or any(after < before for before, after in zip(known, known[1:]))  # noqa: RUF007, B905 - neighbours


class ListReader:
    """Reads one list."""

    def __init__(self, watched: Watched, request: ListRequest[Any], persist: Persist) -> None:
        self.watched = watched
        self._request = request
        self._persist = persist
        self._warned: set[str] = set()

    async def read(self, settled: int | None) -> Reading:
        """Return the rows above *settled*; None for the first read, which chooses a stamp near the newest row."""
        reading = Reading()
        for number in range(MOST_PASSES):
            newest = reading.newest if number else -1
            before = len(reading.rows)
            once = await self._pass(settled, reading)
            settled = reading.settled
            grown = sum(version.stamp <= newest for _, version in list(reading.rows.values())[before:])
            if self._is_sure(once, reading, is_confirmed=number > 0 and not grown):
                reading.is_sure = True
                break
        return reading

    def _is_sure(self, once: _Pass, reading: Reading, *, is_confirmed: bool) -> bool:
        if once.pages == 1:
            return True
        if once.repeated and once.tied:
            return not once.fell and len(reading.rows) + once.unreadable >= once.slots
        return not once.fell or is_confirmed

    async def _pass(self, settled: int | None, reading: Reading) -> _Pass:
        walk = PageWalk(self._request, self._request.query.encode(), 0)
        novelty, once = Novelty(), _Pass()
        reading.settled_rows = []
        while True:
            page = await self._persist(walk.next)
            once.pages += 1
            once.totals.append(page.total_count)
            versions = self._versions(page)
            if settled is None:
                settled = starting_point(self.watched, [each.stamp for _, each in versions if each], page)
            reading.settled = settled
            self._take(versions, settled, once, reading)
            reading.is_entire = page.next_query is None
            if once.reached or page.next_query is None:
                return once
            novelty.refuse_fruitless(page.rows, is_new=novelty.note(page.rows))

    def _take(
        self, versions: list[tuple[Resource, Version | None]], settled: int, once: _Pass, reading: Reading
    ) -> None:
        is_first = True
        for row, version in versions:
            if version is not None and version.stamp <= settled:
                once.reached = True
                reading.settled_rows.append(row)
                continue
            once.slots += not once.reached
            if version is None:
                once.unreadable += not once.reached
                continue
            if version.id in once.ids:
                once.repeated += 1
                continue
            if is_first and version.stamp == once.last:
                once.tied = True
            is_first = False
            once.ids.add(version.id)
            known = reading.rows.get(version.id)
            if known is None or known[1].stamp <= version.stamp:
                reading.rows[version.id] = (row, version)
        once.last = next((each.stamp for _, each in reversed(versions) if each is not None), once.last)

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


def starting_point(watched: Watched, stamps: list[int], page: FetchedPage[Any]) -> int:
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
