"""Names of forms and submissions: relations to include, paths to prefetch, fields."""

from typing import Literal

from kajabi_async.models.names.people import NumberedField

__all__ = [
    "FormField",
    "FormFieldField",
    "FormInclude",
    "FormPath",
    "FormSubmissionField",
    "FormSubmissionInclude",
    "FormSubmissionPath",
]

FormInclude = Literal[
    "site",
    "offer",
    "offer.products",
    "fields",
    "contact_tags",
]

FormPath = Literal[
    FormInclude,
    "offer.site",
    "offer.forms",
    "contact_tags.site",
]

FormField = Literal[
    "title",
    "default",
    "webhook_url",
    "url",
    "description",
    "created_at",
    "updated_at",
    "site",
    "offer",
    "fields",
    "contact_tags",
]

FormFieldField = Literal[
    "title",
    "name",
    "type",
    "required",
    "handle",
    "select_options",
    "editable",
    "created_at",
    "updated_at",
]

FormSubmissionInclude = Literal[
    "site",
    "form",
    "form.site",
    "form.offer",
    "form.fields",
    "form.contact_tags",
]

FormSubmissionPath = FormSubmissionInclude

FormSubmissionField = Literal[
    "name",
    "email",
    "phone_number",
    "business_number",
    "mobile_phone_number",
    "address_line_1",
    "address_line_2",
    "address_city",
    "address_state",
    "address_country",
    "address_zip",
    "site",
    "form",
    NumberedField,
]
