"""The filters of each list, as keyword arguments: completed by editors, checked by type checkers and at run time.

Names are the API's own. If the API documents attributes times suffixes, the combinations that make sense are declared
here, and every other one is accepted at run time. Read `encoding` first.
"""

from kajabi_async.resources.filters.account import HookFilters, SiteFilters
from kajabi_async.resources.filters.catalog import CourseFilters, OfferFilters, ProductFilters
from kajabi_async.resources.filters.commerce import (
    OrderFilters,
    OrderItemFilters,
    PayoutFilters,
    PurchaseFilters,
    TransactionFilters,
)
from kajabi_async.resources.filters.content import (
    BlogPostFilters,
    LandingPageFilters,
    PodcastFilters,
    WebsitePageFilters,
)
from kajabi_async.resources.filters.forms import FormFilters, FormSubmissionFilters
from kajabi_async.resources.filters.people import (
    ContactNoteFilters,
    ContactTagFilters,
    CustomerIncludedFilters,
    CustomFieldFilters,
    PeopleFilters,
)

__all__ = [
    "BlogPostFilters",
    "ContactNoteFilters",
    "ContactTagFilters",
    "CourseFilters",
    "CustomFieldFilters",
    "CustomerIncludedFilters",
    "FormFilters",
    "FormSubmissionFilters",
    "HookFilters",
    "LandingPageFilters",
    "OfferFilters",
    "OrderFilters",
    "OrderItemFilters",
    "PayoutFilters",
    "PeopleFilters",
    "PodcastFilters",
    "ProductFilters",
    "PurchaseFilters",
    "SiteFilters",
    "TransactionFilters",
    "WebsitePageFilters",
]
