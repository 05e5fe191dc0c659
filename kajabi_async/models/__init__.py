"""The resources of the API as attrs classes, which is what users hold.

Imports `jsonapi` and `errors`. Read `resource` first: the base of all classes. `origin` has what a resource knows of
its answer, `relations` the handles of relations, `unreadable` what is known of attributes that cannot be read,
`members` the dicts and the JSON Schema, `misuse` the errors of common mistakes, `names` the literal types; the other
files are the families of the API.
"""

from kajabi_async.models.account import ApiVersion, Hook, Me, Site
from kajabi_async.models.catalog import Course, Lesson, Media, Module, Offer, Product
from kajabi_async.models.commerce import Order, OrderItem, Payout, PayoutTransaction, Purchase, Transaction
from kajabi_async.models.content import BlogPost, LandingPage, Podcast, PodcastDirectory, WebsitePage
from kajabi_async.models.forms import Form, FormField, FormSubmission
from kajabi_async.models.people import Contact, ContactNote, ContactTag, Customer, CustomField, Socials
from kajabi_async.models.relations import ToMany, ToOne
from kajabi_async.models.resource import Resource, UntypedResource

__all__ = [
    "ApiVersion",
    "BlogPost",
    "Contact",
    "ContactNote",
    "ContactTag",
    "Course",
    "CustomField",
    "Customer",
    "Form",
    "FormField",
    "FormSubmission",
    "Hook",
    "LandingPage",
    "Lesson",
    "Me",
    "Media",
    "Module",
    "Offer",
    "Order",
    "OrderItem",
    "Payout",
    "PayoutTransaction",
    "Podcast",
    "PodcastDirectory",
    "Product",
    "Purchase",
    "Resource",
    "Site",
    "Socials",
    "ToMany",
    "ToOne",
    "Transaction",
    "UntypedResource",
    "WebsitePage",
]
