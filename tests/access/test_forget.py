"""What is dropped, by whichever name a person is known, also while a reading is under way."""

import asyncio
from typing import Any

import attrs
import pytest

from kajabi_async import InvalidArgumentError
from kajabi_async.access import MemoryCache
from kajabi_async.webhooks import MalformedDeliveryError, UnreadDelivery, parse
from tests.access.test_access_gate import settled, state_of
from tests.access.test_email import EMAIL
from tests.access.world import World
from tests.webhooks.deliveries import DASHBOARD_DELIVERIES, delivery

NAMES: list[dict[str, Any]] = [{"customer_id": 55}, {"email": EMAIL.upper()}, {"contact_id": "955"}]
ASKED: list[dict[str, Any]] = [{"customer_id": "55"}, {"email": EMAIL}]


@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize("name", NAMES)
async def test_a_person_is_forgotten_by_every_name(world: World, name: dict[str, Any], asked: dict[str, Any]) -> None:
    """However the person was asked for."""
    person = world.person(offers=["4"])
    gate = world.gate()
    assert (await gate.check(**asked, offers=["4"])).allowed
    person.offers = []
    gate.forget(**name)
    assert (await gate.check(**asked, offers=["4"])).denied
    readings = world.counts["customers.get"]
    assert (await gate.check(**asked, offers=["4"])).denied
    assert world.counts["customers.get"] == readings == 2


async def test_forgetting_need_not_be_awaited_but_may_be(world: World) -> None:
    """It has taken effect in this process when it returns."""
    world.person()
    gate = world.gate()
    await gate.forget(customer_id="55")
    gate.forget(customer_id="55")


async def test_only_whom_it_concerns_is_forgotten(world: World) -> None:
    """The others are not asked about again."""
    world.person("55", offers=["4"])
    world.person("66", "eva@example.com", offers=["4"])
    gate = world.gate()
    await gate.check(customer_id="66")
    asked = world.asked
    for name in NAMES:
        gate.forget(**name)
    assert (await gate.check(customer_id="66")).allowed
    assert world.asked == asked


@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize("name", NAMES)
async def test_what_was_read_before_is_not_kept(world: World, name: dict[str, Any], asked: dict[str, Any]) -> None:
    """A reading that is under way when the person is forgotten answers those who wait for it, and no other."""
    person = world.person(offers=[])
    gate = world.gate()
    world.held = asyncio.Event()
    waiting = asyncio.create_task(gate.check(**asked, offers=["4"]))
    await world.arrived.wait()
    for _ in range(2):
        await settled(world)
    released, world.held = world.held, None
    if "email" in asked:
        # Let the reading get as far as the purchases, after the customer was read.
        purchases = world.held = asyncio.Event()
        released.set()
        while not world.counts["customers.get"]:
            await asyncio.sleep(0)
        released, world.held = purchases, None
    person.offers = ["4"]
    gate.forget(**name)
    later = asyncio.create_task(gate.check(**asked, offers=["4"]))
    await settled(world)
    released.set()
    assert state_of(await waiting) in {"denied", "allowed"}
    assert (await later).allowed
    assert (await gate.check(**asked, offers=["4"])).allowed


async def test_a_forgotten_yes_is_not_given_in_an_outage(world: World) -> None:
    """Nothing is known of the person any more."""
    world.person(offers=["4"])
    gate = world.gate()
    assert (await gate.check(customer_id="55")).allowed
    gate.forget(customer_id="55")
    world.be_gone()
    assert (await gate.check(customer_id="55")).unknown


async def test_two_gates_that_share_a_cache_forget_together(world: World) -> None:
    """As two processes do."""
    person = world.person(offers=["4"])
    cache = MemoryCache()
    one, other = world.gate(cache=cache), world.gate(cache=cache)
    assert (await one.check(customer_id="55", offers=["4"])).allowed
    assert (await other.check(customer_id="55", offers=["4"])).allowed
    assert world.counts["customers.get"] == 1
    person.offers = []
    await one.forget(customer_id="55")
    assert (await other.check(customer_id="55", offers=["4"])).denied


@pytest.mark.parametrize("names", [{}, {"customer_id": ""}, {"email": "ada"}, {"contact_id": True}])
def test_misuse_of_forget_is_refused(world: World, names: dict[str, Any]) -> None:
    """Before anything is forgotten."""
    with pytest.raises(InvalidArgumentError):
        world.gate().forget(**names)


