"""The requests that awaiting a relation costs, and the hosts it never contacts."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from kajabi_async import (
    AnswerTooLargeError,
    Contact,
    Customer,
    DecodeError,
    NotFoundError,
    RelationshipUnavailableError,
    UntrustedLinkError,
)
from kajabi_async.relationships import RelationshipResolver
from kajabi_async.resources.people import Contacts, Customers
from tests.relationships.owners import owners
from tests.sending import Canned, context, linkage, links, resource

REFERENCE = Path(__file__).parents[3] / "shared" / "reference"
CONTACT = {"data": resource("contacts", "321", attributes={"email": "alice@example.com"})}


def _example(name: str) -> Any:
    path = REFERENCE / name
    if not path.exists():
        pytest.skip(f"the example {name} of the API's documentation is not beside the checkout")
    return json.loads(path.read_text("utf-8"))


async def _customer(send: Canned, **requested: Any) -> Customer:
    return await Customers(context(send)).get("123", **requested)


def _shown(**members: Any) -> dict[str, Any]:
    return {"/v1/customers/123": {"data": resource("customers", "123", **members)}}


async def test_the_worked_example_resolves_without_a_further_request() -> None:
    """What came included is there."""
    send = Canned({"/v1/customers/123": _example("customer-details-with-includes.json")})
    customer = await _customer(send, include=["contact", "offers", "products"])
    contact = await customer.contact
    assert contact is not None
    assert contact.email == "alice@example.com"
    assert [offer.title for offer in await customer.offers] == ["Offer 1"]
    assert [product.title for product in await customer.products] == ["Course 1"]
    assert len(send.asked) == 1


async def test_three_who_wait_for_one_contact_cost_one_request_on_our_base() -> None:
    """Although the link names another host and another prefix."""
    example = _example("customer-details-with-includes.json")
    del example["included"]
    send = Canned({"/v1/customers/123": example, "/v1/contacts/321": CONTACT})
    customer = await _customer(send)

    async def ask() -> Contact | None:
        return await customer.contact

    contacts = await asyncio.gather(ask(), ask(), ask())
    assert {contact.id for contact in contacts if contact} == {"321"}
    assert send.paths == ["/v1/customers/123", "/v1/contacts/321"]
    assert (await customer.contact) is contacts[0]
    assert len(send.asked) == 2


async def test_a_related_resource_that_is_another_one_is_refused() -> None:
    """A stranger's record is worse than an error."""
    contact = {"contact": {"data": {"type": "contacts", "id": "321"}}}
    stranger = {"data": resource("contacts", "322")}
    send = Canned(_shown(relationships=contact) | {"/v1/contacts/321": stranger})
    customer = await _customer(send)
    with pytest.raises(DecodeError, match=r"^GET /v1/contacts/321: asked for id '321', got '322'"):
        await customer.contact


async def test_an_answer_that_cannot_be_read_is_named() -> None:
    """By the request that it came for, not by the one that led there."""
    contact = {"contact": {"data": {"type": "contacts", "id": "321"}}}
    send = Canned(_shown(relationships=contact) | {"/v1/contacts/321": b"<html>"})
    customer = await _customer(send)
    with pytest.raises(DecodeError, match=r"^GET /v1/contacts/321: "):
        await customer.contact
    send = Canned(_shown() | {"/v1/customers/123/relationships/offers": b"<html>"})
    customer = await _customer(send)
    with pytest.raises(DecodeError, match=r"^GET /v1/customers/123/relationships/offers: "):
        await customer.offers


async def test_what_was_fetched_leads_on() -> None:
    """A contact that was fetched for a customer has relations to await, and is the one its scope is about."""
    contact = resource("contacts", "321", relationships={"offers": linkage("offers", "7")})
    send = Canned(
        {
            **_shown(relationships={"contact": {"data": {"type": "contacts", "id": "321"}}}),
            "/v1/contacts/321": {"data": contact},
            "/v1/offers/7": {"data": resource("offers", "7")},
        }
    )
    fetched = await (await _customer(send)).contact
    assert fetched is not None
    assert [offer.id for offer in await fetched.offers] == ["7"]
    assert fetched.origin.scope.primary == fetched.identifier


async def test_what_was_included_is_tied_to_its_owner_although_sparse_fields_dropped_the_linkage() -> None:
    """Row 42: The document's example with sparse fields and an include has empty relationships."""
    send = Canned({"/v1/customers/123": _example("customer-details-sparse-with-include.json")})
    customer = await _customer(send, include=["products"], fields={"customers": ["name"]})
    assert customer.products.ids == ("789",)
    assert len(await customer.products) == 1
    assert len(send.asked) == 1


