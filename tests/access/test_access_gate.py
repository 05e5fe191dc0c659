"""Who has access, for how long an answer is given, and how often Kajabi is asked."""

import asyncio
import time
from typing import Any

import pytest

from kajabi_async import (
    AuthenticationError,
    ClientClosedError,
    DecodeError,
    Kajabi,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
    WrongLoopError,
)
from kajabi_async.access import Access, AccessGate
from kajabi_async.testing import FakeKajabi
from tests.access.world import World


def state_of(access: Access) -> str:
    states = [name for name in ("allowed", "denied", "unknown") if getattr(access, name)]
    assert len(states) == 1
    return states[0]


async def state(gate: AccessGate, **question: Any) -> str:
    arguments: dict[str, Any] = {"customer_id": "55", **question}
    return state_of(await gate.check(**arguments))


async def test_an_offer_held_gives_access(world: World) -> None:
    """Granted by hand, there is no purchase."""
    world.person(offers=["4"])
    access = await world.gate().check(customer_id=55, offers=[4, "5"])
    assert (state_of(access), access.because, access.person) == ("allowed", "holds offer 4", "55")
    assert access.as_of is not None
    assert access.as_of.timestamp() == world.clock.time()


async def test_a_purchase_that_is_not_over_gives_access(world: World) -> None:
    """Even if the customer does not list its offer: either alone misses people."""
    world.person()
    world.bought("4")
    access = await world.gate().check(customer_id="55", offers=["4"])
    assert (state_of(access), access.because) == ("allowed", "purchase 700 of offer 4 is active")


async def test_a_purchase_that_is_over_gives_none(world: World) -> None:
    """The end of access is not after now."""
    world.person()
    world.bought("4", ends_in=0.0)
    assert await state(world.gate(), offers=["4"]) == "denied"


async def test_an_offer_granted_after_a_purchase_was_over_gives_access(world: World) -> None:
    """The union counts: the person was refunded, and granted the offer later."""
    world.person(offers=["4"])
    world.bought("4", ends_in=-1000.0)
    assert await state(world.gate(), offers=["4"]) == "allowed"


async def test_a_planned_end_is_in_the_answer(world: World) -> None:
    """It may lie in the future."""
    world.person()
    world.bought("4", ends_in=3600.0)
    access = await world.gate().check(customer_id="55", offers=["4"])
    assert access.because == "purchase 700 of offer 4 is active until 2023-11-14T23:30:00Z"


async def test_a_yes_becomes_a_no_at_the_planned_end_without_asking(world: World) -> None:
    """For the offer, its products, and any access at all."""
    world.person()
    world.bought("4", ends_in=30.0, products=["9"])
    gate = world.gate()
    questions: list[dict[str, Any]] = [{"offers": ["4"]}, {"products": ["9"]}, {}]
    world.contents["4"] = ["9"]
    assert [await state(gate, **each) for each in questions] == ["allowed"] * 3
    asked = world.asked
    world.clock.advance(29.9)
    assert [await state(gate, **each) for each in questions] == ["allowed"] * 3
    world.clock.advance(0.1)
    assert [await state(gate, **each) for each in questions] == ["denied"] * 3
    assert world.asked == asked


@pytest.mark.parametrize("question", [{"offers": ["4"]}, {"products": ["9"]}, {}])
@pytest.mark.parametrize("is_granted_too", [True, False])
async def test_after_a_planned_end_what_was_listed_besides_is_asked_for_again(
    world: World, is_granted_too: bool, question: dict[str, Any]
) -> None:
    """It may have been listed because of the purchase, or granted apart from it."""
    person = world.person(offers=["4"], products=["9"])
    world.bought("4", ends_in=30.0, products=["9"])
    world.contents["4"] = ["9"]
    gate = world.gate()
    assert await state(gate, **question) == "allowed"
    world.clock.advance(30.0)
    if not is_granted_too:
        person.offers, person.products = [], []
    assert await state(gate, **question) == ("allowed" if is_granted_too else "denied")
    assert world.counts["customers.get"] == 2
    assert await state(gate, **question) == ("allowed" if is_granted_too else "denied")
    assert world.counts["customers.get"] == 2


async def test_after_a_planned_end_nothing_is_made_of_it_in_an_outage(world: World) -> None:
    """Neither the yes of the listing nor a no."""
    world.person(offers=["4"])
    world.bought("4", ends_in=30.0)
    gate = world.gate()
    assert await state(gate, offers=["4"]) == "allowed"
    world.clock.advance(30.0)
    world.be_gone()
    assert await state(gate, offers=["4"]) == "unknown"


