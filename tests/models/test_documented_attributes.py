"""What the official document states or shows of a resource is on its model."""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from kajabi_async.jsonapi.codec import json_array, json_object
from kajabi_async.models.resource import MODELS, attribute_names
from kajabi_async.resources.arguments import checked_fields, checked_include
from tests.models.building import build

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


def test_every_attribute_of_the_examples_is_on_the_model(openapi: Any) -> None:
    """The prose shows attributes that no schema has; each is on the model, by its name or another one."""
    objects = _resource_objects(openapi)
    shown: set[tuple[str, str]] = {(found["type"], name) for found in objects for name in found["attributes"]}
    assert len(shown) > 150
    unknown = {(of, name) for of, name in shown if name not in _known(of) and not name.startswith("custom_")}
    assert unknown == set()


def test_every_relation_of_the_examples_is_on_the_model(openapi: Any) -> None:
    """Those that only examples show, too."""
    objects = _resource_objects(openapi)
    shown: set[tuple[str, str]] = {
        (of["type"], name) for of in objects for name in json_object(of.get("relationships")) or {}
    }
    assert len(shown) > 30
    assert {(of, name) for of, name in shown if name not in MODELS[of].relations} == set()


def test_every_example_becomes_its_model(openapi: Any) -> None:
    """None of the values that the document prints is refused."""
    objects = _resource_objects(openapi)
    assert len(objects) > 30
    for found in objects:
        built = build(MODELS[found["type"]], found["attributes"], relationships=found.get("relationships"))
        assert not built.extra


def test_every_sparse_fieldset_of_the_examples_is_accepted(openapi: Any) -> None:
    """An address of the document can be copied into a call."""
    requested = {match for text in _texts(openapi["paths"]) for match in re.findall(r"fields\[(\w+)\]=([\w,]+)", text)}
    assert len(requested) > 20
    for resource_type, names in sorted(requested):
        assert checked_fields({resource_type: names}, owner="the document")


def test_what_a_show_documents_in_include_is_includable(openapi: Any) -> None:
    """From the description of the parameter, nested paths among them."""
    documented = {
        (path.split("/")[2], included)
        for path, operations in openapi["paths"].items()
        for parameter in operations.get("get", {}).get("parameters", [])
        if parameter["name"] == "include"
        for match in re.findall(r"\?include=([\w,.]+)", parameter.get("description", ""))
        for included in match.split(",")
    }
    assert len(documented) > 20
    for resource_type, included in sorted(documented):
        assert checked_include(included, MODELS[resource_type], owner=resource_type) == (included,)


def _known(resource_type: str) -> set[str]:
    names = attribute_names(MODELS[resource_type])
    return {*names, *(other for others in names.values() for other in others)}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for each in _inside(value):
        yield from _texts(each)


def _resource_objects(openapi: Any) -> list[dict[str, Any]]:
    """Return those of the examples, in the prose and beside the schemas."""
    found = [each for printed in _printed(openapi) for each in _resource_objects_in(printed)]
    return [*found, *_resource_objects_in(openapi["paths"])]


def _printed(openapi: Any) -> Iterator[Any]:
    """Return the JSON printed in prose; some of it has an extra comma."""
    for text in _texts(openapi):
        for printed in re.findall(r"```(?:json)?\s*(.*?)```", text, re.DOTALL):
            with suppress(ValueError):
                yield json.loads(re.sub(r",(\s*[}\]])", r"\1", printed))


def _resource_objects_in(value: Any) -> Iterator[dict[str, Any]]:
    members = json_object(value) or {}
    if str(members.get("type")) in MODELS and json_object(members.get("attributes")) is not None:
        yield members
    for each in _inside(value):
        yield from _resource_objects_in(each)


def _inside(value: Any) -> list[Any]:
    return json_array(value) or list((json_object(value) or {}).values())