async def test_the_linkage_of_an_include_is_requested_with_sparse_fields() -> None:
    """Row 63: Otherwise the server drops it."""
    send = Canned(_shown())
    await _customer(send, include=["offers"], fields={"customers": ["name"]})
    assert "fields%5Bcustomers%5D=name,offers" in send.paths[0]


async def test_a_link_on_the_resource_leads_to_the_contact() -> None:
    """If the relation itself says nothing."""
    send = Canned(
        {**_shown(links={"contact": "https://app.kajabi.com/api/v1/contacts/321"}), "/v1/contacts/321": CONTACT}
    )
    customer = await _customer(send)
    assert customer.contact.ids is None
    contact = await customer.contact
    assert contact is not None
    assert contact.id == "321"
    assert send.paths[1:] == ["/v1/contacts/321"]
    assert customer.contact.ids == ("321",)


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/v1/contacts/321",
        "https://app.kajabi.com:8443/api/v1/contacts/321",
        "http://app.kajabi.com/api/v1/contacts/321",
        "https://app.kajabi.com/api/v1/offers/321",
        "https://app.kajabi.com/api/v1/contacts/321/../../oauth/revoke",
        "https://app.kajabi.com@evil.example/api/v1/contacts/321",
        "//evil.example/v1/contacts/321",
    ],
)
async def test_a_link_elsewhere_is_refused_before_a_byte_leaves(link: str) -> None:
    """Another host, port, scheme or family of paths."""
    send = Canned(_shown(links={"contact": link}))
    customer = await _customer(send)
    with pytest.raises(UntrustedLinkError):
        await customer.contact
    assert len(send.asked) == 1


async def test_a_hostile_link_of_a_relation_is_refused_too() -> None:
    """Even if it would not have been needed."""
    relationships = {"offers": {"links": {"self": "https://evil.example/v1/customers/123/relationships/offers"}}}
    customer = await _customer(Canned(_shown(relationships=relationships)))
    with pytest.raises(UntrustedLinkError):
        await customer.offers


@pytest.mark.parametrize(
    "relation",
    [
        pytest.param(
            {"links": {"self": "https://app.kajabi.com/api/v1/customers/123/relationships/offers"}}, id="links"
        ),
        pytest.param({}, id="empty object"),
        pytest.param(None, id="null"),
        pytest.param({"data": [{"type": "offers"}]}, id="identifier without id"),
        pytest.param(7, id="a number"),
    ],
)
async def test_unknown_linkage_costs_one_reading_of_the_owner_with_the_relation_included(relation: Any) -> None:
    """One request instead of the linkage and then each offer."""
    offers = [resource("offers", "1"), resource("offers", "2")]
    complete = resource("customers", "123", relationships={"offers": linkage("offers", "1", "2")})
    answers = [
        {"data": resource("customers", "123", relationships={"offers": relation})},
        {"data": complete, "included": offers},
    ]
    send = Canned(lambda request: answers[bool(request.query)])
    customer = await _customer(send)
    assert (customer.offers.ids, customer.offers.loaded) == (None, False)
    assert [offer.id for offer in await customer.offers] == ["1", "2"]
    assert send.paths == ["/v1/customers/123", "/v1/customers/123?include=offers"]
    assert customer.offers.ids == ("1", "2")


async def test_data_inside_links_is_linkage() -> None:
    """As the example of contacts prints it."""
    contact = resource("contacts", "1", relationships={"offers": {"links": {**linkage("offers", "7"), "self": "x"}}})
    send = Canned({"/v1/contacts/1": {"data": contact}, "/v1/offers/7": {"data": resource("offers", "7")}})
    read = await Contacts(context(send)).get("1")
    assert read.offers.ids == ("7",)
    assert [offer.id for offer in await read.offers] == ["7"]
    assert send.paths[1:] == ["/v1/offers/7"]


async def test_null_and_empty_linkage_cost_nothing() -> None:
    """Rows 33 and 80: Both are answers."""
    relationships: dict[str, Any] = {"contact": {"data": None}, "offers": {"data": []}}
    send = Canned(_shown(relationships=relationships))
    customer = await _customer(send)
    assert (customer.contact.ids, customer.offers.ids) == ((), ())
    assert (customer.contact.loaded, customer.offers.loaded) == (True, True)
    assert await customer.contact is None
    assert await customer.offers == ()
    assert len(send.asked) == 1


async def test_a_relation_that_stays_null_when_included_leads_nowhere() -> None:
    """The schema allows a null customer for a contact that is none."""
    contact: dict[str, Any] = {
        "data": resource("contacts", "1", relationships={"customer": None}),
        "included": [],
    }
    send = Canned({"/v1/contacts/1": contact})
    read = await Contacts(context(send)).get("1")
    assert read.customer.ids is None
    assert await read.customer is None
    assert await read.customer is None
    assert len(send.asked) == 2


