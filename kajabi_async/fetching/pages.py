"""Lists: their rows one by one, page by page or all at once, and positions to resume from.

Only ``links.next`` says that there is more: ``meta`` comes in several shapes, page sizes are clamped silently, and a
short page is not the last one (observed).
"""

import hashlib
import logging
import re
from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING, Any, Final, Generic, NoReturn, Self, TypeVar, cast
from urllib.parse import unquote_plus

import attrs

from kajabi_async.checks import string, whole_number
from kajabi_async.concurrency import Guarded
from kajabi_async.errors import DecodeError, InvalidArgumentError
from kajabi_async.escaping.text import escape_line, html_table
from kajabi_async.fetching.page import FetchedPage, ListRequest, ids_of
from kajabi_async.fetching.walk import Novelty, PageWalk
from kajabi_async.hints import NamesCure, refusing
from kajabi_async.jsonapi.query import Query
from kajabi_async.models.members import cell_of
from kajabi_async.models.resource import Resource
from kajabi_async.wording import counted

__all__ = ["Page", "Pages", "Position", "list_digest"]

R = TypeVar("R", bound=Resource)

_POSITION: Final = re.compile(r"1\.([0-9a-f]{12})\.([0-9]{1,9})\.([!-~]*)")
_LONGEST_PATH: Final = 300
_LOG: Final = logging.getLogger("kajabi_async")


@attrs.frozen
class Position:
    """A page, by its query, and the number of its rows that were read already."""

    list_digest: str
    """Identifies the list, with its filter, sort and page size."""
    rows_seen: int
    query: str

    @classmethod
    def parse(cls, text: str, *, list_digest: str) -> Self:
        """Read a saved position; InvalidArgumentError if ``text`` is not one, or belongs to another list."""
        match = _POSITION.fullmatch(string(text, of="resume_from"))
        if match is None:
            raise InvalidArgumentError("resume_from is not a position that a list gave")
        if match[1] != list_digest:
            raise InvalidArgumentError("resume_from belongs to a list with another path, filter, sort or page size")
        return cls(match[1], int(match[2]), match[3])

    def __str__(self) -> str:
        return f"1.{self.list_digest}.{self.rows_seen}.{self.query}"


def list_digest(path: str, query: Query) -> str:
    """Return a short digest of what is listed, without the page number."""
    listed = f"{path}?{attrs.evolve(query, page_number=None).encode()}"
    return hashlib.sha256(listed.encode()).hexdigest()[:12]


@attrs.frozen(repr=False)
class Page(Generic[R]):
    """One page of a list."""

    rows: "tuple[R | DecodeError, ...]"
    """The rows in order; a malformed one is the DecodeError that reading it raised."""
    total_count: int | None
    """The number of rows of the whole list; None if the server does not say."""
    position: str | None
    """The start of the next page, for ``resume_from``; None on the last page."""

    @property
    def items(self) -> tuple[R, ...]:
        """The readable rows."""
        return tuple(row for row in self.rows if not isinstance(row, DecodeError))

    @property
    def errors(self) -> tuple[DecodeError, ...]:
        """The errors of the malformed rows."""
        return tuple(row for row in self.rows if isinstance(row, DecodeError))

    def __iter__(self) -> Iterator[R]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        return f"<{self._caption}>"

    def _repr_html_(self) -> str:
        cls = type(self.items[0]) if self.items else Resource
        names = ("id", *(cls.distinguished_by or ()))
        members = (row.to_dict(relations=False) for row in self.items)
        rows = ([cell_of(cls, name, each.get(name)) for name in names] for each in members)
        return html_table(self._caption, rows, header=names)

    @property
    def _caption(self) -> str:
        kind = type(self.items[0]).__name__ if self.items else ""
        rows = counted(len(self.rows), "row")
        parts = [f"{rows} of {kind}" if kind else rows]
        if self.errors:
            parts.append(f"{len(self.errors):,} of them malformed")
        if self.total_count is not None:
            parts.append(f"{self.total_count:,} in the list")
        return f"Page: {', '.join(parts)}"


