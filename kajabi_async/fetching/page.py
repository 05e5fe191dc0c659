"""One page of a list: fetched by its query, with the query of the next page."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, Generic, TypeVar
from urllib.parse import parse_qsl

import attrs

from kajabi_async.decoding.answers import read_page
from kajabi_async.errors import DecodeError, PagingError, UntrustedLinkError
from kajabi_async.exchange import Answer, Request, Tally
from kajabi_async.fetching.context import Context
from kajabi_async.jsonapi.linkage import link_of
from kajabi_async.jsonapi.query import Query, encoded_pairs
from kajabi_async.models.resource import Resource
from kajabi_async.operations import Operation

__all__ = ["FetchedPage", "ListRequest", "ids_of", "page_number", "with_page_number"]

R = TypeVar("R", bound=Resource)

_PAGE_NUMBER: Final = "page[number]"
_MOST_DIGITS: Final = 18
"""The most digits of a number of rows or pages; Python itself refuses to read some thousand of them."""


@attrs.frozen
class FetchedPage(Generic[R]):
    """A page as it came; a row that cannot be read is a DecodeError."""

    rows: "tuple[R | DecodeError, ...]"
    query: str
    """The encoded query that it was requested with."""
    next_query: str | None
    """The encoded query of the next page, from ``links.next``; None on the last page."""
    last_number: int | None
    """The number of the last page; None if the answer does not say."""
    total_count: int | None
    """The number of rows of the whole list; None if the answer does not say."""
    meta: Mapping[str, Any]


@attrs.frozen
class ListRequest(Generic[R]):
    """A list operation with its query, checked."""

    context: Context
    operation: Operation
    model: type[R]
    query: Query
    timeout: float | None = None

    async def fetch(self, query: str) -> FetchedPage[R]:
        """Return the page at the encoded *query*.

        ApiError, TransportError or DecodeError if that fails; UntrustedLinkError if the answer's next link does not
        lead to this list, PagingError if it names a page that no list can have.
        """
        return self.page_of(await self.answer(query), query)

    async def answer(self, query: str) -> Answer:
        """Return the answer with the page at the encoded *query*; ApiError or TransportError if that fails."""
        return await self.context.send(Request("GET", self.operation.path, query), timeout=self.timeout)

    async def fetch_once(self, query: str, tally: Tally) -> FetchedPage[R]:
        """Return the page at the encoded *query* as `fetch` does, for a run, which retries by itself.

        The timeout counts from when the request is sent.
        """
        request = Request("GET", self.operation.path, query, once=True)
        answer = await self.context.send(request, timeout=self.timeout, tally=tally, timeout_starts="sent")
        return self.page_of(answer, query)

    def page_of(self, answer: Answer, query: str) -> FetchedPage[R]:
        """Return the page in *answer*, which *query* was answered with; the errors are those of `fetch`."""
        path = self.operation.path
        scope = self.context.scope(self.query)
        content = read_page(answer.body, cls=self.model, scope=scope, context=f"GET {path}")
        return FetchedPage(
            rows=content.rows,
            query=query,
            next_query=self._linked_query(content.links, "next"),
            last_number=_count(content.meta, "total_pages") or self._linked_last(content.links),
            total_count=_total(content.meta),
            meta=content.meta,
        )

    def _linked_last(self, links: Mapping[str, Any]) -> int | None:
        try:
            query = self._linked_query(links, "last")
            return None if query is None else page_number(query)
        except (UntrustedLinkError, PagingError):
            # It is never followed: it only says how many pages there are.
            return None

    def _linked_query(self, links: Mapping[str, Any], name: str) -> str | None:
        link = link_of(links, name)
        if link is None:
            return None
        path = self.operation.path
        query = self.context.links.rebuild(link, request_path=path, expected={path}).query
        if len(query) > _MOST_DIGITS and len(_digits(query)) > _MOST_DIGITS:
            raise PagingError(f"links.{name} leads to a page whose number has {len(_digits(query))} digits")
        return query


def ids_of(rows: "Iterable[Resource | DecodeError]") -> list[str]:
    """Return the ids of those of *rows* that can be read."""
    return [row.id for row in rows if not isinstance(row, DecodeError)]


def page_number(query: str) -> int | None:
    """Return the page number in an encoded *query*; None if there is none, or one that no list can have."""
    number = _digits(query)
    return int(number) if number and len(number) <= _MOST_DIGITS else None


def _digits(query: str) -> str:
    number = dict(parse_qsl(query)).get(_PAGE_NUMBER, "")
    return number if number.isascii() and number.isdigit() else ""


def with_page_number(query: str, number: int) -> str:
    """Return *query* with another page number, everything else unchanged."""
    pairs = parse_qsl(query, keep_blank_values=True)
    return encoded_pairs((name, str(number) if name == _PAGE_NUMBER else value) for name, value in pairs)


def _total(meta: Mapping[str, Any]) -> int | None:
    # Four shapes are known: total_count, total, and neither (API document and observed).
    total_count = _count(meta, "total_count")
    return _count(meta, "total") if total_count is None else total_count


def _count(meta: Mapping[str, Any], name: str) -> int | None:
    value = meta.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**_MOST_DIGITS else None
