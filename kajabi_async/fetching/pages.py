"""Lists as they are paged: rows one by one, page by page, or all of them; where to go on after a break.

Only ``links.next`` says that there is more: ``meta`` comes in several shapes, page sizes are clamped silently, and a
short page is not the last one (observed).
"""

import hashlib
import logging
import re
from collections.abc import AsyncIterator, Iterator
from typing import Final, Generic, NoReturn, Self, TypeVar, cast

import attrs

from kajabi_async.checks import string, whole_number
from kajabi_async.concurrency import Guarded
from kajabi_async.errors import DecodeError, InvalidArgumentError, PagingError
from kajabi_async.escaping.text import escape_line
from kajabi_async.fetching.page import FetchedPage, ListRequest
from kajabi_async.fetching.walk import Ahead, Novelty
from kajabi_async.jsonapi.query import Query
from kajabi_async.models.resource import Resource

__all__ = ["Page", "Pages", "Position", "list_digest"]

_WRITTEN: Final = re.compile(r"1\.([0-9a-f]{12})\.([0-9]{1,9})\.([!-~]*)")


@attrs.frozen
class Position:
    """The page to ask for and how many of its rows were seen already."""

    list_digest: str
    """Says which list, sorted and filtered how, the position belongs to."""
    rows_seen: int
    query: str

    @classmethod
    def parse(cls, text: str, *, list_digest: str) -> Self:
        """Read a saved position; InvalidArgumentError where it is none, or belongs to another list."""
        written = _WRITTEN.fullmatch(string(text, of="resume_from"))
        if written is None:
            raise InvalidArgumentError("resume_from is not a position that a list gave")
        if written[1] != list_digest:
            raise InvalidArgumentError("resume_from belongs to a list with another path, filter, sort or page size")
        return cls(written[1], int(written[2]), written[3])

    def __str__(self) -> str:
        return f"1.{self.list_digest}.{self.rows_seen}.{self.query}"


def list_digest(path: str, query: Query) -> str:
    """Give a short digest of what is listed; the page number is no part of it."""
    listed = f"{path}?{attrs.evolve(query, page_number=None).encode()}"
    return hashlib.sha256(listed.encode()).hexdigest()[:12]


R = TypeVar("R", bound=Resource)

_LOG: Final = logging.getLogger("kajabi_async")


@attrs.frozen
class Page(Generic[R]):
    """One page of a list."""

    rows: "tuple[R | DecodeError, ...]"
    """Every row in its place, a malformed one as the DecodeError it gave."""
    total_count: int | None
    """How many rows the whole list has, where the server says so."""
    position: str | None
    """Where the next page begins, for ``resume_from``; None on the last page."""

    @property
    def items(self) -> tuple[R, ...]:
        """The rows that could be read."""
        return tuple(row for row in self.rows if not isinstance(row, DecodeError))

    @property
    def errors(self) -> tuple[DecodeError, ...]:
        """What the malformed rows gave."""
        return tuple(row for row in self.rows if isinstance(row, DecodeError))

    def __iter__(self) -> Iterator[R]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.rows)


class Pages(Generic[R]):
    """A list: ``async for`` gives its rows, ``.pages()`` its pages; nothing is sent before.

    A malformed row raises DecodeError from its ``anext``; the same iterator goes on with the rows after it. A row
    that comes again because others write meanwhile is given once, counted in ``repeated`` and logged.
    """

    def __init__(self, lister: ListRequest[R], *, prefetch: int = 0, resume_from: str | None = None) -> None:
        self._lister = lister
        self._prefetch = whole_number(prefetch, of="prefetch", at_least=0)
        digest = list_digest(lister.operation.path, lister.query)
        start = Position(digest, 0, lister.query.encode())
        self._start = start if resume_from is None else Position.parse(resume_from, list_digest=digest)
        self._standing: _Standing[R] = _Standing(self._start)

    def __aiter__(self) -> AsyncIterator[R]:
        return Guarded(_Rows(self._walk(), self._standing, self._start.rows_seen))

    def __iter__(self) -> NoReturn:
        raise TypeError("a list is fetched as it is read: write 'async for', not 'for'")

    def pages(self) -> AsyncIterator[Page[R]]:
        """Give the pages, each with its rows, malformed ones included; nothing is left out or counted here."""
        return Guarded(_WholePages(self._walk(), self._standing, self._start.rows_seen))

    async def first(self) -> R | None:
        """Give the first row, None where the list is empty; DecodeError where that row is malformed."""
        async for row in self:
            return row
        return None

    async def count(self) -> int | None:
        """Give how many rows the server says the list has; None where it does not say. At most one request."""
        if self._standing.latest is None:
            self._standing.latest = await self._lister.fetch(self._start.query)
        return self._standing.latest.total_count

    async def collect(self, *, limit: int | None = None) -> tuple[R, ...]:
        """Return the rows, at most *limit*; DecodeError at the first malformed one."""
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
        """Where the latest loop stands, for ``resume_from``; None once it has given everything."""
        position = self._standing.position
        return None if position is None else str(position)

    @property
    def lister(self) -> ListRequest[R]:
        """What is listed and how: for modules that turn the pages themselves."""
        return self._lister

    @property
    def repeated(self) -> int:
        """How many rows came again on a later page and were left out, in all loops over this object."""
        return self._standing.repeated

    def _walk(self) -> "_Walk[R]":
        self._standing.begin(self._start)
        return _Walk(Ahead(self._lister, self._prefetch), self._start.query)


