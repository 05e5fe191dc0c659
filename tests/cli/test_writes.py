"""The writes that are safe to type."""

import json

from kajabi_async.testing import FakeKajabi
from tests.cli.conftest import Command


async def test_a_contact_is_created_changed_and_tagged(kajabi: Command) -> None:
    """Attributes are NAME=VALUE; an empty value is null."""
    made = await kajabi("contacts", "create", "zoe@example.com", "--site-id", "1", "--set", "name=Zoe", "--json")
    contact = json.loads(made.out)
    assert (contact["name"], contact["email"]) == ("Zoe", "zoe@example.com")
    changed = await kajabi("contacts", "update", contact["id"], "--set", "name=Zoe Z", "--set", "phone_number=")
    assert "Zoe Z" in changed.out
    assert (await kajabi("contacts", "add-tags", contact["id"], "1", "2")).lines == ["1", "2"]
    assert (await kajabi("contacts", "remove-tags", contact["id"], "1")).lines == ["2"]


async def test_granting_grants_missing_offers_and_mails_by_default(kajabi: Command, fake: FakeKajabi) -> None:
    """A second grant does nothing."""
    contact_id = fake.contact_id_of("1")
    before = await kajabi("customers", "get", "1", "--json")
    missing = sorted({"1", "2", "3"} - set(json.loads(before.out)["offer_ids"]))
    first = await kajabi("contacts", "grant-offers", contact_id, *missing, "--no-welcome-email")
    assert first.lines == missing
    assert not [effect for effect in fake.effects if effect.kind == "welcome_email"]
    assert (await kajabi("contacts", "grant-offers", contact_id, *missing)).lines == []


async def test_a_note_is_written_and_changed(kajabi: Command, fake: FakeKajabi) -> None:
    """A note belongs to a contact."""
    made = await kajabi("contact-notes", "create", fake.contact_id_of("1"), "called", "--json")
    note = json.loads(made.out)
    assert note["body"] == "called"
    assert "called twice" in (await kajabi("contact-notes", "update", note["id"], "called twice")).out