async def test_one_missing_resource_is_fetched_and_several_are_re_read_with_their_owner() -> None:
    """Whichever is fewer requests."""
    relationships = {"offers": linkage("offers", "1", "2"), "contact": {"data": {"type": "contacts", "id": "321"}}}
    shown = {
        "data": resource("customers", "123", relationships=relationships),
        "included": [resource("offers", "1"), resource("offers", "2")],
    }
    bare = {"data": resource("customers", "123", relationships=relationships)}
    send = Canned(
        lambda request: CONTACT if "contacts" in request.path else shown if request.query else bare,
    )
    customer = await _customer(send)
    await customer.contact
    await customer.offers
    assert send.paths[1:] == ["/v1/contacts/321", "/v1/customers/123?include=offers"]


async def test_a_relation_that_cannot_be_included_is_read_resource_by_resource() -> None:
    """Purchases are not includable for transactions' sites, nor sites for customers."""
    relationships = {"site": {"data": {"type": "sites", "id": "9"}}}
    send = Canned({**_shown(relationships=relationships), "/v1/sites/9": {"data": resource("sites", "9")}})
    customer = await _customer(send)
    site = await customer.site
    assert site is not None
    assert site.id == "9"


async def test_what_nothing_leads_to_is_unavailable() -> None:
    """With the reason, after every way was tried."""
    send = Canned(_shown())
    customer = await _customer(send)
    with pytest.raises(RelationshipUnavailableError, match="site of customers 123"):
        await customer.site


async def test_a_related_resource_that_is_gone_is_not_found() -> None:
    """And may be requested again."""
    send = Canned(_shown(relationships={"contact": {"data": {"type": "contacts", "id": "321"}}}))
    customer = await _customer(send)
    for _ in range(2):
        with pytest.raises(NotFoundError):
            await customer.contact


async def test_cancelling_one_caller_disturbs_no_other() -> None:
    """The request goes on for the others; when the last has left, it is cancelled."""
    gate = asyncio.Event()

    class Slow(Canned):
        async def __call__(self, *arguments: Any, **keywords: Any) -> Any:
            if "contacts" in arguments[0].path:
                await gate.wait()
            return await super().__call__(*arguments, **keywords)

    relationships = {"contact": {"data": {"type": "contacts", "id": "321"}}}
    send = Slow({**_shown(relationships=relationships), "/v1/contacts/321": CONTACT})
    customer = await _customer(send)

    async def ask() -> Contact | None:
        return await customer.contact

    before = asyncio.all_tasks()
    tasks = [asyncio.create_task(ask()) for _ in range(4)]
    await asyncio.sleep(0)
    for task in tasks[:2]:
        task.cancel()
    await asyncio.wait(tasks[:2])
    gate.set()
    assert [contact and contact.id for contact in await asyncio.gather(*tasks[2:])] == ["321", "321"]
    gate.clear()
    other = await _customer(send)
    alone = asyncio.create_task(_awaited(other))
    await asyncio.sleep(0)
    alone.cancel()
    await asyncio.wait([alone])
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == before


async def _awaited(customer: Customer) -> Contact | None:
    return await customer.contact


async def test_partial_includes_say_so() -> None:
    """If only a page of the offers was requested, there may be more."""
    relationships = {"offers": linkage("offers", "1"), "products": linkage("products")}
    shown = {"data": resource("customers", "123", relationships=relationships), "included": [resource("offers", "1")]}
    send = Canned({"/v1/customers/123": shown})
    customer = await _customer(send, include=["offers", "products"], offers_per=1)
    assert (customer.offers.partial, customer.products.partial) == (True, False)
    assert len(await customer.offers) == 1


async def test_cycles_come_back_to_the_same_object() -> None:
    """Rows 44 and 45: Within one answer a type and an id are one object."""
    shown = {
        "data": resource("customers", "123", relationships={"contact": {"data": {"type": "contacts", "id": "1"}}}),
        "included": [
            resource("contacts", "1", relationships={"customer": {"data": {"type": "customers", "id": "123"}}}),
        ],
    }
    customer = await _customer(Canned({"/v1/customers/123": shown}), include=["contact"])
    contact = await customer.contact
    assert contact is not None
    assert await contact.customer is customer


async def test_a_handle_shows_itself_without_asking() -> None:
    """Looking at one never does I/O; iterating one says to await it."""
    send = Canned(_shown(relationships={"offers": linkage("offers", "1")}))
    customer = await _customer(send)
    assert repr(customer.offers) == "<ToMany customers 123.offers: ids=('1',), not loaded>"
    assert repr(customer.contact) == "<ToOne customers 123.contact: not known yet>"
    untyped: Any = customer.offers
    with pytest.raises(TypeError, match="awaited, not iterated"):
        async for _ in untyped:
            pass
    assert len(send.asked) == 1