async def test_after_a_planned_end_the_no_is_asked_for_again(world: World) -> None:
    """The person may have renewed: the no of the clock is as short-lived as any other."""
    world.person()
    world.bought("4", ends_in=30.0)
    gate = world.gate(fresh_denied=10.0)
    assert await state(gate, offers=["4"]) == "allowed"
    world.bought("4", ends_in=1000.0)
    world.clock.advance(39.0)
    assert await state(gate, offers=["4"]) == "denied"
    world.clock.advance(2.0)
    assert await state(gate, offers=["4"]) == "allowed"


async def test_a_purchase_that_goes_on_outlives_one_that_ends(world: World) -> None:
    """Two purchases of one offer, of which one ends."""
    world.person(offers=["4"])
    world.bought("4", ends_in=30.0)
    world.bought("4")
    gate = world.gate()
    assert await state(gate, offers=["4"]) == "allowed"
    world.clock.advance(31.0)
    assert await state(gate, offers=["4"]) == "allowed"


@pytest.mark.parametrize("how", ["listed", "bought", "offer held", "offer bought"])
async def test_a_product_is_reached_in_four_ways(world: World, how: str) -> None:
    """Listed with the customer, in a purchase, or in an offer that is held or bought."""
    world.person(offers=["4"] if how == "offer held" else [], products=["9"] if how == "listed" else [])
    if how in {"bought", "offer bought"}:
        world.bought("4", products=["9"] if how == "bought" else [])
    world.contents = {"4": ["8", "9"]}
    gate = world.gate()
    assert await state(gate, products=["9"]) == "allowed"
    assert await state(gate, products=["10"]) == "denied"


async def test_the_reason_is_one_sentence(world: World) -> None:
    """Also for a product that comes with a purchase."""
    world.person()
    world.bought("4", products=["9"])
    access = await world.gate().check(customer_id="55", products=["9"])
    assert access.because is not None
    assert access.because.startswith("product 9 comes with purchase ")
    assert access.because.endswith(" of offer 4, which is active")


async def test_the_contents_of_an_offer_are_asked_for_once_for_all_people(world: World) -> None:
    """And only if a product is asked about that nothing else gives."""
    world.contents = {"4": ["9"]}
    for number in range(5):
        world.person(str(number), f"{number}@example.com", offers=["4"])
    gate = world.gate()
    assert await state(gate, customer_id="0", offers=["4"]) == "allowed"
    assert world.counts["offers.products"] == 0
    for number in range(5):
        assert await state(gate, customer_id=number, products=["9"]) == "allowed"
    assert world.counts["offers.products"] == 1


async def test_an_offer_whose_contents_cannot_be_read_makes_no_no(world: World) -> None:
    """It might contain the product."""
    world.person(offers=["4"])
    world.failures["offers.products"] = ServerError(status=500)
    access = await world.gate().check(customer_id="55", products=["9"])
    assert (state_of(access), access.because) == ("unknown", "the products of offer 4 could not be read")
    assert isinstance(access.error, ServerError)


async def test_without_offers_and_products_any_access_counts(world: World) -> None:
    """An offer, a product or a purchase."""
    gate = world.gate()
    everything: list[dict[str, Any]] = [{"offers": ["4"]}, {"products": ["9"]}, {}]
    for number, held in enumerate(everything):
        world.person(str(number), **held)
    world.person("3")
    world.bought("4", customer="2")
    assert [await state(gate, customer_id=number) for number in range(4)] == ["allowed"] * 3 + ["denied"]


async def test_a_customer_that_does_not_exist_is_denied(world: World) -> None:
    """A 404 of the API is an answer; the page of a proxy is none."""
    access = await world.gate().check(customer_id="404")
    assert (state_of(access), access.because) == ("denied", "there is no customer 404")
    error = NotFoundError(status=404)
    error.is_html = True
    world.failures["customers.get"] = error
    assert await state(world.gate(), customer_id="404") == "unknown"


async def test_a_yes_is_given_for_fresh_seconds_without_asking(world: World) -> None:
    """And then at once, while one refresh runs behind."""
    world.person(offers=["4"])
    gate = world.gate(fresh=60.0)
    assert await state(gate, offers=["4"]) == "allowed"
    asked = world.asked
    world.clock.advance(60.0)
    assert [await state(gate, offers=["4"]) for _ in range(9)] == ["allowed"] * 9
    assert world.asked == asked
    world.clock.advance(1.0)
    assert [await state(gate, offers=["4"]) for _ in range(9)] == ["allowed"] * 9
    await settled(world)
    assert world.asked == 2 * asked


async def settled(world: World) -> None:
    """Wait until nothing is asked any more."""
    for _ in range(50):
        await asyncio.sleep(0)


