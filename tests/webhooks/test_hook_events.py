"""The six events of ``/v1/hooks``."""

import json
import pickle
from typing import Any, get_args

import pytest

from kajabi_async import HookEvent, Kajabi, RelationshipUnavailableError, UntypedResource
from kajabi_async.testing import FakeKajabi
from kajabi_async.webhooks import (
    FormSubmissionEvent,
    OrderCreatedEvent,
    PaymentSucceededEvent,
    PurchaseEvent,
    TagAddedEvent,
    TagRemovedEvent,
    parse,
)
from kajabi_async.webhooks.hook_events import EVENTS
from tests.webhooks.deliveries import API_DELIVERIES, delivery, row


def test_every_event_that_can_be_subscribed_to_can_be_read() -> None:
    """`parse` knows exactly the events that ``hooks.create`` takes."""
    assert set(EVENTS) == set(get_args(HookEvent)) == set(API_DELIVERIES)


@pytest.mark.parametrize("name", EVENTS)
async def test_a_delivery_of_the_samples_is_read(kajabi_api: Kajabi, name: str) -> None:
    """The API's example of an event, wrapped, is a delivery, although all its ids are "0"."""
    payload = await kajabi_api.request("GET", f"/v1/hooks/{name}_sample")
    event: Any = parse(delivery(name, payload, delivery_id="hash_id"))
    assert type(event) is EVENTS[name]
    assert (event.id, event.name) == ("hash_id", name)
    assert [(each.resource_type, each.id) for each in event.resources] == [(row["type"], "0") for row in payload]
    assert {getattr(event, carried).id for carried in EVENTS[name].carries()} == {"0"}


async def test_a_purchase_has_its_customer_and_its_offer() -> None:
    """Both are included, so awaiting them sends no request."""
    event = parse(API_DELIVERIES["purchase"])
    assert isinstance(event, PurchaseEvent)
    assert (event.purchase.id, event.purchase.amount_in_cents) == ("11", 1000)
    customer, offer = await event.customer, await event.offer
    assert customer is not None
    assert customer is event.resources[2]
    assert (customer.name, offer and offer.title) == ("Ada Lovelace", "Year")
    assert await event.purchase.products == ()


async def test_a_payment_has_its_customer_and_may_have_no_offer() -> None:
    """The offer of the sample is null, so there is none, which is not the same as unknown."""
    event = parse(API_DELIVERIES["payment_succeeded"])
    assert isinstance(event, PaymentSucceededEvent)
    customer = await event.customer
    assert (event.transaction.amount_in_cents, customer and customer.id) == (1000, "31")
    assert await event.offer is None


async def test_an_order_has_its_payment_its_customer_and_its_items() -> None:
    """The payment is the primary resource, although the event is about the order."""
    event = parse(API_DELIVERIES["order_created"])
    assert isinstance(event, OrderCreatedEvent)
    assert (event.transaction.id, event.order.id, event.order.order_number) == ("51", "71", "7")
    assert [item.title for item in await event.order_items] == ["Year"]
    assert await event.customer is await event.order.customer


async def test_a_form_submission_has_its_form() -> None:
    """Also a form without created_at, which the schema forbids but the sample has."""
    event = parse(API_DELIVERIES["form_submission"])
    assert isinstance(event, FormSubmissionEvent)
    form = await event.form
    assert form is not None
    assert (event.form_submission.custom_fields, form.title, form.created_at) == (
        {"custom_2": "Somerset"},
        "Newsletter",
        None,
    )


@pytest.mark.parametrize(("name", "cls"), [("tag_added", TagAddedEvent), ("tag_removed", TagRemovedEvent)])
def test_a_tag_has_its_contact(name: str, cls: type[TagAddedEvent | TagRemovedEvent]) -> None:
    """The tag is the one added or removed; the delivery does not contain the other tags of the contact."""
    event = parse(API_DELIVERIES[name])
    assert isinstance(event, cls)
    assert (event.contact.email, event.tag.name) == ("ada@lovelace.example", "VIP")
    assert event.contact.tags.ids is None


