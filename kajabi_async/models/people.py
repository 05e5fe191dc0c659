"""Customers and contacts: two records of the same person, each with an id of its own."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import attrs

from kajabi_async.models.relations import ToManyRelation, ToOneRelation
from kajabi_async.models.resource import Part, Resource, model

if TYPE_CHECKING:
    from kajabi_async.models.account import Site
    from kajabi_async.models.catalog import Offer, Product

__all__ = ["Contact", "ContactNote", "ContactTag", "CustomField", "Customer", "Socials"]


@attrs.frozen
class Socials(Part):
    """The social profiles of a customer; networks beyond the three documented ones are in ``extra``."""

    twitter: str | None = None
    facebook: str | None = None
    instagram: str | None = None


@model("customers", distinguished_by=("name", "email"))
class Customer(Resource):
    """A person who bought or was granted an offer; read only: name and email follow the contact (API document)."""

    name: str | None
    """The full name; derived from the email if it was left blank."""
    email: str | None
    """Unique within a site, in lower case."""
    avatar: str | None
    """URL of the profile image."""
    external_user_id: str | None
    """The id of the customer in another system; unique within a site."""
    public_bio: str | None
    public_location: str | None
    public_website: str | None
    socials: Socials | None
    net_revenue: Decimal | None
    """The sum of this customer's successful payments. The API states neither currency nor unit: it is a decimal string
    such as "129.0" on the wire, so presumably in whole units of the site's currency."""
    sign_in_count: int | None
    last_request_at: datetime | None
    """The time at which the customer was last active."""
    bounced_at: datetime | None
    """The time since which mail to the customer bounces; reset when the email changes."""
    created_at: datetime | None
    updated_at: datetime | None

    contact = ToOneRelation["Contact"]("contacts", includable=True)
    """The contact record of the same person."""
    site = ToOneRelation["Site"]("sites")
    offers = ToManyRelation["Offer"]("offers", includable=True)
    """The offers that the customer has."""
    products = ToManyRelation["Product"]("products", includable=True)
    """The products that the customer has access to."""


@model("contacts", distinguished_by=("name", "email"))
class Contact(Resource):
    """A person whose email a site knows, customer or not."""

    name: str | None
    email: str | None
    phone_number: str | None
    business_number: str | None
    subscribed: bool | None
    """Whether the contact receives marketing mail."""
    address_line_1: str | None
    address_line_2: str | None
    address_city: str | None
    address_state: str | None
    address_country: str | None
    address_zip: str | None
    external_user_id: str | None
    """Supported once the contact is a customer (API document)."""
    custom_fields: Mapping[str, str | None]
    """The members ``custom_1`` to ``custom_150``, by these names; the `CustomField` of each has its meaning."""
    created_at: datetime | None
    updated_at: datetime | None

    site = ToOneRelation["Site"]("sites")
    customer = ToOneRelation["Customer"]("customers", includable=True)
    """The customer record of the same person, if it exists."""
    tags = ToManyRelation["ContactTag"]("contact_tags", includable=True)
    offers = ToManyRelation["Offer"]("offers", includable=True)
    """The offers granted to the contact."""


@model("contact_tags", distinguished_by=("name",))
class ContactTag(Resource):
    """A label of contacts."""

    name: str | None
    handle: str | None
    """Requested in an example of the API document, but not part of any answer in it."""

    site = ToOneRelation["Site"]("sites")


@model("contact_notes", distinguished_by=("body", "created_at"))
class ContactNote(Resource):
    """A note of the team about a contact."""

    body: str | None
    created_at: datetime | None
    updated_at: datetime | None

    contact = ToOneRelation["Contact"]("contacts", includable=True)


@model("custom_fields", distinguished_by=("title", "handle"))
class CustomField(Resource):
    """The meaning of one of the custom fields of a site."""

    title: str | None
    handle: str | None
    """Its name in contacts and submissions, such as ``custom_1``."""
    type: str | None
    """The kind of input, such as ``TextField``; not the resource type."""
    required: bool | None
    archived: bool | None
    """Only in the prose of the API document."""

    site = ToOneRelation["Site"]("sites")
