"""What a poll costs, and what it yields: one typed change for each write, oldest first."""

import pytest

from kajabi_async.changes import NoteWritten, PurchaseChanged
from kajabi_async.testing.faults import DataChange
from tests.changes.site import kinds, opened

LISTS = ("purchases", "orders", "form_submissions", "contact_notes", "customers", "contacts")


async def test_the_first_poll_costs_one_request_for_each_list_and_yields_nothing_old() -> None:
    """It starts now."""
    async with opened(customers=600) as site:
        changes = site.api.changes()
        assert await changes.poll() == ()
        del site.fake.counts["oauth.token"]
        assert dict(site.fake.counts) == {f"{name}.list": 1 for name in LISTS}


async def test_a_quiet_poll_costs_one_request_for_each_watched_list() -> None:
    """Also the one that looks for the ends that were planned before the start."""
    async with opened(customers=300) as site:
        for watch, requests in (None, 6), ("contacts", 1), (["purchases", "orders"], 2):
            changes = await site.started(watch=watch)
            for number in range(1, 13):
                assert await changes.poll() == ()
                assert site.requests == number * requests
                site.clock.advance(60)


async def test_each_list_is_asked_by_the_sort_of_the_document() -> None:
    """Newest first: by the last write if the list takes that, else by the creation."""
    async with opened() as site:
        await site.api.changes().poll()
        sorts = {each.operation: each.query["sort"] for each in site.fake.requests if each.method == "GET"}
    assert sorts == {
        "purchases.list": ["-updated_at"],
        "contact_notes.list": ["-updated_at"],
        "orders.list": ["-created_at"],
        "form_submissions.list": ["-created_at"],
        "customers.list": ["-created_at"],
        "contacts.list": ["-created_at"],
    }


async def test_what_is_written_becomes_one_typed_change_each_oldest_first() -> None:
    """With the person that it concerns, as far as the resource shows it."""
    async with opened() as site:
        changes = await site.started()
        site.add("orders", "900", customer="3")
        site.clock.advance(1)
        site.add("purchases", "901", customer="3")
        site.clock.advance(1)
        contact = await site.api.contacts.create(site_id="1", email="ada@example.com")
        site.clock.advance(1)
        note = await site.api.contact_notes.create(contact_id=contact.id, body="called")
        site.clock.advance(1)
        site.add("customers", "902", email="bob@example.com")
        site.clock.advance(1)
        submission = await site.api.forms.submit("1", name="Eve", email="eve@example.com")
        site.clock.advance(60)
        found = await changes.poll()
    assert kinds(found) == [
        "order_placed 900",
        "purchase_made 901",
        f"contact_added {contact.id}",
        f"note_written {note.id}",
        "customer_added 902",
        f"contact_added {int(contact.id) + 1}",
        "customer_added 903",
        f"form_submitted {submission.id}",
    ]
    people = [(each.customer_id, each.contact_id, each.email) for each in found]
    assert people[:5] == [
        ("3", None, None),
        ("3", None, None),
        (None, contact.id, "ada@example.com"),
        (None, contact.id, None),
        ("902", None, "bob@example.com"),
    ]
    assert people[-1] == (None, None, "eve@example.com")
    assert [each.at for each in found] == sorted(each.at for each in found)
    assert len({each.key for each in found}) == len(found)


async def test_the_loop_polls_every_so_many_seconds() -> None:
    """Counted from the start of one poll to the start of the next."""
    async with opened() as site:
        loop = aiter(site.api.changes(watch="contacts", every=30))
        site.fake.inject(DataChange(lambda: site.add("contacts", "3000000000")), path="contacts.list")
        began = site.clock.now
        await anext(loop)
        assert site.clock.now - began == pytest.approx(30)
        assert site.fake.counts["contacts.list"] == 2


async def test_a_note_that_is_edited_is_written_again() -> None:
    """Creation and edit are both writes of the note."""
    async with opened() as site:
        changes = await site.started(watch="contact_notes")
        note = await site.api.contact_notes.create(contact_id="2150000001", body="one")
        (created,) = await changes.poll()
        site.clock.advance(5)
        await site.api.contact_notes.update(note.id, body="two")
        (edited,) = await changes.poll()
    assert isinstance(edited, NoteWritten)
    assert created.key != edited.key
    assert edited.resource.body == "two"


async def test_changes_turn_into_plain_data() -> None:
    """For JSON, with the person that they concern."""
    async with opened() as site:
        purchase = site.purchases(1)[0]
        changes = await site.started(watch="purchases")
        site.fake.change("purchases", purchase, multipay_payments_made=2)
        (change,) = await changes.poll()
    assert isinstance(change, PurchaseChanged)
    members = change.to_dict()
    assert members["change"] == "purchase_changed"
    assert members["resource"]["id"] == purchase
    assert members["customer_id"] == change.customer_id
    assert members["at"].endswith("Z")
