"""Many lookups off the pages of a list: its pages bring most records, and single lookups bring the rest.

So an id is missing only if the API said so of that very id, whatever others write to the list meanwhile, and whatever
happens to its pages.
"""

import logging
import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import chain, repeat
from typing import Any, Final, Generic, Self, TypeVar

from kajabi_async.errors import DecodeError, InvalidArgumentError
from kajabi_async.exchange import Answer, Tally
from kajabi_async.fetching.forecast import Forecast, ListSize
from kajabi_async.fetching.id_source import IDS, THE_END, Ids, IdSource, Naming, source_of
from kajabi_async.fetching.one import Reader
from kajabi_async.fetching.page import FetchedPage, ListRequest
from kajabi_async.fetching.walk import PageBatches
from kajabi_async.models.resource import Resource
from kajabi_async.stall import Stall
from kajabi_async.wording import counted

__all__ = ["MOST_PAGES_AT_ONCE", "SCANNED_PAGE_SIZE", "Pending", "Scan", "is_complete", "size_of"]

R = TypeVar("R", bound=Resource)

SCANNED_PAGE_SIZE: Final = 100
"""The rows requested per page: the most that the API document states for a list, and used with success on others."""
MOST_PAGES_AT_ONCE: Final = 16
"""The most pages in memory at the same time, whatever the concurrency."""
_LEAST_IDS: Final = 3
"""From this number of ids on the first page is requested: it costs one request, and may save more than one."""
_LOG: Final = logging.getLogger("kajabi_async")


class Scan(Generic[R]):
    """The ids of one run, in the order in which their records are found, and the records.

    An async iterator, to be handed to a run of lookups together with `look_up`. Pages are fetched when the run asks
    for more ids: a slow loop slows the scan down.
    """

    def __init__(
        self,
        reader: Reader[R],
        pages: ListRequest[R] | None,
        ids: Ids,
        *,
        concurrency: int,
        ordered: bool = False,
        at_any_price: bool = False,
        naming: Naming = IDS,
    ) -> None:
        """Scan *pages*, nothing if they are None, and read single ids with *reader*.

        With *at_any_price* the scan goes on even if lookups take fewer requests.
        """
        self.context = reader.context
        self.concurrency = concurrency
        self.pages = None if pages is None else PageBatches(pages)
        self.forecast = Forecast(())
        self.lacks: str | None = None
        """What is to be included and does not come with the list."""
        self._reader = reader
        self._include = reader.query.include
        self.noun = naming.noun
        self._source = source_of(ids, noun=naming.noun)
        self._pending = Pending(ordered=ordered, naming=naming)
        self._at_any_price = at_any_price
        self._loaded: dict[str, R] = {}
        self._are_read = self._is_done = False
        self._ready: Iterator[Any] = iter(())

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        while True:
            for value in self._ready:
                return value
            if not self._are_read:
                await self.read_ids()
                self._ready = self._pending.bad()
            elif not self._is_done and self._goes_on():
                self._ready = await self.fetch_pages()
            elif not self._is_done:
                self._is_done = True
                self._log_failure()
                self._ready = self._pending.rest()
            else:
                raise StopAsyncIteration

    async def look_up(self, resource_id: str, tally: Tally) -> R | Answer:
        """Return a record that a page has brought, or request it; the cost of the pages is added to *tally*, too."""
        if self.pages is not None:
            self.pages.settle(tally)
        loaded = self._loaded.pop(resource_id, None)
        return await self._reader.request_once(resource_id, tally) if loaded is None else loaded

    def join(self, stall: Stall) -> None:
        """Wait in *stall* together with the lookups, with pages too."""
        if self.pages is not None:
            self.pages.stall = stall

    def unanswered(self, taken: list[Any]) -> Iterable[Any]:
        """Return what was read and has no outcome, in the order of the source; *taken* are the values of the run."""
        ready = list(self._ready)
        self._ready = iter(ready)
        behind = [] if self._is_done else [*(() if self._are_read else self._pending.bad()), *self._pending.rest()]
        return self._pending.in_order([*taken, *ready, *behind])

    async def read_ids(self) -> None:
        """Read all ids; what their source raises is raised."""
        await self._pending.read(self._source)
        self._are_read = True
        self.forecast = self._forecast_of(self._pending.keys)

    def _forecast_of(self, keys: Collection[str]) -> Forecast:
        return Forecast(keys)

    def is_worth_a_page(self) -> bool:
        """Return whether to request the first page, which brings records and says how long the list is."""
        return self.pages is not None and self.forecast.ids >= (1 if self._at_any_price else _LEAST_IDS)

    async def fetch_pages(self) -> Iterator[Any]:
        """Fetch the pages that are needed in any case, at once, and return the ids whose outcome is now known.

        AuthenticationError and ConfigurationError are raised. What concerns the client is waited out once the scan has
        joined a run; the ids of a page that fails in another way are looked up singly.
        """
        batches, forecast = self.pages, self.forecast
        assert batches is not None  # noqa: S101 - called only if there is a list
        most = forecast.sure_pages(at_any_price=self._at_any_price)
        pages = await batches.fetch(min(most, self.concurrency, MOST_PAGES_AT_ONCE))
        found = [self._keep(page) for page in pages]
        forecast.is_over = batches.is_over
        return chain(*found, self._pending.ready())

    def _goes_on(self) -> bool:
        forecast = self.forecast
        if not forecast.pages:
            return self.is_worth_a_page()
        if self.lacks is not None:
            return False
        return forecast.ahead > 0 if self._at_any_price else forecast.pays()

    def _keep(self, page: FetchedPage[R] | None) -> Iterator[Any]:
        """Keep the rows of *page* that the run asks for, and return their ids."""
        if page is None:
            self.forecast.add_failed_page()
            return iter(())
        rows = [row for row in page.rows if not isinstance(row, DecodeError)]
        hits = [row for row in rows if self._pending.is_unseen(row.id) and is_complete(row, self._include)]
        self._loaded.update((row.id, row) for row in hits)
        found = [self._pending.seen(resource_id) for resource_id in dict.fromkeys(row.id for row in hits)]
        if rows and not self.forecast.rows and not any(is_complete(row, self._include) for row in rows):
            self.lacks = ", ".join(self._include)
        self.forecast.add_page([row.id for row in rows], len(found), size=size_of(page))
        return chain.from_iterable(found)

    def _log_failure(self) -> None:
        failure = None if self.pages is None else self.pages.failure
        if failure is not None:
            _LOG.warning(
                "pages of a list failed while it was scanned, with %s; %s looked up singly",
                type(failure).__name__,
                counted(self.forecast.unseen, f"{self.noun.removesuffix('s')} is", f"{self.noun} are"),
            )


