"""One email by the search of the API, which has no exact filter: what it finds is compared here."""

from collections.abc import Iterable
from typing import Any, Generic, TypeVar

import attrs

from kajabi_async.errors import (
    DecodeError,
    FieldNotLoadedError,
    KajabiError,
    NotFoundError,
    PagingError,
    UnreadableAttributeError,
)
from kajabi_async.exchange import Tally
from kajabi_async.fetching.email_address import email_key, search_texts
from kajabi_async.fetching.email_outcomes import Matches
from kajabi_async.fetching.one import Reader
from kajabi_async.fetching.page import FetchedPage, ListRequest
from kajabi_async.fetching.scan import is_complete, size_of
from kajabi_async.fetching.walk import Novelty
from kajabi_async.models.resource import Resource

__all__ = ["EmailSearch", "FilterIgnoredError", "belongs_to", "key_of", "site_ids_of"]

R = TypeVar("R", bound=Resource)


def key_of(row: Any) -> str | None:
    """Return the key of the email of ``row``, None if it has none.

    UnreadableAttributeError or FieldNotLoadedError if the answer does not say.
    """
    email: str | None = row.email
    return None if email is None else email_key(email)


def belongs_to(row: Resource, site_id: str | None) -> bool:
    """Return whether ``row`` may be of the site: the server ignores filters that it does not know."""
    if site_id is None:
        return True
    ids = site_ids_of(row)
    return not ids or site_id in ids


def site_ids_of(row: Resource) -> list[str]:
    """Return the ids of the sites of ``row``, as far as they are known."""
    return row.origin.linked_ids.get("site") or []


class FilterIgnoredError(Exception):
    """The server has answered a search with rows that do not match it, and more pages of them follow."""

    def __init__(self, pages: int | None) -> None:
        super().__init__(pages)
        self.pages = pages
        """The number of pages of the answer; None if it does not say."""


@attrs.frozen
class EmailSearch(Generic[R]):
    """The search for single emails in the list ``pages``, of the site if that is given."""

    reader: Reader[R]
    """Reads what the list does not include."""
    pages: ListRequest[R]
    site_id: str | None = None

    async def look_up(self, key: str, tally: Tally, *, reads_unfiltered: bool = True) -> Matches[R]:
        """Return the resources with the email ``key``, after one request or more; KajabiError if that fails.

        UnreadableAttributeError, FieldNotLoadedError or DecodeError if none is found but one may be it. A server that
        ignores the filter answers with the whole list, which is read for the one email; without ``reads_unfiltered``,
        FilterIgnoredError is raised instead, after the page that shows it.
        """
        rows: dict[str, R] = {}
        unknown: KajabiError | None = None
        for text in search_texts(key):
            unknown = await self._search(text, key, rows, tally, reads_unfiltered=reads_unfiltered) or unknown
        if not rows and unknown is not None:
            raise unknown
        return Matches(await self.completed(rows.values(), tally))

    async def completed(self, rows: Iterable[R], tally: Tally) -> tuple[R, ...]:
        """Return ``rows`` with everything that was to be included, each read by its id if it came without."""
        include = self.reader.query.include
        if not include:
            return tuple(rows)
        read = [row if is_complete(row, include) else await self._by_id(row.id, tally) for row in rows]
        return tuple(row for row in read if row is not None)

    async def _search(
        self, text: str, key: str, rows: dict[str, R], tally: Tally, *, reads_unfiltered: bool
    ) -> KajabiError | None:
        """Add the rows with the email ``key`` that ``text`` finds; return why one of the others may have it."""
        query = self.pages.query
        filters = tuple(sorted((*query.filters, ("filter[email_contains]", text))))
        following: str | None = attrs.evolve(query, filters=filters).encode()
        unknown: KajabiError | None = None
        requested: set[str] = set()
        novelty = Novelty()
        while following is not None:
            if following in requested:
                raise PagingError("links.next leads back to a page that was read already")
            requested.add(following)
            page = await self.pages.fetch_once(following, tally)
            if not reads_unfiltered and page.next_query is not None and _has_stranger(page, text):
                size = size_of(page)
                raise FilterIgnoredError(None if size is None else size.pages)
            unknown = self._compare(page, key, rows) or unknown
            if rows and self.site_id is not None:
                # An email is unique within a site (API document).
                break
            following = page.next_query
            if following is not None:
                novelty.refuse_fruitless(page.rows, is_new=novelty.note(page.rows))
        return unknown

    def _compare(self, page: FetchedPage[R], key: str, rows: dict[str, R]) -> KajabiError | None:
        """Add the rows of one page, as `_search` does."""
        unknown: KajabiError | None = None
        for row in page.rows:
            if isinstance(row, DecodeError):
                unknown = row
                continue
            try:
                is_match = key_of(row) == key
            except (FieldNotLoadedError, UnreadableAttributeError) as error:
                unknown = error
                continue
            if is_match and belongs_to(row, self.site_id):
                rows[row.id] = row
        return unknown

    async def _by_id(self, resource_id: str, tally: Tally) -> R | None:
        try:
            answer = await self.reader.request_once(resource_id, tally)
        except NotFoundError:
            # It was deleted after the list had it.
            return None
        return self.reader.resource_in(answer.body, resource_id)


def _has_stranger(page: FetchedPage[Any], text: str) -> bool:
    """Return whether the email of one of the rows does not contain ``text``, in any letter case and form of Unicode."""
    sought = email_key(text)
    return any(sought not in key for key in map(_readable_key, page.rows) if key is not None)


def _readable_key(row: Any) -> str | None:
    try:
        return None if isinstance(row, DecodeError) else key_of(row)
    except (FieldNotLoadedError, UnreadableAttributeError):
        return None
