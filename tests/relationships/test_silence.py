"""Answers that say little of a relation, nothing at all, or something new each time."""

import asyncio
from typing import Any

import pytest

from kajabi_async import ClientClosedError, Course, Customer, Order, RelationshipUnavailableError, UntrustedLinkError
from kajabi_async.jsonapi.linkage import Identifier
from kajabi_async.relationships import RelationshipResolver
from kajabi_async.resources.catalog import Courses
from tests.relationships.owners import owners
from tests.sending import Canned, context, linkage, links, resource

ENDPOINT = "https://app.kajabi.com/api/v1/customers/1/relationships/offers"


def _one(send: Canned, cls: Any, **members: Any) -> Any:
    (owner,) = owners(RelationshipResolver(send, links()), cls, members)
    return owner


async def test_a_relation_the_answer_does_not_mention_is_looked_for_in_the_owner() -> None:
    """The owner may have come in an answer that said less; one request for it, then one for what it names."""
    complete = resource("customers", "1", relationships={"site": {"data": {"type": "sites", "id": "9"}}})
    send = Canned({"/v1/customers/1": {"data": complete}, "/v1/sites/9": {"data": resource("sites", "9")}})
    customer: Customer = _one(send, Customer)
    site = await customer.site
    assert site is not None
    assert site.id == "9"
    assert send.paths == ["/v1/customers/1", "/v1/sites/9"]


async def test_a_relation_that_cannot_be_included_and_came_without_data_is_unavailable() -> None:
    """The same request would bring the same answer, so none is sent."""
    send = Canned({})
    customer: Customer = _one(send, Customer, relationships={"site": {"links": {}}})
    with pytest.raises(RelationshipUnavailableError, match=r"site of customers 1 .*neither linkage nor a link came"):
        await customer.site
    assert send.asked == []


async def test_relations_of_what_only_comes_included_are_never_requested() -> None:
    """Lessons have no path: neither their media nor they themselves can be read again."""
    media = {"media": linkage("media", "5", "6")}
    course = resource("courses", "1", relationships={"lessons": linkage("lessons", "2", "3")})
    lessons = [resource("lessons", "2"), resource("lessons", "3", relationships=media)]
    send = Canned({"/v1/courses/1": {"data": course, "included": lessons}})
    silent, stating = await (await Courses(context(send)).get("1", include=["lessons"])).lessons
    with pytest.raises(RelationshipUnavailableError, match="neither linkage nor a link came"):
        await silent.media
    with pytest.raises(RelationshipUnavailableError, match="no path to resources of type 'media'"):
        await stating.media
    assert len(send.asked) == 1


async def test_several_that_cannot_be_included_are_fetched_one_by_one() -> None:
    """Reading the owner again would bring none of them."""
    send = Canned(lambda request: {"data": resource("transactions", request.path.rsplit("/", 1)[1])})
    order: Order = _one(send, Order, relationships={"payment_transactions": linkage("transactions", "1", "2")})
    assert [each.id for each in await order.payment_transactions] == ["1", "2"]
    assert sorted(send.paths) == ["/v1/transactions/1", "/v1/transactions/2"]


async def test_a_silent_reading_takes_nothing_back() -> None:
    """Linkage that is known stays known if a new reading does not mention it."""
    bare = resource("customers", "1")
    send = Canned(
        lambda request: {"data": resource("offers", request.path[-1]) if "offers" in request.path else bare},
    )
    customer: Customer = _one(send, Customer, relationships={"offers": linkage("offers", "7", "8")})
    assert [offer.id for offer in await customer.offers] == ["7", "8"]
    assert sorted(send.paths) == ["/v1/customers/1?include=offers", "/v1/offers/7", "/v1/offers/8"]


async def test_a_reading_that_states_other_linkage_replaces_what_was_known() -> None:
    """The newer answer is right, whatever the older one said."""
    complete = resource("customers", "1", relationships={"offers": linkage("offers", "9")})
    send = Canned({"/v1/customers/1": {"data": complete, "included": [resource("offers", "9")]}})
    customer: Customer = _one(send, Customer, relationships={"offers": linkage("offers", "7", "8")})
    assert [offer.id for offer in await customer.offers] == ["9"]
    assert customer.offers.ids == ("9",)


async def test_what_was_said_of_a_relation_is_kept_when_it_is_followed() -> None:
    """The links beside the linkage are still there afterwards."""
    send = Canned({"/v1/offers/7": {"data": resource("offers", "7")}})
    stated = {**linkage("offers", "7"), "links": {"self": ENDPOINT}}
    customer: Customer = _one(send, Customer, relationships={"offers": stated})
    await customer.offers
    assert customer.origin.relationship("offers").self_link == ENDPOINT


async def test_linkage_that_came_while_the_endpoint_was_asked_is_not_replaced() -> None:
    """Another reading of the owner states it at first hand."""
    offers = Customer.relations["offers"]

    def respond(request: Any) -> Any:
        if request.path.endswith("/relationships/offers"):
            customer.origin.set_relationship("offers", offers.stated((Identifier("offers", "9"),)))
            return linkage("offers", "7")
        return {"data": resource("offers", "9") if "offers" in request.path else resource("customers", "1")}

    customer: Customer = _one(Canned(respond), Customer)
    assert [offer.id for offer in await customer.offers] == ["9"]


