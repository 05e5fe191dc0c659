"""Turning the pages of a list, several at once, for whoever wants its rows and can do without some of them."""

import asyncio
from collections import OrderedDict
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import partial
from typing import Final, Generic, TypeVar

import attrs

from kajabi_async.concurrency import cancel_tasks, for_each
from kajabi_async.errors import AuthenticationError, DecodeError, KajabiError, PagingError
from kajabi_async.exchange import Answer, Request, Send, Tally, TimeoutStarts
from kajabi_async.fetching.page import FetchedPage, ListRequest, page_number, with_page_number
from kajabi_async.models.resource import Resource
from kajabi_async.passing import ends_everything, is_passing
from kajabi_async.stall import Stall

__all__ = ["Ahead", "Novelty", "PageTurner"]

_RECENT_IDS: Final = 10_000
"""How many row ids are remembered to notice rows that come again: bounded, and far beyond a page."""
MOST_FRUITLESS: Final = 100


class Novelty:
    """The ids of the latest rows, and how many pages in a row brought none that is not among them."""

    def __init__(self) -> None:
        self._recent: OrderedDict[str, None] = OrderedDict()
        self._fruitless = 0

    def is_new(self, resource_id: str) -> bool:
        """Note one row, and tell whether it has not come lately."""
        if resource_id in self._recent:
            return False
        self._recent[resource_id] = None
        self._forget()
        return True

    def are_new(self, rows: "Sequence[Resource | DecodeError]") -> bool:
        """Tell whether every row is one, and new; then they are noted all at once, as most pages are like that."""
        ids = {row.id: None for row in rows if not isinstance(row, DecodeError)}
        if len(ids) < len(rows) or not self._recent.keys().isdisjoint(ids):
            return False
        self._recent.update(ids)
        self._forget()
        return True

    def has_new(self, rows: "Iterable[Resource | DecodeError]") -> bool:
        """Tell whether a row among *rows* is new, and note none of them."""
        return any(row.id not in self._recent for row in rows if not isinstance(row, DecodeError))

    def note(self, rows: "Sequence[Resource | DecodeError]") -> bool:
        """Note the rows of a page, and tell whether one of them is new."""
        is_new = self.has_new(rows)
        self.note_known(row.id for row in rows if not isinstance(row, DecodeError))
        return is_new

    def note_known(self, ids: Iterable[str]) -> None:
        """Note rows that came before."""
        self._recent.update(dict.fromkeys(ids))
        self._forget()

    def refuse_fruitless(self, page: Collection[object], *, is_new: bool) -> None:
        """PagingError after too many pages in a row without a new row; *page*, the latest of them, is not the last."""
        self._fruitless = 0 if is_new else self._fruitless + 1
        if self._fruitless > MOST_FRUITLESS:
            kind = "pages in a row without a row that is new" if page else "empty pages in a row"
            raise PagingError(f"{self._fruitless} {kind}, each with a next link")

    def _forget(self) -> None:
        while len(self._recent) > _RECENT_IDS:
            self._recent.popitem(last=False)


R = TypeVar("R", bound=Resource)

_NOTHING: Final = Tally()
_MOST_FRUITLESS: Final = 3
"""So many pages in a row that fail, or bring nothing new, and the list is given up."""