@attrs.define
class _Standing(Generic[R]):
    """What the latest loop over a list has come to."""

    start: Position
    latest: FetchedPage[R] | None = None
    rows_seen: int = 0
    """Of the latest page."""
    repeated: int = 0
    walking: bool = False

    def begin(self, start: Position) -> None:
        self.start = start
        self.walking = False

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


class _Walk(Generic[R]):
    """Page after page along ``links.next``, with loops noticed; a page that failed is asked for again by `next`."""

    def __init__(self, ahead: Ahead[R], query: str) -> None:
        self._ahead = ahead
        self._next: str | None = query
        self._read: set[str] = set()

    async def next(self) -> FetchedPage[R]:
        if self._next is None:
            raise StopAsyncIteration
        if self._next in self._read:
            self._next = None
            raise PagingError("links.next leads back to a page that was read already")
        page = await self._ahead.fetch(self._next)
        self._read.add(self._next)
        self._next = page.next_query
        return page

    def close(self) -> None:
        self._ahead.close()


class _WholePages(Generic[R]):
    """The run behind ``pages()``."""

    def __init__(self, walk: _Walk[R], standing: _Standing[R], skip: int) -> None:
        self._walk = walk
        self._standing = standing
        self._skip = skip
        self._novelty = Novelty()

    async def next(self) -> Page[R]:
        page = await self._walk.next()
        is_new = self._novelty.note(page.rows)
        if page.next_query is not None:
            self._novelty.refuse_fruitless(page.rows, is_new=is_new)
        rows, self._skip = page.rows[self._skip :], 0
        self._standing.arrive(page, len(page.rows))
        position = self._standing.position
        return Page(rows, page.total_count, None if position is None else str(position))

    def close(self) -> None:
        self._walk.close()


class _Rows(Generic[R]):
    """The run behind ``async for``."""

    def __init__(self, walk: _Walk[R], standing: _Standing[R], skip: int) -> None:
        self._walk = walk
        self._standing = standing
        self._skip = skip
        self._rows: Iterator[R | DecodeError] = iter(())
        self._novelty = Novelty()
        self._all_new = False

    async def next(self) -> R:
        while True:
            for row in self._rows:
                self._standing.rows_seen += 1
                if self._all_new:
                    return cast("R", row)
                if isinstance(row, DecodeError):
                    raise row
                if self._is_new(row):
                    return row
            await self._turn_page()

    def close(self) -> None:
        self._walk.close()

    async def _turn_page(self) -> None:
        page = await self._walk.next()
        skipped, self._skip = page.rows[: self._skip], 0
        self._novelty.note_known(row.id for row in skipped if not isinstance(row, DecodeError))
        self._standing.arrive(page, len(skipped))
        rows = page.rows[len(skipped) :]
        self._all_new = self._novelty.are_new(rows)
        if page.next_query is not None:
            is_new = bool(rows) if self._all_new else self._novelty.has_new(rows)
            self._novelty.refuse_fruitless(page.rows, is_new=is_new)
        self._rows = iter(rows)

    def _is_new(self, row: R) -> bool:
        if self._novelty.is_new(row.id):
            return True
        self._standing.repeated += 1
        _LOG.warning(
            "a row of type %s came again on a later page; others write to this list", escape_line(row.resource_type)
        )
        return False
