"""The writes that are safe to type."""

import json

import pytest

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
    again = await kajabi("contacts", "grant-offers", contact_id, *missing)
    assert (again.lines, again.err) == ([], "nothing to grant: the contact has the offers\n")


async def test_a_note_is_written_and_changed(kajabi: Command, fake: FakeKajabi) -> None:
    """A note belongs to a contact."""
    made = await kajabi("contact-notes", "create", fake.contact_id_of("1"), "called", "--json")
    note = json.loads(made.out)
    assert note["body"] == "called"
    assert "called twice" in (await kajabi("contact-notes", "update", note["id"], "called twice")).out


@pytest.mark.parametrize(
    ("command", "argument"), [("add-tags", "TAG-ID"), ("remove-tags", "TAG-ID"), ("grant-offers", "OFFER-ID")]
)
async def test_a_write_without_what_it_writes_is_refused(
    command: str, argument: str, kajabi: Command, fake: FakeKajabi
) -> None:
    """It would do nothing and look like a success."""
    done = await kajabi("contacts", command, fake.contact_id_of("1"))
    assert (done.code, done.out) == (2, "")
    assert f"Missing argument: {argument}. See `kajabi contacts {command} --help`" in done.err
    assert fake.counts.total() == 0
    assert (
        f"Usage: kajabi contacts {command} ID {argument}... [OPTIONS]"
        in (await kajabi("help", "contacts", command)).out
    )


async def test_a_contact_without_tags_left_is_said_to_have_none(kajabi: Command, fake: FakeKajabi) -> None:
    """On standard error: there are no rows."""
    contact_id = fake.contact_id_of("1")
    tags = (await kajabi("contacts", "add-tags", contact_id, "1")).lines
    done = await kajabi("contacts", "remove-tags", contact_id, *tags)
    assert (done.code, done.out, done.err) == (0, "", "no tags left\n")


async def test_an_attribute_that_cannot_be_written_is_refused_in_the_words_of_the_command(kajabi: Command) -> None:
    """With the name of the command."""
    done = await kajabi("contacts", "update", "1", "--set", "foo=1")
    assert done.code == 2
    assert done.err.startswith("kajabi: contacts update has no writable attribute 'foo'")
