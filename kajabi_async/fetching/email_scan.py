"""Many emails off the pages of a list, which proves that an email is missing if the whole list was read.

Rows that others delete meanwhile pull later rows onto pages that were read already. The number of rows that each page
states shows it, and the scan then goes back.
"""

import math
from collections.abc import Collection, Iterator
from itertools import chain
from typing import Any, Final, TypeVar

from kajabi_async.errors import DecodeError, FieldNotLoadedError, UnreadableAttributeError
from kajabi_async.exchange import Tally
from kajabi_async.fetching.email_outcomes import EMAILS, Matches
from kajabi_async.fetching.email_search import EmailSearch, belongs_to, key_of
from kajabi_async.fetching.forecast import EmailForecast
from kajabi_async.fetching.id_source import Ids
from kajabi_async.fetching.page import FetchedPage, ListRequest
from kajabi_async.fetching.scan import MOST_PAGES_AT_ONCE, Scan, size_of
from kajabi_async.fetching.walk import Novelty
from kajabi_async.models.resource import Resource

__all__ = ["EmailScan"]

R = TypeVar("R", bound=Resource)

_WORTH_ASKING: Final = 20
"""From this number of pages and emails on, the sites are requested at the start: that adds a request in twenty."""
_MOST_STEPS_BACK: Final = 64
"""The most times that a scan goes back, beyond which the list changes too fast to be read as a whole."""


