"""The names that calls take, as literal types: completed by editors, checked by type checkers.

For a resource such as customers, `CustomerInclude` has what ``include`` takes, `CustomerPath` what ``prefetch`` takes,
which is that and more, both in one or two steps, and `CustomerField` what ``fields`` takes. The tests hold them to the
classes of the models. At run time any string is accepted and checked against the classes.
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

__all__ = ["Chosen", "Fieldsets"]

N = TypeVar("N", bound=str)

Chosen: TypeAlias = N | Iterable[N]
"""One name, or several."""


class Fieldsets(TypedDict, total=False):
    """Sparse fieldsets: for each type of resource the attributes and relations to answer; everything without it."""

    sites: Chosen[SiteField]
    hooks: Chosen[HookField]
    me: Chosen[MeField]
    offers: Chosen[OfferField]
    products: Chosen[ProductField]
    courses: Chosen[CourseField]
    modules: Chosen[ModuleField]
    lessons: Chosen[LessonField]
    media: Chosen[MediaField]
    orders: Chosen[OrderField]
    order_items: Chosen[OrderItemField]
    purchases: Chosen[PurchaseField]
    transactions: Chosen[TransactionField]
    kajabi_payments_payouts: Chosen[PayoutField]
    podcasts: Chosen[PodcastField]
    blog_posts: Chosen[BlogPostField]
    landing_pages: Chosen[LandingPageField]
    website_pages: Chosen[WebsitePageField]
    forms: Chosen[FormField]
    fields: Chosen[FormFieldField]
    form_submissions: Chosen[FormSubmissionField]
    customers: Chosen[CustomerField]
    contacts: Chosen[ContactField]
    contact_tags: Chosen[ContactTagField]
    contact_notes: Chosen[ContactNoteField]
    custom_fields: Chosen[CustomFieldField]
