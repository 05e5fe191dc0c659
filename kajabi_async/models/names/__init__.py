"""The names that calls take, as literal types: completed by editors, checked by type checkers.

For a resource such as customers, `CustomerInclude` has what ``include`` takes, `CustomerPath` what ``prefetch`` takes
(that and more; both have paths of one or two steps), and `CustomerField` what ``fields`` takes. The tests hold them to
the classes of the models. At run time any string is accepted and checked against the classes.
"""

from collections.abc import Iterable
from typing import TypeAlias, TypedDict, TypeVar

from kajabi_async.models.names.account import HookField, MeField, SiteField
from kajabi_async.models.names.catalog import (
    CourseField,
    LessonField,
    MediaField,
    ModuleField,
    OfferField,
    ProductField,
)
from kajabi_async.models.names.commerce import OrderField, OrderItemField, PayoutField, PurchaseField, TransactionField
from kajabi_async.models.names.content import BlogPostField, LandingPageField, PodcastField, WebsitePageField
from kajabi_async.models.names.forms import FormField, FormFieldField, FormSubmissionField
from kajabi_async.models.names.people import (
    ContactField,
    ContactNoteField,
    ContactTagField,
    CustomerField,
    CustomFieldField,
)

__all__ = ["Fieldsets", "Names"]

N = TypeVar("N", bound=str)

Names: TypeAlias = N | Iterable[N]
"""One name, or several. Names that are known at run time only are checked there: ``cast(Any, names)``."""


class Fieldsets(TypedDict, total=False):
    """Sparse fieldsets: for each type of resource the attributes and relations to answer; everything without it."""

    sites: Names[SiteField]
    hooks: Names[HookField]
    me: Names[MeField]
    offers: Names[OfferField]
    products: Names[ProductField]
    courses: Names[CourseField]
    modules: Names[ModuleField]
    lessons: Names[LessonField]
    media: Names[MediaField]
    orders: Names[OrderField]
    order_items: Names[OrderItemField]
    purchases: Names[PurchaseField]
    transactions: Names[TransactionField]
    kajabi_payments_payouts: Names[PayoutField]
    podcasts: Names[PodcastField]
    blog_posts: Names[BlogPostField]
    landing_pages: Names[LandingPageField]
    website_pages: Names[WebsitePageField]
    forms: Names[FormField]
    fields: Names[FormFieldField]
    form_submissions: Names[FormSubmissionField]
    customers: Names[CustomerField]
    contacts: Names[ContactField]
    contact_tags: Names[ContactTagField]
    contact_notes: Names[ContactNoteField]
    custom_fields: Names[CustomFieldField]
