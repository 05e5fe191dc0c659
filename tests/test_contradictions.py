"""Contradictions between the documents and the wire about more than one value; see also models/test_quirks.

The numbers are those of the collected facts.
"""

from typing import Any

import pytest

from kajabi_async import Contact, Customer, Form, Kajabi, Transaction
from kajabi_async.models.resource import MODELS, attribute_names
from kajabi_async.operations import OPERATIONS, READABLE
from kajabi_async.resources.arguments import checked_fields
from kajabi_async.resources.filters import PurchaseFilters
from kajabi_async.resources.filters.encoding import encode_filters
from kajabi_async.resources.forms import FormSubmissions
from kajabi_async.resources.people import Contacts
from kajabi_async.testing import FakeKajabi
from tests.models.building import build
from tests.sending import Canned, context, links


def test_tags_and_contact_tags_are_one_type_under_two_names() -> None:
    """Quirk 3: contacts call the relation tags, forms call it contact_tags."""
    assert Contact.relations["tags"].resource_type == "contact_tags"
    assert Form.relations["contact_tags"].resource_type == "contact_tags"


def test_types_whose_path_has_another_name_or_none() -> None:
    """Quirk 4: payouts have another name in the client; modules, lessons, media and fields are only included."""
    assert OPERATIONS["payouts.get"].path == "/v1/kajabi_payments_payouts/{id}"
    assert MODELS["kajabi_payments_payouts"].__name__ == "Payout"
    assert not {"modules", "lessons", "media", "fields", "blogs"} & READABLE.keys()


@pytest.mark.parametrize("prefix", ["https://api.kajabi.com/v1", "https://app.kajabi.com/api/v1"])
def test_both_official_hosts_mean_our_own_base(prefix: str) -> None:
    """Quirk 5: links are printed on two hosts with two prefixes."""
    assert links().rebuild(f"{prefix}/contacts/321").path == "/v1/contacts/321"


def test_the_singular_of_a_type_is_sent_as_it_was_written() -> None:
    """Quirk 6: one example uses fields[product]."""
    assert checked_fields({"product": ["title"]}, owner="customers") == {"product": ("title",)}


async def test_addresses_are_built_rather_than_copied_from_examples() -> None:
    """Quirk 7: some printed addresses are broken; the client's have one question mark and no empty parts."""
    send = Canned({"/v1/contacts": {"data": []}})
    await Contacts(context(send)).list(page_size=10, search="x").collect()
    assert send.paths == ["/v1/contacts?filter%5Bsearch%5D=x&page%5Bsize%5D=10"]


async def test_payouts_are_read_although_their_answers_have_no_schema(kajabi_api: Kajabi) -> None:
    """Quirk 9: neither the list nor one payout has one."""
    first = await kajabi_api.payouts.list(site_id="1").first()
    assert first is not None
    assert (await kajabi_api.payouts.get(first.id, site_id="1")).transactions


def test_socials_differ_between_schema_and_example() -> None:
    """Quirk 16: the schema has instagram, the example linkedin."""
    socials = build(Customer, {"socials": {"instagram": "@a", "linkedin": "a"}}).socials
    assert socials is not None
    assert (socials.instagram, socials.extra) == ("@a", {"linkedin": "a"})


def test_transactions_have_a_time_and_a_site_in_lists_only() -> None:
    """Quirk 18: neither is in the schema."""
    linked = {"site": {"data": {"type": "sites", "id": "9"}}}
    listed = build(Transaction, {"updated_at": "2024-01-01T00:00:00Z"}, relationships=linked)
    assert listed.updated_at is not None
    assert listed.site.id == "9"


@pytest.mark.parametrize("body", [b'{"data":{}}', b"", b"null"])
async def test_a_deletion_is_done_whatever_its_answer_holds(body: bytes) -> None:
    """Rows 10 and 83: Quirk 23: an empty object, nothing, or 204."""
    send = Canned({"/v1/contacts/1": body})
    await Contacts(context(send)).delete("1")
    assert [(request.method, request.path) for request in send.asked] == [("DELETE", "/v1/contacts/1")]


def test_submissions_are_sorted_by_a_time_they_do_not_have() -> None:
    """Quirk 24."""
    assert "created_at" in FormSubmissions.sort_keys
    assert "created_at" not in attribute_names(FormSubmissions.model)


async def test_nulls_are_survived_where_no_schema_allows_them(kajabi_api: Kajabi) -> None:
    """Quirk 25: nullability is written in two styles, one without meaning; every attribute may be null."""
    for model in MODELS.values():
        nothing: dict[str, Any] = dict.fromkeys(set(attribute_names(model)) - {"id", "custom_fields"})
        assert build(model, nothing).loaded_attributes().items() >= nothing.items()
    assert await kajabi_api.hooks.sample("form_submission")


async def test_notes_are_listed_as_any_other_resource(kajabi_api: Kajabi) -> None:
    """Quirk 27: no fields, no include and no 403 are documented for their list."""
    note = await kajabi_api.contact_notes.list(fields={"contact_notes": ["body"]}).first()
    assert note is None or note.body


def test_the_referrer_of_purchases_is_filtered_both_ways() -> None:
    """Quirk 29: declared plain, shown with a suffix."""
    filters = {"referrer": "a", "referrer_cont": "b"}
    assert [name for name, _ in encode_filters(PurchaseFilters, filters, owner="purchases")] == [
        "filter[referrer]",
        "filter[referrer_cont]",
    ]


async def test_the_site_is_sent_with_every_list_that_takes_one(kajabi_fake: FakeKajabi) -> None:
    """Quirks 30 and 31: without it, accounts with several sites got errors, no rows, or all rows."""
    async with Kajabi(
        client_id=kajabi_fake.client_id,
        client_secret=kajabi_fake.client_secret,
        base_url=kajabi_fake.base_url,
        site_id="1",
    ) as api:
        await api.transactions.list().first()
        assert kajabi_fake.requests[-1].query["filter[site_id]"] == ["1"]


async def test_a_person_is_two_records_with_two_ids(kajabi_fake: FakeKajabi, kajabi_api: Kajabi) -> None:
    """Quirk 33: a customer and a contact, each leading to the other."""
    customer = await kajabi_api.customers.get("5", include=["contact"])
    contact = await customer.contact
    assert contact is not None
    assert contact.id == kajabi_fake.contact_id_of("5") != customer.id
    assert await contact.customer == customer
