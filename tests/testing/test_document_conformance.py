"""The fake answers as the official OpenAPI document describes; the document is not part of the project."""

from typing import Any

import aiohttp
import pytest

from kajabi_async.operations import OPERATIONS, Operation
from kajabi_async.testing import FakeKajabi
from tests.testing import openapi
from tests.testing.caller import Caller, caller_for, contact_body, identifiers

_READS = [row for row in OPERATIONS.values() if row.method == "GET"]
_IDS = {
    "contacts": "2150000001",
    "kajabi_payments_payouts": "payout_1",
    "orders": "20",
    "order_items": "20",
    "purchases": "20",
    "transactions": "20",
}
_ATTRIBUTE_SCHEMAS = {
    "forms": "form",
    "form_submissions": "form_submission",
    "modules": "course_modules",
    "lessons": "course_lessons",
}


def _type(row: Operation) -> str:
    return row.path.split("/")[2]


def _url(row: Operation) -> str:
    return row.path_for(_IDS.get(_type(row), "1")) + ("?filter[site_id]=1" if "payouts" in row.path else "")


@pytest.mark.parametrize("row", _READS, ids=lambda row: row.name)
async def test_every_read_answers_what_the_document_says(call: Caller, row: Operation) -> None:
    """Status, media type and schema of every GET match the document."""
    got = await call.get(_url(row))
    assert got.status == 200, got.body
    assert openapi.problems("GET", row.path, 200, got.document) == []
    assert got.headers["Content-Type"] == "application/vnd.api+json"


@pytest.mark.parametrize("row", _READS, ids=lambda row: row.name)
async def test_every_read_with_an_id_answers_404_for_an_id_there_is_not(call: Caller, row: Operation) -> None:
    """An unknown id is a JSON:API 404 on every path, documented or not."""
    if "{" not in row.path:
        assert (await call.get(f"{row.path}/no-such-id")).status == 404
        return
    got = await call.get(row.path_for("no-such-id") + "?filter[site_id]=1")
    assert (got.status, got.error["title"]) == (404, "Not Found")


@pytest.mark.parametrize("name", sorted(name for name in OPERATIONS if name.endswith(".list")))
async def test_every_page_of_every_list_answers_what_the_document_says(name: str) -> None:
    """Every row of a whole data set with several sites matches its schema."""
    row = OPERATIONS[name]
    async with FakeKajabi(customers=60, sites=2) as fake, aiohttp.ClientSession(fake.base_url) as session:
        call = caller_for(fake, session)
        following: str | None = f"{_url(row)}{'&' if 'payouts' in row.path else '?'}page[size]=100"
        while following:
            got = await call.get(following)
            assert got.ids
            assert openapi.problems("GET", row.path, 200, got.document) == []
            link = got.document["links"].get("next")
            following = link and f"/v1{link.partition('/v1')[2]}"


@pytest.mark.parametrize("name", sorted(name for name in OPERATIONS if name.endswith(".get")))
async def test_a_show_carries_every_attribute_and_relation_of_its_schema(call: Caller, name: str) -> None:
    """A GET without sparse fields has every attribute and relation that the document declares."""
    row = OPERATIONS[name]
    got = (await call.get(_url(row))).data
    schemas = openapi.document()["components"]["schemas"]
    declared = schemas.get(f"{_ATTRIBUTE_SCHEMAS.get(_type(row), _type(row))}_attributes")
    if declared is None:
        assert _type(row) == "kajabi_payments_payouts"
        return
    assert set(declared["properties"]) <= set(got["attributes"])
    shown = schemas.get(f"{_type(row)}_show_response", {}).get("properties", {}).get("data", {}).get("properties", {})
    relations = set(shown.get("relationships", {}).get("properties", {}))
    assert relations - set(got.get("relationships", {})) <= ({"offer"} if _type(row) == "forms" else set())


