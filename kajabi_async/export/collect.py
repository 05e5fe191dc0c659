"""Reading every page of a list that changes meanwhile, without missing a row that stays in it throughout.

The API pages by offset: when a row is removed, every row after it moves up by one, and the first row of the next page
moves to a page that has been read. Rows are requested in order of creation if the list can be sorted so: new rows come
last, and an offset only ever decreases. So each page is read again after the next one: a row that moved from one to
the other must now be on it, or on a page before it. If the page has none of its former rows, the page before it is
read again too, and so on until one has. This second reading runs concurrently with the requests for the pages that
follow, but is answered after the page behind it was, and requests no includes until it finds something. An answer that
is the same as the first one needs no look at its rows. Pages that are fetched ahead change nothing of this: a row that
was missed on one page was on it, or before it, once the next page had been read.
"""

import asyncio
import json
import logging
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Collection, Coroutine, Sequence
from functools import partial
from hashlib import sha256
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl

import attrs

from kajabi_async.concurrency import cancel_tasks
from kajabi_async.decoding.decoder import class_of
from kajabi_async.errors import DecodeError, PagingError
from kajabi_async.exchange import Answer, Request
from kajabi_async.export.checkpoint import Checkpoint, Entry, PageRecord
from kajabi_async.export.columns import OTHER_COLUMNS, Column, UnfitCellError, cells_of_each, columns_of
from kajabi_async.fetching.context import Context
from kajabi_async.fetching.page import FetchedPage, ListRequest
from kajabi_async.fetching.walk import Novelty, PageWalk, retrieve_exception
from kajabi_async.jsonapi.query import encoded_pairs
from kajabi_async.models.resource import MODELS, Resource
from kajabi_async.stall import Stall
from kajabi_async.wording import counted

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
class _PageEntries:
    """The content of a page as checkpoint entries."""

    rows: list[Entry]
    related: list[Entry]
    malformed: list[str]
    """The problems of rows that are no resources, which nothing identifies when they come again."""
    problems: list[str]
    """Those of rows and included resources with a value that no column holds, which name it."""


