"""Contacts: what the API accepts, what it rejects with which error, and what it stores."""

from typing import Any

import aiohttp
import pytest

from kajabi_async.testing import FakeKajabi
from tests.testing.caller import Caller, caller_for, contact_body, identifiers

_FIRST = "2150000001"


def _patch(contact_id: str = _FIRST, **attributes: Any) -> dict[str, Any]:
    return {"data": {"type": "contacts", "id": contact_id, "attributes": attributes}}


async def test_a_created_contact_is_there_and_first_in_the_list(call: Caller) -> None:
    """201 with the whole resource; reads, lists and searches find it; it was never subscribed."""
    body = contact_body(name="Nia Park", email=" Nia@Example.ORG ", phone_number="555", custom_2="x", custom_150="y")
    created = await call.post("/v1/contacts", body)
    assert created.status == 201
    assert created.data["attributes"]["email"] == "nia@example.org"
    assert (created.data["attributes"]["subscribed"], created.data["attributes"]["custom_150"]) == (False, "y")
    contact_id = created.data["id"]
    assert (await call.get(f"/v1/contacts/{contact_id}")).data == created.data
    assert (await call.get("/v1/contacts")).ids[0] == contact_id
    assert (await call.get("/v1/contacts?filter[search]=nia@example.org")).ids == [contact_id]
    assert contact_id in (await call.get("/v1/contacts?filter[never_subscribed]=true&page[size]=100")).ids


async def test_subscribed_can_be_set_at_creation(call: Caller) -> None:
    """Integrators do so."""
    created = await call.post("/v1/contacts", contact_body(email="nia@example.org", subscribed=True))
    assert created.data["attributes"]["subscribed"] is True
    assert created.data["id"] not in (await call.get("/v1/contacts?filter[never_subscribed]=true&page[size]=100")).ids


@pytest.mark.parametrize(
    ("attributes", "pointer", "detail"),
    [
        ({}, "/data/attributes/email", "can't be blank"),
        ({"email": None}, "/data/attributes/email", "can't be blank"),
        ({"email": "  "}, "/data/attributes/email", "can't be blank"),
        ({"email": "no address"}, "/data/attributes/email", "Please double check your email address."),
        ({"email": "a@b"}, "/data/attributes/email", "Please double check your email address."),
        ({"email": "someone@nowhere.invalid"}, "/data/attributes/email", "Undeliverable address"),
        ({"email": "a@example.org", "external_user_id": "1"}, "/data/attributes/external_user_id", None),
        ({"email": "a@example.org", "phone_number": 5}, "/data/attributes/phone_number", None),
        ({"email": "a@example.org", "subscribed": "yes"}, "/data/attributes/subscribed", None),
    ],
)
async def test_a_bad_attribute_is_a_422_that_points_at_it(
    call: Caller, attributes: dict[str, Any], pointer: str, detail: str | None
) -> None:
    """Nothing is created."""
    before = (await call.get("/v1/contacts")).document["meta"]["total_count"]
    got = await call.post("/v1/contacts", contact_body(**attributes))
    assert (got.status, got.error["source"]) == (422, {"pointer": pointer})
    assert detail in {None, got.error["detail"]}
    assert (await call.get("/v1/contacts")).document["meta"]["total_count"] == before


async def test_an_email_is_taken_once(fake: FakeKajabi, call: Caller) -> None:
    """This holds for seeded, created and changed contacts; the email is free again when its contact changes it."""
    seeded = fake.resource("contacts", "2150000033")
    assert seeded
    email = seeded["attributes"]["email"]
    for body in (contact_body(email=email.upper()), _patch(email=email)):
        is_update = "id" in body["data"]
        got = await (call.patch(f"/v1/contacts/{_FIRST}", body) if is_update else call.post("/v1/contacts", body))
        assert (got.status, got.error["detail"]) == (422, "has already been taken")
    assert (await call.patch("/v1/contacts/2150000033", _patch("2150000033", email=email))).status == 200
    await call.patch("/v1/contacts/2150000033", _patch("2150000033", email="moved@example.org"))
    assert (await call.post("/v1/contacts", contact_body(email="moved@example.org"))).status == 422
    assert (await call.post("/v1/contacts", contact_body(email=email))).status == 201


