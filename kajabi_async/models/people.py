"""Customers and contacts: two records of the same person, in two id spaces."""

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
    """A customer's profiles; networks beyond the three documented ones are in ``extra``."""

    twitter: str | None = None
    facebook: str | None = None
    instagram: str | None = None


@model("customers")
class Customer(Resource):
    """Somebody who was granted or bought an offer; read only, name and email follow the contact (API document)."""

    name: str | None
    """The full name; made from the email where it was left blank."""
    email: str | None
    """Unique within a site, in lower case."""
    avatar: str | None
    """URL of the profile image."""
    external_user_id: str | None
    """The customer's id in a system of yours; unique within a site."""
    public_bio: str | None
    public_location: str | None
    public_website: str | None
    socials: Socials | None
    net_revenue: Decimal | None
    """What the successful payments of this customer add up to. The API says neither the currency nor, plainly, the
    unit: a decimal string such as "129.0" on the wire, so presumably whole units of the site's currency."""
    sign_in_count: int | None
    last_request_at: datetime | None
    """When the customer was last active."""
    bounced_at: datetime | None
    """Since when mail to the customer bounces; reset when the email changes."""
    created_at: datetime | None
    updated_at: datetime | None

    contact = ToOneRelation["Contact"]("contacts", includable=True)
    """The contact record of the same person."""
    site = ToOneRelation["Site"]("sites")
    offers = ToManyRelation["Offer"]("offers", includable=True)
    """The offers the customer holds."""
    products = ToManyRelation["Product"]("products", includable=True)
    """The products the customer has access to."""


@model("contacts")
class Contact(Resource):
    """Somebody a site knows the email of, customer or not."""

    name: str | None
    email: str | None
    phone_number: str | None
    business_number: str | None
    subscribed: bool | None
    """Whether the contact gets marketing mail."""
    address_line_1: str | None
    address_line_2: str | None
    address_city: str | None
    address_state: str | None
    address_country: str | None
    address_zip: str | None
    external_user_id: str | None
    """Supported once the contact is a customer (API document)."""
    custom_fields: Mapping[str, str | None]
    """What came as ``custom_1`` to ``custom_150``, by these names; `CustomField` says what each means on a site."""
    created_at: datetime | None
    updated_at: datetime | None

    site = ToOneRelation["Site"]("sites")
    customer = ToOneRelation["Customer"]("customers", includable=True)
    """The customer record of the same person, where there is one."""
    tags = ToManyRelation["ContactTag"]("contact_tags", includable=True)
    offers = ToManyRelation["Offer"]("offers", includable=True)
    """The offers granted to the contact."""


@model("contact_tags")
class ContactTag(Resource):
    """A label that contacts carry."""

    name: str | None
    handle: str | None
    """Asked for in an address that the API document prints, and answered nowhere in it."""

    site = ToOneRelation["Site"]("sites")


@model("contact_notes")
class ContactNote(Resource):
    """What somebody of the team wrote about a contact."""

    body: str | None
    created_at: datetime | None
    updated_at: datetime | None

    contact = ToOneRelation["Contact"]("contacts", includable=True)


@model("custom_fields")
class CustomField(Resource):
    """What one of the custom fields of a site means."""

    title: str | None
    handle: str | None
    """The name by which contacts and submissions carry it, such as ``custom_1``."""
    type: str | None
    """The kind of input, such as ``TextField``; not the resource type."""
    required: bool | None
    archived: bool | None
    """In the prose of the API document only."""

    site = ToOneRelation["Site"]("sites")
