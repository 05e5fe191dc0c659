from collections import Counter
from typing import Any

import pytest

from kajabi_async import operations
from kajabi_async.operations import (
    OPERATIONS,
    AnswerKind,
    BodyKind,
    Operation,
    enter,
    name_and_template,
    operation,
    operation_at,
    reads,
)

_VERBS = {"get", "post", "patch", "put", "delete"}
_JSON_API = "application/vnd.api+json"
_FORM = "application/x-www-form-urlencoded"
_SCHEMALESS = {"payouts.list": AnswerKind.COLLECTION, "payouts.get": AnswerKind.RESOURCE}
"""What the document describes in prose only (kajabi-api-facts, section 7, row 9)."""

ROWS = [pytest.param(row, id=row.name) for row in OPERATIONS.values()]


def documented(openapi: dict[str, Any], row: Operation) -> dict[str, Any]:
    found: dict[str, Any] = openapi["paths"][row.path][row.method.lower()]
    return found


def resolved(openapi: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema with references followed."""
    while "$ref" in schema:
        schema = openapi["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    return schema


def members(openapi: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """Return the properties of an object schema, including those of every part of an ``allOf``."""
    schema = resolved(openapi, schema)
    found: dict[str, Any] = dict(schema.get("properties", {}))
    for part in schema.get("allOf", []):
        found |= members(openapi, part)
    return found


def content(openapi: dict[str, Any], answer: dict[str, Any]) -> tuple[str, dict[str, Any]] | None:
    """Return the only media type and the schema of an answer or a body."""
    described = answer.get("content")
    if not described:
        return None
    ((media_type, value),) = described.items()
    return media_type, resolved(openapi, value["schema"])


def kind_of_data(openapi: dict[str, Any], data: dict[str, Any]) -> str:
    data = resolved(openapi, data)
    if data.get("type") == "array":
        return "LINKAGE" if set(members(openapi, data["items"])) == {"id", "type"} else "COLLECTION"
    return "RESOURCE" if "attributes" in members(openapi, data) else "NOTHING"


def documented_answer(openapi: dict[str, Any], row: Operation) -> AnswerKind:
    answers = documented(openapi, row)["responses"]
    (success,) = [answer for status, answer in answers.items() if str(status).startswith("2")]
    described = content(openapi, success)
    if described is None:
        return _SCHEMALESS.get(row.name, AnswerKind.NOTHING)
    media_type, schema = described
    if media_type != _JSON_API:
        assert media_type == "application/json"
        assert "access_token" in members(openapi, schema)
        return AnswerKind.TOKEN
    if schema.get("type") == "array":
        return AnswerKind.SAMPLES
    top = members(openapi, schema)
    return AnswerKind[kind_of_data(openapi, top["data"])] if "data" in top else AnswerKind.META


def documented_body(openapi: dict[str, Any], row: Operation) -> BodyKind:
    described = content(openapi, documented(openapi, row).get("requestBody", {}))
    if described is None:
        return BodyKind.NONE
    media_type, schema = described
    if media_type == _FORM:
        return BodyKind.FORM
    assert media_type == _JSON_API
    return BodyKind[kind_of_data(openapi, members(openapi, schema)["data"])]


def test_has_every_operation_of_the_document_and_no_other(openapi: dict[str, Any]) -> None:
    """The rows are the document's 77 verbs on its paths, each once."""
    stated = {(verb.upper(), path) for path, verbs in openapi["paths"].items() for verb in verbs if verb in _VERBS}
    assert Counter((row.method, row.path) for row in OPERATIONS.values()) == Counter(stated)
    assert len(stated) == 77


@pytest.mark.parametrize("row", ROWS)
def test_has_the_kind_of_answer_that_is_documented(openapi: dict[str, Any], row: Operation) -> None:
    """A row's answer matches the schema and media type of the documented success."""
    assert row.answer is documented_answer(openapi, row)


@pytest.mark.parametrize("row", ROWS)
def test_sends_the_kind_of_body_that_is_documented(openapi: dict[str, Any], row: Operation) -> None:
    """A row's body matches the documented request schema and media type, also for DELETE with a body."""
    assert row.body is documented_body(openapi, row)


@pytest.mark.parametrize("row", ROWS)
def test_names_its_parameter_as_the_document_does(openapi: dict[str, Any], row: Operation) -> None:
    """The parameter in a path is the documented one."""
    item = openapi["paths"][row.path]
    described = [*item.get("parameters", []), *documented(openapi, row).get("parameters", [])]
    names = [parameter["name"] for parameter in described if parameter["in"] == "path"]
    assert row.path.count("{") == len(names)
    assert all(f"{{{name}}}" in row.path for name in names)


@pytest.mark.parametrize("row", ROWS)
def test_fills_in_the_one_parameter(row: Operation) -> None:
    """A path has at most one parameter, and the id replaces it as one segment."""
    assert row.path.count("{") <= 1
    filled = row.path_for("2150966111")
    assert "{" not in filled
    assert "}" not in filled
    assert len(filled.split("/")) == len(row.path.split("/"))
    assert ("2150966111" in filled.split("/")) is ("{" in row.path)


@pytest.mark.parametrize(
    ("name", "id", "path"),
    [
        ("customers.get", "123", "/v1/customers/123"),
        ("contacts.POST.offers", "5", "/v1/contacts/5/relationships/offers"),
        ("purchases.cancel_subscription", "7", "/v1/purchases/7/cancel_subscription"),
        ("forms.submit", "default", "/v1/forms/default/submit"),
        ("contacts.get", "gr%C3%B6%C3%9Fe", "/v1/contacts/gr%C3%B6%C3%9Fe"),
        ("customers.list", "", "/v1/customers"),
        ("me", "", "/v1/me"),
        ("hooks.sample.purchase", "", "/v1/hooks/purchase_sample"),
        ("payouts.list", "", "/v1/kajabi_payments_payouts"),
    ],
)
def test_returns_the_path_of_an_operation(name: str, id: str, path: str) -> None:
    """The path is filled with an encoded id; one without a parameter is returned unchanged."""
    assert operation(name).path_for(id) == path


def test_calls_every_row_by_its_name() -> None:
    """A row is found by its name, and no two rows share one."""
    assert all(operation(name) is row and row.name == name for name, row in OPERATIONS.items())
    assert len(OPERATIONS) == 77


@pytest.mark.parametrize("row", ROWS)
def test_is_consistent_in_itself(row: Operation) -> None:
    """A read has no body, every path is under ``/v1``, and only relationship endpoints have linkage."""
    assert row.path.startswith("/v1/")
    assert row.method in {"GET", "POST", "PATCH", "DELETE"}
    assert row.method != "GET" or row.body is BodyKind.NONE
    assert (row.body is BodyKind.LINKAGE) is ("/relationships/" in row.path and row.method != "GET")
    assert (row.answer is AnswerKind.LINKAGE) is ("/relationships/" in row.path)


def test_refuses_a_name_it_does_not_know() -> None:
    """A misspelt name is an error in the package and fails at once."""
    with pytest.raises(KeyError, match=r"customers\.fetch"):
        operation("customers.fetch")


@pytest.mark.parametrize("row", ROWS)
def test_a_request_leads_to_its_row(row: Operation) -> None:
    """The samples of hooks as well, whose paths look like that of one hook; the id is returned as it came."""
    has_id = "{" in row.path
    for resource_id in ("2150966111", "gr%C3%B6%C3%9Fe", "{}", "{id}", "*"):
        assert operation_at(row.method, row.path_for(resource_id)) == (row, resource_id if has_id else "")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/customers/"),
        ("GET", "/v1//customers"),
        ("GET", "/v1/customers/1/"),
        ("GET", "/v1/customers/1/offers"),
        ("GET", "/v1/customers//relationships/offers"),
        ("DELETE", "/v1/customers/1"),
        ("get", "/v1/customers/1"),
        ("GET", "/v2/customers/1"),
        ("GET", "v1/customers/1"),
        ("GET", "/v1/widgets"),
        ("GET", "/"),
        ("GET", ""),
    ],
)
def test_a_request_of_no_operation_has_no_row(method: str, path: str) -> None:
    """An empty segment is no id, and the verb decides as much as the path."""
    assert operation_at(method, path) is None


def test_a_row_is_found_however_many_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one of a resource that is declared later, whose parameter may be another segment."""
    for table in ("OPERATIONS", "READABLE", "_INDEX"):
        monkeypatch.setattr(operations, table, dict(getattr(operations, table)))
    monkeypatch.setattr(operations, "_ID_POSITIONS", set(operations._ID_POSITIONS))
    part = Operation("parts.get", "GET", "/v1/widgets/parts/{id}", AnswerKind.RESOURCE)
    enter([*reads("widgets"), part])
    assert operation_at("GET", "/v1/widgets/parts/7") == (part, "7")
    assert operation_at("GET", "/v1/widgets/7") == (operation("widgets.get"), "7")
    assert operation_at("GET", "/v1/customers/7") == (operation("customers.get"), "7")


def test_what_is_not_in_the_table_is_called_by_its_method() -> None:
    """Its path may hold anything."""
    assert name_and_template("GET", "/v1/unheard/5") == ("GET", "")
    assert name_and_template("POST", "/v1/contacts/5/relationships/tags") == (
        "contacts.POST.tags",
        "/v1/contacts/{contact_id}/relationships/tags",
    )
