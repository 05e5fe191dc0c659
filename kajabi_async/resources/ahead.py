"""Pages fetched ahead of the loop.

The addresses of later pages are guessed by counting on from ``links.next``; a guessed page is used only when the
chain of next links comes to that very address, so a wrong guess costs a request and nothing else.
"""

import asyncio
from typing import Generic, TypeVar

from kajabi_async.errors import KajabiError
from kajabi_async.models.base import Resource
from kajabi_async.passing import is_passing
from kajabi_async.resources.guarded import cancel_tasks
from kajabi_async.resources.lister import FetchedPage, Lister, page_number, with_page_number

__all__ = ["Ahead"]

R = TypeVar("R", bound=Resource)


class Ahead(Generic[R]):
    """Fetches the page that is asked for, and begins with up to *prefetch* after it."""

    def __init__(self, lister: Lister[R], prefetch: int) -> None:
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
