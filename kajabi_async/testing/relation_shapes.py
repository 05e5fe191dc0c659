"""The relations of each type, and how the API prints them (API document, examples and schemas)."""

from typing import Final

__all__ = ["API", "APP", "LINKS_ONLY_IN_LISTS", "RELATIONS", "host_of", "link_to", "relationship_link"]

API: Final = "https://api.kajabi.com/v1"
APP: Final = "https://app.kajabi.com/api/v1"
"""The host of the links of customers and custom fields."""

RELATIONS: Final[dict[str, dict[str, str]]] = {
    "contacts": {"site": "sites", "customer": "customers", "offers": "offers", "tags": "contact_tags"},
    "customers": {"contact": "contacts", "site": "sites", "offers": "offers", "products": "products"},
    "contact_tags": {"site": "sites"},
    "contact_notes": {"contact": "contacts"},
    "custom_fields": {"site": "sites"},
    "offers": {"site": "sites", "products": "products"},
    "products": {"site": "sites"},
    "courses": {"site": "sites", "offers": "offers", "modules": "modules", "lessons": "lessons"},
    "modules": {"lessons": "lessons"},
    "lessons": {"media": "media"},
    "orders": {"site": "sites", "customer": "customers", "order_items": "order_items"},
    "order_items": {"order": "orders"},
    "purchases": {
        "offer": "offers",
        "customer": "customers",
        "transactions": "transactions",
        "products": "products",
    },
    "transactions": {"customer": "customers", "offer": "offers", "purchases": "purchases"},
    "podcasts": {"site": "sites"},
    "blog_posts": {"blog": "blogs"},
    "landing_pages": {"site": "sites"},
    "website_pages": {"site": "sites"},
    "forms": {"site": "sites", "offer": "offers", "fields": "fields", "contact_tags": "contact_tags"},
    "form_submissions": {"site": "sites", "form": "forms"},
    "hooks": {"site": "sites"},
}
"""The related type of each relation, by type."""

LINKS_ONLY_IN_LISTS: Final = frozenset({("contacts", "offers"), ("customers", "offers")})
"""Relations that lists print without data; absent data does not mean an empty relation."""

_LINKED: Final = frozenset({("contacts", "offers"), ("contacts", "tags"), ("customers", "offers")})
"""Relations with a link to their own endpoint."""


def host_of(type_name: str) -> str:
    """Return the base URL of the links of a type."""
    return APP if type_name in {"customers", "custom_fields"} else API


def link_to(type_name: str, resource_id: str, *, printed_by: str) -> str:
    """Return the link to a resource as the type *printed_by* prints it."""
    return f"{host_of(printed_by)}/{type_name}/{resource_id}"


def relationship_link(type_name: str, resource_id: str, relation: str) -> str | None:
    """Return the link to a relation's endpoint; None for a relation without one."""
    if (type_name, relation) not in _LINKED:
        return None
    return f"{host_of(type_name)}/{type_name}/{resource_id}/relationships/{relation}"
