"""Many emails off the pages of a list, which proves that an email is missing if the whole list was read.

Rows that others delete meanwhile pull later rows onto pages that were read already. The number of rows that each page
states shows it, and the scan then goes back. Rows that others insert come first in the list: its first pages are read
again for them at the end.

A server that ignores the filter of the search answers each lookup with the whole list. The first of its pages shows
that, and the scan goes on in place of the lookups.
"""

import asyncio
import math
from collections.abc import Collection, Iterator
from itertools import chain, count
from typing import Any, Final, TypeVar

from kajabi_async.errors import DecodeError, FieldNotLoadedError, PagingError, UnreadableAttributeError
from kajabi_async.exchange import Tally
from kajabi_async.fetching.completeness import Completeness
from kajabi_async.fetching.email_outcomes import EMAILS, Matches
from kajabi_async.fetching.email_search import EmailSearch, FilterIgnoredError, belongs_to, key_of, site_ids_of
from kajabi_async.fetching.forecast import EmailForecast
from kajabi_async.fetching.id_source import Ids
from kajabi_async.fetching.page import FetchedPage, ListRequest, ids_of
from kajabi_async.fetching.scan import MOST_PAGES_AT_ONCE, Scan, size_of
from kajabi_async.fetching.walk import PageBatches
from kajabi_async.models.resource import Resource

__all__ = ["EmailScan"]

R = TypeVar("R", bound=Resource)

_WORTH_ASKING: Final = 20
"""From this number of pages and emails on, the sites are requested at the start: that adds a request in twenty."""
_LEAST_LOOKUP_PAGES: Final = 2
"""The pages of a lookup that was answered with the whole list, if their number is not known."""