def _hint(problem: str, *written: str) -> Callable[[Any], str]:
    """Return the hint of a list: what to write, with its call in place of ``%``."""

    def hint(pages: Any) -> str:
        call = f"api.{pages.lister.operation.name}(...)"
        return f"{problem}: write {', or '.join(written)}".replace("%", call)

    return hint


_ROWS: Final = ("'async for row in %'", "'await %.collect(limit=...)' for a tuple")


@refusing(
    {
        "__await__": _hint("a list is fetched page by page and is not awaited", *_ROWS),
        "__getitem__": _hint("a list is fetched page by page and has no index", "'await %.first()'", _ROWS[1]),
        "__len__": _hint("a list is fetched page by page", "'await %.count()' for what the server counts"),
        "__bool__": _hint("a list is fetched page by page", "'if await %.first() is not None'"),
        "__iter__": "a list is fetched as it is read: write 'async for', not 'for'",
        "__contains__": _hint("a list is not searched by 'in'", *_ROWS),
        "__next__": _hint("a list is not read by next()", "'await %.first()'", *_ROWS),
        "__anext__": _hint("a list is not read by anext()", "'await %.first()'", *_ROWS),
        "__aenter__": _hint("a list needs no 'async with'", *_ROWS),
        "__aexit__": _hint("a list needs no 'async with'", *_ROWS),
    }
)
class Pages(Generic[R], metaclass=NamesCure):
    """A list: ``async for`` yields its rows, ``.pages()`` its pages; nothing is sent before.

    A malformed row raises DecodeError from its ``anext``; the same iterator goes on with the rows after it. A row
    that comes again, because others write to the list meanwhile, is yielded once, counted in ``repeated`` and logged.
    """

    _cure = "read it with 'async for', then call .to_dict() of each row"

    def __init__(self, request: ListRequest[R], *, prefetch: int = 0, resume_from: str | None = None) -> None:
        self._request = request
        self._prefetch = whole_number(prefetch, of="prefetch", at_least=0)
        digest = list_digest(request.operation.path, request.query)
        start = Position(digest, 0, request.query.encode())
        self._start = start if resume_from is None else Position.parse(resume_from, list_digest=digest)
        self._progress: _LoopProgress[R] = _LoopProgress(self._start)

    def __aiter__(self) -> AsyncIterator[R]:
        return Guarded(_Rows(self._walk(), self._progress, self._start.rows_seen))

    def __repr__(self) -> str:
        query = unquote_plus(self._start.query)
        path = f"{self._request.operation.path}{'?' if query else ''}{query}"
        shown = path if len(path) <= _LONGEST_PATH else f"{path[:_LONGEST_PATH]}..."
        return f"<Pages: GET {escape_line(shown)}>"

    if not TYPE_CHECKING:  # With it, type checkers would take any attribute for one of the list.

        def __getattr__(self, name: str) -> NoReturn:
            raise AttributeError(_hint(f"a list, which is fetched page by page, has no {name!r}", *_ROWS)(self))

    def pages(self) -> AsyncIterator[Page[R]]:
        """Yield the pages, each with all its rows, malformed and repeated ones included."""
        return Guarded(_WholePages(self._walk(), self._progress, self._start.rows_seen))

    async def first(self) -> R | None:
        """Return the first row, None if the list is empty; DecodeError if the row is malformed."""
        async for row in self:
            return row
        return None

    async def count(self) -> int | None:
        """Return the number of rows that the server reports, None if it reports none; at most one request is sent."""
        if self._progress.latest is None:
            self._progress.latest = await self._request.fetch(self._start.query)
        return self._progress.latest.total_count

    async def collect(self, *, limit: int | None = None) -> tuple[R, ...]:
        """Return the rows, at most ``limit``; DecodeError at the first malformed one."""
        rows: list[R] = []
        if limit is not None and whole_number(limit, of="limit", at_least=0) == 0:
            return ()
        async for row in self:
            rows.append(row)
            if len(rows) == limit:
                break
        return tuple(rows)

    @property
    def position(self) -> str | None:
        """The place that the latest loop has reached, for ``resume_from``; None at the end of the list."""
        position = self._progress.position
        return None if position is None else str(position)

    @property
    def lister(self) -> ListRequest[R]:
        """The request of one page, for modules that fetch the pages themselves."""
        return self._request

    @property
    def prefetch(self) -> int:
        """The number of pages that are fetched ahead."""
        return self._prefetch

    @property
    def repeated(self) -> int:
        """The number of rows left out because they came again on a later page, in all loops over this object."""
        return self._progress.repeated

    def _walk(self) -> PageWalk[R]:
        self._progress.walking = False
        return PageWalk(self._request, self._start.query, self._prefetch)


