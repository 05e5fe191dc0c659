"""Selection of the rows of a list: filter, sort, one page."""

from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any, Final

import attrs

from kajabi_async.testing.comparing import sort_value
from kajabi_async.testing.filters import Passes, filters_for
from kajabi_async.testing.quirks import Quirks
from kajabi_async.testing.request_query import RequestQuery
from kajabi_async.testing.rows import Row
from kajabi_async.testing.state import Store

__all__ = ["SORT_KEYS", "Lister", "PageOfRows"]

_DEFAULT_SIZE: Final = 30
_SIZES: Final = {"contact_notes": 20, "kajabi_payments_payouts": 10}
"""Default page sizes: 20 is documented for notes, 10 printed for payouts, 30 observed elsewhere."""
_KEPT_SELECTIONS: Final = 8

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

_NEWEST_FIRST: Final = frozenset({"contacts", "customers", "contact_notes"})
_IN_ORDER_OF_CREATION: Final = frozenset({"contacts", "customers", "contact_notes", "website_pages"})
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
    """Finds pages; caches filtered and sorted lists until the store changes."""

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
        self._selections: OrderedDict[Any, list[str]] = OrderedDict()
        self._version = store.version

    def page(self, type_name: str, query: RequestQuery) -> PageOfRows:
        """Return the page that *query* requests; a page past the end is empty."""
        size = self._size(type_name, query)
        end = query.page_number * size
        start = max(0, end - size - query.rows_before)
        passes = filters_for(type_name, query, self._store, self._now(), self._quirks)
        keys = [key for key in query.sort if key.removeprefix("-") in SORT_KEYS.get(type_name, ())]
        if not passes and self._is_natural(type_name, keys):
            newest_first = keys[0].startswith("-") if keys else type_name in _NEWEST_FIRST
            ids = list(self._store.ids(type_name, start, end, newest_first=newest_first))
            total = self._store.count(type_name)
        else:
            selection = self._selection(type_name, query, passes, keys)
            ids, total = selection[start:end], len(selection)
        rows = [row for resource_id in ids if (row := self._store.get(type_name, resource_id))]
        return PageOfRows(rows, total, query.page_number, size)

    def _size(self, type_name: str, query: RequestQuery) -> int:
        default = _SIZES.get(type_name, self._default_size or _DEFAULT_SIZE)
        requested = None if type_name == "kajabi_payments_payouts" else query.page_size
        return min(requested or default, self._max_size)

    @staticmethod
    def _is_natural(type_name: str, keys: list[str]) -> bool:
        return not keys or (type_name in _IN_ORDER_OF_CREATION and keys[0].removeprefix("-") == "created_at")

    def _selection(self, type_name: str, query: RequestQuery, passes: tuple[Passes, ...], keys: list[str]) -> list[str]:
        if self._version != self._store.version or self._quirks.search_lag:
            self._selections.clear()
            self._version = self._store.version
        # The results of time filters change every second, even without a write.
        second = int(self._now().timestamp()) if any(map(_depends_on_time, query.filters)) else 0
        key = type_name, query.filters, tuple(keys), second
        if key not in self._selections:
            self._selections[key] = self._select(type_name, passes, keys)
            while len(self._selections) > _KEPT_SELECTIONS:
                self._selections.popitem(last=False)
        self._selections.move_to_end(key)
        return self._selections[key]

    def _select(self, type_name: str, passes: tuple[Passes, ...], keys: list[str]) -> list[str]:
        rows = [row for row in self._store.rows(type_name) if all(test(row) for test in passes)]
        if not keys and type_name in _NEWEST_FIRST:
            rows.reverse()
        for key in reversed(keys):
            rows.sort(key=partial(_sort_value, key.removeprefix("-")), reverse=key.startswith("-"))
        return [row.id for row in rows]


def _depends_on_time(named: tuple[str, str]) -> bool:
    name, _ = named
    return name in {"active", "deactivated", "published"} or name.endswith("_in_last")


def _sort_value(attribute: str, row: Row) -> tuple[bool, Any]:
    value = row.attributes.get(attribute, row.hidden.get(attribute))
    if attribute == "net_revenue" and value is not None:
        return False, float(value)
    return sort_value(value)
