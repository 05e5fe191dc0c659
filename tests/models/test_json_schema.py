"""A resource as the type of a FastAPI response: its plain data, and its schema."""

import asyncio
import json
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # its stubs are not installed
import pytest
from fastapi import FastAPI
from fastapi.exceptions import ResponseValidationError

from kajabi_async import Contact, Customer, Offer, Payout, Resource
from kajabi_async.models.resource import MODELS
from tests.models.building import build


def _answered(value: Any, declared: Any) -> tuple[Any, dict[str, Any]]:
    """Return the answer of a handler that returns *value* as *declared*, and the schemas of the application."""
    app = FastAPI()
    app.get("/", response_model=declared)(lambda: value)
    return asyncio.run(_get(app, "/")), asyncio.run(_get(app, "/openapi.json"))["components"]["schemas"]


async def _get(app: FastAPI, path: str) -> Any:
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope: dict[str, Any] = {
        "type": "http",
        "method": "GET",
        "path": path,
        "root_path": "",
        "query_string": b"",
        "headers": [],
    }
    await app(scope, receive, send)
    assert sent[0]["status"] == 200
    return json.loads(b"".join(message.get("body", b"") for message in sent))


CUSTOMER = build(
    Customer,
    {"name": "Ada", "net_revenue": "1.50", "created_at": "2024-05-01T09:00:00-07:00", "shoe": 38},
    relationships={"offers": {"data": [{"type": "offers", "id": "4"}]}, "contact": {"data": None}},
)


def test_a_resource_or_its_dict_is_answered_as_plain_data() -> None:
    """One, none, several in a tuple or a list, and what `to_dict` returned."""
    expected = CUSTOMER.to_dict()
    optional: Any = Customer | None
    assert _answered(CUSTOMER, Customer)[0] == expected
    assert _answered(CUSTOMER.to_dict(), Customer)[0] == expected
    assert _answered((CUSTOMER, CUSTOMER), tuple[Customer, ...])[0] == [expected, expected]
    assert _answered([CUSTOMER], list[Customer])[0] == [expected]
    assert _answered(CUSTOMER, optional)[0] == expected
    assert _answered(None, optional)[0] is None


def test_another_resource_is_a_mistake_of_the_application() -> None:
    """An answer of another type than declared is never sent."""
    for wrong in (CUSTOMER, CUSTOMER.to_dict(), {"name": "Ada"}, "customers"):
        with pytest.raises(ResponseValidationError, match="expected a Offer or its to_dict"):
            _answered(wrong, Offer)


@pytest.mark.parametrize("cls", MODELS.values(), ids=lambda cls: cls.__name__)
def test_every_resource_has_a_schema(cls: type[Resource]) -> None:
    """It describes each member that `to_dict` may return for a known attribute or relation."""
    relationships = {
        name: {"data": [{"type": each.resource_type, "id": "4"}] if each.to_many else None}
        for name, each in cls.relations.items()
    }
    resource = build(cls, {}, relationships=relationships)
    members, schemas = _answered(resource, cls)
    schema = schemas[cls.__name__]
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(members, schema)
    assert members.keys() <= schema["properties"].keys()


def test_the_schema_has_the_types_of_the_attributes() -> None:
    """Decimals and times are text with a format, parts are objects, and nothing but type and id is required."""
    _, schemas = _answered(CUSTOMER, Customer | Payout | Contact)
    customer, payout = schemas["Customer"], schemas["Payout"]
    null = {"type": "null"}
    assert customer["required"] == ["type", "id"]
    assert customer["properties"]["type"]["const"] == "customers"
    assert customer["properties"]["net_revenue"] == {"anyOf": [{"type": "string", "format": "decimal"}, null]}
    assert customer["properties"]["created_at"] == {"anyOf": [{"type": "string", "format": "date-time"}, null]}
    assert customer["properties"]["offer_ids"] == {"type": "array", "items": {"type": "string"}}
    assert customer["properties"]["socials"]["anyOf"][0]["properties"].keys() == {"twitter", "facebook", "instagram"}
    transaction = payout["properties"]["transactions"]["anyOf"][0]["items"]
    assert transaction["properties"]["offer_ids"]["anyOf"][0] == {"type": "array", "items": {"type": "string"}}
    custom = schemas["Contact"]["properties"]["custom_fields"]
    assert custom == {"type": "object", "additionalProperties": {"anyOf": [{"type": "string"}, null]}}