def hook(event: str, *resources: dict[str, Any]) -> Any:
    return parse(delivery(event, [*resources]))


CUSTOMER = {"type": "customers", "id": "55", "attributes": {"email": EMAIL}}
PURCHASE = {"type": "purchases", "id": "7", "attributes": {"amount_in_cents": 1}}
OFFER = {"type": "offers", "id": "4", "attributes": {"title": "Year"}}
TAG = {"type": "contact_tags", "id": "1", "attributes": {"name": "vip"}}
CONTACT = {"type": "contacts", "id": "955", "attributes": {"email": "other@example.com", "name": "A"}}
TRANSACTION = {
    "type": "transactions",
    "id": "3",
    "attributes": {"action": "charge"},
    "relationships": {"customer": {"data": {"type": "customers", "id": "55"}}},
}
SUBMISSION = {"type": "form_submissions", "id": "3", "attributes": {"email": EMAIL, "name": "A"}}
FORM = {"type": "forms", "id": "3", "attributes": {"title": "Form"}}
EVENTS: dict[str, tuple[Any, ...]] = {
    "purchase": ("purchase", PURCHASE, OFFER, CUSTOMER),
    "tag added": ("tag_added", CONTACT, TAG),
    "payment": ("payment_succeeded", TRANSACTION, CUSTOMER),
    "form submission": ("form_submission", SUBMISSION, FORM),
}


@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize("event", EVENTS)
async def test_an_event_of_a_hook_drops_whom_it_names(world: World, event: str, asked: dict[str, Any]) -> None:
    """By customer, by contact, or by email."""
    world.person(offers=["4"])
    gate = world.gate()
    await gate.check(**asked)
    asked_before = world.asked
    await gate.notice(hook(*EVENTS[event]))
    await gate.check(**asked)
    assert world.asked == 2 * asked_before


@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize("name", DASHBOARD_DELIVERIES)
async def test_an_event_of_the_dashboard_drops_whom_it_names(world: World, name: str, asked: dict[str, Any]) -> None:
    """By the id or the email of the member, or an email among the answers of a form."""
    event: Any = parse(DASHBOARD_DELIVERIES[name])
    email = "ada@lovelace.example"
    if name == "form_submission.created":
        event = attrs.evolve(event, answers={"Your mail": f" {email} ", "Age": 36, "About": "I am @home"})
    world.person(email=email, offers=["4"])
    gate = world.gate()
    question: dict[str, Any] = {"email": email} if "email" in asked else asked
    await gate.check(**question)
    before = world.asked
    await gate.notice(event)
    await gate.check(**question)
    assert world.asked == 2 * before


@attrs.frozen
class Change:
    """A change, as another package has it."""

    customer_id: str | None = None
    contact_id: str | None = None
    email: str | None = None


@pytest.mark.parametrize("change", [Change("55"), Change(contact_id="955"), Change(email=EMAIL)])
async def test_a_change_drops_whom_it_names(world: World, change: Change) -> None:
    """It has a customer, a contact or an email."""
    world.person(offers=["4"])
    gate = world.gate()
    await gate.check(email=EMAIL)
    before = world.asked
    await gate.notice(change)
    await gate.check(email=EMAIL)
    assert world.asked == 2 * before


async def test_an_event_that_names_nobody_drops_nothing(world: World) -> None:
    """A delivery that was not understood, ids that are none, a change of something else."""
    world.person(offers=["4"])
    gate = world.gate()
    await gate.check(email=EMAIL)
    before = world.asked
    error = MalformedDeliveryError("no JSON", path="", event=None)
    for event in (UnreadDelivery(body=b"55", error=error), Change("a/b", "", "no email"), Change()):
        await gate.notice(event)
    await gate.check(email=EMAIL)
    assert world.asked == before


@pytest.mark.parametrize("event", [None, "purchase", {"customer_id": "55"}, 55])
async def test_what_is_no_event_is_refused(world: World, event: Any) -> None:
    """A dict is not parsed yet."""
    with pytest.raises(InvalidArgumentError, match="takes an event of"):
        await world.gate().notice(event)
