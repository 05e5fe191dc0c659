"""Many lookups off the pages of a list: rows that are wanted are kept, and what no page brings is looked up singly.

So an id is missing only where the API said so of that very id, whatever others write to the list meanwhile, and
whatever becomes of its pages.
"""

import logging
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, repeat
from typing import Any, Final, Generic, Self, TypeVar

import attrs

from kajabi_async.errors import DecodeError, InvalidIdError
from kajabi_async.exchange import Answer, Tally
from kajabi_async.fetching.forecast import ListSize, Outlook
from kajabi_async.fetching.id_source import THE_END, Ids, IdSource, source_of
from kajabi_async.fetching.one import Reader
from kajabi_async.fetching.page import FetchedPage, ListRequest
from kajabi_async.fetching.walk import PageBatches
from kajabi_async.jsonapi.ids import checked_id
from kajabi_async.models.resource import Resource
from kajabi_async.stall import Stall

__all__ = ["MOST_PAGES_AT_ONCE", "SCANNED_PAGE_SIZE", "PendingIds", "Scan"]


@attrs.frozen(eq=False)
class _Refused:
    """A value that can be no id, and perhaps cannot be looked for in a dictionary either."""

    value: Any


class PendingIds:
    """Ids as they were given, each noted with how often it comes, and taken off when a page has brought it."""

    def __init__(self, *, ordered: bool) -> None:
        self._ordered = ordered
        self._times: dict[str, int] = {}
        """How often each was given; the same below zero once it was seen, so that all keep their places."""
        self._refused: list[_Refused] = []
        self._in_order: list[str | _Refused] = []
        self._place = 0

    async def read(self, source: IdSource) -> None:
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


R = TypeVar("R", bound=Resource)

SCANNED_PAGE_SIZE: Final = 100
"""Rows to ask for at a time: the most that the API document states for a list, and used with success on others."""

MOST_PAGES_AT_ONCE: Final = 16
"""So many pages are held at the same time, whatever the concurrency."""

_LOG: Final = logging.getLogger("kajabi_async")
_FEW: Final = 3
"""From so many ids on, the first page is asked for: one request in vain at most, and it may save more than one."""