async def test_a_detached_resource_says_that_it_is() -> None:
    """A copy has no way back to a client."""
    import copy  # noqa: PLC0415 - for this test alone

    customer = copy.copy(await _customer(Canned(_shown())))
    with pytest.raises(RelationshipUnavailableError, match="detached"):
        await customer.offers


async def test_what_a_re_reading_did_not_include_is_fetched_by_itself() -> None:
    """Included sets may be paged: some of what is linked may not come along."""
    relationships = {"offers": linkage("offers", "1", "2", "3")}
    shown = {"data": resource("customers", "123", relationships=relationships)}
    offers = {f"/v1/offers/{each}": {"data": resource("offers", each)} for each in ("1", "2", "3")}
    partly = {**shown, "included": [resource("offers", "1")]}
    send = Canned(lambda request: offers.get(request.path) or (partly if request.query else shown))
    customer = await _customer(send)
    assert [offer.id for offer in await customer.offers] == ["1", "2", "3"]
    assert sorted(send.paths[1:]) == ["/v1/customers/123?include=offers", "/v1/offers/2", "/v1/offers/3"]


async def test_the_relationship_endpoint_is_asked_if_a_new_reading_is_silent() -> None:
    """The linkage first, then what it names."""
    send = Canned(
        {
            **_shown(),
            "/v1/customers/123/relationships/offers": linkage("offers", "7"),
            "/v1/offers/7": {"data": resource("offers", "7")},
        }
    )
    customer = await _customer(send)
    assert [offer.id for offer in await customer.offers] == ["7"]
    assert send.paths[2:] == ["/v1/customers/123/relationships/offers", "/v1/offers/7"]
    assert {request.method for request in send.asked} == {"GET"}


async def test_an_endpoint_without_linkage_and_a_silent_server_raise() -> None:
    """Neither is taken for an empty relation."""
    send = Canned({**_shown(), "/v1/customers/123/relationships/offers": {"meta": {}}})
    customer = await _customer(send)
    with pytest.raises(RelationshipUnavailableError, match="without resource linkage"):
        await customer.offers
    with pytest.raises(RelationshipUnavailableError, match="even when it is asked for"):
        await customer.contact


@pytest.mark.parametrize("strict", [False, True, None])
async def test_attributes_of_related_resources_are_read_as_strictly_as_others(strict: bool | None) -> None:
    """By the option of the client, which is off by default."""
    send = Canned({"/v1/contacts/321": {"data": resource("contacts", "321", attributes={"created_at": "soon"})}})
    options = {} if strict is None else {"strict": strict}
    resolver = RelationshipResolver(send, links(), **options)
    relationships = {"contact": {"data": {"type": "contacts", "id": "321"}}}
    (customer,) = owners(resolver, Customer, {"relationships": relationships})
    if strict:
        with pytest.raises(DecodeError, match="created_at"):
            await customer.contact
    else:
        contact = await customer.contact
        assert contact is not None
        assert list(contact.unreadable_attributes()) == ["created_at"]


@pytest.mark.parametrize("most_elements", [1_000, None])
async def test_answers_for_relations_are_limited_as_others(most_elements: int | None) -> None:
    """By the option of the client, which has a default that is far above any page."""
    included = [resource("offers", str(number)) for number in range(200)]
    complete = resource("customers", "1", relationships={"offers": linkage("offers", "1", "2")})
    send = Canned({"/v1/customers/1": {"data": complete, "included": included}})
    resolver = RelationshipResolver(send, links(), *(() if most_elements is None else (most_elements,)))
    (customer,) = owners(resolver, Customer, {"relationships": {"offers": linkage("offers", "1", "2")}})
    if most_elements is None:
        assert [offer.id for offer in await customer.offers] == ["1", "2"]
    else:
        with pytest.raises(AnswerTooLargeError, match="a limit of 1000 elements"):
            await customer.offers


async def test_types_that_have_no_path_are_read_with_their_owner_or_not_at_all() -> None:
    """A course can be read again with its modules; a blog cannot be had."""
    from kajabi_async.resources.catalog import Courses  # noqa: PLC0415 - for this test alone
    from kajabi_async.resources.content import BlogPosts  # noqa: PLC0415

    course = resource("courses", "1", relationships={"modules": linkage("modules", "2")})
    complete = {"data": course, "included": [resource("modules", "2")]}
    post = resource("blog_posts", "1", relationships={"blog": {"data": {"type": "blogs", "id": "3"}}})
    send = Canned(
        lambda request: complete if request.query else {"data": post if "blog" in request.path else course},
    )
    assert [module.id for module in await (await Courses(context(send)).get("1")).modules] == ["2"]
    read = await BlogPosts(context(send)).get("1")
    assert read.blog.id == "3"
    with pytest.raises(RelationshipUnavailableError, match="no path to resources of type 'blogs'"):
        await read.blog
