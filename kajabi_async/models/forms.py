"""Forms, their fields and their submissions."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from kajabi_async.models.relations import ToManyRelation, ToOneRelation
from kajabi_async.models.resource import Resource, also_called, model

if TYPE_CHECKING:
    from kajabi_async.models.account import Site
    from kajabi_async.models.catalog import Offer
    from kajabi_async.models.people import ContactTag

__all__ = ["Form", "FormField", "FormSubmission"]


@model("forms", distinguished_by=("title",), secret_urls=("webhook_url",))
class Form(Resource):
    """A form of a site."""

    title: str | None
    default: bool | None
    """Whether it is the site's default form."""
    webhook_url: Any
    """The URL that submissions are posted to, as it came: an object in the API document, text in its examples."""
    url: str | None
    description: str | None
    """Only in an example of the API document."""
    created_at: datetime | None
    updated_at: datetime | None

    site = ToOneRelation["Site"]("sites", includable=True)
    offer = ToOneRelation["Offer"]("offers", includable=True)
    """The offer that a submission grants."""
    fields = ToManyRelation["FormField"]("fields", includable=True)
    contact_tags = ToManyRelation["ContactTag"]("contact_tags", includable=True)
    """The tags that a submission adds."""


@model("fields", distinguished_by=("title", "handle"))
class FormField(Resource):
    """A field of a form; it only comes included."""

    title: str | None = also_called("name")
    """The label; the example of a form with included fields carries it as ``name`` (API document)."""
    type: str | None
    """The kind of input, such as ``TextField`` or ``SelectBoxField``; not the resource type."""
    required: bool | None
    handle: str | None
    select_options: str | None
    """The options, one per line."""
    editable: bool | None
    created_at: datetime | None
    updated_at: datetime | None


@model("form_submissions", distinguished_by=("name", "email"))
class FormSubmission(Resource):
    """One submission of a form; it has no times, although lists can be sorted by ``created_at`` (API document)."""

    name: str | None
    email: str | None
    phone_number: str | None
    business_number: str | None
    mobile_phone_number: str | None
    """Only in the prose and the examples of the API document."""
    address_line_1: str | None
    address_line_2: str | None
    address_city: str | None
    address_state: str | None
    address_country: str | None
    address_zip: str | None
    custom_fields: Mapping[str, str | None]
    """The members ``custom_1`` and so on, by these names."""

    site = ToOneRelation["Site"]("sites", includable=True)
    form = ToOneRelation["Form"]("forms", includable=True)
