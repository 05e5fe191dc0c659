"""Whether a whole list was read: rows that others insert and delete meanwhile move the rest between its pages."""

from collections.abc import Collection, Sequence
from typing import Any, Final

from kajabi_async.errors import KajabiError, PagingError
from kajabi_async.fetching.page import FetchedPage
from kajabi_async.fetching.walk import Novelty

__all__ = ["Completeness"]

_MOST_SHIFTS: Final = 64
"""The most times that a reader goes back, beyond which the list changes too fast to be read as a whole."""


class Completeness:
    """The rows that were read of one list, compared with the number of rows that its pages state."""

    def __init__(self) -> None:
        self.problem: KajabiError | None = None
        """The first reason why rows may be hidden: a page or a row that cannot be read, or too many changes."""
        self.has_totals = True
        """Whether every page stated how many rows the list has."""
        self._first_page: frozenset[str] | None = None
        self._novelty = Novelty()
        self._rows, self._total, self._shifts = 0, 0, 0

    @property
    def missing_rows(self) -> int:
        """The number of rows that the list has according to its pages, and that were not read."""
        return max(0, self._total - self._rows)

    def add_page(self, ids: Collection[str]) -> None:
        """Note the rows of a page."""
        if self._first_page is None:
            self._first_page = frozenset(ids)
        for each in ids:
            self._rows += self._novelty.is_new(each)

    def add_inserted(self, ids: Sequence[str]) -> bool:
        """Note the first rows of a page that is read again, and return whether the rows inserted since end on it."""
        known = self._first_page or frozenset()
        place = next((index for index, each in enumerate(ids) if each in known), None)
        for each in ids[:place]:
            self._rows += self._novelty.is_new(each)
        return place is not None

    def add_problem(self, problem: KajabiError) -> None:
        """Note why rows may be hidden."""
        self.problem = self.problem or problem

    def note_totals(self, pages: "Sequence[FetchedPage[Any] | None]") -> int | None:
        """Note the numbers of rows that ``pages`` state; return how many rows were lost, None if none may have moved.

        A deleted row pulls those after it onto pages before theirs. Pages that were fetched at once, in an order that
        is not known, agree only if they state the same number: 0 rows lost is then a reason to go back, too.
        """
        stated = [page.total_count for page in pages if page is not None]
        totals = [total for total in stated if total is not None]
        self.has_totals = self.has_totals and len(totals) == len(stated)
        if not totals:
            return None
        before, self._total = self._total or totals[-1], totals[-1]
        lost = max(0, before - min(totals))
        if not lost and min(totals) == max(totals):
            return None
        return lost if self.may_go_back() else None

    def may_go_back(self) -> bool:
        """Count a step back, and return whether it is one of those allowed; a problem if it is not."""
        self._shifts += 1
        if self._shifts > _MOST_SHIFTS:
            self.add_problem(PagingError("the list changes faster than it is read"))
        return self._shifts <= _MOST_SHIFTS