@attrs.define
class _LoopProgress(Generic[R]):
    """The progress of the latest loop over a list."""

    start: Position
    latest: FetchedPage[R] | None = None
    rows_seen: int = 0
    """Of the latest page."""
    repeated: int = 0
    walking: bool = False

    def arrive(self, page: FetchedPage[R], rows_seen: int) -> None:
        self.latest, self.rows_seen, self.walking = page, rows_seen, True

    @property
    def position(self) -> Position | None:
        if self.latest is None or not self.walking:
            return self.start
        if self.rows_seen < len(self.latest.rows):
            return Position(self.start.list_digest, self.rows_seen, self.latest.query)
        next_query = self.latest.next_query
        return None if next_query is None else Position(self.start.list_digest, 0, next_query)


class _WholePages(Generic[R]):
    """The producer behind ``pages()``."""

    def __init__(self, walk: PageWalk[R], progress: _LoopProgress[R], skip: int) -> None:
        self._walk = walk
        self._progress = progress
        self._skip = skip
        self._novelty = Novelty()

    async def next(self) -> Page[R]:
        page = await self._walk.next()
        is_new = self._novelty.note(page.rows)
        if page.next_query is not None:
            self._novelty.refuse_fruitless(page.rows, is_new=is_new)
        rows, self._skip = page.rows[self._skip :], 0
        self._progress.arrive(page, len(page.rows))
        position = self._progress.position
        return Page(rows, page.total_count, None if position is None else str(position))

    def close(self) -> None:
        self._walk.close()


class _Rows(Generic[R]):
    """The producer behind ``async for``."""

    def __init__(self, walk: PageWalk[R], progress: _LoopProgress[R], skip: int) -> None:
        self._walk = walk
        self._progress = progress
        self._skip = skip
        self._rows: Iterator[R | DecodeError] = iter(())
        self._novelty = Novelty()
        self._all_new = False

    async def next(self) -> R:
        while True:
            for row in self._rows:
                self._progress.rows_seen += 1
                if self._all_new:
                    return cast("R", row)
                if isinstance(row, DecodeError):
                    raise row
                if self._is_new(row):
                    return row
            await self._fetch_page()

    def close(self) -> None:
        self._walk.close()

    async def _fetch_page(self) -> None:
        page = await self._walk.next()
        skipped, self._skip = page.rows[: self._skip], 0
        self._novelty.note_known(ids_of(skipped))
        self._progress.arrive(page, len(skipped))
        rows = page.rows[len(skipped) :]
        self._all_new = self._novelty.are_new(rows)
        if page.next_query is not None:
            is_new = bool(rows) if self._all_new else self._novelty.has_new(rows)
            self._novelty.refuse_fruitless(page.rows, is_new=is_new)
        self._rows = iter(rows)

    def _is_new(self, row: R) -> bool:
        if self._novelty.is_new(row.id):
            return True
        self._progress.repeated += 1
        _LOG.warning(
            "a row of type %s came again on a later page; others write to this list", escape_line(row.resource_type)
        )
        return False
