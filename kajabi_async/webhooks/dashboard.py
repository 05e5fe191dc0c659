"""The webhooks set up in the dashboard of a site: older ones with other names, in three other shapes.

Kajabi publishes no schema for them. This module follows its help pages and deliveries recorded by integrators, so
everything but the id may be None, and `fields` holds the whole delivery.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar, Final, TypeVar, get_args

import attrs

from kajabi_async.decoding.values import Refused, converter_for
from kajabi_async.jsonapi import codec
from kajabi_async.jsonapi.codec import json_object
from kajabi_async.models.resource import Part
from kajabi_async.models.unreadable import dotted
from kajabi_async.webhooks.delivery_errors import MalformedDeliveryError

__all__ = [
    "DASHBOARD_EVENTS",
    "DashboardEvent",
    "DashboardFormSubmissionCreated",
    "DashboardOrderCreated",
    "DashboardPaymentSucceeded",
    "DashboardPurchaseCreated",
    "Member",
    "OrderedItem",
    "Payment",
    "PlacedOrder",
    "SoldOffer",
    "delivery_id",
    "kind_of",
    "read_dashboard_event",
]

P = TypeVar("P", bound=Part)

_CUSTOM_FIELD: Final = "custom_field_"
_ID_LIMIT: Final = 10**255
_ENVELOPE: Final = frozenset({"id", "event", "payload"})


@attrs.frozen(kw_only=True)
class Member(Part):
    """The buyer or payer, as entered at checkout."""

    id: str | None = None
    email: str | None = None
    name: str | None = None
    first_name: str | None = None
    last_name: str | None = None


@attrs.frozen(kw_only=True)
class SoldOffer(Part):
    """The offer or offers that were sold."""

    id: str | None = None
    """The id, or several separated by commas if one payment covers order bumps too (integrators)."""
    title: str | None = None
    """The title, or several in one text, which cannot be split, since a title may contain commas."""

    @property
    def ids(self) -> tuple[str, ...]:
        """The single ids; empty if there are none."""
        return tuple(part.strip() for part in (self.id or "").split(",") if part.strip())


@attrs.frozen(kw_only=True)
class Payment(Part):
    """A payment."""

    id: str | None = None
    amount_paid: int | None = None
    """The amount in hundredths of the currency."""
    amount_paid_decimal: Decimal | None = None
    """The amount in the currency."""
    currency: str | None = None
    payment_method: str | None = None
    payment_processor: str | None = None
    coupon_code: str | None = None


@attrs.frozen(kw_only=True)
class OrderedItem(Part):
    """One line of an order."""

    id: str | None = None
    title: str | None = None
    unit_cost: int | None = None
    """The price of one in hundredths of the currency."""
    quantity: int | None = None


@attrs.frozen(kw_only=True)
class PlacedOrder(Part):
    """An order with its items."""

    id: str | None = None
    order_items: tuple[OrderedItem, ...] | None = None


@attrs.frozen(kw_only=True, repr=False)
class DashboardEvent:
    """One delivery of a webhook of the dashboard."""

    id: str
    """The id of the delivery, or that of the transaction if the delivery has none, see `has_own_id`."""
    has_own_id: bool = True
    """Whether the delivery has an id of its own: payments were recorded with and without one."""
    fields: Mapping[str, Any]
    """The whole delivery as received: its payload, or its own members if it has none."""

    name: ClassVar[str]
    """The event as the dashboard calls it, such as ``purchase.created``."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id}>"


@attrs.frozen(kw_only=True, repr=False)
class DashboardPurchaseCreated(DashboardEvent):
    """An offer was bought; a purchase in a cart sends `DashboardOrderCreated` instead."""

    member: Member
    offer: SoldOffer
    payment: Payment
    custom_fields: Mapping[str, Any]
    """The custom fields of the checkout by handle: ``custom_field_size`` is here as ``size``."""

    name = "purchase.created"


@attrs.frozen(kw_only=True, repr=False)
class DashboardPaymentSucceeded(DashboardEvent):
    """A payment succeeded, single or any of a subscription."""

    member: Member
    offer: SoldOffer
    payment: Payment

    name = "payment.succeeded"


@attrs.frozen(kw_only=True, repr=False)
class DashboardFormSubmissionCreated(DashboardEvent):
    """A form was submitted."""

    form_title: str | None
    answers: Mapping[str, Any]
    """The answers by the labels of the form's fields; renaming a field renames its answer."""

    name = "form_submission.created"


@attrs.frozen(kw_only=True, repr=False)
class DashboardOrderCreated(DashboardEvent):
    """A cart was checked out: one order, one payment, any number of items (help page "Cart Purchase")."""

    order: PlacedOrder
    member: Member
    payment: Payment

    name = "order.created"


DashboardEvents = (
    DashboardPurchaseCreated | DashboardPaymentSucceeded | DashboardOrderCreated | DashboardFormSubmissionCreated
)

DASHBOARD_EVENTS: Final[Mapping[str, type[DashboardEvent]]] = {event.name: event for event in get_args(DashboardEvents)}
"""The class for each event of the dashboard."""


