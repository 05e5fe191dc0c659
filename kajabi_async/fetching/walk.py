"""Walking a list along ``links.next``: page after page with some fetched ahead, or several pages at once.

`PageWalk` reads a list that has to be complete and raises at the first page that fails. `PageBatches` serves a caller
that can do without some pages. Both end a list that goes round in circles or brings nothing new, as `Novelty` counts.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, Final, Generic, TypeVar

import attrs

from kajabi_async.concurrency import cancel_tasks, for_each
from kajabi_async.errors import AuthenticationError, DecodeError, KajabiError, PagingError
from kajabi_async.exchange import Answer, Request, Send, Tally, TimeoutStarts
from kajabi_async.fetching.page import FetchedPage, ListRequest, ids_of, page_number, with_page_number
from kajabi_async.models.resource import Resource
from kajabi_async.passing import ends_everything, is_passing
from kajabi_async.stall import Stall

__all__ = ["Novelty", "PageBatches", "PageWalk", "retrieve_exception"]

R = TypeVar("R", bound=Resource)
W = TypeVar("W", bound=Resource)

MOST_FRUITLESS: Final = 100
"""The number of pages in a row without a new row that a list may have before PagingError."""
MOST_FRUITLESS_IN_BATCHES: Final = 2
"""The same for a list whose pages are not all needed, pages that failed included; beyond it the list is given up."""
_RECENT_IDS: Final = 10_000
"""The number of row ids kept to notice rows that come again: bounded, and far beyond a page."""


class Novelty:
    """The ids of the latest rows, and the number of pages in a row that brought no id but these."""

    def __init__(self) -> None:
        self._recent: OrderedDict[str, None] = OrderedDict()
        self._fruitless = 0

    def is_new(self, resource_id: str) -> bool:
        """Note one row, and return whether it is not among the latest."""
        if resource_id in self._recent:
            return False
        self._recent[resource_id] = None
        self._forget()
        return True

    def are_new(self, rows: "Sequence[Resource | DecodeError]") -> bool:
        """Note all *rows* if every one is readable and new, as on most pages, and return whether that is so."""
        ids = dict.fromkeys(ids_of(rows))
        if len(ids) < len(rows) or not self._recent.keys().isdisjoint(ids):
            return False
        self._recent.update(ids)
        self._forget()
        return True

    def has_new(self, rows: "Iterable[Resource | DecodeError]") -> bool:
        """Return whether one of *rows* is new, and note none of them."""
        return self._has_new(ids_of(rows))

    def note(self, rows: "Sequence[Resource | DecodeError]") -> bool:
        """Note the rows of a page, and return whether one of them is new."""
        ids = ids_of(rows)
        is_new = self._has_new(ids)
        self.note_known(ids)
        return is_new

    def note_known(self, ids: Iterable[str]) -> None:
        """Note rows that came before."""
        self._recent.update(dict.fromkeys(ids))
        self._forget()

    def count_page(self, *, is_new: bool) -> int:
        """Count a page, and return how many in a row, up to this one, brought nothing new."""
        self._fruitless = 0 if is_new else self._fruitless + 1
        return self._fruitless

    def refuse_fruitless(self, page: Collection[object], *, is_new: bool) -> None:
        """Count *page*, which is not the last; PagingError after too many in a row without a new row."""
        fruitless = self.count_page(is_new=is_new)
        if fruitless > MOST_FRUITLESS:
            kind = "pages in a row without a row that is new" if page else "empty pages in a row"
            raise PagingError(f"{fruitless} {kind}, each with a next link")

    def _has_new(self, ids: Iterable[str]) -> bool:
        return any(each not in self._recent for each in ids)

    def _forget(self) -> None:
        while len(self._recent) > _RECENT_IDS:
            self._recent.popitem(last=False)


class PageWalk(Generic[R]):
    """Page after page, with up to *prefetch* pages after it started ahead; `next` asks again for a page that failed."""

    def __init__(self, request: ListRequest[R], query: str | None, prefetch: int) -> None:
        self._request = request
        self._prefetch = prefetch
        self._next = query
        self._read: set[str] = set()
        self._ahead: dict[str, asyncio.Task[FetchedPage[R]]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    async def next(self) -> FetchedPage[R]:
        """Return the next page; StopAsyncIteration after the last, PagingError if the link leads back to one."""
        query = self._next
        if query is None:
            raise StopAsyncIteration
        if query in self._read:
            self._next = None
            raise PagingError("links.next leads back to a page that was read already")
        started = self._ahead.pop(query, None)
        page = await (self._request.fetch(query) if started is None else self._fetched_ahead(started, query))
        if self._prefetch:
            self._fetch_ahead(self._queries_after(page))
        self._read.add(query)
        self._next = page.next_query
        return page

    def close(self) -> None:
        """Cancel the pages that were started ahead."""
        tasks = set(self._ahead.values())
        self._ahead.clear()
        if self._loop is not None and tasks:
            cancel_tasks(self._loop, tasks)

    async def _fetched_ahead(self, started: "asyncio.Task[FetchedPage[R]]", query: str) -> FetchedPage[R]:
        try:
            return await started
        except KajabiError as error:
            if not is_passing(error):
                raise
        # It failed before it was needed; the cause may be over.
        return await self._request.fetch(query)

    def _queries_after(self, page: FetchedPage[R]) -> list[str]:
        """Return the queries to start ahead: the next page's, and by counting on its number those after it."""
        if page.next_query is None:
            return []
        number = page_number(page.next_query)
        if number is None:
            return [page.next_query]
        end = number + self._prefetch
        if page.last_number is not None:
            end = min(end, page.last_number + 1)
        return [page.next_query, *(with_page_number(page.next_query, each) for each in range(number + 1, end))]

    def _fetch_ahead(self, queries: list[str]) -> None:
        self._loop = asyncio.get_running_loop()
        for query in self._ahead.keys() - set(queries):
            self._ahead.pop(query).cancel()
        for query in queries:
            if query not in self._ahead:
                task = self._loop.create_task(self._request.fetch(query), name="kajabi_async page")
                task.add_done_callback(retrieve_exception)
                self._ahead[query] = task


