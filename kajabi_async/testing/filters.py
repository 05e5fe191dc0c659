"""The filters of the lists; an unknown filter is ignored silently, as the server does (observed).

The names are declared here again and not imported from the client, as the fake is the witness against it.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Final

from kajabi_async.testing.comparing import SUFFIXES, compare, is_true, moment
from kajabi_async.testing.ownership import is_active
from kajabi_async.testing.people_filters import people_filter
from kajabi_async.testing.quirks import Quirks
from kajabi_async.testing.request_query import RequestQuery
from kajabi_async.testing.rows import Row
from kajabi_async.testing.state import Store

__all__ = ["Passes", "filters_for"]

Passes = Callable[[Row], bool]

_TEXT: Final = ("eq", "cont", "not_eq", "not_cont", "start", "end")
_ORDER: Final = ("gt", "gte", "gteq", "lt", "lte", "lteq")
_ALL: Final = tuple(SUFFIXES)
_OF_SEVERAL: Final = frozenset({"in", "not_in"})

_BLOG_POST: Final = (
    "title", "content", "slug", "page_title", "page_description", "published_at", "created_at", "updated_at",
    "image_url", "image_alt_text", "tags",
)  # fmt: skip
_LANDING_PAGE: Final = ("title", "publish_at", "created_at", "updated_at")
_PURCHASE: Final = (
    "amount_in_cents", "multipay_payments_made", "opt_in", "currency", "effective_start_at", "cardholder_name",
    "billing_address_zip", "deactivated_at", "deactivation_reason", "coupon_code", "source", "referrer", "quantity",
    "created_at", "updated_at",
)  # fmt: skip
_ORDERED: Final = (
    "currency_code", "fulfilled_at", "created_at", "total_price_in_cents", "subtotal_in_cents",
    "sales_tax_amount_in_cents", "discount_amount_in_cents",
)  # fmt: skip


def _names(attributes: Iterable[str], suffixes: Iterable[str]) -> frozenset[str]:
    known = tuple(suffixes)
    return frozenset(f"{attribute}_{suffix}" for attribute in attributes for suffix in known)


_SUFFIXED: Final[dict[str, frozenset[str]]] = {
    "sites": frozenset({"title_cont", "subdomain_cont"}),
    "contact_tags": frozenset({"name_cont"}),
    "custom_fields": frozenset({"title_cont", "type_eq", "required_eq"}),
    "offers": frozenset({"title_cont", "description_cont"}),
    "products": frozenset({"title_cont", "description_cont", "status_eq"}),
    "courses": frozenset({"title_cont", "description_cont", "publish_status_eq"}),
    "forms": frozenset({"title_cont"}),
    "podcasts": frozenset({"title_eq", "title_cont", "status_eq", "show_type_eq"}),
    "hooks": frozenset({"event_eq"}),
    "blog_posts": _names(_BLOG_POST, _TEXT),
    "landing_pages": _names(_LANDING_PAGE, (*_TEXT, *_ORDER)),
    "purchases": _names(_PURCHASE, (*_TEXT, *_ORDER)),
    "orders": _names(("order_number", *_ORDERED), _ALL),
    "order_items": _names(("quantity", "item_type", "item_id", "title", *_ORDERED), _ALL),
}
"""The filters that are an attribute with a suffix, by type."""

_OWNERS: Final = {
    ("contact_notes", "contact_id"): "contact",
    ("form_submissions", "form_id"): "form",
    ("orders", "customer_id"): "customer",
    ("purchases", "customer_id"): "customer",
    ("transactions", "customer_id"): "customer",
}
"""The filters that name the related id of a relation."""

_SEARCHING: Final = frozenset({"search", "email_contains"})
"""The filters that use the search index."""

_DATED: Final = {"transactions": "created_at", "kajabi_payments_payouts": "initiated_date"}


def filters_for(type_name: str, query: RequestQuery, store: Store, now: datetime, quirks: Quirks) -> tuple[Passes, ...]:
    """Return the tests that a row of the type has to pass; filters that every row passes are left out."""
    found: list[Passes] = []
    for name, value in query.filters:
        passes = None if quirks.ignores(name) else _filter(type_name, name, value, store, now)
        if passes is not None:
            found.append(passes)
        if type_name in {"contacts", "customers"} and name in _SEARCHING:
            found.append(lambda row: quirks.is_searchable(row, now))
    return tuple(found)


def _filter(type_name: str, name: str, value: str, store: Store, now: datetime) -> Passes | None:
    if name == "site_id" and type_name != "sites":
        return _of_site(value, store)
    if type_name in {"contacts", "customers"}:
        return people_filter(name, value, store, now)
    if name in _SUFFIXED.get(type_name, ()):
        return _suffixed(name, value)
    owner = _OWNERS.get((type_name, name))
    if owner is not None:
        expected = frozenset(part.strip() for part in value.split(","))
        return lambda row: not expected.isdisjoint(row.related(owner))
    if type_name in _DATED and name in {"start_date", "end_date"}:
        return _dated(_DATED[type_name], name, value)
    return _special(type_name, name, value, store, now)


def _of_site(value: str, store: Store) -> Passes | None:
    expected = frozenset(part.strip() for part in value.split(","))
    sites = set(store.ids("sites", 0, store.count("sites")))
    # With a single site every row passes.
    return None if sites <= expected and len(sites) == 1 else lambda row: row.site_id in expected


def _suffixed(name: str, value: str) -> Passes:
    suffix = max((suffix for suffix in SUFFIXES if name.endswith(f"_{suffix}")), key=len)
    attribute = name.removesuffix(f"_{suffix}")
    # The server's library splits every value at its commas, and a predicate for one value takes the first.
    expected = value if suffix in _OF_SEVERAL else value.partition(",")[0]
    return lambda row: compare(suffix, row.attributes.get(attribute, row.hidden.get(attribute)), expected)


def _dated(attribute: str, name: str, value: str) -> Passes | None:
    limit = moment(value)
    if limit is None:
        return None
    is_start = name == "start_date"
    last = limit + timedelta(days=1) if len(value) == len("2024-01-31") else limit

    def passes(row: Row) -> bool:
        time = moment(row.attributes.get(attribute))
        return time is not None and (time >= limit if is_start else time < last)

    return passes


def _special(type_name: str, name: str, value: str, store: Store, now: datetime) -> Passes | None:
    make = _SPECIAL.get((type_name, name))
    return None if make is None else make(value, store, now)


def _excluding(value: str) -> Passes:
    excluded = frozenset(part.strip() for part in value.split(","))
    return lambda row: row.hidden.get("productizable_type") not in excluded


def _ended(expected: bool, now: datetime) -> Passes:
    return lambda row: is_active(row, now) is not expected


def _of_status(value: str) -> Passes:
    expected = value.casefold()
    return lambda row: str(row.attributes.get("status")).casefold().replace(" ", "_") == expected


def _is_published(row: Row, now: datetime) -> bool:
    time = moment(row.attributes.get("publish_at"))
    return time is not None and time <= now


def _has_customer_like(row: Row, text: str, store: Store) -> bool:
    customers = (store.get("customers", key) for key in row.related("customer"))
    values = (customer.attributes.get(name) for customer in customers if customer for name in ("name", "email"))
    return any(text in value.casefold() for value in values if value)


_SPECIAL: Final[dict[tuple[str, str], Callable[[str, Store, datetime], Passes]]] = {
    ("products", "exclude_product_types]["): lambda value, _store, _now: _excluding(value),
    ("purchases", "active"): lambda value, _store, now: _ended(not is_true(value), now),
    ("purchases", "deactivated"): lambda value, _store, now: _ended(is_true(value), now),
    ("purchases", "referrer"): lambda value, _store, _now: (
        lambda row: compare("cont", row.attributes.get("referrer"), value)
    ),
    ("landing_pages", "published"): lambda value, _store, now: lambda row: _is_published(row, now) is is_true(value),
    ("kajabi_payments_payouts", "status"): lambda value, _store, _now: _of_status(value),
    ("transactions", "name_or_email"): lambda value, store, _now: (
        lambda row: _has_customer_like(row, value.casefold(), store)
    ),
}
"""The filters with rules of their own, by type and name."""
