"""Whether it pays to read a list on: what the pages read so far say of those to come. Arithmetic alone.

A page is a request, and so is every id that no page brings. Ids are numbers given in the order of creation, and most
lists are in that order or its reverse. If a list is seen to be, an id that was passed over will not come any more, and
the distance of the others can be estimated. Only the number of requests depends on any of this.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Sequence
from itertools import pairwise
from typing import Final

import attrs

__all__ = ["MOST_WASTED", "EmailForecast", "Forecast", "ListSize"]

MOST_WASTED: Final = 0.1
"""The most requests that an estimate may waste, as a share of the lookups that it might save."""

_DOUBT: Final = 3
"""Hits added to those on a list in no order: few are expected on its first page, and chance decides."""


@attrs.frozen
class ListSize:
    """The length of a list, as far as the server states it."""

    rows: int | None
    pages: int


class Forecast:
    """The state of a scan: pages read, ids found on them, and what to expect of the rest."""

    def __init__(self, ids: Collection[str]) -> None:
        self.ids = len(ids)
        """The number of different ids to find."""
        self.pages = self.rows = self.hits = 0
        self.size: ListSize | None = None
        self.is_over = False
        """Whether there is no further page."""
        self._numbers = sorted(int(each) for each in ids if _is_number(each))
        self._step = 0
        """1 if ids grow along the list, -1 if they shrink, 0 if neither."""
        self._first = self._latest = 0

    def add_page(self, ids: Sequence[str], hits: int, *, size: ListSize | None) -> None:
        """Note a page: the ids on it, how many of them are new hits, and the size of the list that it states."""
        self._follow(ids)
        self.pages += 1
        self.rows += len(ids)
        self.hits += hits
        self.size = size or self.size

    def add_failed_page(self) -> None:
        """Note a page that could not be read."""
        self.pages += 1

    @property
    def unseen(self) -> int:
        """The number of ids that no page has brought."""
        return self.ids - self.hits

    @property
    def ahead(self) -> int:
        """The number of unseen ids that may still come."""
        if self.is_over:
            return 0
        start, stop = self._range_ahead
        return min(self.unseen, stop - start) if self._step else self.unseen

    @property
    def pages_left(self) -> int | None:
        """The number of pages left, at least one unless the list is over; None if the server does not say."""
        if self.is_over:
            return 0
        return None if self.size is None else max(1, self.size.pages - self.pages)

    @property
    def total(self) -> tuple[int, int] | None:
        """The estimated pages of the scan, and lookups of ids that they do not bring; None if unknown."""
        needed = self._pages_needed
        return None if needed is None else (self.pages + needed, math.ceil(self.unseen - self._gain))

    def pays(self) -> bool:
        """Return whether reading on takes fewer requests than looking up the unseen ids now."""
        needed = self._pages_needed
        return needed is not None and 0 < needed < self._gain

    def sure_pages(self, *, at_any_price: bool) -> int:
        """Return how many of the next pages are read even if every row of them is a hit: at least one."""
        left = self.pages_left
        if left is None:
            return 1
        sure = math.ceil(self.ahead / self.page_rows)
        if not at_any_price:
            sure = min(sure, math.ceil((self._gain - left) / max(1, self.page_rows - 1)))
        return max(1, min(left, sure))

    @property
    def page_rows(self) -> int:
        """The mean number of rows of a page, rounded up."""
        return max(1, math.ceil(self.rows / max(1, self.pages)))

    @property
    def _gain(self) -> float:
        """The number of ids that the pages left are expected to bring."""
        ahead, known = self.ahead, None if self.size is None else self.size.rows
        left = math.inf if known is None else max(0, known - self.rows)
        if self._step:
            lowest, highest = sorted((self._first, self._latest))
            expected: float = bisect_right(self._numbers, highest) - bisect_left(self._numbers, lowest)
            doubt = 1
        else:
            expected, doubt = self.ids * self.rows / known if known else self.hits, _DOUBT
        share = (self.hits + doubt) / (max(expected, self.hits) + doubt)
        return min(ahead * share, left)

    @property
    def _pages_needed(self) -> int | None:
        """The number of pages up to the last id: to the end of the list, or to where it is estimated to be."""
        left, ahead = self.pages_left, self.ahead
        if left is None or not ahead:
            return left if left is None else 0
        between = abs(self._latest - self._first)
        if not self._step or not between:
            return left
        start, stop = self._range_ahead
        nearest, furthest = sorted(abs(self._numbers[index] - self._latest) for index in (start, stop - 1))
        pages_a_number = (self.rows - 1) / between / self.page_rows
        if self.pages + math.ceil(nearest * pages_a_number) - self.hits > MOST_WASTED * self.ids:
            # Too far to rely on an estimate.
            return left
        return max(1, min(left, math.ceil(furthest * pages_a_number)))

    @property
    def _range_ahead(self) -> tuple[int, int]:
        """The first index, and the one after the last, of the sorted numbers that were not passed over."""
        if self._step > 0:
            return bisect_right(self._numbers, self._latest), len(self._numbers)
        return 0, bisect_left(self._numbers, self._latest)

    def _follow(self, ids: Sequence[str]) -> None:
        """Find out whether the ids on a page grow or shrink, as those on the pages before it."""
        numbers = [int(each) for each in ids if _is_number(each)]
        if self.rows == 0 and len(numbers) > 1:
            self._step = 1 if numbers[-1] > numbers[0] else -1
            self._first = self._latest = numbers[0]
        if len(numbers) < len(ids) or any((later - earlier) * self._step <= 0 for earlier, later in pairwise(numbers)):
            self._step = 0
        # A row that others push onto a later page comes again there; that does not change the order.
        if self._step and numbers and (numbers[-1] - self._latest) * self._step > 0:
            self._latest = numbers[-1]


class EmailForecast(Forecast):
    """The same for emails: read to its end, a list answers those that are not on it, too.

    A list whose site is not known may have an email twice, on two sites. Then what a page brings is an answer only at
    the end of the list, unless there is one site only.
    """

    def __init__(self, keys: Collection[str], *, is_unique: bool | None) -> None:
        """Find *keys*; *is_unique* says whether the list has each email once, None if that is not known."""
        super().__init__(keys)
        self.is_unique = is_unique
        self.lookup_requests = 1
        """The requests that a lookup takes: one, or a reading of the whole list if the server ignores the filter."""
        self._latest_hits = 0.0
        """The hits of the latest page."""

    def add_page(self, ids: Sequence[str], hits: int, *, size: ListSize | None) -> None:
        """Note a page; *ids* has empty text for each of its rows, as their ids say nothing of the order of emails."""
        super().add_page(ids, hits, size=size)
        self._latest_hits = hits

    def add_failed_page(self) -> None:
        """Note a page that could not be read."""
        super().add_failed_page()
        self._latest_hits = 0.0

    def step_back(self, pages: int) -> None:
        """Note that *pages* are read again."""
        page_rows = self.page_rows
        self.pages = max(1, self.pages - pages)
        self.rows = max(page_rows, self.rows - pages * page_rows)
        self.is_over = False

    @property
    def ahead(self) -> int:
        """The number of emails that are not answered yet."""
        return 0 if self.is_over else self.lookups

    @property
    def lookups(self) -> int:
        """The number of lookups if the list is read no further."""
        return self.ids if self._needs_all_pages else self.unseen

    @property
    def total(self) -> tuple[int, int] | None:
        """The estimated pages of the scan; no email is looked up after it. None if unknown."""
        needed = self._pages_needed
        return None if needed is None else (self.pages + needed, 0)

    def pays(self) -> bool:
        """Return whether reading on takes fewer requests than looking up the emails that are not answered."""
        needed, looked_up = self._pages_needed, self.lookups * self.lookup_requests
        if needed is None:
            # A lookup is longer than a page, and the list is no longer than a lookup.
            return self.lookup_requests > 1 and self.ahead > 0
        return 0 < needed < looked_up

    def sure_pages(self, *, at_any_price: bool) -> int:
        """Return how many of the next pages are read even if every row of them is a hit: at least one."""
        left = self.pages_left
        if left is None:
            return 1
        if self._needs_all_pages:
            return max(1, left)
        sure = math.ceil(self.unseen / self.page_rows)
        if not at_any_price:
            cost = self.lookup_requests
            sure = min(sure, math.ceil((self.unseen * cost - left) / max(1, self.page_rows * cost - 1)))
        return max(1, min(left, sure))

    @property
    def _needs_all_pages(self) -> bool:
        """Whether what a page brings is no answer before the end of the list, unless a lookup completes it."""
        return not self.is_unique if self.lookup_requests > 1 else self.is_unique is False

    @property
    def _pages_needed(self) -> int | None:
        """The number of pages up to the last email: to the end of the list, or fewer if they come in a row."""
        left = self.pages_left
        if left is None or not self.ahead or self._needs_all_pages or self._latest_hits <= 1:
            return left if self.ahead or left is None else 0
        return max(1, min(left, math.ceil(self.unseen / self._latest_hits)))


def _is_number(resource_id: str) -> bool:
    return resource_id.isascii() and resource_id.isdigit()
