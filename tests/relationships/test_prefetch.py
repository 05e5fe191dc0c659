"""Relations of many resources in few requests."""

import copy
from collections.abc import Sequence
from typing import Any

import pytest

from kajabi_async import Course, Customer, Kajabi, Lesson, Offer, UnknownIncludeError
from kajabi_async.jsonapi.linkage import Identifier
from kajabi_async.models.resource import Resource
from kajabi_async.relationships import RelationshipResolver
from kajabi_async.relationships.prefetch import prefetch
from kajabi_async.stall import Stall
from kajabi_async.testing import FakeKajabi
from tests.relationships.owners import owners
from tests.sending import Canned, linkage, links, resource


def _resolver(send: Canned) -> RelationshipResolver:
    return RelationshipResolver(send, links())


def _customers(send: Canned, *relationships: dict[str, Any]) -> list[Customer]:
    return owners(_resolver(send), Customer, *({"relationships": each} for each in relationships))


async def _prefetch(send: Canned, resources: Sequence[Resource], *paths: str) -> None:
    await prefetch(_resolver(send), links(), resources, paths, stall=Stall())


async def test_a_resource_that_many_share_is_fetched_once() -> None:
    """A thousand customers of one offer cost one request."""
    send = Canned({"/v1/offers/7": {"data": resource("offers", "7")}})
    customers = _customers(send, *[{"offers": linkage("offers", "7")}] * 1000)
    await _prefetch(send, customers, "offers")
    assert send.paths == ["/v1/offers/7"]
    assert all(customer.offers.loaded for customer in customers)


async def test_owners_are_read_again_if_that_takes_fewer_requests() -> None:
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
    customers = _customers(send, *({"offers": linkage("offers", f"{n}0", f"{n}1", f"{n}2")} for n in (1, 2)))
    await _prefetch(send, customers, "offers")
    assert sorted(send.paths) == ["/v1/customers/1?include=offers", "/v1/customers/2?include=offers"]


async def test_unknown_linkage_of_several_relations_costs_one_request_for_each_owner() -> None:
    """All open relations are included at once."""

    def respond(request: Any) -> Any:
        relationships = {"offers": linkage("offers"), "contact": {"data": None}}
        return {"data": resource("customers", request.path.rsplit("/", 1)[1], relationships=relationships)}

    send = Canned(respond)
    customers = _customers(send, {}, {}, {})
    await _prefetch(send, customers, "offers", "contact")
    assert sorted(send.paths) == [f"/v1/customers/{number}?include=contact,offers" for number in (1, 2, 3)]


async def test_a_related_resource_that_is_gone_does_not_stop_the_rest() -> None:
    """It stays unloaded; awaiting it raises."""
    send = Canned({"/v1/contacts/1": {"data": resource("contacts", "1")}})
    customers = _customers(send, *({"contact": {"data": {"type": "contacts", "id": each}}} for each in ("1", "2")))
    await _prefetch(send, customers, "contact")
    assert [customer.contact.loaded for customer in customers] == [True, False]


async def test_an_owner_that_is_gone_does_not_stop_the_rest() -> None:
    """It is left as it was; the others are read again with what they are silent about, whichever order they come in."""

    def respond(request: Any) -> Any:
        number = request.path.rsplit("/", 1)[1]
        found = {"data": resource("customers", number, relationships={"offers": linkage("offers")})}
        return None if number in {"1", "3"} else found

    send = Canned(respond)
    customers = _customers(send, {}, {}, {}, {})
    await _prefetch(send, customers, "offers")
    assert [customer.offers.ids for customer in customers] == [None, (), None, ()]
    assert sorted(send.paths) == [f"/v1/customers/{number}?include=offers" for number in (1, 2, 3, 4)]


async def test_an_unknown_relation_is_refused_before_anything_is_sent() -> None:
    """With the nearest one there is."""
    send = Canned({})
    with pytest.raises(UnknownIncludeError, match=r"customers.*did you mean 'offers'"):
        await _prefetch(send, _customers(send, {}), "offer")
    assert send.asked == []


async def test_an_unknown_relation_at_the_end_of_a_path_is_refused_before_anything_is_sent() -> None:
    """A mistake in the second step costs no request for the first."""
    send = Canned({})
    with pytest.raises(UnknownIncludeError, match=r"contacts.*did you mean 'tags'"):
        await _prefetch(send, _customers(send, {}), "offers", "contact.tag")
    assert send.asked == []


async def test_a_path_through_a_type_that_was_not_expected_is_refused_there() -> None:
    """Linkage may name another type than the document: a hook in the place of a contact has no tags."""
    send = Canned({"/v1/hooks/3": {"data": resource("hooks", "3")}})
    with pytest.raises(UnknownIncludeError, match="hooks"):
        await _prefetch(send, _customers(send, {"contact": {"data": {"type": "hooks", "id": "3"}}}), "contact.tags")
    assert send.paths == ["/v1/hooks/3"]


async def test_what_is_loaded_already_costs_nothing() -> None:
    """Neither does no owner at all."""
    send = Canned({})
    await _prefetch(send, _customers(send, {"offers": linkage("offers")}), "offers")
    await _prefetch(send, [], "offers")
    assert send.asked == []


