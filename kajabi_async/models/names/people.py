"""Names of customers, contacts and what belongs to them: relations to include, paths to prefetch, fields."""

from typing import Literal

from kajabi_async.models.names.numbered import NumberedField

__all__ = [
    "ContactField",
    "ContactInclude",
    "ContactNoteField",
    "ContactNoteInclude",
    "ContactNotePath",
    "ContactPath",
    "ContactTagField",
    "ContactTagPath",
    "CustomFieldField",
    "CustomFieldPath",
    "CustomerField",
    "CustomerInclude",
    "CustomerPath",
]

CustomerInclude = Literal[
    "contact",
    "contact.customer",
    "contact.tags",
    "contact.offers",
    "offers",
    "offers.products",
    "products",
]

CustomerPath = Literal[
    "contact",
    "contact.site",
    "contact.customer",
    "contact.tags",
    "contact.offers",
    "site",
    "offers",
    "offers.site",
    "offers.forms",
    "offers.products",
    "products",
    "products.site",
]

CustomerField = Literal[
    "name",
    "email",
    "avatar",
    "external_user_id",
    "public_bio",
    "public_location",
    "public_website",
    "socials",
    "net_revenue",
    "sign_in_count",
    "last_request_at",
    "bounced_at",
    "created_at",
    "updated_at",
    "contact",
    "site",
    "offers",
    "products",
]

ContactInclude = Literal[
    "customer",
    "customer.contact",
    "customer.offers",
    "customer.products",
    "tags",
    "offers",
    "offers.products",
]

ContactPath = Literal[
    "site",
    "customer",
    "customer.contact",
    "customer.site",
    "customer.offers",
    "customer.products",
    "tags",
    "tags.site",
    "offers",
    "offers.site",
    "offers.forms",
    "offers.products",
]

ContactField = Literal[
    "name",
    "email",
    "phone_number",
    "business_number",
    "subscribed",
    "address_line_1",
    "address_line_2",
    "address_city",
    "address_state",
    "address_country",
    "address_zip",
    "external_user_id",
    "created_at",
    "updated_at",
    "site",
    "customer",
    "tags",
    "offers",
    NumberedField,
]

ContactTagPath = Literal["site",]

ContactTagField = Literal[
    "name",
    "handle",
    "site",
]

ContactNoteInclude = Literal[
    "contact",
    "contact.customer",
    "contact.tags",
    "contact.offers",
]

ContactNotePath = Literal[
    "contact",
    "contact.site",
    "contact.customer",
    "contact.tags",
    "contact.offers",
]

ContactNoteField = Literal[
    "body",
    "created_at",
    "updated_at",
    "contact",
]

CustomFieldPath = Literal["site",]

CustomFieldField = Literal[
    "title",
    "handle",
    "type",
    "required",
    "archived",
    "site",
]