async def test_two_sites_may_have_the_same_email() -> None:
    """An email is unique within a site."""
    async with FakeKajabi(customers=4, sites=2) as fake, aiohttp.ClientSession(fake.base_url) as session:
        call = caller_for(fake, session)
        got = [(await call.post("/v1/contacts", contact_body(site, email="a@example.org"))).status for site in "122"]
        assert got == [201, 201, 422]


@pytest.mark.parametrize("site_id", [None, "77"])
async def test_a_contact_needs_a_site(call: Caller, site_id: str | None) -> None:
    """400 without one, and for an unknown one."""
    assert (await call.post("/v1/contacts", contact_body(site_id, email="a@example.org"))).status == 400


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"not json", 400),
        (b"[]", 400),
        (b"{}", 400),
        (b'{"data":[]}', 400),
        (b'{"data":{"attributes":{}}}', 400),
        (
            b'{"data":{"type":"contacts","attributes":[],"relationships":{"site":{"data":{"type":"sites","id":"1"}}}}}',
            400,
        ),
        (b'{"data":{"type":"customers","attributes":{}}}', 409),
        (b"[" * 100_000, 400),
    ],
)
async def test_a_body_that_is_no_contact_is_refused(call: Caller, body: bytes, status: int) -> None:
    """400 for an unreadable body, 409 for another type."""
    got = await call.send("POST", "/v1/contacts", data=body, headers={"Content-Type": "application/vnd.api+json"})
    assert got.status == status


async def test_the_media_type_of_a_write_counts(call: Caller) -> None:
    """A form is rejected with 415; plain JSON is accepted, as observed."""
    assert (await call.send("POST", "/v1/contacts", data={"email": "a@example.org"})).status == 415
    assert (await call.send("POST", "/v1/contacts", json=contact_body(email="a@example.org"))).status == 201


async def test_an_update_changes_what_it_names_and_null_clears(call: Caller) -> None:
    """Everything else stays, except updated_at; attributes that cannot be written are ignored."""
    before = (await call.get(f"/v1/contacts/{_FIRST}")).data["attributes"]
    await call.patch(f"/v1/contacts/{_FIRST}", _patch(address_city="Bergen", custom_1="x", created_at="never"))
    changed = await call.patch(f"/v1/contacts/{_FIRST}", _patch(custom_1=None, phone_number="1"))
    after = changed.data["attributes"]
    assert changed.status == 200
    assert after == (await call.get(f"/v1/contacts/{_FIRST}")).data["attributes"]
    assert after["updated_at"] != before["updated_at"]
    expected = before | {"address_city": "Bergen", "custom_1": None, "phone_number": "1"}
    assert after | {"updated_at": None} == expected | {"updated_at": None}


async def test_a_name_cannot_be_cleared(call: Caller) -> None:
    """It is required, although null clears other fields."""
    got = await call.patch(f"/v1/contacts/{_FIRST}", _patch(name=None))
    assert (got.status, got.error["source"]) == (422, {"pointer": "/data/attributes/name"})


async def test_the_customer_follows_its_contact(fake: FakeKajabi, call: Caller) -> None:
    """Name, email and external id are copied; a new email no longer bounces."""
    listed = (await call.get("/v1/customers?filter[is_hard_bouncing]=true")).ids
    contact_id = fake.contact_id_of(listed[0])
    changes = {"name": "New Name", "email": "new@example.org", "external_user_id": "crm-1"}
    assert (await call.patch(f"/v1/contacts/{contact_id}", _patch(contact_id or "", **changes))).status == 200
    customer = (await call.get(f"/v1/customers/{listed[0]}")).data["attributes"]
    assert {name: customer[name] for name in changes} == changes
    assert customer["bounced_at"] is None


