"""The 72 filters that contacts and customers share.

Filters on data that the data set has select by it. The data set has no email broadcasts, sequences, newsletters,
events or assessments: filters on these match no person, and their negations match every person.
"""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import attrs

from kajabi_async.testing.comparing import is_true, moment
from kajabi_async.testing.dataset.family import Readable
from kajabi_async.testing.filter_scope import FilterScope, Passes
from kajabi_async.testing.ownership import purchases_of, submissions_of
from kajabi_async.testing.request_query import listed

__all__ = ["people_filter"]


@attrs.define
class _ContactAndCustomer:
    """A contact and its customer, for a list of either type."""

    row: Readable
    scope: FilterScope

    @property
    def contact(self) -> Readable | None:
        return self.row if self.row.type == "contacts" else self._other("contact")

    @property
    def customer(self) -> Readable | None:
        return self.row if self.row.type == "customers" else self._other("customer")

    def _other(self, relation: str) -> Readable | None:
        related = self.row.related(relation)
        return self.scope.source.get(f"{relation}s", related[0]) if related else None

    def contact_value(self, name: str) -> Any:
        return None if (contact := self.contact) is None else contact.value(name)

    def customer_value(self, name: str) -> Any:
        return None if (customer := self.customer) is None else customer.value(name)

    @property
    def tags(self) -> tuple[str, ...]:
        return () if (contact := self.contact) is None else contact.related("tags")

    @property
    def products(self) -> tuple[str, ...]:
        return () if (customer := self.customer) is None else customer.related("products")

    @property
    def purchases(self) -> list[Readable]:
        return [] if (customer := self.customer) is None else purchases_of(self.scope.source, customer.id)

    @property
    def former_products(self) -> set[str]:
        ended = [purchase for purchase in self.purchases if self.scope.has_ended(purchase)]
        return {product for purchase in ended for product in purchase.related("products")} - set(self.products)

    @property
    def forms(self) -> set[str]:
        submissions = [] if (contact := self.contact) is None else submissions_of(self.scope.source, contact.id)
        return {form for submission in submissions for form in submission.related("form")}


_Test = Callable[[_ContactAndCustomer, str], bool]


def people_filter(name: str, value: str, scope: FilterScope) -> Passes | None:
    """Return the test for the filter *name* with *value*; None for a filter that does not exist."""
    if name in _IN_LAST:
        return _in_last(*_IN_LAST[name], value, scope)
    passes = _TESTS.get(name)
    if passes is not None:
        return lambda row: passes(_ContactAndCustomer(row, scope), value)
    if name in _WITHOUT_DATA:
        passes_all = name.startswith(("no_", "not_"))
        return lambda _: passes_all
    return None


def _ids(value: str) -> frozenset[str]:
    return frozenset(listed(value))


def _matches_search(person: _ContactAndCustomer, value: str) -> bool:
    text = f"{person.row.value('name')} {person.row.value('email')}".casefold()
    return all(word in text for word in value.casefold().split())


def _contains(attribute: str) -> _Test:
    def passes(person: _ContactAndCustomer, value: str) -> bool:
        text = person.contact_value(attribute)
        return isinstance(text, str) and value.casefold() in text.casefold()

    return passes


def _revenue(test: Callable[[Decimal, Decimal], bool]) -> _Test:
    def passes(person: _ContactAndCustomer, value: str) -> bool:
        try:
            return test(Decimal(str(person.customer_value("net_revenue") or 0)), Decimal(value))
        except InvalidOperation:
            return False

    return passes


_CONTAINING: Final = (
    "name", "email", "phone_number", "mobile_phone_number", "address_line_1", "address_line_2", "address_city",
    "address_state", "address_country", "address_zip",
)  # fmt: skip