class PageTurner(Generic[R]):
    """Pages along ``links.next``; a page that fails is passed over, its neighbours are told by their numbers."""

    def __init__(self, lister: ListRequest[R]) -> None:
        self.tally = Tally()
        """What the pages took since `settle`."""
        self.failure: KajabiError | None = None
        """Why the latest page that failed did."""
        self.stall: Stall | None = None
        """Where to wait for what concerns the client to be over; with none, a page that it hits has failed."""
        context = attrs.evolve(lister.context, send=self._counted(lister.context.send))
        self._lister = attrs.evolve(lister, context=context)
        self._next: str | None = lister.query.encode()
        self._asked: set[str] = set()
        self._last_number: int | None = None
        self._fruitless = 0
        self._novelty = Novelty()

    @property
    def is_over(self) -> bool:
        """Whether the list has ended, or was given up."""
        return self._next is None

    def settle(self, tally: Tally) -> None:
        """Add to *tally* what the pages took since the last time."""
        if self.tally == _NOTHING:
            return
        for counter in attrs.fields(Tally):
            taken = getattr(self.tally, counter.name)
            setattr(tally, counter.name, getattr(tally, counter.name) + taken)
            # In place, as pages under way add to this very tally.
            setattr(self.tally, counter.name, taken - taken)

    async def turn(self, most: int) -> list[FetchedPage[R] | None]:
        """Give the next pages, at most *most*, asked for at once; None for one that failed.

        AuthenticationError and ConfigurationError are raised. Fewer come where the list ends, and one alone as the
        first, and where the address of the next does not tell the numbers of pages.
        """
        queries = list(self._queries(most if self._asked else 1))
        self._asked.update(queries)
        came: dict[str, FetchedPage[R]] = {}

        async def fetch(query: str) -> None:
            stall = self.stall
            try:
                page = partial(self._lister.fetch, query)
                came[query] = await (page() if stall is None else stall.persist(page))
            except KajabiError as error:
                if ends_everything(error) or isinstance(error, AuthenticationError):
                    raise
                if stall is not None and stall.has_given_up and is_passing(error):
                    raise
                self.failure = error

        await for_each(queries, fetch, at_once=len(queries))
        pages = [came.get(query) for query in queries]
        self._go_on(queries, pages)
        return pages

    def _queries(self, most: int) -> Iterator[str]:
        query = self._next
        for _ in range(most):
            if query is None:
                return
            yield query
            query = self._counted_on(query)

    def _go_on(self, queries: list[str], pages: list[FetchedPage[R] | None]) -> None:
        """Find out where to go on after *pages*."""
        following: str | None = None
        is_over = False
        for query, page in zip(queries, pages, strict=True):
            is_new = page is not None and self._novelty.note(page.rows)
            self._fruitless = 0 if is_new else self._fruitless + 1
            if page is None:
                following = self._counted_on(query)
            else:
                following, is_over = page.next_query, is_over or page.next_query is None
                self._last_number = page.last_number or self._last_number
        # A link back to what was read would go round for ever.
        is_over = is_over or self._fruitless >= _MOST_FRUITLESS or following in self._asked
        self._next = None if is_over else following

    def _counted_on(self, query: str) -> str | None:
        """Give the address of the page after the one at *query*; None where that is the last or has no number."""
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


class Ahead(Generic[R]):
    """Fetches the page that is asked for, and begins with up to *prefetch* after it."""

    def __init__(self, lister: ListRequest[R], prefetch: int) -> None:
        self._lister = lister
        self._prefetch = prefetch
        self._begun: dict[str, asyncio.Task[FetchedPage[R]]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    async def fetch(self, query: str) -> FetchedPage[R]:
        """Give the page for *query*, from among those begun where it is there."""
        begun = self._begun.pop(query, None)
        page = await (self._lister.fetch(query) if begun is None else self._from(begun, query))
        if self._prefetch:
            self._begin(self._guesses(page))
        return page

    def close(self) -> None:
        """Cancel what was begun and not asked for."""
        tasks = set(self._begun.values())
        self._begun.clear()
        if self._loop is not None and tasks:
            cancel_tasks(self._loop, tasks)

    async def _from(self, begun: "asyncio.Task[FetchedPage[R]]", query: str) -> FetchedPage[R]:
        try:
            return await begun
        except KajabiError as error:
            if not is_passing(error):
                raise
        # It failed some time ago, when nobody wanted it yet; what was the matter may be over.
        return await self._lister.fetch(query)

    def _guesses(self, page: FetchedPage[R]) -> list[str]:
        if page.next_query is None:
            return []
        number = page_number(page.next_query)
        if number is None:
            return [page.next_query]
        end = number + self._prefetch
        if page.last_number is not None:
            end = min(end, page.last_number + 1)
        return [page.next_query, *(with_page_number(page.next_query, each) for each in range(number + 1, end))]

    def _begin(self, queries: list[str]) -> None:
        self._loop = asyncio.get_running_loop()
        for query in self._begun.keys() - set(queries):
            self._begun.pop(query).cancel()
        for query in queries:
            if query not in self._begun:
                task = self._loop.create_task(self._lister.fetch(query), name="kajabi_async page")
                task.add_done_callback(_look_at_outcome)
                self._begun[query] = task


def _look_at_outcome(task: "asyncio.Task[FetchedPage[R]]") -> None:
    # A page nobody comes to ask for may fail unseen.
    if not task.cancelled():
        task.exception()