class EmailScan(Scan[R]):
    """The emails of one run, in the order in which their resources are found, and the resources."""

    forecast: EmailForecast  # pyright: ignore[reportIncompatibleVariableOverride]
    pages: PageBatches[R]  # pyright: ignore[reportIncompatibleVariableOverride]

    def __init__(
        self,
        search: EmailSearch[R],
        sites: ListRequest[Any],
        emails: Ids,
        *,
        concurrency: int,
        ordered: bool = False,
        at_any_price: bool = False,
        asks_sites: bool = True,
    ) -> None:
        """Scan the list of ``search``; ``sites`` is the list of sites.

        With ``at_any_price`` the scan goes on even if lookups take fewer requests. Without ``asks_sites`` it requests
        pages alone, as a plan does.
        """
        super().__init__(
            search.reader,
            search.pages,
            emails,
            concurrency=concurrency,
            ordered=ordered,
            at_any_price=at_any_price,
            naming=EMAILS,
        )
        # The whole list is needed, and new rows push others onto later pages.
        self.pages.most_fruitless = MOST_PAGES_AT_ONCE
        self._search, self._sites = search, sites
        self.forecast = self._forecast_of(())
        self._candidates: dict[str, tuple[R, ...]] = {}
        """The rows found of each email that has no outcome yet."""
        self._at_once = MOST_PAGES_AT_ONCE
        self._read = Completeness()
        self._asks_sites = asks_sites
        self._site_ids: set[str] = set()
        self._is_filter_known = False
        """Whether a search has shown if the server filters."""
        self._probing, self._reading = asyncio.Lock(), asyncio.Lock()

    async def find(self, key: str, tally: Tally) -> Matches[R]:
        """Return the rows that pages have brought, or search for them; the cost of the pages is added to ``tally``.

        PagingError if neither can say what the email's rows are: the list was not read whole, and a search is one
        more reading of the same list.
        """
        self.pages.settle(tally)
        try:
            matches = await self._matches(key, tally)
        finally:
            self.pages.settle(tally)
        if not self._pending.is_repeated(key):
            self._candidates.pop(key, None)
        return matches

    async def fetch_pages(self) -> Iterator[Any]:
        """Fetch the pages that are needed in any case, at once, and return the emails whose outcome is now known.

        AuthenticationError and ConfigurationError are raised. What concerns the client is waited out once the scan has
        joined a run.
        """
        found = dict.fromkeys(await self._read_pages())
        is_settled = self.forecast.is_unique is True
        settled = [self._pending.seen(key) for key in found if is_settled and self._pending.is_unseen(key)]
        return chain(*settled, self._pending.ready())

    async def _matches(self, key: str, tally: Tally) -> Matches[R]:
        forecast = self.forecast
        while not self._is_settled(key):
            if forecast.lookup_requests > 1 and self._goes_on():
                await self._read_on(key)
                continue
            if forecast.lookup_requests > 1 and forecast.is_over:
                if key in self._candidates:
                    break
                problem = self._read.problem or self.pages.failure
                raise PagingError(
                    "the search is not filtered by the server, and the list could not be read whole: "
                    + (str(problem) if problem else f"it lacks {self._read.missing_rows:,} of the rows it is to have")
                )
            matches = await self._searched(key, tally)
            if matches is not None:
                others = [row for row in self._candidates.get(key, ()) if row not in matches.rows]
                return Matches((*matches.rows, *await self._search.completed(others, tally)))
        known = self._candidates.get(key, ())
        rows = await self._search.completed(known, tally) if self._search.reader.query.include else known
        return Matches(rows, is_proven=not rows and self._is_proven)

    def _is_settled(self, key: str) -> bool:
        """Return whether the pages say what the rows of the email are."""
        is_listed = key in self._candidates and (self.forecast.is_unique or self._is_read)
        return is_listed or self._is_whole

    async def _searched(self, key: str, tally: Tally) -> Matches[R] | None:
        """Search for the email; None if that shows that the server does not filter.

        The first search goes out alone: were the filter ignored, others would only show it again.
        """
        if not self._is_filter_known:
            async with self._probing:
                if not self._is_filter_known:
                    return await self._filtered(key, tally)
            return None
        if self.forecast.lookup_requests > 1:
            return await self._search.look_up(key, tally)
        return await self._filtered(key, tally)

    async def _filtered(self, key: str, tally: Tally) -> Matches[R] | None:
        try:
            matches: Matches[R] | None = await self._search.look_up(key, tally, reads_unfiltered=False)
        except FilterIgnoredError as error:
            size = self.forecast.size
            known = error.pages or (0 if size is None else size.pages)
            self.forecast.lookup_requests = max(_LEAST_LOOKUP_PAGES, known)
            matches = None
        self._is_filter_known = True
        return matches

    async def _read_on(self, key: str) -> None:
        """Read the next pages of the list for a lookup, unless others who waited have read what it needs."""
        async with self._reading:
            if self._goes_on() and not self._is_settled(key):
                await self._read_pages(for_lookup=True)

    @property
    def _is_whole(self) -> bool:
        """Whether what was not on the list is missing.

        A list that does not state its length may have shifted unnoticed: a few emails are then worth a search each.
        """
        forecast = self.forecast
        return self._is_proven or (self._is_read and forecast.unseen * forecast.lookup_requests > forecast.pages)

    @property
    def _is_proven(self) -> bool:
        """Whether the list has no row that was not read; the rows of a single page cannot have shifted."""
        return self._is_read and (self._read.has_totals or self.forecast.pages == 1)

    @property
    def _is_read(self) -> bool:
        """Whether every page of the list was read, with as many rows as it has."""
        return self.pages.has_ended and self._read.problem is None and not self._read.missing_rows

    def _forecast_of(self, keys: Collection[str]) -> EmailForecast:
        return EmailForecast(keys, is_unique=None if self._search.site_id is None else True)

    def _goes_on(self) -> bool:
        forecast = self.forecast
        if not forecast.pages:
            return self.is_worth_a_page() or forecast.lookup_requests > 1
        if forecast.is_over:
            return False
        if self._at_any_price:
            return bool(forecast.unseen) or not forecast.is_unique
        return forecast.pays()

    async def _read_pages(self, *, for_lookup: bool = False) -> list[str]:
        """Fetch the pages that are needed in any case, at once, and return the keys that they bring."""
        forecast = self.forecast
        most = forecast.sure_pages(at_any_price=self._at_any_price)
        pages = await self.pages.fetch(min(most, self.concurrency, self._at_once), for_lookup=for_lookup)
        found = list(chain.from_iterable(self._keep_page(page) for page in pages))
        self._follow_shifts(pages)
        if self.pages.has_ended:
            found += await self._read_inserted(for_lookup=for_lookup)
        forecast.is_over = self.pages.is_over
        if await self._is_one_site(for_lookup=for_lookup):
            found = [*self._candidates, *found]
        return found

    def _keep_page(self, page: FetchedPage[R] | None) -> list[str]:
        """Keep the rows of ``page`` that the run asks for, and return their keys."""
        if page is None:
            self._read.add_problem(self.pages.failure or PagingError("a page could not be read"))
            self.forecast.add_failed_page()
            return []
        self._read.add_page(ids_of(page.rows))
        found, hits = self._keep_rows(page)
        self.forecast.add_page([""] * len(page.rows), hits, size=size_of(page))
        return found

    def _keep_rows(self, page: FetchedPage[R]) -> tuple[list[str], int]:
        """Keep the rows that the run asks for; return their keys, and the number of those without a row before."""
        found: dict[str, None] = {}
        hits = 0
        for row in page.rows:
            key = self._key_of(row)
            if key is None or isinstance(row, DecodeError) or not self._pending.is_unseen(key):
                continue
            known = self._candidates.get(key, ())
            if row not in known:
                hits += not known
                self._candidates[key] = (*known, row)
                found[key] = None
        return list(found), hits

    def _key_of(self, row: "R | DecodeError") -> str | None:
        """Return the key of the email of ``row``; None if it has none, cannot be read or is of another site."""
        if isinstance(row, DecodeError):
            self._read.add_problem(row)
            return None
        if self._search.site_id is None:
            self._site_ids.update(site_ids_of(row))
        try:
            key = key_of(row)
        except (FieldNotLoadedError, UnreadableAttributeError) as error:
            self._read.add_problem(error)
            return None
        return key if belongs_to(row, self._search.site_id) else None

    def _follow_shifts(self, pages: "list[FetchedPage[R] | None]") -> None:
        """Go back if rows may have moved onto pages that were read already."""
        lost = self._read.note_totals(pages)
        if lost is None:
            self._at_once = min(2 * self._at_once, MOST_PAGES_AT_ONCE)
            return
        self._at_once = max(1, self._at_once // 4)
        back = len(pages) + math.ceil(lost / max(1, self.forecast.page_rows))
        self.forecast.step_back(self.pages.step_back(back))

    async def _read_inserted(self, *, for_lookup: bool) -> list[str]:
        """Read the first pages again, down to the row that came first before, and return the keys that they bring."""
        found: list[str] = []
        for number in count(1):
            if not self._read.missing_rows or self._read.problem is not None:
                break
            page = await self.pages.fetch_again(number, for_lookup=for_lookup)
            if page is None:
                break
            is_last = self._read.add_inserted(ids_of(page.rows)) or page.next_query is None
            found += self._keep_rows(page)[0]
            if is_last:
                break
        return found

    async def _is_one_site(self, *, for_lookup: bool) -> bool:
        """Return whether it has just become known that each email is in the list once, requesting the sites if it pays.

        It is known if a site is kept to. Otherwise there must be no other site.
        """
        forecast = self.forecast
        if forecast.is_unique is not None:
            return False
        if len(self._site_ids) > 1:
            forecast.is_unique = False
        elif not forecast.is_over and self._asks_sites and self._pays_to_ask():
            page = await self.pages.fetch_beside(self._sites, for_lookup=for_lookup)
            self._asks_sites = False
            forecast.is_unique = page is not None and len(page.rows) == 1 and page.next_query is None
        return forecast.is_unique is True

    def _pays_to_ask(self) -> bool:
        """Return whether to request the sites: if the scan could stop, or would hold many rows up to its end."""
        forecast = self.forecast
        left = forecast.pages_left or 0
        if forecast.lookup_requests > 1:
            return left > 1
        if not self._goes_on() or not forecast.unseen:
            return forecast.hits > 1 and left > 1
        return min(left, forecast.ids) >= _WORTH_ASKING
