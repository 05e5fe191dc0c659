"""However many requests relations need, fifty are under way at once and no more."""

from typing import Any

import pytest

from kajabi_async import Customer, Order
from kajabi_async.relationships import RelationshipResolver
from kajabi_async.relationships.prefetch import prefetch
from kajabi_async.stall import Stall
from tests.relationships.crowd import Crowd
from tests.relationships.owners import owners
from tests.sending import linkage, links, resource

MANY = [str(number) for number in range(120)]


def _respond(request: Any) -> Any:
    """Every resource there is, a customer with a contact of the same number."""
    _, _, family, number = request.path.split("/")
    relationships = {"contact": {"data": {"type": "contacts", "id": number}}} if family == "customers" else {}
    return {"data": resource(family, number, relationships=relationships)}


async def test_many_resources_of_one_relation() -> None:
    """Fetched one by one, as the relation cannot be included."""
    send = Crowd(_respond)
    relationships = {"payment_transactions": linkage("transactions", *MANY)}
    (order,) = owners(RelationshipResolver(send, links()), Order, {"relationships": relationships})
    assert len(await order.payment_transactions) == len(send.asked) == 120
    assert send.most_at_once == 50


@pytest.mark.parametrize(
    "contact",
    [
        pytest.param({}, id="owners that are re-read, then contacts"),
        pytest.param({"links": {"contact": "/v1/contacts/{}"}}, id="contacts that are fetched by their link"),
    ],
)
async def test_one_relation_of_many_owners(contact: dict[str, Any]) -> None:
    """Prefetched in whichever way."""
    send = Crowd(_respond)
    members = [
        {name: {key: link.format(number) for key, link in each.items()} for name, each in contact.items()}
        for number in MANY
    ]
    resolver = RelationshipResolver(send, links())
    customers = owners(resolver, Customer, *members)
    await prefetch(resolver, links(), customers, ["contact"], stall=Stall())
    assert all(customer.contact.loaded for customer in customers)
    assert send.most_at_once == 50


async def test_relations_that_every_owner_has_to_be_read_for_alone() -> None:
    """A relation that cannot be included, and that no answer has mentioned yet."""

    def respond(request: Any) -> Any:
        relationships = {"site": {"data": {"type": "sites", "id": request.path.rsplit("/", 1)[1]}}}
        return {
            "data": resource(request.path.split("/")[2], request.path.rsplit("/", 1)[1], relationships=relationships)
        }

    send = Crowd(respond)
    resolver = RelationshipResolver(send, links())
    customers = owners(resolver, Customer, *[dict[str, Any]() for _ in MANY])
    await prefetch(resolver, links(), customers, ["site"], stall=Stall())
    assert all(customer.site.loaded for customer in customers)
    assert send.most_at_once == 50
