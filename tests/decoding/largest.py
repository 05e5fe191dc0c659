"""The largest page that a real account may have: 500 contacts with every attribute, relation and include."""

import json
from typing import Any

from kajabi_async import Contact, ContactTag, Customer, Offer
from kajabi_async.models.resource import Resource, attribute_names

ROWS = 500
CUSTOM_FIELDS = 150
LINKED = 5
"""The number of tags of a contact, and of offers and products of each contact, customer and offer, on average."""
DISTINCT = 200
"""The number of tags and of offers that the page includes."""
SITE = "https://app.kajabi.com/api/v1"
_TIME = "2024-11-20T18:53:19.389Z"
_VALUES: dict[str, Any] = {
    "subscribed": True,
    "socials": {"twitter": "ada", "facebook": "ada", "instagram": "ada"},
    "net_revenue": "129.0",
    "sign_in_count": 3,
    "price_in_cents": 12_900,
    "price": 129.0,
    **dict.fromkeys(("created_at", "updated_at", "last_request_at", "bounced_at"), _TIME),
    **dict.fromkeys(("recurring_offer", "subscription", "one_time", "single", "free"), False),
}


def largest_page(value: str | None = "An answer of some words", *, documented: bool = False) -> bytes:
    """Return the page, with *value* in each custom field.

    As *documented*, offers of contacts are links alone, and what is included has no relations.
    """
    included = [
        *(_customer(number) for number in range(ROWS)),
        *(_row(Offer, number, relations={"products": _many("products")}) for number in range(DISTINCT)),
        *(_row(ContactTag, number, relations={"site": _one("sites", 9)}) for number in range(DISTINCT)),
    ]
    contacts = [_contact(number, value) for number in range(ROWS)]
    if documented:
        for contact in contacts:
            del contact["relationships"]["offers"]["data"]
        for each in included:
            del each["relationships"]
    document = {
        "data": contacts,
        "included": included,
        "links": dict.fromkeys(("self", "current", "next"), f"{SITE}/contacts?page[number]=1&page[size]={ROWS}"),
        "meta": {"total_pages": 200, "total_count": 100_000, "current_page": 1},
    }
    return json.dumps(document).encode()


def _contact(number: int, value: str | None) -> dict[str, Any]:
    fields = {f"custom_{index}": value for index in range(1, CUSTOM_FIELDS + 1)}
    relations = {
        "site": _one("sites", 9),
        "customer": _one("customers", number),
        "tags": _many("contact_tags"),
        "offers": _many("offers"),
    }
    return _row(Contact, number, attributes=fields, relations=relations)


def _customer(number: int) -> dict[str, Any]:
    relations = {"contact": _one("contacts", number), "offers": _many("offers"), "products": _many("products")}
    return _row(Customer, number, relations=relations)


def _row(
    cls: type[Resource], number: int, *, relations: dict[str, Any], attributes: dict[str, Any] | None = None
) -> dict[str, Any]:
    named = attribute_names(cls).keys() - {"id", "custom_fields"}
    path = f"{SITE}/{cls.resource_type}/{number}"
    return {
        "id": str(number),
        "type": cls.resource_type,
        "attributes": {name: _VALUES.get(name, f"{name} {number}") for name in sorted(named)} | (attributes or {}),
        "links": {"self": path, "related": path},
        "relationships": relations,
    }


def _one(resource_type: str, number: int) -> dict[str, Any]:
    return {"data": {"id": str(number), "type": resource_type}}


def _many(resource_type: str) -> dict[str, Any]:
    linkage = [{"id": str(number), "type": resource_type} for number in range(LINKED)]
    return {"data": linkage, "links": {"self": f"{SITE}/relationships/{resource_type}", "related": f"{SITE}/x"}}
