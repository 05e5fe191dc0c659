"""Compound documents, sparse fields, and the shapes of relations."""

from typing import Any

import aiohttp
import pytest

from kajabi_async.testing import FakeKajabi
from kajabi_async.testing.json_shapes import is_array
from tests.testing.caller import Caller, caller_for


def _linked(resource: Any, relation: str) -> list[tuple[str, str]]:
    data: Any = resource["relationships"][relation]["data"]
    return [(entry["type"], entry["id"]) for entry in (data if is_array(data) else [data])]


async def test_a_show_includes_what_is_requested_and_links_to_all_of_it(call: Caller) -> None:
    """``included`` is exactly the linkage of the primary data, each resource once."""
    got = await call.get("/v1/customers/6?include=contact,offers,products")
    linked = [pair for relation in ("contact", "offers", "products") for pair in _linked(got.data, relation)]
    assert got.included == linked
    assert len(got.data["relationships"]["offers"]["data"]) > 1


async def test_without_include_there_is_no_included(call: Caller) -> None:
    """Without an include the member is absent; with one it is present, even if empty."""
    assert "included" not in (await call.get("/v1/customers/6")).document
    contact = (await call.get("/v1/contacts?page[size]=1")).ids[0]
    assert (await call.get(f"/v1/contacts/{contact}?include=customer")).document["included"] == []


async def test_dotted_paths_include_every_step_with_full_linkage(call: Caller) -> None:
    """Offers are included as the step to their products, with linkage to them."""
    got = await call.get("/v1/contacts/2150000006?include=customer.offers.products,offers")
    rows = {(row["type"], row["id"]): row for row in got.document["included"]}
    assert len(rows) == len(got.document["included"])
    offers = _linked(rows["customers", "6"], "offers")
    assert offers
    reached = {("customers", "6"), *offers, *(pair for offer in offers for pair in _linked(rows[offer], "products"))}
    assert set(rows) == reached


async def test_lessons_media_reach_the_media(call: Caller) -> None:
    """This is the only nested path in the document."""
    got = await call.get("/v1/courses/1?include=lessons.media")
    lessons = [row for row in got.document["included"] if row["type"] == "lessons"]
    media = [pair for lesson in lessons for pair in _linked(lesson, "media")]
    assert media
    assert [pair for pair in got.included if pair[0] == "media"] == media


async def test_lists_include_too_and_share_what_is_common(call: Caller) -> None:
    """A tag of two contacts is included once."""
    got = await call.get("/v1/contacts?include=tags&page[size]=60")
    expected = {pair for row in got.data for pair in _linked(row, "tags")}
    assert sorted(got.included) == sorted(expected)
    assert sum(len(_linked(row, "tags")) for row in got.data) > len(expected)


async def test_a_primary_row_is_not_included_again(call: Caller) -> None:
    """A document has only one resource object for a type and id."""
    got = await call.get("/v1/customers/6?include=contact.customer")
    assert got.included == [("contacts", "2150000006")]


async def test_an_include_that_is_no_relation_is_a_400(call: Caller) -> None:
    """The error names the parameter."""
    for path in ("/v1/customers/6?include=favourites", "/v1/customers?filter[search]=unknown&include=contact.cat"):
        got = await call.get(path)
        assert (got.status, got.error["source"]) == (400, {"parameter": "include"})


async def test_relations_are_links_alone_in_lists_and_data_with_links_in_shows(call: Caller) -> None:
    """This holds for offers of contacts and customers; absent data is not "none"."""
    for path, link in (
        ("/v1/contacts", "https://api.kajabi.com/v1/contacts/{}/relationships/offers"),
        ("/v1/customers", "https://app.kajabi.com/api/v1/customers/{}/relationships/offers"),
    ):
        listed = (await call.get(path)).data[0]
        assert listed["relationships"]["offers"] == {"links": {"self": link.format(listed["id"])}}
        shown = (await call.get(f"{path}/{listed['id']}")).data["relationships"]["offers"]
        assert set(shown) == {"data", "links"}


async def test_an_include_puts_the_data_back_into_lists(call: Caller) -> None:
    """Full linkage requires it."""
    got = await call.get("/v1/customers?include=offers&page[size]=60")
    assert {pair for row in got.data for pair in _linked(row, "offers")} == set(got.included)


