"""Reading every page of a list that changes meanwhile, without missing a row that stays in it throughout.

The API pages by offset: when a row is removed, every row after it moves up by one, and the first row of the next page
moves to a page that has been read. Rows are requested in order of creation if the list can be sorted so: new rows come
last, and an offset only ever decreases. So each page is read again after the next one: a row that moved from one to
the other must now be on it, or on a page before it. If the page has none of its former rows, the page before it is
read again too, and so on until one has. This second reading runs concurrently with the request for the following page,
and requests no includes until it finds something.
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
from kajabi_async.export.checkpoint import Checkpoint, Entry, PageRecord
from kajabi_async.export.columns import OTHER_COLUMNS, Column, UnfitCellError, cells_of, columns_of
from kajabi_async.fetching.page import FetchedPage, ListRequest
from kajabi_async.fetching.walk import Novelty
from kajabi_async.jsonapi.query import encoded_pairs
from kajabi_async.models.resource import MODELS, Resource
from kajabi_async.stall import Stall

__all__ = ["OTHER", "InThread", "Walk", "columns_for", "included_types"]

T = TypeVar("T")
InThread = Callable[..., Awaitable[Any]]
"""A function that calls another with its arguments in the thread that the checkpoint belongs to."""

OTHER: Final = "other"
"""The type under which included resources are kept if no included relation leads to their own."""
_LOG: Final = logging.getLogger("kajabi_async")


def columns_for(model: type[Resource], lister: ListRequest[Any]) -> tuple[Column, ...]:
    """Return the columns of *model* that *lister* requests."""
    return columns_of(model, lister.query.fields.get(model.resource_type))


def included_types(lister: ListRequest[Any]) -> tuple[str, ...]:
    """Return the types of the relations to include, in the order of the request."""
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
    """The content of a page as checkpoint entries."""

    rows: list[Entry]
    related: list[Entry]
    problems: list[str]

    @property
    def ids(self) -> list[str]:
        return [row.id for row in self.rows]


class Walk:
    """One pass through a list into a checkpoint, from the last page that it has."""

    def __init__(self, lister: ListRequest[Any], checkpoint: Checkpoint, in_thread: InThread, stall: Stall) -> None:
        self._lister = lister
        self._checkpoint = checkpoint
        self._in_thread = in_thread
        self._stall = stall
        self._columns: dict[type[Resource], tuple[Column, ...]] = {}
        self._included = frozenset(included_types(lister))
        self._novelty = Novelty()
        self.listed: int | None = None
        """The number of rows in the list, from the latest page on which the server sent it."""

    async def run(self, page_done: Callable[[], None]) -> None:
        """Read and keep the remaining pages; call *page_done* after each.

        ApiError, TransportError, DecodeError, UntrustedLinkError and PagingError as lists raise them, transient ones
        only once patience runs out; ExportError if a page cannot be kept. The checkpoint is valid after any of them.
        """
        latest: PageRecord | None = await self._in_thread(self._checkpoint.latest)
        if latest is None:
            latest = await self._keep(1, await self._fetch(self._lister.query.encode()))
            page_done()
        self.listed = latest.listed
        while latest.following is not None:
            await self._check_loop(latest.following)
            page, _ = await _both(self._fetch(latest.following), self._look_back(before=latest.number))
            latest = await self._keep(latest.number + 1, page)
            is_new = self._novelty.note(page.rows)
            if page.next_query is not None:
                self._novelty.refuse_fruitless(page.rows, is_new=is_new)
            page_done()
        await self._look_back(before=latest.number)

    async def _fetch(self, query: str) -> FetchedPage[Any]:
        return await self._stall.persist(partial(self._lister.fetch, query))

    async def _keep(self, number: int, page: FetchedPage[Any]) -> PageRecord:
        content = self._content_of(page)
        self.listed = self.listed if page.total_count is None else page.total_count
        record = PageRecord(number, page.query, page.next_query, self.listed)
        repeated = self._checkpoint.repeated
        await self._in_thread(self._checkpoint.record, record, content.rows, content.related, content.problems)
        if self._checkpoint.repeated > repeated:
            _LOG.warning("%d rows came again on page %d of an export", self._checkpoint.repeated - repeated, number)
        return record

    async def _look_back(self, *, before: int) -> None:
        """Read again every page before page *before* that has not been since the page after it was read."""
        for number in await self._in_thread(self._checkpoint.pages_to_read_again, before):
            for back in range(number, 0, -1):
                content, known = await self._read_again(back, number)
                is_done = bool(known) or back == 1
                moved = [row for row in content.rows if row.id not in known]
                await self._in_thread(self._checkpoint.look_back, number, moved, content.related, is_done=is_done)
                if moved:
                    _LOG.warning("the list changes during the export: %d rows had shifted to page %d", len(moved), back)
                if is_done:
                    break

    async def _read_again(self, back: int, number: int) -> tuple[_Content, set[str]]:
        """Read page *back* again; return its content and the ids of it that were kept on page *number* or earlier."""
        query: str = await self._in_thread(self._checkpoint.query_of, back)
        bare = _without_includes(query)
        content = self._content_of(await self._fetch(bare))
        known: set[str] = await self._in_thread(self._checkpoint.known, content.ids, up_to=number)
        if bare != query and len(known) < len(content.rows):
            content = self._content_of(await self._fetch(query))
            known = await self._in_thread(self._checkpoint.known, content.ids, up_to=number)
        return content, known

    async def _check_loop(self, query: str) -> None:
        if await self._in_thread(self._checkpoint.has_read, query):
            raise PagingError("links.next leads back to a page that was already read")

    def _content_of(self, page: FetchedPage[Any]) -> _Content:
        rows: list[Entry] = []
        problems: list[str] = []
        for row in page.rows:
            if isinstance(row, DecodeError):
                problems.append(str(row))
            else:
                _add_entry(row, self._columns_of(row), rows, problems)
        related: list[Entry] = []
        for resource in self._included_with(page):
            is_requested = resource.resource_type in self._included
            columns = self._columns_of(resource) if is_requested else OTHER_COLUMNS
            kept_as = resource.resource_type if is_requested else OTHER
            _add_entry(resource, columns, related, problems, kept_as=kept_as)
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


def _add_entry(
    resource: Resource, columns: tuple[Column, ...], entries: list[Entry], problems: list[str], *, kept_as: str = ""
) -> None:
    # Entries kept as OTHER have different types, and an id is unique within its type only.
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
        # Raise the first failure alone, as if the two had been awaited one after the other.
        raise failures.exceptions[0] from None
    return leading.result(), None
