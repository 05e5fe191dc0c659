"""Whether pages bring anything new: a server that links from one page to the next for ever is noticed by its rows."""

from collections import OrderedDict
from collections.abc import Collection, Iterable, Sequence
from typing import Final

from kajabi_async.errors import DecodeError, PagingError
from kajabi_async.models.base import Resource

__all__ = ["Novelty"]

_RECENT_IDS: Final = 10_000
"""How many row ids are remembered to notice rows that come again: bounded, and far beyond a page."""
MOST_FRUITLESS: Final = 100


class Novelty:
    """The ids of the latest rows, and how many pages in a row brought none that is not among them."""

    def __init__(self) -> None:
        self._recent: OrderedDict[str, None] = OrderedDict()
        self._fruitless = 0

    def is_new(self, resource_id: str) -> bool:
        """Note one row, and tell whether it has not come lately."""
        if resource_id in self._recent:
            return False
        self._recent[resource_id] = None
        self._forget()
        return True

    def are_new(self, rows: "Sequence[Resource | DecodeError]") -> bool:
        """Tell whether every row is one, and new; then they are noted all at once, as most pages are like that."""
        ids = {row.id: None for row in rows if not isinstance(row, DecodeError)}
        if len(ids) < len(rows) or not self._recent.keys().isdisjoint(ids):
            return False
        self._recent.update(ids)
        self._forget()
        return True

    def has_new(self, rows: "Iterable[Resource | DecodeError]") -> bool:
        """Tell whether a row among *rows* is new, and note none of them."""
        return any(row.id not in self._recent for row in rows if not isinstance(row, DecodeError))

    def note(self, rows: "Sequence[Resource | DecodeError]") -> bool:
        """Note the rows of a page, and tell whether one of them is new."""
        is_new = self.has_new(rows)
        self.note_known(row.id for row in rows if not isinstance(row, DecodeError))
        return is_new

    def note_known(self, ids: Iterable[str]) -> None:
        """Note rows that came before."""
        self._recent.update(dict.fromkeys(ids))
        self._forget()

    def refuse_fruitless(self, page: Collection[object], *, is_new: bool) -> None:
        """PagingError after too many pages in a row without a new row; *page*, the latest of them, is not the last."""
        self._fruitless = 0 if is_new else self._fruitless + 1
        if self._fruitless > MOST_FRUITLESS:
            kind = "pages in a row without a row that is new" if page else "empty pages in a row"
            raise PagingError(f"{self._fruitless} {kind}, each with a next link")

    def _forget(self) -> None:
        while len(self._recent) > _RECENT_IDS:
            self._recent.popitem(last=False)
