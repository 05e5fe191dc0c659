"""Turning the pages of a list, several at once, for whoever wants its rows and can do without some of them."""

from collections.abc import Iterator
from typing import Any, Final, Generic, TypeVar

import attrs

from kajabi_async.bounded import for_each
from kajabi_async.errors import AuthenticationError, ConfigurationError, KajabiError
from kajabi_async.exchange import Answer, Request, Send, Tally
from kajabi_async.models.base import Resource
from kajabi_async.resources.lister import FetchedPage, Lister, page_number, with_page_number

__all__ = ["PageTurner"]

R = TypeVar("R", bound=Resource)

_ENDS_THE_RUN: Final = (AuthenticationError, ConfigurationError)
"""What no other page can escape, and no lookup either."""

_MOST_FRUITLESS: Final = 3
"""So many pages in a row that fail, or are empty, and the list is given up."""


class PageTurner(Generic[R]):
    """Pages along ``links.next``; a page that fails is passed over, its neighbours are told by their numbers."""

    def __init__(self, lister: Lister[R]) -> None:
        self.tally = Tally()
        """What the pages took; whoever reports it takes it from here."""
        self.failure: KajabiError | None = None
        """Why the latest page that failed did."""
        backend = attrs.evolve(lister.backend, send=self._counted(lister.backend.send))
        self._lister = attrs.evolve(lister, backend=backend)
        self._next: str | None = lister.query.encode()
        self._asked: set[str] = set()
        self._last_number: int | None = None
        self._fruitless = 0

    @property
    def is_over(self) -> bool:
        """Whether the list has ended, or was given up."""
        return self._next is None

    async def turn(self, most: int) -> list[FetchedPage[R] | None]:
        """Give the next pages, at most *most*, asked for at once; None for one that failed.

        AuthenticationError and ConfigurationError are raised. Fewer come where the list ends, and one alone where the
        address of the next does not tell the numbers of pages.
        """
        queries = list(self._queries(most))
        self._asked.update(queries)
        came: dict[str, FetchedPage[R]] = {}

        async def fetch(query: str) -> None:
            try:
                came[query] = await self._lister.fetch(query)
            except _ENDS_THE_RUN:
                raise
            except KajabiError as error:
                self.failure = error

        await for_each(queries, fetch, at_once=len(queries))
        return list(self._turned(queries, came))

    def _queries(self, most: int) -> Iterator[str]:
        query = self._next
        for _ in range(most):
            if query is None:
                return
            yield query
            query = self._counted_on(query)

    def _turned(self, queries: list[str], came: dict[str, FetchedPage[R]]) -> Iterator[FetchedPage[R] | None]:
        for query in queries:
            page = came.get(query)
            self._fruitless = 0 if page is not None and page.rows else self._fruitless + 1
            if page is not None:
                self._last_number = page.last_number or self._last_number
            following = self._counted_on(query) if page is None else page.next_query
            given_up = self._fruitless >= _MOST_FRUITLESS
            self._next = None if given_up or (following in self._asked and query == queries[-1]) else following
            yield page
            if self._next is None:
                # The list is shorter than it was; what was asked for beyond its end has no rows.
                return

    def _counted_on(self, query: str) -> str | None:
        """Give the address of the page after the one at *query*; None where that is the last or has no number."""
        number = page_number(query)
        if number is None or (self._last_number is not None and number >= self._last_number):
            return None
        return with_page_number(query, number + 1)

    def _counted(self, send: Send) -> Send:
        async def counted(request: Request, *, timeout: float | None = None, tally: Tally | None = None) -> Answer:
            return await send(request, timeout=timeout, tally=self.tally if tally is None else tally)

        return counted