class Walk:
    """One pass through a list into a checkpoint, from the last page that it has."""

    def __init__(
        self,
        lister: ListRequest[Any],
        checkpoint: Checkpoint,
        in_thread: InThread,
        stall: Stall,
        *,
        prefetch: int,
    ) -> None:
        """Fetch up to *prefetch* pages ahead, and read as many again at once."""
        self._lister = lister
        self._checkpoint = checkpoint
        self._in_thread = in_thread
        self._stall = stall
        self._prefetch = prefetch
        self._type = lister.model.resource_type
        self._columns = {self._type: columns_for(lister.model, lister), OTHER: OTHER_COLUMNS}
        """By the type that entries are kept as."""
        self._included = frozenset(included_types(lister))
        self._novelty = Novelty()
        self._digests: dict[str, bytes] = {}
        """Of the answers with the latest pages, by query."""
        self._again: deque[tuple[int, str, asyncio.Task[Answer]]] = deque()
        """The pages that are being read again: number, query and answer."""
        self._looked_back: list[int] = []
        """Those that need no further reading, which the checkpoint does not know yet."""
        self._leads_back = False
        """Whether the latest page leads back to one that was read."""
        self.listed: int | None = None
        """The number of rows that the server reports, if it does."""

    async def run(self, page_done: Callable[[], None]) -> None:
        """Read and keep the remaining pages; call *page_done* after each.

        ApiError, TransportError, DecodeError, UntrustedLinkError and PagingError as lists raise them, transient ones
        only once patience runs out; ExportError if a page cannot be kept. The checkpoint is valid after any of them.
        """
        latest: PageRecord | None = await self._in_thread(self._checkpoint.latest)
        if latest is not None:
            self.listed = latest.listed
            self._leads_back = await self._in_thread(self._has_read, latest.following)
        query = self._lister.query.encode() if latest is None else latest.following
        pages = PageWalk(attrs.evolve(self._lister, context=self._noting()), query, self._prefetch)
        try:
            for number, query in await self._in_thread(self._pages_before, latest):
                self._read_again(number, query)
            while latest is None or latest.following is not None:
                if self._leads_back:
                    raise PagingError("links.next leads back to a page that was already read")
                page = await _both(self._stall.persist(pages.next), self._look_back(left=self._prefetch))
                before, latest = latest, await self._keep(1 if latest is None else latest.number + 1, page)
                is_new = self._novelty.note(page.rows)
                if page.next_query is not None and before is not None:
                    self._novelty.refuse_fruitless(page.rows, is_new=is_new)
                page_done()
                if before is not None:
                    self._read_again(before.number, before.query)
            await self._look_back(left=0)
        finally:
            pages.close()
            cancel_tasks(asyncio.get_running_loop(), {answer for _, _, answer in self._again})
        for number in self._looked_back:
            await self._in_thread(self._checkpoint.look_back, number, [], [], is_done=True)

    def _noting(self) -> Context:
        """Return a context that notes a digest of each answer."""
        context = self._lister.context
        send = context.send

        async def noting(request: Request, **options: Any) -> Answer:
            answer = await send(request, **options)
            self._digests[request.query] = _digest(answer)
            return answer

        return attrs.evolve(context, send=noting)

    def _pages_before(self, latest: PageRecord | None) -> list[tuple[int, str]]:
        """Return the pages before the *latest* that have not been read again since the page after them was read."""
        if latest is None:
            return []
        numbers = self._checkpoint.pages_to_read_again(latest.number)
        return [(number, self._checkpoint.query_of(number)) for number in numbers]

    async def _keep(self, number: int, page: FetchedPage[Any]) -> PageRecord:
        content = self._content_of(page)
        if not content.rows:
            # With no row that is kept, the page before it has to be read again, too.
            self._digests.pop(page.query, None)
        self.listed = self.listed if page.total_count is None else page.total_count
        record = PageRecord(number, page.query, page.next_query, self.listed)
        repeated = self._checkpoint.repeated
        looked_back, self._looked_back = self._looked_back, []
        self._leads_back = await self._in_thread(self._record, record, content, looked_back)
        if self._checkpoint.repeated > repeated:
            again = counted(self._checkpoint.repeated - repeated, "row")
            _LOG.warning("%s came again on page %d of an export", again, number)
        return record

    def _read_again(self, number: int, query: str) -> None:
        """Start to read page *number* again, now that the page after it was read."""
        reading = self._stall.persist(partial(self._lister.answer, _without_includes(query)))
        task = asyncio.get_running_loop().create_task(reading, name="kajabi_async page again")
        task.add_done_callback(retrieve_exception)
        self._again.append((number, query, task))

    async def _look_back(self, *, left: int) -> None:
        """Finish with the pages that are being read again, in their order, until as many are *left*."""
        while len(self._again) > left:
            number, query, reading = self._again[0]
            answer = await reading
            # The same answer has the same rows.
            if self._digests.pop(query, None) != _digest(answer):
                await self._look_for_moved(number, query, answer)
            else:
                self._looked_back.append(number)
            self._again.popleft()

    async def _look_for_moved(self, number: int, query: str, answer: Answer) -> None:
        """Keep the rows that *answer*, with page *number* again, has beside those of before; read on before it."""
        for back in range(number, 0, -1):
            if back < number:
                query = await self._in_thread(self._checkpoint.query_of, back)
                answer = await self._stall.persist(partial(self._lister.answer, _without_includes(query)))
            moved, known = await self._moved_in(query, answer, number)
            is_done = bool(known) or back == 1
            if moved.rows:
                rows = counted(len(moved.rows), "row")
                _LOG.warning("the list changes during the export: %s had shifted to page %d", rows, back)
            if moved.rows or moved.problems:
                keep = partial(self._checkpoint.look_back, is_done=is_done, problems=moved.problems)
                await self._in_thread(keep, number, moved.rows, moved.related)
            elif is_done:
                self._looked_back.append(number)
            if is_done:
                break

    async def _moved_in(self, query: str, answer: Answer, number: int) -> tuple[_PageEntries, set[str]]:
        """Return what in *answer*, a page read again, is not on page *number* or before it, and the ids of the rest."""
        bare = _without_includes(query)
        page = self._lister.page_of(answer, bare)
        known = await self._known(page, number)
        content = self._content_of(page, known)
        if bare != query and content.rows:
            page = await self._stall.persist(partial(self._lister.fetch, query))
            known = await self._known(page, number)
            content = self._content_of(page, known)
        return content, known

    async def _known(self, page: FetchedPage[Any], number: int) -> set[str]:
        ids = [row.id for row in page.rows if not isinstance(row, DecodeError)]
        known: set[str] = await self._in_thread(self._checkpoint.known, ids, up_to=number)
        return known

    def _record(self, record: PageRecord, content: _PageEntries, looked_back: list[int]) -> bool:
        """Keep a page, and return whether it leads back to one that was read."""
        problems = content.malformed + content.problems
        self._checkpoint.record(record, content.rows, content.related, problems, looked_back=looked_back)
        return self._has_read(record.following)

    def _has_read(self, query: str | None) -> bool:
        return query is not None and self._checkpoint.has_read(query)

    def _content_of(self, page: FetchedPage[Any], known: Collection[str] = ()) -> _PageEntries:
        """Return the content of *page* without the rows whose ids are *known*."""
        malformed = [str(row) for row in page.rows if isinstance(row, DecodeError)]
        unknown = [(self._type, row) for row in page.rows if isinstance(row, Resource) and row.id not in known]
        included = [(self._kept_as(resource), resource) for resource in self._included_with(page)]
        problems: list[str] = []
        rows, related = self._entries(unknown, problems), self._entries(included, problems)
        return _PageEntries(rows, related, malformed, problems)

    def _kept_as(self, resource: Resource) -> str:
        return resource.resource_type if resource.resource_type in self._included else OTHER

    def _entries(self, resources: Sequence[tuple[str, Resource]], problems: list[str]) -> list[Entry]:
        """Return *resources*, each with the type it is kept as, as entries; add those that fit none to *problems*."""
        by_type: defaultdict[str, list[Resource]] = defaultdict(list)
        for kept_as, resource in resources:
            by_type[kept_as].append(resource)
        cells_by_type = {
            kept_as: iter(cells_of_each(each, self._columns_of(kept_as))) for kept_as, each in by_type.items()
        }
        entries: list[Entry] = []
        for kept_as, resource in resources:
            cells = next(cells_by_type[kept_as])
            if isinstance(cells, UnfitCellError):
                problems.append(str(cells))
                continue
            # Entries kept as OTHER have different types, and an id is unique within its type only.
            key = json.dumps([resource.resource_type, resource.id]) if kept_as == OTHER else resource.id
            entries.append(Entry(kept_as, key, cells))
        return entries

    def _columns_of(self, kept_as: str) -> tuple[Column, ...]:
        if kept_as not in self._columns:
            self._columns[kept_as] = columns_for(class_of(kept_as), self._lister)
        return self._columns[kept_as]

    def _included_with(self, page: FetchedPage[Any]) -> list[Resource]:
        readable: list[Resource] = [row for row in page.rows if isinstance(row, Resource)]
        if not readable or not self._lister.query.include:
            return []
        own = {row.identifier for row in readable}
        known = readable[0].origin.scope.known
        return [resource for identifier, resource in known.items() if identifier not in own]


def _digest(answer: Answer) -> bytes:
    return sha256(answer.body).digest()


def _without_includes(query: str) -> str:
    return encoded_pairs(pair for pair in parse_qsl(query, keep_blank_values=True) if pair[0] != "include")


async def _both(first: Coroutine[Any, Any, T], second: Coroutine[Any, Any, None]) -> T:
    try:
        async with asyncio.TaskGroup() as group:
            leading = group.create_task(first)
            group.create_task(second)
    except BaseExceptionGroup as failures:
        # Raise the first failure alone, as if the two had been awaited one after the other.
        raise failures.exceptions[0] from None
    return leading.result()