class Pending:
    """The values of a run by their keys; a key is taken off once a page has brought its record."""

    def __init__(self, *, ordered: bool, naming: Naming) -> None:
        self._ordered = ordered
        self._key, self._has_spellings = naming.key, naming.has_spellings
        self._times: dict[str, int] = {}
        """How often each key was given; negative once it was seen, so that all keep their order."""
        self._spellings: dict[str, list[Any]] = {}
        """The values of a key, if one of them differs from it."""
        self._bad: list[Any] = []
        """The values without a key; they may not be keys of a dictionary either."""
        self._in_order: list[tuple[str | None, Any]] = []
        """If the order is kept, all values, each with its key; None for one without."""
        self._next = 0

    async def read(self, source: IdSource) -> None:
        """Read *source* to its end; what it raises is raised."""
        if source.at_once is not None:
            for value in source.at_once:
                self._add(value)
            return
        while (value := await source.take()) is not THE_END:
            self._add(value)

    def _add(self, value: Any) -> None:
        try:
            key = self._key(value)
        except InvalidArgumentError:
            # Its outcome comes from the run, which checks it again.
            if self._ordered:
                self._in_order.append((None, value))
            else:
                self._bad.append(value)
            return
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
        return iter(self._bad)

    def seen(self, key: str) -> Iterator[Any]:
        """Take a key off, and return its values; none if the order is kept."""
        self._times[key] = -self._times[key]
        return iter(()) if self._ordered else self._values(key)

    def ready(self) -> Iterator[Any]:
        """Yield, if the order is kept, the values that are next in it and have been seen."""
        while self._next < len(self._in_order):
            key, value = self._in_order[self._next]
            if key is not None and self.is_unseen(key):
                return
            self._next += 1
            yield value

    def rest(self) -> Iterator[Any]:
        """Yield everything that was not yet returned."""
        if self._ordered:
            yield from (value for _, value in self._in_order[self._next :])
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


def is_complete(row: Resource, include: Iterable[str]) -> bool:
    """Return whether everything that was to be included came with *row*, as it does with a single lookup."""
    return all(_leads_to(row, path.split(".")) for path in include)


def _leads_to(resource: Resource, path: list[str]) -> bool:
    if not path:
        return True
    related: tuple[Resource, ...] | None = getattr(resource, path[0]).at_hand
    return related is not None and all(_leads_to(each, path[1:]) for each in related)


def size_of(page: FetchedPage[Any]) -> ListSize | None:
    """Return the size of the list as *page* states it; None if it does not."""
    rows = page.total_count
    if page.next_query is None:
        # Right for a first page; after a later one that is the last, the size is not used.
        return ListSize(len(page.rows) if rows is None else rows, 1)
    if page.last_number is not None:
        return ListSize(rows, page.last_number)
    return ListSize(rows, math.ceil(rows / len(page.rows))) if rows is not None and page.rows else None