def retrieve_exception(task: "asyncio.Task[Any]") -> None:
    """Retrieve the failure of a page that may never be needed; the event loop would log it."""
    if not task.cancelled():
        task.exception()


class PageBatches(Generic[R]):
    """Several pages at once, found by their numbers; a page that fails is passed over."""

    def __init__(self, request: ListRequest[R]) -> None:
        self.tally = Tally()
        """The cost of the pages since `settle`."""
        self.failure: KajabiError | None = None
        """The failure of the latest page that failed."""
        self.stall: Stall | None = None
        """Waits for the end of what concerns the client; without it, such a failure is one of the page."""
        context = attrs.evolve(request.context, send=self._counted(request.context.send))
        self._request = attrs.evolve(request, context=context)
        self._next: str | None = request.query.encode()
        self._requested: dict[str, None] = {}
        """The queries of the pages so far, in their order."""
        self._repeated = 0
        """The number of pages to come that were read before."""
        self.has_ended = False
        """Whether the list has ended, and was not given up."""
        self._last_number: int | None = None
        self._novelty = Novelty()
        self.most_fruitless = MOST_FRUITLESS_IN_BATCHES
        """The number of pages in a row without a new row, beyond which the list is given up."""

    @property
    def is_over(self) -> bool:
        """Whether the list has ended, or was given up."""
        return self._next is None

    def settle(self, tally: Tally) -> None:
        """Move to *tally* what the pages cost since the last call."""
        cost = self.tally
        # Called for every lookup, and comparing it with an empty one takes longer.
        if not (cost.operations or cost.attempts or cost.retries or cost.waiting_seconds or cost.wire_seconds):
            return
        for counter in attrs.fields(Tally):
            counted = getattr(cost, counter.name)
            setattr(tally, counter.name, getattr(tally, counter.name) + counted)
            # In place, as running requests add to this very tally.
            setattr(cost, counter.name, counted - counted)

    async def fetch(self, most: int, *, for_lookup: bool = False) -> list[FetchedPage[R] | None]:
        """Return the next pages, at most *most*, fetched at once; None for one that failed.

        Fewer at the end of the list; one only for the first page, and if the next query has no page number.
        AuthenticationError and ConfigurationError are raised. *for_lookup*, so is a failure that passes: a lookup waits
        in the stall by itself, and is then tried again.
        """
        queries = list(self._queries(most if self._requested else 1))
        if not queries:
            return []
        self._requested.update(dict.fromkeys(queries))
        fetched: dict[str, FetchedPage[R]] = {}

        async def fetch(query: str) -> None:
            page = await self._fetched(self._request, query, for_lookup=for_lookup)
            if page is not None:
                fetched[query] = page

        await for_each(queries, fetch, at_once=len(queries))
        pages = [fetched.get(query) for query in queries]
        self._advance(queries, pages)
        return pages

    async def fetch_again(self, number: int, *, for_lookup: bool = False) -> FetchedPage[R] | None:
        """Return the page with this number once more; None if it fails, which `failure` then says."""
        query = with_page_number(self._request.query.encode(), number)
        return await self._fetched(self._request, query, for_lookup=for_lookup)

    async def fetch_beside(self, request: ListRequest[W], *, for_lookup: bool = False) -> FetchedPage[W] | None:
        """Return the first page of another list, with the same waiting and on the same tally; None if it fails."""
        context = attrs.evolve(request.context, send=self._counted(request.context.send))
        failure = self.failure
        page = await self._fetched(
            attrs.evolve(request, context=context), request.query.encode(), for_lookup=for_lookup
        )
        self.failure = failure
        return page

    def step_back(self, pages: int) -> int:
        """Go on with the latest *pages* of the pages read, as rows may have moved onto them; return their number."""
        latest = list(self._requested)[-pages:]
        for query in latest:
            del self._requested[query]
        self._next, self.has_ended = latest[0], False
        self._repeated += len(latest)
        return len(latest)

    async def _fetched(self, request: ListRequest[W], query: str, *, for_lookup: bool) -> FetchedPage[W] | None:
        stall = self.stall
        try:
            page = partial(request.fetch, query)
            fetched = await (page() if stall is None or for_lookup else stall.persist(page))
        except KajabiError as error:
            if ends_everything(error) or isinstance(error, AuthenticationError):
                raise
            if is_passing(error) and (for_lookup or (stall is not None and stall.has_given_up)):
                raise
            self.failure = error
            return None
        if for_lookup and stall is not None:
            stall.answered()
        return fetched

    def _queries(self, most: int) -> Iterator[str]:
        query = self._next
        for _ in range(most):
            if query is None:
                return
            yield query
            query = self._query_after(query)

    def _advance(self, queries: list[str], pages: list[FetchedPage[R] | None]) -> None:
        """Set the query to go on with after *pages*; none if the list is over."""
        following: str | None = None
        is_over, fruitless = False, 0
        for query, page in zip(queries, pages, strict=True):
            is_new = page is not None and self._novelty.note(page.rows)
            fruitless = self._novelty.count_page(is_new=is_new or self._repeated > 0)
            self._repeated = max(0, self._repeated - 1)
            if page is None:
                following = self._query_after(query)
            else:
                following, is_over = page.next_query, is_over or page.next_query is None
                self._last_number = page.last_number or self._last_number
        self.has_ended = is_over
        # A link back to a page that was read would go round for ever.
        is_over = is_over or fruitless > self.most_fruitless or following in self._requested
        self._next = None if is_over else following

    def _query_after(self, query: str) -> str | None:
        """Return the query of the page after the one at *query*; None if that is the last, or has no number."""
        number = page_number(query)
        if number is None or (self._last_number is not None and number >= self._last_number):
            return None
        return with_page_number(query, number + 1)

    def _counted(self, send: Send) -> Send:
        async def counted(
            request: Request,
            *,
            timeout: float | None = None,
            tally: Tally | None = None,
            timeout_starts: TimeoutStarts = "call",
        ) -> Answer:
            counting = self.tally if tally is None else tally
            if self.stall is None:
                return await send(request, timeout=timeout, tally=counting, timeout_starts=timeout_starts)
            once = Request(request.method, request.path, request.query, once=True)
            return await send(once, timeout=timeout, tally=counting, timeout_starts="sent")

        return counted