def read_dashboard_event(name: str, body: Mapping[str, Any]) -> DashboardEvents:
    """Read a delivery of the event ``name``; MalformedDeliveryError if it does not have the shape of one."""
    source = _source(name, body)
    if name == DashboardFormSubmissionCreated.name:
        return _form_submission(source)
    if name == DashboardOrderCreated.name:
        return _order_created(source)
    sold = _sold(source)
    if name == DashboardPaymentSucceeded.name:
        return DashboardPaymentSucceeded(**sold)
    handles = (key for key in source.fields if key.startswith(_CUSTOM_FIELD))
    custom_fields = {handle.removeprefix(_CUSTOM_FIELD): source.fields[handle] for handle in handles}
    return DashboardPurchaseCreated(**sold, custom_fields=custom_fields)


@attrs.frozen
class _FactSource:
    """The members of a delivery that hold its facts: its payload, or those beside its id."""

    name: str
    fields: Mapping[str, Any]
    place: str
    own_id: Any

    def head(self, transaction_id: str | None = None) -> dict[str, Any]:
        """Return what every event has: the whole delivery and its id, or that of the transaction if it has none.

        MalformedDeliveryError if neither has an id.
        """
        if self.own_id is None and transaction_id:
            return {"id": transaction_id, "has_own_id": False, "fields": self.fields}
        return {"id": delivery_id(self.name, self.own_id), "fields": self.fields}

    def part(self, cls: type[P], nested: str, flat: Mapping[str, str]) -> P:
        """Read ``cls`` from the object ``nested``, or if it is missing, from the members named in ``flat``."""
        if self.fields.get(nested) is not None:
            return self._converted(cls, self.fields[nested], {name: f"{nested}.{name}" for name in flat}, nested)
        members = {name: self.fields[called] for name, called in flat.items() if called in self.fields}
        return self._converted(cls, members, flat, nested)

    def text(self, name: str) -> str | None:
        value = self.fields.get(name)
        try:
            return None if value is None else converter_for(str)(value)
        except Refused as refused:
            problem = _expected(refused)
        raise self.error(problem, name)

    def error(self, problem: str, name: str = "") -> MalformedDeliveryError:
        path = ".".join(step for step in (self.place, name) if step)
        return MalformedDeliveryError(problem, path=path, event=self.name)

    def _converted(self, cls: type[P], value: Any, called: Mapping[str, str], nested: str) -> P:
        try:
            part: P = converter_for(cls)(value)
        except Refused as refused:
            problem, path = _expected(refused), called.get(dotted(refused.steps), nested)
        else:
            return part
        # Raised outside the handler: the caught error holds the value, and would be the context of this one.
        raise self.error(problem, path)


def _sold(source: _FactSource) -> dict[str, Any]:
    member = source.part(Member, "member", _flat(Member, "member_"))
    offer = source.part(SoldOffer, "offer", _flat(SoldOffer, "offer_"))
    payment = source.part(Payment, "payment_transaction", {**_flat(Payment, ""), "id": "transaction_id"})
    if (member, offer, payment) == (Member(), SoldOffer(), Payment()):
        raise source.error("it has no member, no offer and no payment")
    return {**source.head(payment.id), "member": member, "offer": offer, "payment": payment}


def _flat(cls: type[Part], prefix: str) -> dict[str, str]:
    return {field.name: f"{prefix}{field.name}" for field in attrs.fields(cls) if field.name != "extra"}


def _source(name: str, body: Mapping[str, Any]) -> _FactSource:
    if body.get("payload") is None and name != DashboardFormSubmissionCreated.name:
        # Some recorded deliveries have no payload: offer, member and payment are beside id and event.
        return _FactSource(
            name, {key: value for key, value in body.items() if key not in _ENVELOPE}, "", body.get("id")
        )
    fields = json_object(body.get("payload"))
    if fields is None:
        raise MalformedDeliveryError("expected an object", path="payload", event=name)
    return _FactSource(name, fields, "payload", body.get("id"))


def _order_created(source: _FactSource) -> DashboardOrderCreated:
    order = source.part(PlacedOrder, "order", {})
    paid = json_object(source.fields.get("payment_transaction")) or {}
    payment = source.part(Payment, "payment_transaction", {})
    person = _FactSource(source.name, paid, ".".join(filter(None, (source.place, "payment_transaction"))), None)
    member = person.part(Member, "customer", {}) if "customer" in paid else source.part(Member, "member", {})
    if (order, payment) == (PlacedOrder(), Payment()):
        raise source.error("it has no order and no payment")
    return DashboardOrderCreated(**source.head(payment.id), order=order, member=member, payment=payment)


def _form_submission(source: _FactSource) -> DashboardFormSubmissionCreated:
    return DashboardFormSubmissionCreated(
        **source.head(),
        form_title=source.text("form_title"),
        answers={label: answer for label, answer in source.fields.items() if label != "form_title"},
    )


def delivery_id(event: str, value: Any) -> str:
    """Return the id of a delivery as text; MalformedDeliveryError if ``value`` is neither text nor a whole number."""
    if type(value) is int and abs(value) < _ID_LIMIT:
        return str(value)
    if not isinstance(value, str) or not value:
        raise MalformedDeliveryError(f"expected text, got {kind_of(value)}", path="id", event=event)
    return value


def kind_of(value: Any) -> str:
    """Return the kind of a JSON value in words, without its content; None also stands for an absent one."""
    return "null or nothing" if value is None else codec.kind_of(value)


def _expected(refused: Refused) -> str:
    # The actual value is left out: it may be personal data.
    return f"expected {refused.expected}"