async def test_relations_that_are_not_included_are_fetched_by_the_client(
    kajabi_fake: FakeKajabi, kajabi_api: Kajabi
) -> None:
    """Included ones cost no request, others one each."""
    purchase = row("purchases", "1", customer="customers:1", offer="offers:1", products=())
    body = delivery("purchase", [purchase, row("offers", "1", {"title": "As delivered"})])
    event = parse(body, api=kajabi_api)
    assert isinstance(event, PurchaseEvent)
    assert not kajabi_fake.requests
    offer, customer = await event.offer, await event.customer
    assert offer is not None
    assert customer is not None
    assert (offer.title, customer.id) == ("As delivered", "1")
    assert [request.path for request in kajabi_fake.requests if "oauth" not in request.path] == ["/v1/customers/1"]


async def test_without_a_client_other_relations_name_the_cure() -> None:
    """The error has the missing relation and the parameter to use."""
    event = parse(delivery("purchase", [row("purchases", "1", customer="customers:1")]))
    assert isinstance(event, PurchaseEvent)
    with pytest.raises(RelationshipUnavailableError, match=r"customer of purchases 1 did not come.*api="):
        await event.customer


async def test_a_relation_without_data_is_linked_to_the_only_resource_of_its_type() -> None:
    """The only customer in the delivery of a purchase is its customer; with two, none is linked."""
    one, two = row("customers", "5"), row("customers", "6")
    event = parse(delivery("purchase", [row("purchases", "1"), one]))
    assert isinstance(event, PurchaseEvent)
    assert event.customer.id == "5"
    event = parse(delivery("purchase", [row("purchases", "1"), one, two]))
    assert isinstance(event, PurchaseEvent)
    assert event.customer.ids is None


async def test_linkage_takes_precedence_over_included_resources() -> None:
    """An included customer that is not the purchase's is not linked to it."""
    body = delivery("purchase", [row("purchases", "1", customer="customers:9"), row("customers", "5")])
    event = parse(body)
    assert isinstance(event, PurchaseEvent)
    assert (event.customer.id, event.customer.loaded) == ("9", False)


def test_the_order_of_the_resources_does_not_matter() -> None:
    """The primary resource is recognised by its type, at any position."""
    event = parse(delivery("tag_added", [row("contact_tags", "6"), row("contacts", "4")]))
    assert isinstance(event, TagAddedEvent)
    assert (event.contact.id, event.tag.id) == ("4", "6")


def test_a_resource_of_an_unknown_type_is_kept() -> None:
    """Unknown types and attributes are kept unchanged."""
    novelty = row("badges", "1", {"shine": 12345678901234567890123})
    event = parse(delivery("tag_added", [row("contacts", "4", {"mood": "good"}), row("contact_tags", "6"), novelty]))
    assert isinstance(event, TagAddedEvent)
    assert event.contact.extra == {"mood": "good"}
    assert isinstance(event.resources[2], UntypedResource)
    assert event.resources[2].extra == {"shine": 12345678901234567890123}


def test_an_id_may_be_a_number() -> None:
    """It becomes text, like all ids."""
    assert parse(delivery("purchase", [row("purchases", "1")], delivery_id=17)).id == "17"


async def test_an_event_goes_to_another_process() -> None:
    """It can be pickled with its included resources; others cannot be fetched there."""
    event = parse(API_DELIVERIES["purchase"])
    arrived = pickle.loads(pickle.dumps(event))
    assert arrived == event
    customer = await arrived.customer
    assert (customer.email, arrived.purchase is arrived.resources[0]) == ("ada@lovelace.example", True)


def test_an_event_shows_ids_and_no_personal_data() -> None:
    """Logs of events have ids, no names."""
    assert repr(parse(API_DELIVERIES["tag_added"])) == "<TagAddedEvent dl_1: contacts 41, contact_tags 61>"


def test_members_beside_the_three_are_ignored() -> None:
    """New members of the envelope break nothing."""
    body = json.loads(API_DELIVERIES["purchase"]) | {"sent_at": "2025-07-31T16:59:27Z", "attempt": 2}
    assert parse(json.dumps(body).encode()) == parse(API_DELIVERIES["purchase"])
