"""The API document's example of a customer with three includes, as answers and as pages of a list."""

import json
import re
from typing import Any

from kajabi_async.models.names.people import CustomerInclude

SITE = "https://app.kajabi.com/api/v1"
PAGE_SIZE = 100
INCLUDED: tuple[CustomerInclude, ...] = ("contact", "offers", "products")
INCLUDE: str = ",".join(INCLUDED)
MEDIA_TYPE = "application/vnd.api+json"
TOKEN = json.dumps({"access_token": "bench", "refresh_token": "bench", "token_type": "Bearer", "expires_in": 604800})


def customer(resource_id: str, name: str = "Alice Smith", email: str = "alice@example.com") -> dict[str, Any]:
    attributes = {
        "name": name,
        "email": email,
        "avatar": None,
        "external_user_id": "cust_123",
        "public_bio": None,
        "public_location": None,
        "public_website": None,
        "socials": None,
        "net_revenue": "0.0",
        "sign_in_count": 0,
        "last_request_at": None,
        "bounced_at": None,
        "created_at": "2021-01-01T00:00:00Z",
        "updated_at": "2021-01-01T00:00:00Z",
    }
    relationships = {
        "contact": {"data": {"id": "321", "type": "contacts"}},
        "offers": {
            "data": [{"id": "456", "type": "offers"}],
            "links": {"self": f"{SITE}/customers/{resource_id}/relationships/offers"},
        },
        "products": {"data": [{"id": "789", "type": "products"}]},
    }
    return {
        "id": resource_id,
        "type": "customers",
        "attributes": attributes,
        "links": {"contact": f"{SITE}/contacts/321"},
        "relationships": relationships,
    }


def offer() -> dict[str, Any]:
    attributes = {
        "name": "Offer 1",
        "description": "Offer 1 description",
        "internal_title": "Offer 1",
        "price_in_cents": 0,
        "payment_type": "free",
        "token": "offer_123",
        "payment_method": "none",
        "price_description": "Free",
        "checkout_url": "https://mywebsite.com/offers/456",
        "recurring_offer": False,
        "subscription": False,
        "one_time": True,
        "single": False,
        "free": True,
    }
    return {"id": "456", "type": "offers", "attributes": attributes}


def product() -> dict[str, Any]:
    attributes = {
        "created_at": "2024-11-12T23:43:09.551Z",
        "title": "Course 1",
        "description": "Course 1 description",
        "status": "ready",
        "members_aggregate_count": 0,
        "product_type_name": "Course",
        "product_type_id": 789,
        "publish_status": "published",
        "thumbnail_url": None,
    }
    return {"id": "789", "type": "products", "attributes": attributes}


def contact() -> dict[str, Any]:
    address = ("line_1", "line_2", "city", "country", "state", "zip")
    attributes = {
        "name": "Alice Smith",
        "email": "alice@example.com",
        **{f"address_{part}": None for part in address},
        "phone_number": None,
        "business_number": None,
        "subscribed": False,
        "external_user_id": None,
        "created_at": "2024-11-20T18:53:19.389Z",
        "updated_at": "2024-11-20T18:53:19.389Z",
    }
    return {"id": "321", "type": "contacts", "attributes": attributes}


def shown(resource_id: str) -> str:
    """Return an answer with one customer, without includes."""
    return _text({"data": customer(resource_id)})


def shown_with_includes(resource_id: str) -> str:
    return _text({"data": customer(resource_id), "included": [offer(), product(), contact()]})


def listed(number: int, pages: int) -> bytes:
    """Return page *number* of a list of *pages* pages; each row has its own name and address."""
    base = f"{SITE}/customers?page%5Bsize%5D={PAGE_SIZE}&page%5Bnumber%5D="
    first = (number - 1) * PAGE_SIZE + 1
    ids = map(str, range(first, first + PAGE_SIZE))
    document = {
        "data": [customer(each, f"Alice Smith {each}", f"alice.{each}@example.com") for each in ids],
        "links": {
            "self": f"{base}{number}",
            "next": f"{base}{number + 1}" if number < pages else None,
            "last": f"{base}{pages}",
        },
        "meta": {"total_pages": pages, "total_count": pages * PAGE_SIZE, "current_page": number},
    }
    return _text(document).encode()


def with_offsets(body: bytes) -> bytes:
    """Return *body* with its times as the live API prints them: milliseconds, and the offset of the site."""
    return re.sub(rb'(T[0-9:]{8})(\.[0-9]{3})?Z"', rb'\1.995-05:00"', body)


def _text(document: dict[str, Any]) -> str:
    return json.dumps(document, separators=(",", ":"))
