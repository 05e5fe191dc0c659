"""Deliveries as Kajabi describes them (API document; help pages and recordings for those of the dashboard)."""

import json
from typing import Any

__all__ = ["API_DELIVERIES", "DASHBOARD_DELIVERIES", "DELIVERIES", "PERSON", "PERSONAL", "delivery", "row"]

PERSON: dict[str, Any] = {"name": "Ada Lovelace", "email": "ada@lovelace.example"}
PERSONAL = ("Lovelace", "lovelace", "Somerset", "5550100")
"""What must be in no error."""

_SITE = {"data": {"type": "sites", "id": "2"}}
_TIME = "2025-07-31T16:59:27.580Z"


def row(type_name: str, resource_id: str, attributes: dict[str, Any] | None = None, **relations: Any) -> dict[str, Any]:
    """Return a resource object; a relation is an identifier ``type:id``, several of them, or its literal value."""
    members: dict[str, Any] = {"type": type_name, "id": resource_id, "attributes": attributes or {}}
    if relations:
        members["relationships"] = {name: _relation(leads_to) for name, leads_to in relations.items()}
    return members


def _relation(leads_to: Any) -> Any:
    if isinstance(leads_to, str):
        return {"data": _identifier(leads_to)}
    if isinstance(leads_to, tuple):
        return {"data": [_identifier(each) for each in leads_to]}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    return leads_to


def _identifier(text: str) -> dict[str, str]:
    type_name, _, resource_id = text.partition(":")
    return {"type": type_name, "id": resource_id}


def delivery(event: Any, payload: Any, *, delivery_id: Any = "dl_1") -> bytes:
    """Return the body of a delivery."""
    return json.dumps({"id": delivery_id, "event": event, "payload": payload}).encode()


_CUSTOMER = row("customers", "31", {**PERSON, "net_revenue": "10.0"}, contact="contacts:41", offers=(), site=_SITE)
_OFFER = row("offers", "21", {"title": "Year", "price_in_cents": 1000}, products=(), site=_SITE)
_TRANSACTION = row(
    "transactions",
    "51",
    {"action": "charge", "amount_in_cents": 1000, "created_at": _TIME},
    customer="customers:31",
    offer={"data": None},
)
_CONTACT = row(
    "contacts",
    "41",
    {**PERSON, "address_city": "Somerset", "phone_number": "5550100", "custom_1": "Somerset", "created_at": _TIME},
    site=_SITE,
) | {"links": {"customer": ""}}
_TAG = row("contact_tags", "61", {"name": "VIP"}, site=_SITE)

API_DELIVERIES: dict[str, bytes] = {
    "purchase": delivery(
        "purchase",
        [
            row(
                "purchases",
                "11",
                {"amount_in_cents": 1000, "coupon_code": None, "created_at": _TIME},
                customer="customers:31",
                offer="offers:21",
                products=(),
            ),
            _OFFER,
            _CUSTOMER,
        ],
    ),
    "payment_succeeded": delivery("payment_succeeded", [_TRANSACTION, _CUSTOMER]),
    "order_created": delivery(
        "order_created",
        [
            _TRANSACTION,
            _CUSTOMER,
            row(
                "orders",
                "71",
                {"order_number": 7, "total_price_in_cents": 1000},
                customer="customers:31",
                order_items=("order_items:81",),
                payment_transactions=(),
            ),
            row("order_items", "81", {"title": "Year", "quantity": 1}, order="orders:71"),
        ],
    ),
    "form_submission": delivery(
        "form_submission",
        [
            row("form_submissions", "91", {**PERSON, "custom_2": "Somerset"}, form="forms:92", site=_SITE),
            row("forms", "92", {"title": "Newsletter", "created_at": None}, fields=(), site=_SITE),
        ],
    ),
    "tag_added": delivery("tag_added", [_CONTACT, _TAG]),
    "tag_removed": delivery("tag_removed", [_CONTACT, _TAG]),
}

_CHECKOUT: dict[str, Any] = {
    "affiliate_conversion_id": 0,
    "contact_address_city": "Somerset",
    "offer_id": 2150000021,
    "offer_title": "Year",
    "offer_reference": "kajabi_offer_0",
    "opt_in": False,
    "trial": False,
    "member_id": 2150000031,
    "member_email": "ada@lovelace.example",
    "member_name": "Ada Lovelace",
    "member_first_name": "Ada",
    "member_last_name": "Lovelace",
    "transaction_id": 1234567890,
    "transaction_created_at": "2025-12-23T18:41:10.547+00:00",
    "amount_paid": 1250,
    "amount_paid_decimal": 12.5,
    "currency": "USD",
    "payment_method": "visa",
    "payment_processor": "Kajabi Payments",
    "coupon_code": "10OFF",
    "trial_period_days": None,
    "custom_field_city_of_birth": "Somerset",
    "quantity": 1,
}
DASHBOARD_DELIVERIES: dict[str, bytes] = {
    "order.created": json.dumps(
        {
            "id": "7f3c",
            "event": "order.created",
            "order": {
                "id": 4411,
                "order_items": [{"id": 2151386538, "title": "AXIOM", "unit_cost": 0, "quantity": 1}],
            },
            "payment_transaction": {"id": 1234567890, "amount_paid": 0, "customer": {"id": 55, **PERSON}},
        }
    ).encode(),
    "purchase.created": delivery("purchase.created", _CHECKOUT, delivery_id="f36e8f76-e02e-11f0-921d-4b2732f24088"),
    "payment.succeeded": json.dumps(
        {
            "id": "f36e8f76-e02e-11f0-921d-4b2732f24089",
            "event": "payment.succeeded",
            "offer": {"id": 2150000021, "title": "Year"},
            "member": {"id": 2150000031, "first_name": "Ada", "last_name": "Lovelace", **PERSON},
            "payment_transaction": {"id": 1234567890, "amount_paid": 1250, "currency": "USD", "quantity": 1},
        }
    ).encode(),
    "form_submission.created": delivery(
        "form_submission.created",
        {"form_title": "Newsletter", "Name": "Ada Lovelace", "Email": "ada@lovelace.example", "Your city?": "Somerset"},
        delivery_id="f36e8f76-e02e-11f0-921d-4b2732f24090",
    ),
}
DELIVERIES: dict[str, bytes] = {**API_DELIVERIES, **DASHBOARD_DELIVERIES}
