"""Resources that a test adds to the fake, and records that it reads from it."""

from typing import Any

import aiohttp
import pytest
from yarl import URL

from kajabi_async.testing import FakeKajabi
from tests.testing.caller import Caller, caller_for, identifiers

_ODD: dict[str, Any] = {
    "type": "customers",
    "id": "999",
    "attributes": {"name": "Odd One", "email": "odd@example.org", "surprise": [1, {"a": None}]},
    "relationships": {"offers": {"links": {"data": [], "self": "https://elsewhere.example/"}}, "contact": None},
    "links": {"contact": "https://elsewhere.example/contacts/1"},
    "meta": {"kept": True},
}


async def test_an_added_resource_is_answered_verbatim(fake: FakeKajabi, call: Caller) -> None:
    """Single resources and lists show it in any shape, and filters see its attributes."""
    fake.add(_ODD)
    assert (await call.get("/v1/customers/999")).data == _ODD
    assert (await call.get("/v1/customers")).data[0] == _ODD
    assert (await call.get("/v1/customers?filter[search]=odd@example.org")).data == [_ODD]
    assert (await call.get("/v1/customers")).document["meta"]["total_count"] == 61


async def test_an_added_resource_takes_the_place_of_a_seeded_one(fake: FakeKajabi, call: Caller) -> None:
    """The list keeps its length, and the row its position."""
    fake.add({"type": "customers", "id": "59", "attributes": {"name": "New"}})
    got = await call.get("/v1/customers?page[size]=3")
    assert got.ids == ["60", "59", "58"]
    assert got.data[1] == {"type": "customers", "id": "59", "attributes": {"name": "New"}}


async def test_an_added_resource_can_be_included_and_thinned(fake: FakeKajabi, call: Caller) -> None:
    """Its linkage is followed, and sparse fields apply to it."""
    offers = identifiers("offers", "500")
    fake.add({"type": "offers", "id": "500", "attributes": {"title": "Extra", "price_in_cents": 1}})
    fake.add({"type": "customers", "id": "999", "attributes": {}, "relationships": {"offers": offers}})
    got = await call.get("/v1/customers/999?include=offers&fields[offers]=title")
    assert got.document["included"] == [
        {"type": "offers", "id": "500", "attributes": {"title": "Extra"}, "relationships": {}}
    ]


async def test_writes_go_on_from_an_added_resource(fake: FakeKajabi, call: Caller) -> None:
    """After a write it is serialized like any other."""
    relationships = {"contact": {"data": {"type": "contacts", "id": "2150000001"}}}
    customer = {"type": "customers", "id": "999", "attributes": {"email": "x@example.org"}}
    fake.add({**customer, "relationships": relationships})
    granted = await call.post("/v1/customers/999/relationships/offers", identifiers("offers", "5"))
    assert granted.ids == ["5"]
    shown = (await call.get("/v1/customers/999")).data
    assert shown["relationships"]["offers"]["data"] == [{"type": "offers", "id": "5"}]
    assert shown["attributes"] == {"email": "x@example.org"}


async def test_an_added_subscription_is_one_until_it_ends(fake: FakeKajabi, call: Caller) -> None:
    """Its payment type makes it one; it belongs to its customer like any other."""
    customer = {"data": {"type": "customers", "id": "1"}}
    for resource_id, kind in (("9001", "subscription"), ("9002", "single")):
        attributes = {"payment_type": kind, "deactivated_at": None}
        relationships = {"customer": customer, "offer": {"data": {"type": "offers", "id": "2"}}}
        fake.add({"type": "purchases", "id": resource_id, "attributes": attributes, "relationships": relationships})
    assert (await call.delete("/v1/contacts/2150000001")).status == 422
    assert (await call.post("/v1/purchases/9002/cancel_subscription")).status == 422
    assert (await call.post("/v1/purchases/9001/cancel_subscription")).status == 200
    assert (await call.delete("/v1/contacts/2150000001")).status == 200


async def test_an_added_resource_may_lack_a_relation_that_is_included(fake: FakeKajabi, call: Caller) -> None:
    """Nothing is included for it."""
    fake.add({"type": "forms", "id": "99", "attributes": {"title": "Bare"}})
    assert (await call.get("/v1/forms/99?include=offer,fields")).document["included"] == []


@pytest.mark.parametrize("broken", [{}, {"type": "customers"}, {"type": "customers", "id": 5}, {"type": "", "id": "5"}])
def test_a_resource_without_type_and_id_is_refused(broken: dict[str, Any]) -> None:
    """Both are needed to answer with it."""
    with pytest.raises(ValueError, match="type and an id"):
        FakeKajabi().add(broken)


async def test_a_removed_resource_is_gone_and_can_come_back(fake: FakeKajabi, call: Caller) -> None:
    """It disappears from single answers and lists; the other rows move up."""
    assert fake.remove("customers", "59")
    assert not fake.remove("customers", "59")
    assert (await call.get("/v1/customers/59")).status == 404
    assert (await call.get("/v1/customers?page[size]=2")).ids == ["60", "58"]
    fake.remove("customers", "1")
    assert (await call.get("/v1/customers?sort=created_at&page[size]=2")).ids == ["2", "3"]
    assert (await call.get("/v1/customers")).document["meta"]["total_count"] == 58
    fake.add({"type": "customers", "id": "59", "attributes": {}})
    assert (await call.get("/v1/customers?page[size]=2")).ids == ["60", "59"]


