"""Every filter that the API document names anywhere is accepted."""

import re
from contextlib import suppress
from datetime import date
from typing import Any

import pytest

from kajabi_async import InvalidArgumentError
from kajabi_async.resources.filters import (
    BlogPostFilters,
    ContactNoteFilters,
    ContactTagFilters,
    CourseFilters,
    CustomerIncludedFilters,
    CustomFieldFilters,
    FormFilters,
    FormSubmissionFilters,
    HookFilters,
    LandingPageFilters,
    OfferFilters,
    OrderFilters,
    OrderItemFilters,
    PayoutFilters,
    PeopleFilters,
    PodcastFilters,
    ProductFilters,
    PurchaseFilters,
    SiteFilters,
    TransactionFilters,
    WebsitePageFilters,
)
from kajabi_async.resources.filters.encoding import encode_filters

LISTS: dict[str, type] = {
    "contacts": PeopleFilters,
    "customers": PeopleFilters,
    "contact_tags": ContactTagFilters,
    "contact_notes": ContactNoteFilters,
    "custom_fields": CustomFieldFilters,
    "sites": SiteFilters,
    "hooks": HookFilters,
    "offers": OfferFilters,
    "products": ProductFilters,
    "courses": CourseFilters,
    "forms": FormFilters,
    "form_submissions": FormSubmissionFilters,
    "orders": OrderFilters,
    "order_items": OrderItemFilters,
    "purchases": PurchaseFilters,
    "transactions": TransactionFilters,
    "kajabi_payments_payouts": PayoutFilters,
    "podcasts": PodcastFilters,
    "blog_posts": BlogPostFilters,
    "landing_pages": LandingPageFilters,
    "website_pages": WebsitePageFilters,
}


@pytest.mark.parametrize("path", LISTS)
def test_every_documented_filter_of_a_list_is_declared(openapi: Any, path: str) -> None:
    """The names of the document's parameters, as keyword arguments."""
    parameters = openapi["paths"][f"/v1/{path}"]["get"].get("parameters", [])
    documented = {
        entry["name"].split("[")[1].rstrip("]") for entry in parameters if entry["name"].startswith("filter[")
    }
    assert documented - LISTS[path].__annotations__.keys() == set()


def test_the_filters_of_included_rows_are_declared(openapi: Any) -> None:
    """They belong to the request of one customer, not to lists."""
    parameters = openapi["paths"]["/v1/customers/{id}"]["get"]["parameters"]
    documented = {entry["name"][7:-1] for entry in parameters if entry["name"].startswith("filter[")}
    assert documented == CustomerIncludedFilters.__annotations__.keys()


@pytest.mark.parametrize("path", LISTS)
def test_every_filter_of_the_prose_is_accepted(openapi: Any, path: str) -> None:
    """In its URLs, and as attributes times suffixes if it lists both."""
    prose = openapi["paths"][f"/v1/{path}"]["get"]["description"]
    named = set(re.findall(r"[?&]filter\[(\w+)\]", prose)) - {"attribute_name_suffix"}
    attributes = re.findall(r"attributes that may be used to filter: ([\w, ]+)", prose)
    suffixes = re.findall(r"^\* `(\w+)` for ", prose, re.MULTILINE)
    combined = {f"{name}_{suffix}" for names in attributes for name in names.split(", ") for suffix in suffixes}
    assert bool(attributes) == (path in {"blog_posts", "landing_pages", "purchases"})
    assert bool(combined) == bool(attributes)
    for name in named | combined:
        assert any(_is_accepted(LISTS[path], name, value) for value in ("1", 1, True, date(2024, 1, 1))), name


def _is_accepted(declared: type, name: str, value: Any) -> bool:
    with suppress(InvalidArgumentError):
        return bool(encode_filters(declared, {name: value}, owner="the document"))
    return False
