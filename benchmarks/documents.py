"""Documents of the size and shape that the API documents for customers, made here so that no run needs the network."""

import json
from typing import Any

ID_PLACE = "999999999999"
PAGE_SIZE = 100


def customer_attributes() -> dict[str, Any]:
    return {
        "name": "Grace Brewster",
        "email": "grace.brewster@example.com",
        "avatar": None,
        "external_user_id": "crm-204611",
        "public_bio": None,
        "public_location": "Arlington",
        "public_website": None,
        "socials": None,
        "net_revenue": "249.0",
        "sign_in_count": 12,
        "last_request_at": "2026-03-01T10:15:30Z",
        "bounced_at": None,
        "created_at": "2024-01-09T08:00:00Z",
        "updated_at": "2026-03-01T10:15:30.120Z",
    }


def offer(resource_id: str) -> dict[str, Any]:
    attributes = {
        "title": "Everything, for a year",
        "description": "All courses, all live sessions, one year long",
        "internal_title": "year-all",
        "price_in_cents": 24900,
        "payment_type": "single",
        "token": "kx93mmq1",
        "payment_method": "stripe",
        "price_description": "$249.00",
        "checkout_url": "https://site.example/offers/kx93mmq1/checkout",
        "recurring_offer": False,
        "subscription": False,
        "one_time": True,
        "single": True,
        "free": False,
    }
    return {"id": resource_id, "type": "offers", "attributes": attributes}


def product(resource_id: str) -> dict[str, Any]:
    attributes = {
        "created_at": "2023-05-02T12:00:00.000Z",
        "title": "Compilers from scratch",
        "description": "Twelve weeks, one compiler",
        "status": "ready",
        "members_aggregate_count": 311,
        "product_type_name": "Course",
        "product_type_id": 41,
        "publish_status": "published",
        "thumbnail_url": None,
    }
    return {"id": resource_id, "type": "products", "attributes": attributes}


def contact(resource_id: str) -> dict[str, Any]:
    attributes = {
        "name": "Grace Brewster",
        "email": "grace.brewster@example.com",
        **{f"address_{part}": None for part in ("line_1", "line_2", "city", "country", "state", "zip")},
        "phone_number": None,
        "business_number": None,
        "subscribed": True,
        "external_user_id": None,
        "created_at": "2024-01-09T08:00:00.000Z",
        "updated_at": "2024-01-09T08:00:00.000Z",
    }
    return {"id": resource_id, "type": "contacts", "attributes": attributes}


def customer(resource_id: str) -> dict[str, Any]:
    site = "https://app.kajabi.com/api/v1"
    return {
        "id": resource_id,
        "type": "customers",
        "attributes": customer_attributes(),
        "links": {"contact": f"{site}/contacts/321"},
        "relationships": {
            "contact": {"data": {"id": "321", "type": "contacts"}},
            "site": {"data": {"id": "9", "type": "sites"}},
            "offers": {
                "data": [{"id": "456", "type": "offers"}],
                "links": {"self": f"{site}/customers/{resource_id}/relationships/offers"},
            },
            "products": {"data": [{"id": "789", "type": "products"}]},
        },
    }


def shown(*, included: bool) -> bytes:
    """A show answer whose id is `ID_PLACE`, to be replaced."""
    document: dict[str, Any] = {"data": customer(ID_PLACE)}
    if included:
        document["included"] = [offer("456"), product("789"), contact("321")]
    return json.dumps(document, separators=(",", ":")).encode()


def listed(number: int, pages: int) -> bytes:
    """Page *number* of a list of *pages* pages."""
    base = "https://app.kajabi.com/api/v1/customers?page%5Bsize%5D=100&page%5Bnumber%5D="
    first = (number - 1) * PAGE_SIZE
    links: dict[str, Any] = {"self": f"{base}{number}", "last": f"{base}{pages}"}
    links["next"] = f"{base}{number + 1}" if number < pages else None
    document = {
        "data": [customer(str(first + row + 1)) for row in range(PAGE_SIZE)],
        "links": links,
        "meta": {"total_pages": pages, "total_count": pages * PAGE_SIZE, "current_page": number},
    }
    return json.dumps(document, separators=(",", ":")).encode()