async def test_included_resources_carry_every_attribute_of_their_schema(call: Caller) -> None:
    """Modules, lessons and fields are only included, and complete."""
    schemas = openapi.document()["components"]["schemas"]
    course = await call.get("/v1/courses/1?include=modules,lessons.media")
    form = await call.get("/v1/forms/2?include=fields,contact_tags,offer,site")
    seen: set[str] = set()
    for resource in (*course.document["included"], *form.document["included"]):
        seen.add(resource["type"])
        declared = schemas.get(f"{_ATTRIBUTE_SCHEMAS.get(resource['type'], resource['type'])}_attributes", {})
        assert set(declared.get("properties", {})) <= set(resource["attributes"])
    assert {"modules", "lessons", "media", "fields", "offers", "sites"} <= seen


def _form_submission(**attributes: Any) -> dict[str, Any]:
    return {"data": {"type": "form_submissions", "attributes": attributes}}


def _note(body: str) -> dict[str, Any]:
    contact = {"contact": {"data": {"type": "contacts", "id": "2150000001"}}}
    return {"data": {"type": "contact_notes", "attributes": {"body": body}, "relationships": contact}}


def _hook(event: str) -> dict[str, Any]:
    site = {"site": {"data": {"type": "sites", "id": "1"}}}
    attributes = {"event": event, "target_url": "https://hooks.example.com/1"}
    return {"data": {"type": "hooks", "attributes": attributes, "relationships": site}}


_PERSON = {"name": "Ada Example", "email": "ada@example.org"}
_CHANGED = {"data": {"type": "contacts", "id": "2150000001", "attributes": {"phone_number": "1"}}}
_NOTE = {"data": {"type": "contact_notes", "id": "1", "attributes": {"body": "New words"}}}
_WRITES: dict[str, tuple[int, object]] = {
    "contacts.create": (201, contact_body(**_PERSON)),
    "contacts.update": (200, _CHANGED),
    "contacts.delete": (200, None),
    "contact_notes.create": (201, _note("Words")),
    "contact_notes.update": (200, _NOTE),
    "contact_notes.delete": (200, None),
    "forms.submit": (201, _form_submission(**_PERSON)),
    "hooks.create": (201, _hook("tag_added")),
    "hooks.delete": (204, None),
    "purchases.deactivate": (200, None),
    "purchases.reactivate": (200, None),
    "purchases.cancel_subscription": (422, None),
    **{f"contacts.{verb}.tags": (200, identifiers("contact_tags", "1", "2")) for verb in ("POST", "PATCH", "DELETE")},
    **{
        f"{owner}.{verb}.offers": (200, identifiers("offers", "1", "2"))
        for owner in ("contacts", "customers")
        for verb in ("POST", "PATCH", "DELETE")
    },
}


def test_every_write_is_checked_here() -> None:
    """The table below has a row for every writing operation except the two of OAuth."""
    writes = {row.name for row in OPERATIONS.values() if row.method != "GET"}
    assert writes == set(_WRITES) | {"oauth.token", "oauth.revoke"}


@pytest.mark.parametrize("name", sorted(_WRITES))
async def test_every_write_answers_what_the_document_says(call: Caller, name: str) -> None:
    """Status and schema of every write match the document."""
    row, (status, body) = OPERATIONS[name], _WRITES[name]
    if name == "purchases.cancel_subscription":
        purchases = await call.all_pages("/v1/purchases?page[size]=100")
        once = [bought["id"] for bought in purchases if bought["attributes"]["payment_type"] == "single"]
        url = row.path_for(once[0])
    else:
        url = row.path_for(_IDS.get(_type(row), "1"))
    got = await call.send(row.method, url, body=body)
    assert got.status == status, got.body
    if got.body:
        assert openapi.problems(row.method, row.path, status, got.document) == []
    else:
        assert not openapi.answers(row.method, row.path)[str(status)].get("content")


@pytest.mark.parametrize("row", OPERATIONS.values(), ids=lambda row: row.name)
async def test_every_operation_but_token_and_version_refuses_a_request_without_a_token(
    call: Caller, row: Operation
) -> None:
    """The 401 has the shape and text of the live API."""
    got = await call.send(row.method, _url(row), token="unknown")
    if row.name in {"oauth.token", "version"}:
        assert got.status != 401
        return
    assert got.status == 401
    assert openapi.problems(row.method, row.path, 401, got.document) == []
    assert got.error["title"] == "Unauthorized"
    start = "The request is missing an Authorization token, or token is invalid/has expired"
    assert got.error["detail"].startswith(start)
