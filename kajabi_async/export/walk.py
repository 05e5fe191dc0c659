"""Reading every page of a list while others write to it, so that nothing that stood throughout is missing.

The API pages by place alone: when a row goes, all rows after it move up by one, and the first of the next page is on
the page that was read already. Rows are asked for in the order of their creation wherever the list can be sorted so;
then new ones come last, and a place can only become smaller. So each page is looked at once more after the next one
came: a row that slipped between the two must now stand on it, or on one before it. Where the page shows no row that
it had before, the page before it is looked at as well, and so on until one does. The looking back runs beside the
request for the page after, and asks for no includes until it finds something.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl

import attrs

from kajabi_async.errors import DecodeError, PagingError
from kajabi_async.export.checkpoint import Entry, Journal, PageRecord
from kajabi_async.export.columns import OTHER_COLUMNS, Column, UnfitCellError, cells_of, columns_of
from kajabi_async.fetching.page import FetchedPage, ListRequest
from kajabi_async.fetching.walk import Novelty
from kajabi_async.jsonapi.query import encoded_pairs
from kajabi_async.models.resource import MODELS, Resource
from kajabi_async.stall import Stall

__all__ = ["OTHER", "InThread", "Walk", "columns_for", "included_types"]

T = TypeVar("T")
InThread = Callable[..., Awaitable[Any]]
"""Calls a function with its arguments in the thread that the journal belongs to."""

OTHER: Final = "other"
"""What included resources are kept under if no relation that was asked for leads to their type."""
_LOG: Final = logging.getLogger("kajabi_async")


def columns_for(model: type[Resource], lister: ListRequest[Any]) -> tuple[Column, ...]:
    """Give the columns of *model* as *lister* asks for it."""
    return columns_of(model, lister.query.fields.get(model.resource_type))


def included_types(lister: ListRequest[Any]) -> tuple[str, ...]:
    """Return the types that the relations to include lead to, in the order they were asked for."""
    types: dict[str, None] = {}
    for path in lister.query.include:
        model: type[Resource] = lister.model
        for step in path.split("."):
            resource_type = model.relations[step].resource_type
            types[resource_type] = None
            model = MODELS.get(resource_type, Resource)
    return tuple(types)


@attrs.frozen
class _Content:
    """What a page came to, ready to be kept."""

    rows: list[Entry]
    related: list[Entry]
    problems: list[str]

    @property
    def ids(self) -> list[str]:
        return [row.id for row in self.rows]


class Walk:
    """One way through a list into a journal, from wherever the journal stands."""

    def __init__(self, lister: ListRequest[Any], journal: Journal, in_thread: InThread, stall: Stall) -> None:
        self._lister = lister
        self._journal = journal
        self._in_thread = in_thread
        self._stall = stall
        self._columns: dict[type[Resource], tuple[Column, ...]] = {}
        self._included = frozenset(included_types(lister))
        self._novelty = Novelty()
        self.listed: int | None = None
        """How many rows the server said the list has, at the latest page that said so."""

    async def run(self, turned: Callable[[], None]) -> None:
        """Read and keep what is not there yet; *turned* is called after every page.

        ApiError, TransportError, DecodeError, UntrustedLinkError and PagingError as lists raise them, what may pass
        only when patience has ended; ExportError where a page cannot be kept. The journal is good after any of them.
        """
        latest: PageRecord | None = await self._in_thread(self._journal.latest)
        if latest is None:
            latest = await self._keep(1, await self._fetch(self._lister.query.encode()))
            turned()
        self.listed = latest.listed
        while latest.following is not None:
            await self._refuse_loop(latest.following)
            page, _ = await _both(self._fetch(latest.following), self._look_back(before=latest.number))
            latest = await self._keep(latest.number + 1, page)
            is_new = self._novelty.note(page.rows)
            if page.next_query is not None:
                self._novelty.refuse_fruitless(page.rows, is_new=is_new)
            turned()
        await self._look_back(before=latest.number)

    async def _fetch(self, query: str) -> FetchedPage[Any]:
        return await self._stall.persist(partial(self._lister.fetch, query))

    async def _keep(self, number: int, page: FetchedPage[Any]) -> PageRecord:
        content = self._content_of(page)
        self.listed = self.listed if page.total_count is None else page.total_count
        record = PageRecord(number, page.query, page.next_query, self.listed)
        repeated = self._journal.repeated
        await self._in_thread(self._journal.record, record, content.rows, content.related, content.problems)
        if self._journal.repeated > repeated:
            _LOG.warning("%d rows came again on page %d of an export", self._journal.repeated - repeated, number)
        return record

    async def _look_back(self, *, before: int) -> None:
        """Look again at every page before page *before* that has not been since the one after it came."""
        for number in await self._in_thread(self._journal.not_looked_back_at, before):
            for back in range(number, 0, -1):
                content, known = await self._seen_again(back, number)
                is_done = bool(known) or back == 1
                moved = [row for row in content.rows if row.id not in known]
                await self._in_thread(self._journal.look_back, number, moved, content.related, is_done=is_done)
                if moved:
                    _LOG.warning(
                        "others write to the list that is exported: %d rows had shifted to page %d", len(moved), back
                    )
                if is_done:
                    break

    async def _seen_again(self, back: int, number: int) -> tuple[_Content, set[str]]:
        """Read page *back* again, and tell which of its rows are known to come no later than page *number*."""
        query: str = await self._in_thread(self._journal.query_of, back)
        bare = _without_includes(query)
        content = self._content_of(await self._fetch(bare))
        known: set[str] = await self._in_thread(self._journal.known, content.ids, up_to=number)
        if bare != query and len(known) < len(content.rows):
            content = self._content_of(await self._fetch(query))
            known = await self._in_thread(self._journal.known, content.ids, up_to=number)
        return content, known

    async def _refuse_loop(self, query: str) -> None:
        if await self._in_thread(self._journal.has_read, query):
            raise PagingError("links.next leads back to a page that was read already")

    def _content_of(self, page: FetchedPage[Any]) -> _Content:
        rows: list[Entry] = []
        problems: list[str] = []
        for row in page.rows:
            if isinstance(row, DecodeError):
                problems.append(str(row))
            else:
                _take(row, self._columns_of(row), rows, problems)
        related: list[Entry] = []
        for resource in self._included_with(page):
            is_asked_for = resource.resource_type in self._included
            columns = self._columns_of(resource) if is_asked_for else OTHER_COLUMNS
            _take(resource, columns, related, problems, kept_as=resource.resource_type if is_asked_for else OTHER)
        return _Content(rows, related, problems)

    def _columns_of(self, resource: Resource) -> tuple[Column, ...]:
        columns = self._columns.get(type(resource))
        if columns is None:
            columns = self._columns[type(resource)] = columns_for(type(resource), self._lister)
        return columns

    def _included_with(self, page: FetchedPage[Any]) -> list[Resource]:
        readable: list[Resource] = [row for row in page.rows if isinstance(row, Resource)]
        if not readable or not self._lister.query.include:
            return []
        own = {row.identifier for row in readable}
        known = readable[0].origin.scope.known
        return [resource for identifier, resource in known.items() if identifier not in own]


def _take(
    resource: Resource, columns: tuple[Column, ...], entries: list[Entry], problems: list[str], *, kept_as: str = ""
) -> None:
    # Among others, an id is one of its type alone.
    key = json.dumps([resource.resource_type, resource.id]) if kept_as == OTHER else resource.id
    try:
        entries.append(Entry(kept_as or resource.resource_type, key, cells_of(resource, columns)))
    except UnfitCellError as error:
        problems.append(str(error))


def _without_includes(query: str) -> str:
    pairs = parse_qsl(query, keep_blank_values=True)
    if not any(name == "include" for name, _ in pairs):
        return query
    return encoded_pairs((name, value) for name, value in pairs if name != "include")


async def _both(first: Coroutine[Any, Any, T], second: Coroutine[Any, Any, None]) -> tuple[T, None]:
    try:
        async with asyncio.TaskGroup() as group:
            leading, _ = group.create_task(first), group.create_task(second)
    except BaseExceptionGroup as failures:
        # Callers are told the first failure, as if the two had been awaited one after the other.
        raise failures.exceptions[0] from None
    return leading.result(), None