def test_resources_can_be_looked_at_without_a_request() -> None:
    """The result is what a GET would show; None for an unknown id or type."""
    fake = FakeKajabi(customers=5)
    customer = fake.resource("customers", "5")
    assert customer
    assert (customer["type"], customer["id"]) == ("customers", "5")
    assert [fake.resource("customers", "6"), fake.resource("unicorns", "1")] == [None, None]
    assert (fake.contact_id_of("5"), fake.customer_id_of("2150000005")) == ("2150000005", "5")


async def test_every_request_is_written_down(fake: FakeKajabi, call: Caller) -> None:
    """The record has all parts of the request."""
    fake.reset_counts()
    await call.get("/v1/customers/7?include=offers&filter%5Bx%5D=a%20b&filter%5Bx%5D=c", headers={"X-Mine": "1"})
    await call.post("/v1/contacts/2150000001/relationships/tags", identifiers("contact_tags"))
    read, write = fake.requests
    assert (read.method, read.path, read.operation) == ("GET", "/v1/customers/7", "customers.get")
    assert read.query_string == "include=offers&filter%5Bx%5D=a%20b&filter%5Bx%5D=c"
    assert read.query == {"include": ["offers"], "filter[x]": ["a b", "c"]}
    assert read.headers["x-mine"] == "1"
    assert (write.operation, write.body) == ("contacts.POST.tags", b'{"data": []}')
    assert call.token not in repr(read)


async def test_requests_are_counted_by_operation(fake: FakeKajabi, call: Caller) -> None:
    """Rejected and unknown ones are counted too; counts outlive the records."""
    fake.reset_counts()
    for path in ("/v1/customers/1", "/v1/customers/2", "/v1/customers", "/v1/nothing"):
        await call.get(path, token="")
    assert fake.counts == {"customers.get": 2, "customers.list": 1, "unknown": 1}
    fake.reset_counts()
    assert (fake.counts, len(fake.requests)) == ({}, 0)
    assert fake.requests.maxlen == 10_000


async def test_every_json_api_answer_has_a_request_id_of_its_own(call: Caller) -> None:
    """Errors have one too; web pages have none."""
    got = [await call.get(path) for path in ("/v1/me", "/v1/me", "/v1/customers/404")]
    assert len({answer.headers["x-request-id"] for answer in got}) == 3
    assert "x-request-id" not in (await call.get("/v1/nothing")).headers


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/subscriptions"),
        ("GET", "/"),
        ("GET", "/v1/customers/"),
        ("PUT", "/v1/customers/1"),
        ("POST", "/v1/me"),
    ],
)
async def test_an_unknown_path_is_an_html_page(call: Caller, method: str, path: str) -> None:
    """It is a 404 like the live server's router sends, with or without a token."""
    got = await call.send(method, path, token="")
    assert (got.status, got.headers["Content-Type"]) == (404, "text/html; charset=utf-8")


async def test_an_encoded_slash_is_part_of_the_id(fake: FakeKajabi, call: Caller) -> None:
    """It does not lead to another path."""
    async with aiohttp.ClientSession(fake.base_url, requote_redirect_url=False) as session:
        url = URL(f"{fake.base_url}/v1/customers/1%2Frelationships%2Foffers", encoded=True)
        async with session.get(url, headers={"Authorization": f"Bearer {call.token}"}) as response:
            assert (response.status, response.content_type) == (404, "application/vnd.api+json")
    assert fake.requests[-1].operation == "customers.get"


async def test_two_fakes_share_nothing() -> None:
    """They share neither state nor credentials."""
    async with FakeKajabi(customers=2) as one, FakeKajabi(customers=2) as other:
        one.remove("customers", "1")
        assert one.base_url != other.base_url
        assert one.client_secret != other.client_secret
        async with aiohttp.ClientSession(other.base_url) as session:
            assert (await caller_for(other, session).get("/v1/customers/1")).status == 200
            assert (await caller_for(one, session).get("/v1/customers/1")).status == 401


async def test_a_fake_is_started_once_and_closed_any_number_of_times() -> None:
    """Its address is known while it listens."""
    fake = FakeKajabi(customers=1)
    with pytest.raises(RuntimeError, match="not listening"):
        assert fake.base_url
    await fake.aclose()
    await fake.start()
    assert fake.base_url.startswith("http://127.0.0.1:")
    with pytest.raises(RuntimeError, match="once"):
        await fake.start()
    await fake.aclose()
    await fake.aclose()
    async with aiohttp.ClientSession(fake.base_url) as session:
        with pytest.raises(aiohttp.ClientConnectorError):
            await session.get("/v1/version")


async def test_a_fake_can_listen_on_a_named_host() -> None:
    """Its address is the resolved one, in brackets if it has colons."""
    fake = FakeKajabi(customers=1)
    await fake.start(host="localhost")
    async with aiohttp.ClientSession(fake.base_url) as session:
        assert (await caller_for(fake, session).get("/v1/customers/1")).status == 200
    await fake.aclose()
    assert fake.base_url.startswith(("http://127.0.0.1:", "http://[::1]:"))
