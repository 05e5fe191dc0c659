"""The sizes of the data set."""

from typing import Final, TypedDict

__all__ = ["DEFAULT_SIZES", "EverySize", "Sizes", "complete_sizes"]


class Sizes(TypedDict, total=False):
    """The number of seeded resources by type; orders, purchases and transactions follow from the customers."""

    customers: int
    contacts_without_customer: int
    """By default one for every ten customers, at least five, at most as many as customers."""
    sites: int
    offers: int
    products: int
    courses: int
    contact_tags: int
    contact_notes: int
    custom_fields: int
    forms: int
    form_submissions: int
    podcasts: int
    blog_posts: int
    landing_pages: int
    website_pages: int
    payouts: int
    hooks: int


class EverySize(TypedDict):
    """The sizes of all types."""

    customers: int
    contacts_without_customer: int
    sites: int
    offers: int
    products: int
    courses: int
    contact_tags: int
    contact_notes: int
    custom_fields: int
    forms: int
    form_submissions: int
    podcasts: int
    blog_posts: int
    landing_pages: int
    website_pages: int
    payouts: int
    hooks: int


DEFAULT_SIZES: Final[EverySize] = {
    "customers": 1000,
    "contacts_without_customer": 100,
    "sites": 1,
    "offers": 20,
    "products": 30,
    "courses": 10,
    "contact_tags": 15,
    "contact_notes": 60,
    "custom_fields": 5,
    "forms": 6,
    "form_submissions": 50,
    "podcasts": 4,
    "blog_posts": 12,
    "landing_pages": 8,
    "website_pages": 8,
    "payouts": 24,
    "hooks": 3,
}


def complete_sizes(given: Sizes) -> EverySize:
    """Return the sizes ``given``, defaults for others; ValueError for unknown names, negative sizes or no site."""
    unknown = sorted(set(given) - set(DEFAULT_SIZES))
    if unknown:
        raise ValueError(f"no such size: {', '.join(unknown)}; known are {', '.join(sorted(DEFAULT_SIZES))}")
    customers = given.get("customers", DEFAULT_SIZES["customers"])
    sizes: EverySize = {
        **DEFAULT_SIZES,
        "contacts_without_customer": min(customers, max(5, customers // 10)),
        **given,
    }
    if any(not isinstance(size, int) or size < 0 for size in sizes.values()) or sizes["sites"] < 1:
        raise ValueError("sizes are whole numbers from 0 on, and there is at least one site")
    return sizes