async def test_an_external_user_id_needs_a_customer(call: Caller) -> None:
    """A contact that never got an offer cannot store one."""
    got = await call.patch("/v1/contacts/2150000061", _patch("2150000061", external_user_id="crm-1"))
    assert (got.status, got.error["source"]) == (422, {"pointer": "/data/attributes/external_user_id"})


@pytest.mark.parametrize(("body_id", "status"), [("2150000002", 409), (None, 400)])
async def test_an_update_names_the_resource_of_its_path(call: Caller, body_id: str | None, status: int) -> None:
    """Another id is a conflict, none is a bad request."""
    body: dict[str, Any] = _patch(body_id or "", name="x")
    if body_id is None:
        del body["data"]["id"]
    assert (await call.patch(f"/v1/contacts/{_FIRST}", body)).status == status


@pytest.mark.parametrize("beside", [True, False])
async def test_an_update_can_replace_the_tags(call: Caller, beside: bool) -> None:
    """The document prints relationships beside data; JSON:API has them inside."""
    body = _patch()
    (body if beside else body["data"])["relationships"] = {"tags": identifiers("contact_tags", "2", "5")}
    assert (await call.patch(f"/v1/contacts/{_FIRST}", body)).status == 200
    assert (await call.get(f"/v1/contacts/{_FIRST}/relationships/tags")).ids == ["2", "5"]


async def test_a_deleted_contact_is_gone_with_its_customer_and_notes(fake: FakeKajabi, call: Caller) -> None:
    """200 with an empty object, then 404 for all of them; its email is free."""
    contact_id = await _without_subscription(fake, call)
    note: dict[str, Any] = {"type": "contact_notes", "attributes": {"body": "x"}}
    note["relationships"] = {"contact": {"data": {"type": "contacts", "id": contact_id}}}
    note_id = (await call.post("/v1/contact_notes", {"data": note})).data["id"]
    customer_id, email = fake.customer_id_of(contact_id), (await call.get(f"/v1/contacts/{contact_id}")).data
    got = await call.delete(f"/v1/contacts/{contact_id}")
    assert (got.status, got.document) == (200, {"data": {}})
    for path in (f"contacts/{contact_id}", f"customers/{customer_id}", f"contact_notes/{note_id}"):
        assert (await call.get(f"/v1/{path}")).status == 404
    assert (await call.delete(f"/v1/contacts/{contact_id}")).status == 404
    listed = await call.all_pages("/v1/contacts?page[size]=9")
    assert contact_id not in [row["id"] for row in listed]
    assert len(listed) == 65
    assert (await call.post("/v1/contacts", contact_body(email=email["attributes"]["email"]))).status == 201


async def _without_subscription(fake: FakeKajabi, call: Caller) -> str:
    rows = await call.all_pages("/v1/purchases?page[size]=100")
    paying = {
        row["relationships"]["customer"]["data"]["id"]
        for row in rows
        if row["attributes"]["payment_type"] != "single" and not row["attributes"]["deactivated_at"]
    }
    free = next(str(number) for number in range(2, 60) if str(number) not in paying)
    return fake.contact_id_of(free) or ""


async def test_a_contact_who_pays_for_a_subscription_is_not_deleted(fake: FakeKajabi, call: Caller) -> None:
    """422 until the subscription is cancelled; removing the access is not enough."""
    rows = await call.all_pages("/v1/purchases?filter[active]=true&page[size]=100")
    paid = next(row for row in rows if row["attributes"]["payment_type"] == "subscription")
    customer_id = paid["relationships"]["customer"]["data"]["id"]
    contact_id = fake.contact_id_of(customer_id)
    assert (await call.delete(f"/v1/contacts/{contact_id}")).status == 422
    assert (await call.post(f"/v1/purchases/{paid['id']}/deactivate")).status == 200
    assert (await call.delete(f"/v1/contacts/{contact_id}")).status == 422
    for row in await call.all_pages(f"/v1/purchases?filter[customer_id]={customer_id}"):
        await call.post(f"/v1/purchases/{row['id']}/cancel_subscription")
    assert (await call.delete(f"/v1/contacts/{contact_id}")).status == 200
