"""Tags of contacts, notes on contacts, and hooks."""

from typing import Any

import pytest

from kajabi_async.testing import FakeKajabi
from tests.testing.caller import Caller, identifiers

_TAGS = "/v1/contacts/2150000001/relationships/tags"


def _note(contact_id: str | None, body: object) -> dict[str, Any]:
    data: dict[str, Any] = {"type": "contact_notes", "attributes": {"body": body}}
    if contact_id is not None:
        data["relationships"] = {"contact": {"data": {"type": "contacts", "id": contact_id}}}
    return {"data": data}


def _hook(site_id: str | None = "1", **attributes: Any) -> dict[str, Any]:
    data: dict[str, Any] = {"type": "hooks", "attributes": attributes}
    if site_id is not None:
        data["relationships"] = {"site": {"data": {"type": "sites", "id": site_id}}}
    return {"data": data}


async def test_tags_are_added_replaced_and_removed(call: Caller) -> None:
    """Each answer is the full new list; adding twice and removing an absent tag change nothing."""
    link = {"self": "https://api.kajabi.com/v1/contacts/2150000001/relationships/tags"}
    assert (await call.patch(_TAGS, identifiers("contact_tags", "3"))).document["links"] == link
    assert (await call.post(_TAGS, identifiers("contact_tags", "5", "3"))).ids == ["3", "5"]
    assert (await call.delete(_TAGS, identifiers("contact_tags", "3", "9"))).ids == ["5"]
    assert (await call.patch(_TAGS, identifiers("contact_tags", "1", "2"))).ids == ["1", "2"]
    assert (await call.patch(_TAGS, {"data": []})).ids == []
    assert (await call.get("/v1/contacts/2150000001?include=tags")).document["included"] == []


async def test_an_added_or_removed_tag_is_reported_to_its_hooks(fake: FakeKajabi, call: Caller) -> None:
    """Hooks for that tag and for all tags are notified, with the contact first in the payload."""
    await call.patch(_TAGS, {"data": []})
    for hook in await call.all_pages("/v1/hooks"):
        await call.delete(f"/v1/hooks/{hook['id']}")
    url = "https://hooks.example.com/"
    made = [
        (await call.post("/v1/hooks", _hook(event=event, target_url=url, resource_id=tag))).data["id"]
        for event, tag in (("tag_added", None), ("tag_added", "4"), ("tag_added", "5"), ("tag_removed", None))
    ]
    fake.effects.clear()
    await call.post(_TAGS, identifiers("contact_tags", "4"))
    await call.delete(_TAGS, identifiers("contact_tags", "4"))
    seen = [(effect.kind, effect.about_id) for effect in fake.effects]
    assert seen == [
        ("tag_added", "4"),
        ("hook", made[0]),
        ("hook", made[1]),
        ("tag_removed", "4"),
        ("hook", made[3]),
    ]
    payload = fake.effects[1].payload
    assert [(entry["type"], entry["id"]) for entry in payload] == [("contacts", "2150000001"), ("contact_tags", "4")]
    assert payload[0]["relationships"]["tags"]["data"] == [{"type": "contact_tags", "id": "4"}]


async def test_a_note_lives_from_creation_to_deletion(call: Caller) -> None:
    """201, then first in the list, then updated, then 200 without a body, then 404."""
    created = await call.post("/v1/contact_notes", _note("2150000007", "First words"))
    note_id = created.data["id"]
    assert (created.status, note_id) == (201, "61")
    assert (await call.get("/v1/contact_notes?filter[contact_id]=2150000007")).ids[0] == note_id
    assert (await call.get("/v1/contact_notes")).ids[0] == note_id
    body = {"data": {"type": "contact_notes", "id": note_id, "attributes": {"body": "Second words"}}}
    assert (await call.patch(f"/v1/contact_notes/{note_id}", body)).data["attributes"]["body"] == "Second words"
    shown = await call.get(f"/v1/contact_notes/{note_id}?include=contact")
    assert (shown.data["attributes"]["body"], shown.included) == ("Second words", [("contacts", "2150000007")])
    deleted = await call.delete(f"/v1/contact_notes/{note_id}")
    assert (deleted.status, deleted.body) == (200, b"")
    assert (await call.get(f"/v1/contact_notes/{note_id}")).status == 404
    assert (await call.delete(f"/v1/contact_notes/{note_id}")).status == 404


@pytest.mark.parametrize(
    ("contact_id", "body", "pointer"),
    [
        ("2150000007", "", "/data/attributes/body"),
        ("2150000007", None, "/data/attributes/body"),
        ("2150000007", 7, "/data/attributes/body"),
        ("404", "Words", "/data/relationships/contact"),
        (None, "Words", "/data/relationships/contact"),
    ],
)
async def test_a_note_needs_words_and_a_contact(
    call: Caller, contact_id: str | None, body: object, pointer: str
) -> None:
    """422 with a pointer to the missing part."""
    got = await call.post("/v1/contact_notes", _note(contact_id, body))
    assert (got.status, got.error["source"]) == (422, {"pointer": pointer})


@pytest.mark.parametrize(("given", "stored"), [(None, None), ("123", 123), (123, 123)])
async def test_a_hook_is_created_listed_and_deleted(call: Caller, given: object, stored: int | None) -> None:
    """201, an integer resource_id for text and numbers, and the only 204 of the API."""
    attributes: dict[str, Any] = {"event": "tag_added", "target_url": "https://hooks.example.com/1"}
    if given is not None:
        attributes["resource_id"] = given
    created = await call.post("/v1/hooks", _hook("1", **attributes))
    assert (created.status, created.data["attributes"]["resource_id"]) == (201, stored)
    hook_id = created.data["id"]
    assert (await call.get("/v1/hooks?filter[event_eq]=tag_added")).ids == [hook_id]
    assert (await call.get(f"/v1/hooks/{hook_id}")).data == created.data
    deleted = await call.delete(f"/v1/hooks/{hook_id}")
    assert (deleted.status, deleted.body) == (204, b"")
    assert (await call.get(f"/v1/hooks/{hook_id}")).status == 404


@pytest.mark.parametrize(
    ("attributes", "pointer"),
    [
        ({"event": "moon_rise", "target_url": "https://h.example/"}, "/data/attributes/event"),
        ({"target_url": "https://h.example/"}, "/data/attributes/event"),
        ({"event": "purchase"}, "/data/attributes/target_url"),
        ({"event": "purchase", "target_url": "h.example"}, "/data/attributes/target_url"),
        ({"event": "purchase", "target_url": "http://["}, "/data/attributes/target_url"),
        ({"event": "purchase", "target_url": "https://h.example/", "resource_id": "x"}, "/data/attributes/resource_id"),
    ],
)
async def test_a_hook_that_cannot_be_is_a_422(call: Caller, attributes: dict[str, Any], pointer: str) -> None:
    """The error points to the attribute."""
    got = await call.post("/v1/hooks", _hook(**attributes))
    assert (got.status, got.error["source"]) == (422, {"pointer": pointer})


async def test_a_hook_needs_a_site(call: Caller) -> None:
    """400 without one."""
    body = _hook(None, event="purchase", target_url="https://h.example/")
    assert (await call.post("/v1/hooks", body)).status == 400