class Scan(Generic[R]):
    """The ids of one run, in the order in which their records come to hand, and how to get at the records.

    An async iterator, to be handed to a run of lookups together with `look_up`. Pages are turned when the run asks
    for more ids: a slow loop slows the scan down.
    """

    def __init__(
        self,
        reader: Reader[R],
        lister: ListRequest[R] | None,
        ids: Ids,
        *,
        concurrency: int,
        ordered: bool = False,
        at_any_price: bool = False,
    ) -> None:
        """Scan what *lister* lists, nothing where it is None, and read singly by *reader*.

        *at_any_price* goes on even where lookups are fewer requests.
        """
        self.context = reader.context
        self.concurrency = concurrency
        self.turner = None if lister is None else PageBatches(lister)
        self.outlook = Outlook(())
        self.lacks: str | None = None
        """What is to be included, and the list does not bring."""
        self._reader = reader
        self._include = reader.query.include
        self._source = source_of(ids)
        self._wanted = PendingIds(ordered=ordered)
        self._at_any_price = at_any_price
        self._held: dict[str, R] = {}
        self._are_read = self._is_done = False
        self._due: Iterator[Any] = iter(())

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        while True:
            for given in self._due:
                return given
            if not self._are_read:
                await self.read_ids()
                self._due = self._wanted.refused()
            elif not self._is_done and self._goes_on():
                self._due = await self.turn()
            elif not self._is_done:
                self._is_done = True
                self._tell_of_failure()
                self._due = self._wanted.rest()
            else:
                raise StopAsyncIteration

    async def look_up(self, resource_id: str, tally: Tally) -> R | Answer:
        """Give a record that a page has brought, or ask for it; *tally* gets what the pages took, too."""
        if self.turner is not None:
            self.turner.settle(tally)
        held = self._held.pop(resource_id, None)
        return await self._reader.ask_once(resource_id, tally) if held is None else held

    def join(self, stall: Stall) -> None:
        """Wait out together with the lookups what concerns the client, with pages too."""
        if self.turner is not None:
            self.turner.stall = stall

    def unanswered(self, taken: list[str]) -> Iterable[Any]:
        """Return what was read and has no outcome, in the order of the source; *taken* are those of the run."""
        due = list(self._due)
        self._due = iter(due)
        behind = [] if self._is_done else [*(() if self._are_read else self._wanted.refused()), *self._wanted.rest()]
        return self._wanted.in_order([*taken, *due, *behind])

    async def read_ids(self) -> None:
        """Read all ids; whatever their source raises is raised."""
        await self._wanted.read(self._source)
        self._are_read = True
        self.outlook = Outlook(self._wanted.ids)

    def is_worth_a_page(self) -> bool:
        """Tell whether to ask for the first page, which has wanted rows on it and tells how long the list is."""
        return self.turner is not None and self.outlook.wanted >= (1 if self._at_any_price else _FEW)

    async def turn(self) -> Iterator[Any]:
        """Turn pages, as many at once as are needed in any case, and give the ids that can be told by now.

        AuthenticationError and ConfigurationError are raised; what concerns the client is waited out where the scan has
        joined a run; any other failure of a page leaves its ids to be looked up singly.
        """
        turner, outlook = self.turner, self.outlook
        assert turner is not None  # noqa: S101 - asked for only where there is a list
        most = outlook.sure_pages(at_any_price=self._at_any_price)
        pages = await turner.fetch(min(most, self.concurrency, MOST_PAGES_AT_ONCE))
        told = [self._taken(page) for page in pages]
        outlook.is_over = turner.is_over
        return chain(*told, self._wanted.due())

    def _goes_on(self) -> bool:
        outlook = self.outlook
        if not outlook.pages:
            return self.is_worth_a_page()
        if self.lacks is not None:
            return False
        return outlook.ahead > 0 if self._at_any_price else outlook.pays()

    def _taken(self, page: FetchedPage[R] | None) -> Iterator[str]:
        """Keep the rows of *page* that are wanted, and give their ids."""
        if page is None:
            self.outlook.skip()
            return iter(())
        rows = [row for row in page.rows if not isinstance(row, DecodeError)]
        hits = [row for row in rows if self._wanted.is_unseen(row.id) and self._carries(row)]
        self._held.update((row.id, row) for row in hits)
        told = [self._wanted.seen(resource_id) for resource_id in dict.fromkeys(row.id for row in hits)]
        if rows and not self.outlook.rows and not any(map(self._carries, rows)):
            self.lacks = ", ".join(self._include)
        self.outlook.turn([row.id for row in rows], len(told), size=_size_of(page))
        return chain.from_iterable(told)

    def _carries(self, row: R) -> bool:
        """Tell whether everything that was to be included came with *row*, as it does with a single lookup."""
        return all(_leads_to(row, path.split(".")) for path in self._include)

    def _tell_of_failure(self) -> None:
        failure = None if self.turner is None else self.turner.failure
        if failure is not None:
            _LOG.warning(
                "pages of a list failed while it was scanned, with %s; %d ids are looked up singly",
                type(failure).__name__,
                self.outlook.unseen,
            )


def _leads_to(resource: Resource, path: list[str]) -> bool:
    if not path:
        return True
    related: tuple[Resource, ...] | None = getattr(resource, path[0]).at_hand
    return related is not None and all(_leads_to(each, path[1:]) for each in related)


def _size_of(page: FetchedPage[Any]) -> ListSize | None:
    rows = page.total_count
    if page.next_query is None:
        # Of the first page; after a later one that is the last, nobody asks how many there are.
        return ListSize(len(page.rows) if rows is None else rows, 1)
    if page.last_number is not None:
        return ListSize(rows, page.last_number)
    return ListSize(rows, math.ceil(rows / len(page.rows))) if rows is not None and page.rows else None