async def test_what_one_owner_knows_is_shared_with_the_others() -> None:
    """The second customer needs no request for the offer that came with the first."""
    send = Canned({})
    first, second = _customers(send, *[{"offers": linkage("offers", "7")}] * 2)
    (offer,) = owners(_resolver(send), Offer, {"relationships": {}})
    first.origin.scope.known[Identifier("offers", "7")] = offer
    await _prefetch(send, [first, second], "offers")
    assert send.asked == []
    assert await second.offers == (offer,)


async def test_a_link_that_names_the_resource_is_as_good_as_linkage() -> None:
    """Each contact costs its one request, and is there in a copy that could not ask again, unless it is gone."""
    send = Canned({f"/v1/contacts/{each}": {"data": resource("contacts", each)} for each in ("3", "4")})
    members = [{"links": {"contact": f"https://app.kajabi.com/api/v1/contacts/{each}"}} for each in ("3", "4", "5")]
    customers = owners(_resolver(send), Customer, *members)
    await _prefetch(send, customers, "contact")
    assert send.paths == ["/v1/contacts/3", "/v1/contacts/4", "/v1/contacts/5"]
    assert [customer.contact.id for customer in customers] == ["3", "4", None]
    assert [customer.contact.loaded for customer in customers] == [True, True, False]
    contact = await copy.copy(customers[0]).contact
    assert contact is not None
    assert contact.id == "3"


async def test_what_was_said_of_a_relation_is_kept_when_it_is_loaded() -> None:
    """The links beside the linkage are still there afterwards."""
    send = Canned({"/v1/offers/7": {"data": resource("offers", "7")}})
    link = "https://app.kajabi.com/api/v1/customers/1/relationships/offers"
    (customer,) = _customers(send, {"offers": {**linkage("offers", "7"), "links": {"self": link}}})
    await _prefetch(send, [customer], "offers")
    assert customer.offers.loaded
    assert customer.origin.relationship("offers").self_link == link


async def test_paths_lead_on_from_a_link() -> None:
    """What a link led to is what the next step starts from."""
    contact = resource("contacts", "3", relationships={"tags": linkage("contact_tags", "5")})
    send = Canned(
        {
            "/v1/contacts/3": {"data": contact},
            "/v1/contact_tags/5": {"data": resource("contact_tags", "5")},
        }
    )
    customers = owners(_resolver(send), Customer, {"links": {"contact": "/v1/contacts/3"}})
    await _prefetch(send, customers, "contact.tags")
    assert send.paths == ["/v1/contacts/3", "/v1/contact_tags/5"]


async def test_types_without_a_path_come_with_their_owner() -> None:
    """One module of one course: there is no request for the module alone."""
    modules = {"modules": linkage("modules", "2")}
    complete = {"data": resource("courses", "1", relationships=modules), "included": [resource("modules", "2")]}
    send = Canned({"/v1/courses/1": complete})
    courses = owners(_resolver(send), Course, {"relationships": modules})
    await _prefetch(send, courses, "modules")
    assert send.paths == ["/v1/courses/1?include=modules"]
    assert courses[0].modules.loaded


async def test_types_without_a_path_stay_unloaded_if_their_owner_has_none_either() -> None:
    """The media of a lesson that came with its course can neither be requested nor read again with it."""
    send = Canned({})
    lessons = owners(_resolver(send), Lesson, {"relationships": {"media": linkage("media", "5")}})
    await _prefetch(send, lessons, "media")
    assert (send.asked, lessons[0].media.loaded) == ([], False)


async def test_what_cannot_be_included_is_looked_for_in_each_owner() -> None:
    """An owner that is gone, or a site, does not stop the others."""

    def respond(request: Any) -> Any:
        _, _, family, number = request.path.split("/")
        site = {"site": {"data": {"type": "sites", "id": f"{number}{number}"}}}
        return None if number in {"1", "22"} else {"data": resource(family, number, relationships=site)}

    send = Canned(respond)
    customers = _customers(send, {}, {}, {})
    await _prefetch(send, customers, "site")
    assert [customer.site.loaded for customer in customers] == [False, False, True]


async def test_paths_lead_on_from_what_was_found(kajabi_fake: FakeKajabi, kajabi_api: Kajabi) -> None:
    """Fifty customers, their contacts, their offers and the products in those: no request for each of them."""
    customers = await kajabi_api.customers.list(page_size=50).collect(limit=50)
    kajabi_fake.reset_counts()
    await kajabi_api.prefetch(customers, "contact", "offers.products")
    requested = kajabi_fake.counts
    assert requested["customers.get"] == 50
    assert requested["contacts.get"] == 0
    assert requested["offers.get"] <= 20
    kajabi_fake.reset_counts()
    for customer in customers:
        await customer.contact
        for offer in await customer.offers:
            await offer.products
    assert sum(kajabi_fake.counts.values()) == 0
    await kajabi_api.prefetch(customers[0], "site")
    assert customers[0].site.loaded


async def test_what_a_lost_owner_would_have_led_to_is_requested_again() -> None:
    """What it would have led to stays unknown; awaiting it sends a request again."""

    def respond(request: Any) -> Any:
        number = request.path.rsplit("/", 1)[1]
        if number == "1":
            return None
        included = [resource("offers", "7")]
        return {
            "data": resource("customers", number, relationships={"offers": linkage("offers", "7")}),
            "included": included,
        }

    send = Canned(respond)
    gone, there = _customers(send, {}, {})
    await _prefetch(send, [gone, there], "offers")
    assert there.offers.loaded
    assert not gone.offers.loaded