async def test_contact_and_customer_link_to_each_other_on_two_hosts(call: Caller) -> None:
    """A customer's link is on app.kajabi.com, a contact's on api.kajabi.com; without a customer it is empty."""
    customer = (await call.get("/v1/customers/7")).data
    assert customer["links"] == {"contact": "https://app.kajabi.com/api/v1/contacts/2150000007"}
    contact = (await call.get("/v1/contacts/2150000007")).data
    assert contact["links"] == {"customer": "https://api.kajabi.com/v1/customers/7"}
    alone = (await call.get("/v1/contacts/2150000061")).data
    assert (alone["links"], alone["relationships"]["customer"]) == ({"customer": ""}, None)


async def test_sparse_fields_keep_what_is_named(call: Caller) -> None:
    """Attributes and relations are both fields; fields that are not named are left out, and links too."""
    got = await call.get("/v1/customers/6?fields[customers]=name,email,offers")
    whole = (await call.get("/v1/customers/6")).data
    assert got.data == {
        "id": "6",
        "type": "customers",
        "attributes": {name: whole["attributes"][name] for name in ("name", "email")},
        "relationships": {"offers": whole["relationships"]["offers"]},
    }


async def test_sparse_fields_leave_relationships_empty_though_resources_are_included(call: Caller) -> None:
    """As in the document's example, included resources then cannot be linked to their parent."""
    got = await call.get("/v1/customers/6?include=products&fields[customers]=name&fields[product]=title")
    assert got.data["relationships"] == {}
    assert got.included
    assert all(set(row["attributes"]) == {"title"} for row in got.document["included"])


async def test_sparse_fields_work_for_every_type_of_a_list(call: Caller) -> None:
    """Fields work for primary and included types, in the plural or the singular."""
    got = await call.get("/v1/contacts?include=tags&fields[contacts]=email&fields[contact_tag]=name&page[size]=60")
    assert {tuple(row["attributes"]) for row in got.data} == {("email",)}
    assert {tuple(row["attributes"]) for row in got.document["included"]} == {("name",)}


async def test_an_empty_fieldset_means_no_fields(call: Caller) -> None:
    """An unknown name in it is ignored."""
    for query in ("fields[customers]=", "fields[customers]=nonsense"):
        got = (await call.get(f"/v1/customers/6?{query}")).data
        assert (got["attributes"], got["relationships"]) == ({}, {})


@pytest.mark.parametrize("kind", ["offers", "products"])
async def test_included_sets_of_a_customer_can_be_paged(call: Caller, kind: str) -> None:
    """The linkage shows only that page; an included list may be partial."""
    whole = _linked((await call.get(f"/v1/customers/6?include={kind}")).data, kind)
    assert len(whole) > 2
    got = await call.get(f"/v1/customers/6?include={kind}&filter[{kind}_page]=2&filter[{kind}_per]=2")
    assert got.included == _linked(got.data, kind) == whole[2:4]
    past = await call.get(f"/v1/customers/6?include={kind}&filter[{kind}_page]=9&filter[{kind}_per]=2")
    assert past.document["included"] == []


@pytest.mark.parametrize("kind", ["offers", "products"])
async def test_included_sets_of_a_customer_can_be_searched(call: Caller, kind: str) -> None:
    """The search matches titles in any case; for offers the internal title too."""
    whole = await call.get(f"/v1/customers/6?include={kind}")
    title = whole.document["included"][0]["attributes"]["title"]
    got = await call.get(f"/v1/customers/6?include={kind}&filter[{kind}_search]={title.upper()}")
    assert [row["attributes"]["title"] for row in got.document["included"]] == [title]


async def test_the_included_filters_are_ignored_without_their_include(call: Caller) -> None:
    """The linkage is complete then."""
    whole = (await call.get("/v1/customers/6")).data
    query = "filter[offers_per]=1&filter[products_per]=1&filter[products_search]=nothing"
    assert (await call.get(f"/v1/customers/6?{query}")).data == whole
    got = await call.get(f"/v1/customers/6?include=products&{query}")
    assert got.data["relationships"]["offers"] == whole["relationships"]["offers"]


async def test_included_offers_can_carry_a_name_as_in_the_examples() -> None:
    """The document prints included offers with ``name``; the fake can be configured to."""
    async with (
        FakeKajabi(customers=9, included_offer_title="name") as fake,
        aiohttp.ClientSession(fake.base_url) as session,
    ):
        call = caller_for(fake, session)
        (offer, *_) = (await call.get("/v1/customers/6?include=offers")).document["included"]
        shown = (await call.get(f"/v1/offers/{offer['id']}")).data
        assert "title" not in offer["attributes"]
        assert offer["attributes"]["name"] == shown["attributes"]["title"]
