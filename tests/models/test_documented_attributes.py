"""Every attribute that the official document states is on the model."""

from typing import Any

import pytest

from kajabi_async.models.base import MODELS, attribute_names

SCHEMAS = {
    "blog_posts_attributes": "blog_posts",
    "contacts_attributes": "contacts",
    "contact_tags_attributes": "contact_tags",
    "contact_notes_attributes": "contact_notes",
    "custom_fields_attributes": "custom_fields",
    "customers_attributes": "customers",
    "fields_attributes": "fields",
    "form_attributes": "forms",
    "form_submission_attributes": "form_submissions",
    "hooks_attributes": "hooks",
    "landing_pages_attributes": "landing_pages",
    "offers_attributes": "offers",
    "courses_attributes": "courses",
    "course_modules_attributes": "modules",
    "course_lessons_attributes": "lessons",
    "orders_attributes": "orders",
    "order_items_attributes": "order_items",
    "products_attributes": "products",
    "purchases_attributes": "purchases",
    "sites_attributes": "sites",
    "transactions_attributes": "transactions",
    "website_pages_attributes": "website_pages",
    "me_attributes": "me",
    "podcasts_attributes": "podcasts",
}


@pytest.mark.parametrize("schema", SCHEMAS)
def test_every_documented_attribute_is_on_the_model(openapi: Any, schema: str) -> None:
    """Custom fields are gathered in a mapping; everything else has a name of its own."""
    documented = openapi["components"]["schemas"][schema]["properties"]
    known = attribute_names(MODELS[SCHEMAS[schema]])
    missing = {name for name in documented if name not in known and not name.startswith("custom_")}
    assert missing == set()
    assert "custom_1" not in documented or "custom_fields" in known


def test_no_schema_of_attributes_was_overlooked(openapi: Any) -> None:
    """A schema that the document gains shows here first."""
    schemas = {name for name in openapi["components"]["schemas"] if name.endswith("_attributes")}
    assert schemas - SCHEMAS.keys() == {"errors_attributes", "media_attributes"} & schemas | {"errors_attributes"}
