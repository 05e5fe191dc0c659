"""The filters of the lists; an unknown filter is ignored silently, as the server does (observed).

The names are declared here again and not imported from the client, as the fake is the witness against it. The end of
this file says which other rows filters read: a write to one of these may change a list, too.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import timedelta
from itertools import chain
from typing import Final

import attrs

from kajabi_async.testing.comparing import SUFFIXES, compare, is_true, moment
from kajabi_async.testing.dataset.family import Readable
from kajabi_async.testing.dataset.people import numbers_with
from kajabi_async.testing.filter_scope import FilterScope, Moment, Passes
from kajabi_async.testing.owner_index import Owned
from kajabi_async.testing.people_filters import people_filter
from kajabi_async.testing.request_query import RequestQuery, listed
from kajabi_async.testing.state import Seed, Source, Store

__all__ = ["Filter", "affected_by", "filters_for"]

_TEXT: Final = ("eq", "cont", "not_eq", "not_cont", "start", "end")
_ORDER: Final = ("gt", "gte", "gteq", "lt", "lte", "lteq")
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


def _names(attributes: Collection[str], suffixes: Collection[str]) -> frozenset[str]:
    return frozenset(f"{attribute}_{suffix}" for attribute in attributes for suffix in suffixes)


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
    "orders": _names(("order_number", *_ORDERED), SUFFIXES),
    "order_items": _names(("quantity", "item_type", "item_id", "title", *_ORDERED), SUFFIXES),
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

_PEOPLE: Final = frozenset({"contacts", "customers"})

_SEARCHING: Final = frozenset({"search", "email_contains"})
"""The filters that use the search index."""

_ON_SUBMISSIONS: Final = frozenset({"submitted_form_id", "no_submitted_form_id"})

_DATED: Final = {"transactions": "created_at", "kajabi_payments_payouts": "initiated_date"}


_SUFFIXES: Final = range(10)
"""The last digit of the id of what a customer owns; the digits before it are the customer's id."""


@attrs.frozen
class Filter:
    """A filter of a request that some row may not pass."""

    type: str
    name: str
    value: str
    passes: Passes

    def positions(self, seed: Seed) -> Sequence[int] | None:
        """Return the ascending positions of the seeded rows that may pass, without reading others; None for all.

        Ids and emails of the data set contain the number of their customer, so a filter that names one leaves a few.
        """
        if self.type in _PEOPLE and self.name in _SEARCHING:
            text = self.value.casefold()
            return _with_email(text.split() if self.name == "search" else [text], seed.size(self.type))
        return self._owned(seed) if _OWNERS.get((self.type, self.name)) == "customer" else None

    def _owned(self, seed: Seed) -> list[int]:
        ids = (f"{customer}{suffix}" for customer in listed(self.value) for suffix in _SUFFIXES)
        return sorted({at for each in ids if (at := seed.position(self.type, each)) is not None})

    def preparation(self, seed: Seed) -> Iterator[None]:
        """Do in small steps what would take long at the first test of a row."""
        if self.name in _ON_SUBMISSIONS:
            yield from seed.submissions.reading()


def _with_email(texts: Iterable[str], count: int) -> range | None:
    # Only an email contains the sign.
    found = [numbers_with(text, count) for text in texts if "@" in text]
    if not found:
        return None
    fewest = min(found, key=len)
    return range(fewest.start - 1, fewest.stop - 1, fewest.step)


def filters_for(type_name: str, query: RequestQuery, scope: FilterScope) -> tuple[Filter, ...]:
    """Return the filters that a row of the type has to pass; those that every row passes are left out."""
    found: list[Filter] = []
    for name, value in query.filters:
        passes = None if scope.ignores(name) else _filter(type_name, name, value, scope)
        if passes is not None:
            found.append(Filter(type_name, name, value, passes))
        if type_name in _PEOPLE and name in _SEARCHING:
            found.append(Filter(type_name, name, value, scope.is_searchable))
    return tuple(found)


def _filter(type_name: str, name: str, value: str, scope: FilterScope) -> Passes | None:
    if name == "site_id" and type_name != "sites":
        return _of_site(value, scope.sites)
    if type_name in _PEOPLE:
        return people_filter(name, value, scope)
    if name in _SUFFIXED.get(type_name, ()):
        return _suffixed(name, value)
    owner = _OWNERS.get((type_name, name))
    if owner is not None:
        expected = frozenset(listed(value))
        return lambda row: not expected.isdisjoint(row.related(owner))
    if type_name in _DATED and name in {"start_date", "end_date"}:
        return _dated(_DATED[type_name], name, value)
    make = _SPECIAL.get((type_name, name))
    return None if make is None else make(value, scope)


def _of_site(value: str, sites: frozenset[str]) -> Passes | None:
    expected = frozenset(listed(value))
    # With a single site every row passes.
    return None if sites <= expected and len(sites) == 1 else lambda row: row.site_id in expected


