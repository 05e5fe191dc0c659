"""People by email: which customers an email stands for, and what it proves if none is found."""

from typing import Any

import pytest

from kajabi_async import InvalidEmailError
from kajabi_async.access import AccessGate
from tests.access.test_access_gate import state_of
from tests.access.world import Person, World

EMAIL = "ada@example.com"


async def state(gate: AccessGate, email: str = EMAIL, **question: Any) -> str:
    return state_of(await gate.check(email=email, **question))


async def test_letter_case_and_white_space_do_not_count(world: World) -> None:
    """All spellings are one person, who is asked about once."""
    world.person(offers=["4"])
    gate = world.gate()
    for email in (EMAIL, " Ada@Example.COM\n", "ADA@EXAMPLE.COM"):
        access = await gate.check(email=email, offers=["4"])
        assert (state_of(access), access.person) == ("allowed", "55")
    assert world.counts["customers.list"] == 1


async def test_a_longer_email_is_another_person(world: World) -> None:
    """The search finds all emails that contain the text."""
    world.person(email=f"x{EMAIL}", offers=["4"])
    assert await state(world.gate(), offers=["4"]) == "unknown"


async def test_what_is_no_email_is_refused(world: World) -> None:
    """Nothing is sent."""
    gate = world.gate()
    for email in ("", "ada", "a b@c.d"):
        with pytest.raises(InvalidEmailError):
            await gate.check(email=email)
    assert world.asked == 0


async def test_without_a_site_the_customers_of_all_sites_count(world: World) -> None:
    """One of them holds the offer."""
    world.person("1", site="1")
    world.person("2", site="2", offers=["4"])
    access = await world.gate().check(email=EMAIL, offers=["4"])
    assert (state_of(access), access.person) == ("allowed", "2")
    assert await state(world.gate(), offers=["5"]) == "denied"


async def test_with_a_site_only_its_customer_counts(world: World) -> None:
    """The client has the site."""
    world.person("1", site="1")
    world.person("2", site="2", offers=["4"])
    assert await state(world.gate(site_id="1"), offers=["4"]) == "denied"
    assert await state(world.gate(site_id="2"), offers=["4"]) == "allowed"


async def test_an_email_that_the_search_does_not_find_is_unknown(world: World) -> None:
    """The search misses people, so it proves nothing; it is not asked again for a while."""
    world.person(offers=["4"])
    world.unsearchable.add("55")
    gate = world.gate(fresh_denied=5.0)
    access = await gate.check(email=EMAIL, offers=["4"])
    assert state_of(access) == "unknown"
    assert access.because == "the search found no customer with this email, which is no proof that there is none"
    asked = world.asked
    assert await state(gate, offers=["4"]) == "unknown"
    assert world.asked == asked
    world.unsearchable.clear()
    world.clock.advance(5.5)
    assert await state(gate, offers=["4"]) == "allowed"


async def test_a_contact_that_is_no_customer_is_denied(world: World) -> None:
    """An email is unique within the site, so there is no customer of it either."""
    world.contacts["77"] = Person("77", EMAIL)
    access = await world.gate(site_id="1").check(email=EMAIL, offers=["4"])
    assert (state_of(access), access.because, access.person) == ("denied", "no customer has this email", None)


async def test_without_a_site_a_contact_proves_nothing(world: World) -> None:
    """The person may be a customer on another site."""
    world.contacts["77"] = Person("77", EMAIL)
    assert await state(world.gate(), offers=["4"]) == "unknown"


async def test_a_customer_is_found_by_its_contact(world: World) -> None:
    """If the search of customers misses it, and that of contacts does not."""
    world.person(offers=["4"])
    documents: dict[str, Any] = {}

    def without_customers(kind: str, document: dict[str, Any]) -> dict[str, Any]:
        documents[kind] = document
        return {"data": [], "links": {}} if kind == "customers.list" else document

    world.answered = without_customers
    assert await state(world.gate(), offers=["4"]) == "allowed"


@pytest.mark.parametrize("is_there", [True, False])
async def test_thorough_reads_the_whole_list_to_prove_it(world: World, is_there: bool) -> None:
    """A customer that the search misses is found, and absence is a no."""
    if is_there:
        world.person(offers=["4"])
        world.unsearchable.add("55")

    def with_totals(kind: str, document: dict[str, Any]) -> dict[str, Any]:
        return document | {"meta": {"total_count": len(document["data"]), "total_pages": 1}}

    world.answered = with_totals
    access = await world.gate(thorough=True, site_id="1").check(email=EMAIL, offers=["4"])
    assert state_of(access) == ("allowed" if is_there else "denied")


async def test_a_customer_whose_email_has_changed_is_another_person(world: World) -> None:
    """Known by the old email, it is asked about by the new one."""
    person = world.person(offers=["4"])
    gate = world.gate()
    assert await state(gate, offers=["4"]) == "allowed"
    person.email = "new@example.com"
    assert await state(gate, "new@example.com", offers=["4"]) == "allowed"
    assert await state(gate, offers=["4"]) == "unknown"


async def test_an_unreadable_email_among_those_found_proves_nothing(world: World) -> None:
    """It may be the one."""
    world.contacts["77"] = Person("77", EMAIL)

    def unreadable(kind: str, document: dict[str, Any]) -> dict[str, Any]:
        if kind == "customers.list":
            row = {"type": "customers", "id": "1", "attributes": {"email": ["x"], "name": None}}
            document["data"] = [row]
        return document

    world.answered = unreadable
    access = await world.gate(site_id="1").check(email=EMAIL, offers=["4"])
    assert state_of(access) == "unknown"
