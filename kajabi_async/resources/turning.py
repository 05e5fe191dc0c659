"""Turning the pages of a list, several at once, for whoever wants its rows and can do without some of them."""

from collections.abc import Iterator
from functools import partial
from typing import Final, Generic, TypeVar

import attrs

from kajabi_async.bounded import for_each
from kajabi_async.errors import AuthenticationError, KajabiError
from kajabi_async.exchange import Answer, Request, Send, Tally, TimeoutStarts
from kajabi_async.models.base import Resource
from kajabi_async.passing import ends_everything, is_passing
from kajabi_async.resources.lister import FetchedPage, Lister, page_number, with_page_number
from kajabi_async.resources.novelty import Novelty
from kajabi_async.stall import Stall

__all__ = ["PageTurner"]

R = TypeVar("R", bound=Resource)

_NOTHING: Final = Tally()
_MOST_FRUITLESS: Final = 3
"""So many pages in a row that fail, or bring nothing new, and the list is given up."""


class PageTurner(Generic[R]):
    """Pages along ``links.next``; a page that fails is passed over, its neighbours are told by their numbers."""

    def __init__(self, lister: Lister[R]) -> None:
        self.tally = Tally()
        """What the pages took since `settle`."""
        self.failure: KajabiError | None = None
        """Why the latest page that failed did."""
        self.stall: Stall | None = None
        """Where to wait for what concerns the client to be over; with none, a page that it hits has failed."""
        backend = attrs.evolve(lister.backend, send=self._counted(lister.backend.send))
        self._lister = attrs.evolve(lister, backend=backend)
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