async def test_a_refresh_behind_changes_the_next_answer(world: World) -> None:
    """The yes of old is given once more."""
    person = world.person(offers=["4"])
    gate = world.gate(fresh=60.0)
    assert await state(gate, offers=["4"]) == "allowed"
    person.offers = []
    world.clock.advance(61.0)
    assert await state(gate, offers=["4"]) == "allowed"
    await settled(world)
    assert await state(gate, offers=["4"]) == "denied"


async def test_a_no_is_given_for_its_own_shorter_time(world: World) -> None:
    """Who has just paid does not wait for a minute."""
    person = world.person()
    gate = world.gate(fresh=60.0, fresh_denied=5.0)
    assert await state(gate, offers=["4"]) == "denied"
    person.offers = ["4"]
    world.clock.advance(5.0)
    assert await state(gate, offers=["4"]) == "denied"
    world.clock.advance(0.5)
    assert await state(gate, offers=["4"]) == "allowed"


@pytest.mark.parametrize("how", ["be_gone", "be_paused"])
async def test_an_outage_makes_no_yes_a_no_and_nothing_unknown_a_yes(world: World, how: str) -> None:
    """The yes lasts for `stale` seconds; a no is not repeated when it is old."""
    world.person("1", offers=["4"])
    world.person("2")
    gate = world.gate(fresh=60.0, stale=3600.0, fresh_denied=5.0)
    assert [await state(gate, customer_id=each) for each in "12"] == ["allowed", "denied"]
    getattr(world, how)()
    world.clock.advance(3600.0)
    for _ in range(3):
        assert [await state(gate, customer_id=each) for each in "123"] == ["allowed", "unknown", "unknown"]
        await settled(world)
    world.clock.advance(1.0)
    assert await state(gate, customer_id="1") == "unknown"


async def test_a_failed_refresh_is_not_repeated_with_every_check(world: World) -> None:
    """A second passes before the next one."""
    world.person(offers=["4"])
    gate = world.gate(fresh=60.0)
    assert await state(gate) == "allowed"
    world.be_gone()
    world.clock.advance(61.0)
    asked = world.asked
    for _ in range(20):
        assert await state(gate) == "allowed"
        await settled(world)
    assert world.asked == asked + 1
    world.clock.advance(1.1)
    assert await state(gate) == "allowed"
    await settled(world)
    assert world.asked == asked + 2


@pytest.mark.parametrize(
    "error",
    [
        RateLimitError(status=429),
        ServerError(status=503),
        AuthenticationError(status=401),
        PermissionDeniedError(status=403),
        DecodeError("no JSON"),
    ],
)
async def test_whatever_fails_the_answer_is_unknown_and_says_why(world: World, error: Exception) -> None:
    """The error is for the log; none is raised."""
    world.failure = error
    access = await world.gate().check(customer_id="55", offers=["4"])
    assert state_of(access) == "unknown"
    assert access.because == f"Kajabi could not be read ({type(error).__name__})"
    assert type(access.error) is type(error)


async def test_purchases_that_cannot_be_read_prove_no_no(world: World) -> None:
    """A key without the permission for purchases still lets those in who hold the offer."""
    world.person(offers=["4"])
    world.failures["purchases.list"] = PermissionDeniedError(status=403)
    gate = world.gate()
    assert await state(gate, offers=["4"]) == "allowed"
    access = await gate.check(customer_id="55", offers=["5"])
    assert (state_of(access), access.because) == ("unknown", "the purchases could not be read")


async def test_an_end_that_cannot_be_read_proves_no_no(world: World) -> None:
    """The purchase may be over or not."""
    world.person()
    world.bought("4")

    def unreadable(kind: str, document: dict[str, Any]) -> dict[str, Any]:
        if kind == "purchases.list":
            document["data"][0]["attributes"]["deactivated_at"] = ["soon"]
        return document

    world.answered = unreadable
    assert await state(world.gate(), offers=["4"]) == "unknown"


async def test_a_purchase_of_another_customer_does_not_count(world: World) -> None:
    """The server ignores filters that it does not know, and answers with the purchases of strangers."""
    world.person()
    world.bought("4", customer="66")

    def unfiltered(kind: str, document: dict[str, Any]) -> dict[str, Any]:
        if kind == "purchases.list":
            relationships = {
                "offer": {"data": {"type": "offers", "id": "4"}},
                "customer": {"data": {"type": "customers", "id": "66"}},
            }
            row = {"type": "purchases", "id": "1", "attributes": {"deactivated_at": None}}
            document["data"] = [{**row, "relationships": relationships}]
        return document

    world.answered = unfiltered
    assert await state(world.gate(), offers=["4"]) == "denied"