_TESTS: Final[dict[str, _Test]] = {
    "search": _matches_search,
    **{f"{attribute}_contains": _contains(attribute) for attribute in _CONTAINING},
    "has_tag_id": lambda person, value: not _ids(value).isdisjoint(person.tags),
    "has_all_tag_id": lambda person, value: _ids(value) <= set(person.tags),
    "has_no_tag_id": lambda person, value: _ids(value).isdisjoint(person.tags),
    "has_offer_id": lambda person, value: not _ids(value).isdisjoint(person.row.related("offers")),
    "has_no_offer_id": lambda person, value: _ids(value).isdisjoint(person.row.related("offers")),
    "has_product_id": lambda person, value: not _ids(value).isdisjoint(person.products),
    "has_active_product_id": lambda person, value: not _ids(value).isdisjoint(person.products),
    "has_no_product_id": lambda person, value: _ids(value).isdisjoint(person.products),
    "previously_owned_product_id": lambda person, value: not _ids(value).isdisjoint(person.former_products),
    "submitted_form_id": lambda person, value: not _ids(value).isdisjoint(person.forms),
    "no_submitted_form_id": lambda person, value: _ids(value).isdisjoint(person.forms),
    "used_coupon_code": lambda person, value: any(
        purchase.value("coupon_code") == value for purchase in person.purchases
    ),
    "subscribed": lambda person, value: bool(person.contact_value("subscribed")) is is_true(value),
    "never_subscribed": lambda person, value: bool(person.contact_value("never_subscribed")) is is_true(value),
    "is_hard_bouncing": lambda person, value: bool(person.customer_value("bounced_at")) is is_true(value),
    "is_hidden": lambda _, value: not is_true(value),
    "net_revenue_equal_to": _revenue(lambda revenue, limit: revenue == limit),
    "net_revenue_greater_than": _revenue(lambda revenue, limit: revenue > limit),
    "net_revenue_less_than": _revenue(lambda revenue, limit: revenue < limit),
}

_TimeOf = Callable[[_ContactAndCustomer], Any]


def _created_at(person: _ContactAndCustomer) -> Any:
    return person.row.value("created_at")


def _seen_at(person: _ContactAndCustomer) -> Any:
    return person.customer_value("last_request_at")


_IN_LAST: Final[dict[str, tuple[bool, _TimeOf]]] = {
    "created_in_last": (False, _created_at),
    "not_created_in_last": (True, _created_at),
    "joined_in_last": (False, lambda person: person.customer_value("created_at")),
    "active_in_last": (False, _seen_at),
    "inactive_in_last": (True, _seen_at),
    "bounced_in_last": (False, lambda person: person.customer_value("bounced_at")),
    "subscribed_in_last": (
        False,
        lambda person: person.contact_value("created_at") if person.contact_value("subscribed") else None,
    ),
}
"""Filters on a number of days: whether they are negated, and the time that they test."""

_BROADCAST: Final = ("sent", "opened", "clicked", "bounced", "dropped")
_WITHOUT_DATA: Final = frozenset(
    {
        *(f"{verb}_email_broadcast_id" for verb in _BROADCAST),
        *(f"no_{verb}_email_broadcast_id" for verb in (*_BROADCAST, "delivered")),
        "no_sent_email_broadcast_ids",
        *(f"{no}{verb}_email_in_last" for no in ("", "not_") for verb in ("opened", "delivered", "clicked")),
        *(f"{what}_in_last" for what in ("unsubscribed", "complained", "manually_unsubscribed", "opted_out")),
        *(f"{how}_contacts_with_open_data" for how in ("healthy", "passive", "unengaged", "inactive")),
        *(f"{how}_assessment_id" for how in ("completed", "passed", "failed")),
        *(f"{no}registered_event_id" for no in ("", "not_")),
        *(f"{how}subscribed_newsletter_id" for how in ("", "un")),
        *(f"{no}subscribed_email_sequence_id" for no in ("", "not_")),
    }
)


def _in_last(is_negated: bool, time_of: _TimeOf, value: str, scope: FilterScope) -> Passes | None:
    if not (value.isascii() and value.isdecimal() and len(value) <= len("36500")):
        return None
    days = timedelta(days=int(value))

    def passes(row: Readable) -> bool:
        time = moment(time_of(_ContactAndCustomer(row, scope)))
        return (time is not None and not scope.moment.is_past(time, days)) is not is_negated

    return passes