def _suffixed(name: str, value: str) -> Passes:
    suffix = max((suffix for suffix in SUFFIXES if name.endswith(f"_{suffix}")), key=len)
    attribute = name.removesuffix(f"_{suffix}")
    # The server's library splits every value at its commas, and a predicate for one value takes the first.
    expected = value if suffix in _OF_SEVERAL else value.partition(",")[0]
    return lambda row: compare(suffix, row.value(attribute), expected)


def _dated(attribute: str, name: str, value: str) -> Passes | None:
    limit = moment(value)
    if limit is None:
        return None
    is_start = name == "start_date"
    last = limit + timedelta(days=1) if len(value) == len("2024-01-31") else limit

    def passes(row: Readable) -> bool:
        time = moment(row.value(attribute))
        return time is not None and (time >= limit if is_start else time < last)

    return passes


def _excluding(value: str) -> Passes:
    excluded = frozenset(listed(value))
    return lambda row: row.value("productizable_type") not in excluded


def _ended(expected: bool, scope: FilterScope) -> Passes:
    return lambda row: scope.has_ended(row) is expected


def _of_status(value: str) -> Passes:
    expected = value.casefold()
    return lambda row: str(row.value("status")).casefold().replace(" ", "_") == expected


def _is_published(row: Readable, now: Moment) -> bool:
    time = moment(row.value("publish_at"))
    return time is not None and now.has_reached(time)


def _has_customer_like(row: Readable, text: str, source: Source[Readable]) -> bool:
    customers = (source.get("customers", key) for key in row.related("customer"))
    values = (customer.value(name) for customer in customers if customer for name in ("name", "email"))
    return any(text in value.casefold() for value in values if value)


_SPECIAL: Final[dict[tuple[str, str], Callable[[str, FilterScope], Passes]]] = {
    ("products", "exclude_product_types]["): lambda value, _: _excluding(value),
    ("purchases", "active"): lambda value, scope: _ended(not is_true(value), scope),
    ("purchases", "deactivated"): lambda value, scope: _ended(is_true(value), scope),
    ("purchases", "referrer"): lambda value, _: lambda row: compare("cont", row.value("referrer"), value),
    ("landing_pages", "published"): lambda value, scope: lambda row: _is_published(row, scope.moment) is is_true(value),
    ("kajabi_payments_payouts", "status"): lambda value, _: _of_status(value),
    ("transactions", "name_or_email"): lambda value, scope: (
        lambda row: _has_customer_like(row, value.casefold(), scope.source)
    ),
}
"""The filters with rules of their own, by type and name."""

_ReadBy = Callable[[Store, str], Iterable[str]]
"""Returns the ids of the rows that may read the row with an id."""


def affected_by(store: Store, type_name: str, version: int) -> dict[str, None]:
    """Return the ids of the type that writes after *version* may have moved into or out of a list."""
    found = dict.fromkeys(store.written_since(type_name, version))
    for written, read_by in _READERS.get(type_name, {}).items():
        found |= dict.fromkeys(_readers(store, store.written_since(written, version), read_by))
    return found


def _readers(store: Store, ids: Iterable[str], read_by: _ReadBy) -> Iterator[str]:
    return chain.from_iterable(read_by(store, resource_id) for resource_id in ids)


def _contacts_of(store: Store, customer_id: str) -> Iterable[str]:
    seeded = store.seed.get("customers", customer_id)
    return *(seeded.related("contact") if seeded else ()), *store.written_of(Owned.CONTACTS_OF_CUSTOMER, customer_id)


def _customers_of(store: Store, contact_id: str) -> Iterable[str]:
    seeded = store.seed.get("contacts", contact_id)
    return *(seeded.related("customer") if seeded else ()), *store.written_of(Owned.CUSTOMERS_OF_CONTACT, contact_id)


def _buyers(store: Store, purchase_id: str) -> Iterable[str]:
    return store.owners(Owned.PURCHASES_OF_CUSTOMER, purchase_id)


def _submitters(store: Store, submission_id: str) -> Iterable[str]:
    return store.owners(Owned.SUBMISSIONS_OF_CONTACT, submission_id)


def _transactions_of(store: Store, customer_id: str) -> Iterable[str]:
    seeded = (f"{customer_id}{suffix}" for suffix in _SUFFIXES)
    return *seeded, *store.written_of(Owned.TRANSACTIONS_OF_CUSTOMER, customer_id)


_READERS: Final[dict[str, dict[str, _ReadBy]]] = {
    "contacts": {
        "customers": _contacts_of,
        "purchases": lambda store, key: _readers(store, _buyers(store, key), _contacts_of),
        "form_submissions": _submitters,
    },
    "customers": {
        "contacts": _customers_of,
        "purchases": _buyers,
        "form_submissions": lambda store, key: _readers(store, _submitters(store, key), _customers_of),
    },
    "transactions": {"customers": _transactions_of},
}
"""By type of a list and type of a written row, who reads it."""
