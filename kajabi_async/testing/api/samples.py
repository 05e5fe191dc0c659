"""The six hook samples: bare arrays, the primary resource first, every id "0" (API document, "Hooks")."""

from typing import Any, Final

from kajabi_async.testing.dataset.account import EVENTS
from kajabi_async.testing.dataset.forms import SUBMISSION_ATTRIBUTES
from kajabi_async.testing.dataset.people import attributes_of_new_customer
from kajabi_async.testing.replies import Reply
from kajabi_async.testing.world import Call, Handler, World

__all__ = ["SAMPLE_HANDLERS"]

_TYPES: Final = {
    "purchase": ("purchases", "offers", "customers"),
    "payment_succeeded": ("transactions", "customers"),
    "order_created": ("transactions", "customers", "orders", "order_items"),
    "form_submission": ("form_submissions", "forms"),
    "tag_added": ("contacts", "contact_tags"),
    "tag_removed": ("contacts", "contact_tags"),
}
_HOST: Final = "https://www.kajabi.test/api/v1"
_SITE: Final[dict[str, Any]] = {"data": {"id": "2", "type": "sites"}}
_IDENTITY: Final = {"name": "Sample Person", "email": "sample.person@example.com"}
_PRICES: Final = {
    "total_price_in_cents": 1000,
    "subtotal_in_cents": 900,
    "sales_tax_amount_in_cents": 100,
    "discount_amount_in_cents": 0,
    "formatted_total_price": "$10.00",
    "formatted_subtotal": "$9.00",
    "currency_symbol": "$",
}


def _one(type_name: str) -> dict[str, Any]:
    return {"data": {"id": "0", "type": type_name}}


def _many(*type_names: str) -> dict[str, Any]:
    return {"data": [{"id": "0", "type": type_name} for type_name in type_names]}


def _purchase(time: str) -> dict[str, Any]:
    null_at_first = (
        "multipay_payments_made", "effective_start_at", "cardholder_name", "billing_address_zip", "deactivated_at",
        "deactivation_reason", "coupon_code", "source", "referrer",
    )  # fmt: skip
    attributes: dict[str, Any] = {
        "amount_in_cents": 1000,
        "payment_type": "single",
        "opt_in": False,
        "raw_extra_contact_information": {},
        "currency": "USD",
        "quantity": 1,
        **dict.fromkeys(null_at_first),
        "created_at": time,
        "updated_at": time,
    }
    relationships = {"customer": _one("customers"), "offer": _one("offers"), "products": _many()}
    return {"attributes": attributes, "relationships": relationships}


def _offer(_time: str) -> dict[str, Any]:
    attributes = {
        "title": "Sample Offer",
        "description": None,
        "internal_title": None,
        "currency": "USD",
        "price_in_cents": 1000,
        "payment_type": "single",
        "token": "s4mpl3",
        "image_url": None,
        "payment_method": "stripe_and_paypal",
        "price_description": "$10.00 USD",
        "checkout_url": "https://sample.kajabi.test/offers/s4mpl3",
        "recurring_offer": False,
        "subscription": False,
        "one_time": True,
        "single": True,
        "free": False,
    }
    return {"attributes": attributes, "relationships": {"site": _SITE, "products": _many(), "forms": _many()}}


def _customer(time: str) -> dict[str, Any]:
    relationships = {
        "site": _SITE,
        "contact": _one("contacts"),
        "offers": {**_many(), "links": {"self": f"{_HOST}/customers/0/relationships/offers"}},
        "products": _many(),
    }
    attributes = attributes_of_new_customer(_IDENTITY, time)
    return {"attributes": attributes, "links": {"contact": f"{_HOST}/contacts/0"}, "relationships": relationships}


def _transaction(time: str) -> dict[str, Any]:
    attributes = {
        "action": "charge",
        "state": "succeeded",
        "payment_type": "charge",
        "amount_in_cents": 1000,
        "sales_tax_in_cents": 100,
        "currency": "USD",
        "currency_symbol": "$",
        "formatted_amount": "$10.00",
        "created_at": time,
    }
    return {"attributes": attributes, "relationships": {"customer": _one("customers"), "offer": {"data": None}}}


def _order(time: str) -> dict[str, Any]:
    attributes = {"order_number": 0, "currency_code": "USD", "fulfilled_at": None, "created_at": time, **_PRICES}
    relationships = {
        "site": _SITE,
        "customer": _one("customers"),
        "order_items": _many("order_items"),
        "payment_transactions": _many(),
    }
    return {"attributes": attributes, "relationships": relationships}


def _order_item(time: str) -> dict[str, Any]:
    item = {"quantity": 1, "currency_code": "USD", "item_type": "Offer", "item_id": 0, "title": "Sample Offer"}
    attributes = {**item, "fulfilled_at": None, "created_at": time, **_PRICES}
    return {"attributes": attributes, "relationships": {"order": _one("orders")}}


def _form_submission(_time: str) -> dict[str, Any]:
    attributes: dict[str, Any] = {**dict.fromkeys(SUBMISSION_ATTRIBUTES), **_IDENTITY}
    return {"attributes": attributes, "relationships": {"site": _SITE, "form": _one("forms")}}


def _form(_time: str) -> dict[str, Any]:
    attributes = {
        "url": "https://sample.kajabi.test/forms/0",
        "title": "Sample Form",
        "default": False,
        "webhook_url": None,
        "created_at": None,
        "updated_at": None,
    }
    return {"attributes": attributes, "relationships": {"site": _SITE, "fields": _many(), "contact_tags": _many()}}


def _contact(time: str) -> dict[str, Any]:
    attributes = {
        **_IDENTITY,
        "address_line_1": "1 Sample Road",
        "address_line_2": None,
        "address_city": "Sampleton",
        "address_country": "US",
        "address_state": "CA",
        "address_zip": "99999",
        "phone_number": "5555555555",
        "business_number": None,
        "subscribed": False,
        "external_user_id": None,
        "created_at": time,
        "updated_at": time,
    }
    return {"attributes": attributes, "links": {"customer": ""}, "relationships": {"site": _SITE}}


def _contact_tag(_time: str) -> dict[str, Any]:
    return {"attributes": {"name": "Sample Tag"}, "relationships": {"site": _SITE}}


_MAKERS: Final = {
    "purchases": _purchase,
    "offers": _offer,
    "customers": _customer,
    "transactions": _transaction,
    "orders": _order,
    "order_items": _order_item,
    "form_submissions": _form_submission,
    "forms": _form,
    "contacts": _contact,
    "contact_tags": _contact_tag,
}


def _handler(event: str) -> Handler:
    def handle(world: World, _call: Call) -> Reply:
        time = world.time()
        return Reply.of([{"id": "0", "type": name, **_MAKERS[name](time)} for name in _TYPES[event]])

    return handle


SAMPLE_HANDLERS: Final[dict[str, Handler]] = {f"hooks.sample.{event}": _handler(event) for event in EVENTS}
"""The sample operations by name."""
