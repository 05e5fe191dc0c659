"""The sizes of the data set."""

from typing import TypedDict

import attrs

__all__ = ["EverySize", "Sizes", "complete_sizes"]


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


@attrs.frozen
class EverySize:
    """The sizes of all types, with their defaults."""

    customers: int = 1000
    contacts_without_customer: int = attrs.field(
        default=attrs.Factory(lambda self: min(self.customers, max(5, self.customers // 10)), takes_self=True)
    )
    sites: int = 1
    offers: int = 20
    products: int = 30
    courses: int = 10
    contact_tags: int = 15
    contact_notes: int = 60
    custom_fields: int = 5
    forms: int = 6
    form_submissions: int = 50
    podcasts: int = 4
    blog_posts: int = 12
    landing_pages: int = 8
    website_pages: int = 8
    payouts: int = 24
    hooks: int = 3


def complete_sizes(given: Sizes) -> EverySize:
    """Return the sizes ``given``, defaults for others; ValueError for unknown names, negative sizes or no site."""
    known = sorted(Sizes.__optional_keys__)
    unknown = sorted(set(given).difference(known))
    if unknown:
        raise ValueError(f"no such size: {', '.join(unknown)}; known are {', '.join(known)}")
    sizes = EverySize(**given)
    if any(not isinstance(size, int) or size < 0 for size in attrs.astuple(sizes)) or sizes.sites < 1:
        raise ValueError("sizes are whole numbers from 0 on, and there is at least one site")
    return sizes
