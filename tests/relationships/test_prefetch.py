"""Relations of many resources in few requests."""

from typing import Any

import pytest

from kajabi_async import Customer, Kajabi, UnknownIncludeError
from kajabi_async.models.reading import read_resource
from kajabi_async.relationships.prefetch import prefetch
from kajabi_async.testing import FakeKajabi
from tests.sending import Canned, backend, linkage, links, resource


def _customers(send: Canned, *relationships: dict[str, Any]) -> list[Customer]:
    from kajabi_async.jsonapi.decoding import encode  # noqa: PLC0415 - a detail of building
    from kajabi_async.models.origin import Scope  # noqa: PLC0415

    resolver = backend(send).resolver
    documents = [
        encode({"data": resource("customers", str(number), relationships=each)})
        for number, each in enumerate(relationships, 1)
    ]
    return [read_resource(each, cls=Customer, scope=Scope(resolver=resolver), context="") for each in documents]


async def _prefetch(send: Canned, owners: list[Customer], *paths: str) -> None:
    resolver: Any = backend(send).resolver
    await prefetch(resolver, links(), owners, paths)


async def test_a_resource_that_many_share_is_fetched_once() -> None:
    """A thousand customers of one offer cost one request."""
    send = Canned({"/v1/offers/7": {"data": resource("offers", "7")}})
    owners = _customers(send, *[{"offers": linkage("offers", "7")}] * 1000)
    await _prefetch(send, owners, "offers")
    assert send.paths == ["/v1/offers/7"]
    assert all(owner.offers.loaded for owner in owners)


async def test_owners_are_re_read_where_that_is_fewer_requests() -> None:
    """Two customers with three offers each: two requests, not six."""

    def respond(request: Any) -> Any:
        number = request.path.rsplit("/", 1)[1]
        ids = [f"{number}{each}" for each in range(3)]
        included = [resource("offers", each) for each in ids]
        return {
            "data": resource("customers", number, relationships={"offers": linkage("offers", *ids)}),
            "included": included,
        }

    send = Canned(respond)
    owners = _customers(send, *({"offers": linkage("offers", f"{n}0", f"{n}1", f"{n}2")} for n in (1, 2)))
    await _prefetch(send, owners, "offers")
    assert sorted(send.paths) == ["/v1/customers/1?include=offers", "/v1/customers/2?include=offers"]


async def test_unknown_linkage_of_several_relations_costs_one_request_for_each_owner() -> None:
    """All open relations are included at once."""

    def respond(request: Any) -> Any:
        relationships = {"offers": linkage("offers"), "contact": {"data": None}}
        return {"data": resource("customers", request.path.rsplit("/", 1)[1], relationships=relationships)}

    send = Canned(respond)
    owners = _customers(send, {}, {}, {})
    await _prefetch(send, owners, "offers", "contact")
    assert sorted(send.paths) == [f"/v1/customers/{number}?include=contact,offers" for number in (1, 2, 3)]


async def test_a_related_resource_that_is_gone_does_not_stop_the_rest() -> None:
    """It stays unloaded; awaiting it raises."""
    send = Canned({"/v1/contacts/1": {"data": resource("contacts", "1")}})
    owners = _customers(send, *({"contact": {"data": {"type": "contacts", "id": each}}} for each in ("1", "2")))
    await _prefetch(send, owners, "contact")
    assert [owner.contact.loaded for owner in owners] == [True, False]


async def test_an_unknown_relation_is_refused_before_anything_is_sent() -> None:
    """With the nearest one there is."""
    send = Canned({})
    with pytest.raises(UnknownIncludeError, match="did you mean 'offers'"):
        await _prefetch(send, _customers(send, {}), "offer")
    assert send.asked == []


async def test_what_is_loaded_already_costs_nothing() -> None:
    """Neither does no owner at all."""
    send = Canned({})
    await _prefetch(send, _customers(send, {"offers": linkage("offers")}), "offers")
    await _prefetch(send, [], "offers")
    assert send.asked == []


async def test_paths_lead_on_from_what_was_found(kajabi_fake: FakeKajabi, kajabi_api: Kajabi) -> None:
    """Fifty customers, their contacts, their offers and the products in those: no request for each of them."""
    customers = await kajabi_api.customers.list(page_size=50).collect(limit=50)
    kajabi_fake.reset_counts()
    await kajabi_api.prefetch(customers, "contact", "offers.products")
    asked = kajabi_fake.counts
    assert asked["customers.get"] == 50
    assert asked["contacts.get"] == 0
    assert asked["offers.get"] <= 20
    kajabi_fake.reset_counts()
    for customer in customers:
        await customer.contact
        for offer in await customer.offers:
            await offer.products
    assert sum(kajabi_fake.counts.values()) == 0
    await kajabi_api.prefetch(customers[0], "site")
    assert customers[0].site.loaded
