"""Selection of the rows of a list: filter, sort, one page."""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from typing import Any, Final

import attrs

from kajabi_async.testing.filter_scope import FilterScope, Moment
from kajabi_async.testing.filters import filters_for
from kajabi_async.testing.quirks import Quirks
from kajabi_async.testing.request_query import RequestQuery
from kajabi_async.testing.rows import Row
from kajabi_async.testing.selection import Selection
from kajabi_async.testing.state import Store

__all__ = ["NEWEST_FIRST", "SORT_KEYS", "Lister", "PageOfRows"]

_DEFAULT_SIZE: Final = 30
_SIZES: Final = {"contact_notes": 20, "kajabi_payments_payouts": 10}
"""Default page sizes: 20 is documented for notes, 10 printed for payouts, 30 observed elsewhere."""
_KEPT_SELECTIONS: Final = 16
"""Each takes eight bytes for each of its rows."""

SORT_KEYS: Final[dict[str, tuple[str, ...]]] = {
    "sites": ("title", "subdomain"),
    "contacts": ("name", "email", "created_at"),
    "customers": ("name", "email", "created_at", "net_revenue", "last_request_at"),
    "contact_tags": ("name",),
    "contact_notes": ("created_at", "updated_at"),
    "custom_fields": ("title", "handle", "type", "required"),
    "offers": ("title", "price_in_cents"),
    "products": ("title", "description", "status"),
    "courses": ("title",),
    "forms": ("title",),
    "form_submissions": ("name", "email", "created_at"),
    "orders": ("order_number", "created_at", "fulfilled_at"),
    "order_items": ("created_at", "quantity", "fulfilled_at"),
    "purchases": (
        "multipay_payments_made", "opt_in", "currency", "effective_start_at", "cardholder_name",
        "billing_address_zip", "deactivated_at", "deactivation_reason", "coupon_code", "source", "referrer",
        "quantity", "created_at", "updated_at",
    ),
    "podcasts": ("title",),
    "blog_posts": ("title", "published_at"),
    "landing_pages": ("title", "publish_at"),
    "website_pages": ("created_at",),
}  # fmt: skip
"""The sort keys of each list; any other key is ignored."""

NEWEST_FIRST: Final = frozenset({"contacts", "customers", "contact_notes"})
"""Types that are listed newest first, without a sort."""
_IN_ORDER_OF_CREATION: Final = NEWEST_FIRST | {"website_pages"}
"""Types whose order of creation is the order of created_at, so that sorting by it costs nothing."""


@attrs.frozen
class PageOfRows:
    """One page of a list, with its position in the list."""

    rows: list[Row]
    total: int
    number: int
    size: int

    @property
    def last(self) -> int:
        """The number of the last page; 1 for an empty list."""
        return max(1, -(-self.total // self.size))


class Lister:
    """Finds pages; keeps the latest filtered and sorted lists."""

    def __init__(
        self,
        store: Store,
        *,
        now: Callable[[], datetime],
        max_size: int,
        default_size: int | None,
        quirks: Quirks,
    ) -> None:
        """List the rows of *store*; page sizes above *max_size* are clamped to it silently."""
        self._quirks = quirks
        self._store = store
        self._now = now
        self._max_size = max_size
        self._default_size = default_size
        self._selections: OrderedDict[Any, Selection] = OrderedDict()

    def work(self, type_name: str, query: RequestQuery, begun: datetime) -> Iterator[None]:
        """Do in small steps what `page` would do at once."""
        found = self._selection(type_name, query)
        if isinstance(found, Selection):
            yield from found.work(begun, self._now)
        for resource_id in self._ids(type_name, query, found):
            self._store.get(type_name, resource_id)
            yield

    def page(self, type_name: str, query: RequestQuery, begun: datetime) -> PageOfRows:
        """Return the page that *query* requests; a page past the end is empty.

        *begun* is the time of the work that was done for it in steps.
        """
        found = self._current(type_name, query, begun)
        total = len(found) if isinstance(found, Selection) else self._store.count(type_name)
        ids = self._ids(type_name, query, found)
        rows = [row for resource_id in ids if (row := self._store.get(type_name, resource_id))]
        return PageOfRows(rows, total, query.page_number, self._size(type_name, query))

    def all_ids(self, type_name: str, query: RequestQuery, begun: datetime) -> list[str]:
        """Return the ids of all pages in the order of creation."""
        found = self._current(type_name, query, begun)
        if isinstance(found, Selection):
            return found.ids(0, len(found), newest_first=False)
        return list(self._store.ids(type_name, 0, self._store.count(type_name)))

    def _current(self, type_name: str, query: RequestQuery, begun: datetime) -> "Selection | _Natural":
        found = self._selection(type_name, query)
        if isinstance(found, Selection):
            for _ in found.work(begun, self._now):
                pass
        return found

    def _ids(self, type_name: str, query: RequestQuery, found: "Selection | _Natural") -> list[str]:
        size = self._size(type_name, query)
        end = query.page_number * size
        start = max(0, end - size - query.rows_before)
        if isinstance(found, Selection):
            # A sorted list is in order; the others are in the order of creation.
            reverse = type_name in NEWEST_FIRST and not self._sort_keys(type_name, query)
            return found.ids(start, end, newest_first=reverse)
        return list(self._store.ids(type_name, start, end, newest_first=found.newest_first))

    def _size(self, type_name: str, query: RequestQuery) -> int:
        default = _SIZES.get(type_name, self._default_size or _DEFAULT_SIZE)
        requested = None if type_name == "kajabi_payments_payouts" else query.page_size
        return min(requested or default, self._max_size)

    @staticmethod
    def _sort_keys(type_name: str, query: RequestQuery) -> tuple[str, ...]:
        return tuple(key for key in query.sort if key.removeprefix("-") in SORT_KEYS.get(type_name, ()))

    def _selection(self, type_name: str, query: RequestQuery) -> "Selection | _Natural":
        keys = self._sort_keys(type_name, query)
        scope = self._scope()
        filters_in = partial(filters_for, type_name, query)
        filters = filters_in(scope)
        if not filters and (not keys or _is_by_creation(type_name, keys[0])):
            return _Natural(keys[0].startswith("-") if keys else type_name in NEWEST_FIRST)
        key = type_name, tuple((each.name, each.value) for each in filters), keys
        if key not in self._selections:
            self._selections[key] = Selection(type_name, self._store, filters_in, keys, scope)
            while len(self._selections) > _KEPT_SELECTIONS:
                self._selections.popitem(last=False)
        self._selections.move_to_end(key)
        return self._selections[key]

    def _scope(self) -> FilterScope:
        sites = frozenset(self._store.ids("sites", 0, self._store.count("sites")))
        return FilterScope(self._store, Moment(self._now()), self._quirks, sites)


@attrs.frozen
class _Natural:
    """A list of all rows in the order of creation, which takes no work."""

    newest_first: bool


def _is_by_creation(type_name: str, key: str) -> bool:
    return type_name in _IN_ORDER_OF_CREATION and key.removeprefix("-") == "created_at"
