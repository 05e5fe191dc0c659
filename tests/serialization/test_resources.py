"""Resources, outcomes and deliveries are restored with all that is known of them."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from kajabi_async import (
    ClientCredentials,
    Contact,
    Customer,
    Failed,
    FieldNotLoadedError,
    Found,
    GetOrCreated,
    InvalidArgumentError,
    Kajabi,
    NotFoundError,
    Progress,
    RelationshipUnavailableError,
    Resource,
    UnreadableAttributeError,
    UntypedResource,
    dumps,
    loads,
)
from kajabi_async.decoding.answers import read_page
from kajabi_async.models.origin import Scope
from kajabi_async.testing import FakeKajabi
from kajabi_async.webhooks import Event, parse
from tests.models.building import build, read
from tests.serialization.travelling import everything, travelled
from tests.webhooks.deliveries import DELIVERIES

_CYCLE: dict[str, Any] = {
    "data": {
        "type": "customers",
        "id": "1",
        "attributes": {"name": "Ada", "email": None, "net_revenue": "129.00", "mood": {"$kajabi": [1]}},
        "relationships": {
            "contact": {"data": {"type": "contacts", "id": "7"}, "links": {"self": "/a", "related": "/b"}},
            "site": None,
            "offers": {},
        },
        "links": {"self": "/v1/customers/1"},
        "meta": {"seen": True},
    },
    "included": [
        {
            "type": "contacts",
            "id": "7",
            "attributes": {"name": "Ada", "custom_2": "blue"},
            "relationships": {"customer": {"data": {"type": "customers", "id": "1"}}},
        }
    ],
}


async def test_every_type_of_resource_arrives_as_it_left(kajabi_fake: FakeKajabi, kajabi_api: Kajabi) -> None:
    """A page of each list of the fake's data set, and one of each with all of its includes."""
    site_id = (await anext(aiter(kajabi_api.sites.list()))).id
    key = ClientCredentials(kajabi_fake.client_id, kajabi_fake.client_secret)
    async with Kajabi(credentials=key, base_url=kajabi_fake.base_url, site_id=site_id) as api:
        lists: list[Any] = [each for each in vars(api).values() if hasattr(each, "list")]
        resources: list[Resource] = [await api.me()]
        version = await api.version()
        for operations in lists:
            found = [each async for page in _first_page(operations) for each in page.items]
            resources += found
            includes = [name for name, relation in operations.model.relations.items() if relation.includable]
            if hasattr(operations, "get"):
                resources.append(await operations.get(found[0].id, **({"include": includes} if includes else {})))
    arrived = travelled(resources)
    assert {resource.resource_type for resource in resources} >= {each.model.resource_type for each in lists}
    assert everything(*arrived) == everything(*resources)
    assert travelled(version) == version


async def _first_page(operations: Any) -> AsyncIterator[Any]:
    async for page in operations.list().pages():
        yield page
        return


def test_absence_linkage_and_included_resources_arrive_in_a_cycle() -> None:
    """Absent stays absent, null stays null, and customer and contact link to each other."""
    arrived = travelled(read(Customer, _CYCLE))
    assert everything(arrived) == everything(read(Customer, _CYCLE))
    with pytest.raises(FieldNotLoadedError, match="without 'avatar'"):
        _ = arrived.avatar
    contact = arrived.contact.at_hand
    assert contact is not None
    assert isinstance(contact[0], Contact)
    customer = contact[0].customer.at_hand
    assert customer is not None
    assert customer[0] is arrived


def test_an_attribute_that_cannot_be_read_arrives_unreadable() -> None:
    """Reading it raises the same error, with its path through an array; of other resources nothing is written."""
    row = {"type": "customers", "id": "1", "attributes": {"name": ["Ada"], "email": "ada@example.com"}}
    (left,) = read_page(json.dumps({"data": [row]}).encode(), cls=Customer, scope=Scope(), context="GET").rows
    assert isinstance(left, Customer)
    arrived = travelled(left)
    assert everything(arrived) == everything(left)
    with pytest.raises(UnreadableAttributeError, match="expected text, got an array at /data/0/attributes/name"):
        _ = arrived.name
    assert "unreadable" not in json.loads(dumps(build(Customer, {"name": "Ada"})))["resources"][0]


def test_a_resource_that_occurs_twice_is_written_once() -> None:
    """A thousand customers of one offer do not contain it a thousand times."""
    offer = build(Customer, {"name": "Ada"})
    text = dumps([offer, {"again": offer}])
    assert text.count("Ada") == 1
    first, second = loads(text)
    assert second["again"] is first


def test_the_client_is_left_out() -> None:
    """As in a pickle: other relations must be fetched with a client."""
    customer = travelled(build(Customer, {"name": "Ada"}))
    assert customer.offers.ids is None
    with pytest.raises(RelationshipUnavailableError, match="detached"):
        customer.offers.__await__().send(None)


def test_a_type_that_the_sdk_does_not_know_keeps_it() -> None:
    """All of its attributes are in ``extra``."""
    document = {**_CYCLE, "included": [{"type": "gadgets", "id": "3", "attributes": {"size": 4}}]}
    document["data"] = {**_CYCLE["data"], "relationships": {"gadget": {"data": {"type": "gadgets", "id": "3"}}}}
    customer = read(Customer, document)
    arrived = travelled(customer)
    assert everything(arrived) == everything(customer)
    [gadget] = arrived.__getstate__()["related"].values()
    assert isinstance(gadget, UntypedResource)
    assert (gadget.resource_type, gadget.extra) == ("gadgets", {"size": 4})


async def test_outcomes_and_the_report_of_a_run_arrive(kajabi_api: Kajabi) -> None:
    """Found, missing and failed ids of a worker, and its report."""
    run = kajabi_api.customers.get_many(["1", "2", "missing"], include=["offers", "products"], ordered=True)
    outcomes = [outcome async for outcome in run]
    report = await run.report()
    arrived, message = travelled((outcomes, report))
    assert message == report
    assert [outcome.id for outcome in arrived] == ["1", "2", "missing"]
    assert isinstance(arrived[0], Found)
    assert everything(arrived[0].resource) == everything(outcomes[0].resource)
    assert isinstance(arrived[2], Failed)
    assert isinstance(arrived[2].error, NotFoundError)
    assert arrived[2].missing


def test_progress_and_a_contact_that_was_made_arrive() -> None:
    """Two small records."""
    progress = Progress(given=5, found=3, missing=1, failed=1, duplicates=0)
    made = GetOrCreated(build(Contact, {"name": "Ada"}), created=True)
    assert travelled(progress) == progress
    arrived = travelled(made)
    assert isinstance(arrived, GetOrCreated)
    assert arrived == made


@pytest.mark.parametrize("name", DELIVERIES)
def test_a_delivery_arrives_as_the_event_it_was(name: str) -> None:
    """A receiver can put it into a queue, and a worker reads the same event."""
    left = parse(DELIVERIES[name])
    arrived = travelled(left)
    assert type(arrived) is type(left)
    assert arrived == left
    if isinstance(left, Event):
        assert isinstance(arrived, Event)
        assert everything(*arrived.resources) == everything(*left.resources)


def test_a_class_of_the_callers_own_that_is_not_declared_is_refused() -> None:
    """It could not be created again from its type alone."""

    class Stranger(Customer):
        pass

    with pytest.raises(InvalidArgumentError, match="Stranger cannot be written"):
        dumps(build(Stranger, {"name": "Ada"}))