@pytest.mark.parametrize("attributes", [{}, {"email": None}, {"email": ["a@b.c"]}, {"email": ""}])
async def test_a_customer_without_a_readable_email_is_checked_by_id(world: World, attributes: dict[str, Any]) -> None:
    """The email decides nothing there."""
    world.person(offers=["4"])

    def without_email(kind: str, document: dict[str, Any]) -> dict[str, Any]:
        if kind == "customers.get":
            document["data"]["attributes"] = attributes
        return document

    world.answered = without_email
    gate = world.gate()
    assert await state(gate, offers=["4"]) == "allowed"
    assert await state(gate, offers=["5"]) == "denied"


async def test_offers_that_the_customer_does_not_state_are_asked_for(world: World) -> None:
    """A relation without data is not empty."""
    world.person(offers=["4"])

    def links_only(kind: str, document: dict[str, Any]) -> dict[str, Any]:
        if kind == "customers.get":
            link = "https://api.kajabi.com/v1/customers/55/relationships/offers"
            document["data"]["relationships"]["offers"] = {"links": {"self": link}}
        return document

    world.answered = links_only
    assert await state(world.gate(), offers=["4"]) == "allowed"


async def test_a_thousand_logins_of_ten_people_are_ten_readings(world: World) -> None:
    """One for each person, by id and by email."""
    for number in range(10):
        world.person(str(number), f"{number}@example.com", offers=["4"])
    gate = world.gate()
    answers = await asyncio.gather(*(gate.check(customer_id=n % 10, offers=["4"]) for n in range(1000)))
    assert {state_of(each) for each in answers} == {"allowed"}
    assert world.counts == {"customers.get": 10, "purchases.list": 10}
    world.counts.clear()
    gate = world.gate()
    answers = await asyncio.gather(*(gate.check(email=f"{n % 10}@example.com", offers=["4"]) for n in range(1000)))
    assert {each.person for each in answers} == set(map(str, range(10)))
    assert world.counts == {"customers.list": 10, "customers.get": 10, "purchases.list": 10}


async def test_a_caller_that_is_cancelled_disturbs_no_other(world: World) -> None:
    """Not even the one that asked first."""
    world.person(offers=["4"])
    world.held = asyncio.Event()
    gate = world.gate()
    first, second = (asyncio.create_task(gate.check(customer_id="55", offers=["4"])) for _ in range(2))
    await world.arrived.wait()
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    world.held.set()
    assert state_of(await second) == "allowed"
    assert world.counts["customers.get"] == 1


async def test_a_check_takes_no_longer_than_its_budget(world: World) -> None:
    """Kajabi answers later, and the next check has its answer without asking again."""
    world.person(offers=["4"])
    world.held = asyncio.Event()
    gate = world.gate(budget=0.05)
    started = time.monotonic()
    access = await gate.check(customer_id="55", offers=["4"])
    assert time.monotonic() - started < 1.0
    assert (state_of(access), access.because) == ("unknown", "Kajabi did not answer within 0.05 s")
    world.held.set()
    await settled(world)
    assert await state(gate, offers=["4"]) == "allowed"
    assert world.counts["customers.get"] == 1


async def test_once_the_client_is_closed_every_check_says_so(world: World) -> None:
    """Also one that needs no request, and one that waits for an answer."""
    async with FakeKajabi(customers=5) as fake:
        api = Kajabi(client_id=fake.client_id, client_secret=fake.client_secret, base_url=fake.base_url)
        gate = AccessGate(api)
        await gate.check(customer_id="1")
        fake.hang()
        waiting = asyncio.create_task(gate.check(customer_id="2"))
        while fake.counts["customers.get"] != 2:
            await asyncio.sleep(0.01)
        await api.aclose()
        with pytest.raises(ClientClosedError):
            await waiting
        for customer in "123":
            with pytest.raises(ClientClosedError):
                await gate.check(customer_id=customer)


def test_on_another_event_loop_a_check_says_so() -> None:
    """The client belongs to the loop of its first request."""
    gates: list[AccessGate] = []

    async def first() -> Kajabi:
        async with FakeKajabi(customers=5) as fake:
            api = Kajabi(client_id=fake.client_id, client_secret=fake.client_secret, base_url=fake.base_url)
            gates.append(AccessGate(api))
            await gates[0].check(customer_id="1")
            return api

    with asyncio.Runner() as one, asyncio.Runner() as other:
        api = one.run(first())
        with pytest.raises(WrongLoopError):
            other.run(gates[0].check(customer_id="1"))
        one.run(api.aclose())