async def test_a_relation_that_cannot_be_requested_and_is_never_mentioned_is_unavailable() -> None:
    """The error does not say that it was asked for."""
    customer: Customer = _one(Canned({"/v1/customers/1": {"data": resource("customers", "1")}}), Customer)
    with pytest.raises(RelationshipUnavailableError, match=r"the server does not mention it$"):
        await customer.site


async def test_the_related_link_of_many_is_not_a_link_to_one() -> None:
    """It leads to a list of resources, so the linkage is requested."""
    complete = resource("customers", "1", relationships={"offers": linkage("offers", "7")})
    send = Canned({"/v1/customers/1": {"data": complete, "included": [resource("offers", "7")]}})
    customer: Customer = _one(send, Customer, relationships={"offers": {"links": {"related": "/v1/offers"}}})
    assert [offer.id for offer in await customer.offers] == ["7"]


@pytest.mark.parametrize(
    "link", ["https://app.kajabi.com/api/v1/contacts/1", "/v1/contacts/1/relationships/offers", "/v1/customers"]
)
async def test_a_linkage_link_of_another_relation_is_refused(link: str) -> None:
    """The API's own link, but not the one to these offers: the answer cannot be trusted."""
    send = Canned({})
    customer: Customer = _one(send, Customer, relationships={"offers": {"links": {"self": link}}})
    with pytest.raises(UntrustedLinkError, match="not one that is expected here"):
        await customer.offers
    assert send.asked == []


async def test_a_linkage_link_of_a_relation_without_endpoint_may_be_any_of_the_apis() -> None:
    """The document names no endpoint that it would have to match."""
    complete = resource("courses", "1", relationships={"modules": linkage("modules", "2")})
    send = Canned({"/v1/courses/1": {"data": complete, "included": [resource("modules", "2")]}})
    course: Course = _one(send, Course, relationships={"modules": {"links": {"self": "/v1/courses/1"}}})
    assert [module.id for module in await course.modules] == ["2"]


async def test_linkage_that_changed_meanwhile_is_planned_for_as_it_is_now() -> None:
    """Another reading may state more than the one resource that was being fetched: they are read together."""
    complete = resource("customers", "1", relationships={"offers": linkage("offers", "7", "8", "9")})
    included = [resource("offers", each) for each in ("7", "8", "9")]

    def respond(request: Any) -> Any:
        if "customers" in request.path:
            return {"data": complete, "included": included}
        relation = Customer.relations["offers"]
        customer.origin.set_relationship("offers", relation.stated(tuple(Identifier("offers", each) for each in "789")))
        return {"data": resource("offers", "7")}

    send = Canned(respond)
    customer: Customer = _one(send, Customer, relationships={"offers": linkage("offers", "7")})
    assert [offer.id for offer in await customer.offers] == ["7", "8", "9"]
    assert send.paths == ["/v1/offers/7", "/v1/customers/1?include=offers"]


async def test_linkage_that_changes_with_every_answer_is_given_up() -> None:
    """After four requests the error says that the server contradicts itself."""

    def respond(request: Any) -> Any:
        number = int(request.path.rsplit("/", 1)[1])
        relation = Customer.relations["offers"]
        customer.origin.set_relationship("offers", relation.stated((Identifier("offers", str(number + 1)),)))
        return {"data": resource("offers", str(number))}

    send = Canned(respond)
    customer: Customer = _one(send, Customer, relationships={"offers": linkage("offers", "1")})
    with pytest.raises(
        RelationshipUnavailableError, match=r"the offers of customers 1 .* do not agree with each other"
    ):
        await customer.offers
    assert send.paths == ["/v1/offers/1", "/v1/offers/2", "/v1/offers/3", "/v1/offers/4"]


class _Endless(Canned):
    """Never answers."""

    async def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        self.asked.append(arguments[0])
        await asyncio.Event().wait()


async def _offers(customer: Customer) -> None:
    await customer.offers


async def test_a_new_reading_without_a_waiting_caller_is_cancelled() -> None:
    """No request goes on for callers that left."""
    send = _Endless({})
    customer: Customer = _one(send, Customer)
    before = asyncio.all_tasks()
    alone = asyncio.create_task(_offers(customer))
    await _turns()
    assert send.paths == ["/v1/customers/1?include=offers"]
    alone.cancel()
    await _turns()
    assert asyncio.all_tasks() == before


@pytest.mark.parametrize(
    "relationships",
    [pytest.param({}, id="a re-reading"), pytest.param({"offers": linkage("offers", "7")}, id="a fetch")],
)
async def test_closing_ends_what_is_under_way(relationships: dict[str, Any]) -> None:
    """Waiting callers get ClientClosedError."""
    resolver = RelationshipResolver(_Endless({}), links())
    (customer,) = owners(resolver, Customer, {"relationships": relationships})
    waiting = asyncio.create_task(_offers(customer))
    await _turns()
    await resolver.aclose()
    await _turns()
    assert isinstance(waiting.exception(), ClientClosedError)


async def _turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)
