"""A relation is in one of five states, which its handle distinguishes without a request."""

from typing import Any

import pytest

from kajabi_async import Contact, Customer, Offer, RelationshipUnavailableError
from kajabi_async.jsonapi.query import Query
from kajabi_async.models.origin import Scope
from tests.models.building import build, read

OFFERS = [{"type": "offers", "id": "4"}, {"type": "offers", "id": "5"}]
LINKS = {"self": "https://api.kajabi.com/v1/customers/1/relationships/offers"}


@pytest.mark.parametrize(
    ("relationships", "ids"),
    [
        pytest.param({}, None, id="missing"),
        pytest.param({"offers": None}, None, id="null itself"),
        pytest.param({"offers": {"links": LINKS}}, None, id="links without data"),
        pytest.param({"offers": {"data": []}}, (), id="none"),
        pytest.param({"offers": {"data": OFFERS}}, ("4", "5"), id="several"),
        pytest.param({"offers": {"data": OFFERS, "links": LINKS}}, ("4", "5"), id="several, with links"),
        pytest.param({"offers": {"links": {"data": OFFERS, **LINKS}}}, ("4", "5"), id="data inside links"),
    ],
)
def test_a_relation_to_many_knows_its_ids_or_that_they_are_not_known(
    relationships: dict[str, Any], ids: tuple[str, ...] | None
) -> None:
    """Without data there may be any number of offers; only an empty list says that there are none."""
    customer = build(Customer, relationships=relationships)
    # Before its relations are read, and after.
    for _ in range(2):
        linked = customer.origin.linked_ids.get("offers")
        assert (None if linked is None else tuple(linked)) == ids
        assert customer.offers.ids == ids


@pytest.mark.parametrize(
    ("relationships", "ids", "contact_id"),
    [
        pytest.param({}, None, None, id="missing"),
        pytest.param({"contact": None}, None, None, id="null itself"),
        pytest.param({"contact": {"links": LINKS}}, None, None, id="links without data"),
        pytest.param({"contact": {"data": None}}, (), None, id="none"),
        pytest.param({"contact": {"data": {"type": "contacts", "id": 7}}}, ("7",), "7", id="one"),
    ],
)
def test_a_relation_to_one_distinguishes_none_from_not_known(
    relationships: dict[str, Any], ids: tuple[str, ...] | None, contact_id: str | None
) -> None:
    """``id`` is None in both cases, ``ids`` is not."""
    contact = build(Customer, relationships=relationships).contact
    assert (contact.ids, contact.id) == (ids, contact_id)


async def test_a_relation_known_to_be_empty_is_loaded() -> None:
    """Nothing needs to be fetched for nothing, not even a client."""
    customer = build(Customer, relationships={"offers": {"data": []}, "contact": {"data": None}})
    assert customer.offers.loaded
    assert customer.contact.loaded
    assert await customer.offers == ()
    assert await customer.contact is None


async def test_what_came_with_the_answer_is_loaded() -> None:
    """In the order of the linkage, whatever the order of ``included``."""
    document: dict[str, Any] = {
        "data": {"type": "customers", "id": "1", "relationships": {"offers": {"data": OFFERS}}},
        "included": [
            {"type": "offers", "id": "5", "attributes": {"title": "Year pass"}},
            {"type": "offers", "id": "4", "attributes": {"name": "Month pass"}},
        ],
    }
    offers = await read(Customer, document).offers
    assert [offer.title for offer in offers] == ["Month pass", "Year pass"]
    assert all(isinstance(offer, Offer) for offer in offers)


async def test_one_of_several_that_is_missing_makes_the_relation_not_loaded() -> None:
    """Half a relation is never handed out."""
    document: dict[str, Any] = {
        "data": {"type": "customers", "id": "1", "relationships": {"offers": {"data": OFFERS}}},
        "included": [{"type": "offers", "id": "5", "attributes": {}}],
    }
    offers = read(Customer, document).offers
    assert not offers.loaded
    with pytest.raises(RelationshipUnavailableError, match=r"customers 1\.offers is not loaded"):
        await offers


@pytest.mark.parametrize(
    ("filters", "partial"),
    [
        pytest.param({}, False, id="all"),
        pytest.param({"filter[offers_per]": "5"}, True, id="a page"),
        pytest.param({"filter[offers_search]": "year"}, True, id="a search"),
        pytest.param({"filter[products_per]": "5"}, False, id="a page of another relation"),
        pytest.param({"filter[products_per]": "5", "filter[offers_per]": "5"}, True, id="pages of both"),
        pytest.param({"filter[offers]": "4"}, False, id="another filter"),
    ],
)
def test_a_relation_is_partial_if_a_part_of_it_was_requested(filters: dict[str, str], partial: bool) -> None:
    """Only of the requested resource: neither included resources nor rows of a list were restricted."""
    document: dict[str, Any] = {
        "data": {
            "type": "customers",
            "id": "1",
            "relationships": {"contact": {"data": {"type": "contacts", "id": "7"}}, "offers": {"data": OFFERS}},
        },
        "included": [{"type": "contacts", "id": "7", "relationships": {"offers": {"data": OFFERS}}}],
    }
    query = Query(include=("contact", "offers"), filters=tuple(filters.items()))
    customer = read(Customer, document, scope=Scope(query, primary=("customers", "1")))
    assert (customer.offers.partial, customer.contact.partial) == (partial, False)
    (contact,) = customer.contact.at_hand or (None,)
    assert isinstance(contact, Contact)
    assert not contact.offers.partial
    assert not read(Customer, document, scope=Scope(query)).offers.partial


@pytest.mark.parametrize(
    ("relationships", "shown"),
    [
        ({}, "<ToMany contacts 1.tags: not known yet>"),
        ({"tags": {"data": []}}, "<ToMany contacts 1.tags: ids=()>"),
        ({"tags": {"data": [{"type": "contact_tags", "id": "3"}]}}, "<ToMany contacts 1.tags: ids=('3',), not loaded>"),
    ],
)
def test_the_repr_of_a_relation_says_its_state(relationships: dict[str, Any], shown: str) -> None:
    """Looking at it sends no request."""
    assert repr(build(Contact, relationships=relationships).tags) == shown


def test_a_relation_to_many_is_not_iterated() -> None:
    """The error says how it is written instead."""
    untyped: Any = build(Customer).offers
    with pytest.raises(TypeError, match=r"for each in await \.\.\.offers"):
        aiter(untyped)


def test_a_relation_that_is_not_awaited_says_so() -> None:
    """Reading an attribute of it, or looping over it, raises an error that says to await it."""
    customer: Any = build(Customer, {"name": "Ada"})
    with pytest.raises(TypeError, match=r"customers 1\.offers is awaited.*'for each in await \.\.\.offers'"):
        list(customer.offers)
    with pytest.raises(AttributeError, match=r"no 'email'; await it first: \(await \.\.\.contact\)\.email"):
        customer.contact.email  # noqa: B018 - reading it is what is tried
    assert not hasattr(customer.contact, "email")