class EmailScan(Scan[R]):
    """The emails of one run, in the order in which their resources are found, and the resources."""

    forecast: EmailForecast  # pyright: ignore[reportIncompatibleVariableOverride]

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
        if self.pages is not None:
            # The whole list is needed, and new rows push others onto later pages.
            self.pages.most_fruitless = MOST_PAGES_AT_ONCE
        self._search, self._sites = search, sites
        self.forecast = self._forecast_of(())
        self._candidates: dict[str, tuple[R, ...]] = {}
        """The rows found of each email that has no outcome yet."""
        self._at_once = MOST_PAGES_AT_ONCE
        self._novelty = Novelty()
        self._new_rows = self._steps_back = 0
        self._total: int | None = None
        """The number of rows that the latest page states."""
        self._has_totals, self._has_hole, self._asks_sites = True, False, asks_sites
        self._site_ids: set[str] = set()

    async def find(self, key: str, tally: Tally) -> Matches[R]:
        """Return the rows that pages have brought, or search for them; the cost of the pages is added to ``tally``."""
        assert self.pages is not None  # noqa: S101 - emails are always looked up in a list
        self.pages.settle(tally)
        known = self._candidates.get(key, ())
        if self._is_whole or (known and (self._is_read or self.forecast.is_unique)):
            rows = await self._search.completed(known, tally)
            matches = Matches(rows, is_proven=self._is_proven)
        else:
            matches = await self._search.look_up(key, tally)
            others = [row for row in known if row not in matches.rows]
            if others:
                matches = Matches((*matches.rows, *await self._search.completed(others, tally)))
        if known and not self._pending.is_repeated(key):
            del self._candidates[key]
        return matches

    async def fetch_pages(self) -> Iterator[Any]:
        """Fetch the pages that are needed in any case, at once, and return the emails whose outcome is now known.

        AuthenticationError and ConfigurationError are raised. What concerns the client is waited out once the scan has
        joined a run.
        """
        batches, forecast = self.pages, self.forecast
        assert batches is not None  # noqa: S101 - emails are always looked up in a list
        most = forecast.sure_pages(at_any_price=self._at_any_price)
        pages = await batches.fetch(min(most, self.concurrency, self._at_once))
        found = list(chain.from_iterable(self._keep(page) for page in pages))
        self._follow_shifts(pages)
        forecast.is_over = batches.is_over
        if await self._is_one_site():
            found = [*self._candidates, *found]
        is_settled = forecast.is_unique is True
        settled = [self._pending.seen(key) for key in dict.fromkeys(found) if is_settled and self._is_unseen(key)]
        return chain(*settled, self._pending.ready())

    @property
    def _is_whole(self) -> bool:
        """Whether what was not on the list is missing.

        A list that does not state its length may have shifted unnoticed: a few emails are then worth a search each.
        """
        return self._is_read and (self._has_totals or self.forecast.unseen > self.forecast.pages)

    @property
    def _is_proven(self) -> bool:
        return self._is_read and self._has_totals

    @property
    def _is_read(self) -> bool:
        """Whether every page of the list was read, with as many rows as it has."""
        has_ended = self.pages is not None and self.pages.has_ended
        return has_ended and not self._has_hole and self._new_rows >= (self._total or 0)

    def _forecast_of(self, keys: Collection[str]) -> EmailForecast:
        return EmailForecast(keys, is_unique=None if self._search.site_id is None else True)

    def _goes_on(self) -> bool:
        forecast = self.forecast
        if not forecast.pages:
            return self.is_worth_a_page()
        if forecast.is_over:
            return False
        if self._at_any_price:
            return bool(forecast.unseen) or not forecast.is_unique
        return forecast.pays()

    def _is_unseen(self, key: str) -> bool:
        return self._pending.is_unseen(key)

    def _keep(self, page: FetchedPage[R] | None) -> Iterator[str]:
        """Keep the rows of ``page`` that the run asks for, and return their keys."""
        if page is None:
            self._has_hole = True
            self.forecast.add_failed_page()
            return iter(())
        found: dict[str, None] = {}
        hits = 0
        for row in page.rows:
            key = self._key_of(row)
            if key is None or isinstance(row, DecodeError) or not self._is_unseen(key):
                continue
            known = self._candidates.get(key, ())
            if row not in known:
                hits += not known
                self._candidates[key] = (*known, row)
                found[key] = None
        self.forecast.add_page([""] * len(page.rows), hits, size=size_of(page))
        return iter(found)

    def _key_of(self, row: "R | DecodeError") -> str | None:
        """Note ``row``, and return the key of its email; None if it has none or is of another site."""
        if isinstance(row, DecodeError):
            self._has_hole = True
            return None
        self._new_rows += self._novelty.is_new(row.id)
        site: Any = row
        self._site_ids.update(site.site.ids or ())
        try:
            key = key_of(row)
        except (FieldNotLoadedError, UnreadableAttributeError):
            self._has_hole = True
            return None
        return key if belongs_to(row, self._search.site_id) else None

    def _follow_shifts(self, pages: "list[FetchedPage[R] | None]") -> None:
        """Go back if rows may have moved onto pages that were read already.

        New rows come first in the list, and push others onto later pages, where they are read again. A row that is
        deleted pulls others back, by as many rows as the list is shorter. Pages that were fetched at once, in an order
        that is not known, agree only if they state the same number.
        """
        totals = [page.total_count for page in pages if page is not None]
        stated = [total for total in totals if total is not None]
        if len(stated) < len(totals):
            self._has_totals = False
        if not stated:
            return
        before, self._total = self._total, stated[-1]
        lost = 0 if before is None else max(0, before - min(stated))
        if not lost and min(stated) == max(stated):
            self._at_once = min(2 * self._at_once, MOST_PAGES_AT_ONCE)
            return
        self._steps_back += 1
        if self._steps_back > _MOST_STEPS_BACK:
            self._has_hole = True
            return
        assert self.pages is not None  # noqa: S101 - they were fetched
        self._at_once = max(1, self._at_once // 4)
        back = len(pages) + math.ceil(lost / max(1, self.forecast.page_rows))
        self.forecast.step_back(self.pages.step_back(back))

    async def _is_one_site(self) -> bool:
        """Return whether it has just become known that each email is in the list once, requesting the sites if it pays.

        It is known if a site is kept to. Otherwise there must be no other site.
        """
        forecast = self.forecast
        if forecast.is_unique is not None:
            return False
        if len(self._site_ids) > 1:
            forecast.is_unique = False
        elif not forecast.is_over and self._asks_sites and self._pays_to_ask():
            self._asks_sites = False
            assert self.pages is not None  # noqa: S101 - pages were fetched
            page = await self.pages.fetch_beside(self._sites)
            forecast.is_unique = page is not None and len(page.rows) == 1 and page.next_query is None
        return forecast.is_unique is True

    def _pays_to_ask(self) -> bool:
        """Return whether to request the sites: if the scan could stop, or would hold many rows up to its end."""
        forecast = self.forecast
        left = forecast.pages_left or 0
        if not self._goes_on() or not forecast.unseen:
            return forecast.hits > 1 and left > 1
        return min(left, forecast.ids) >= _WORTH_ASKING
