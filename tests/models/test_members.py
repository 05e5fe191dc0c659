"""A resource as plain data: every member that its answer carried, in a form that every JSON library takes."""

import json
from typing import Any

import pytest

from kajabi_async import Contact, Customer, CustomField, InvalidArgumentError, Purchase, Resource
from kajabi_async.jsonapi.query import Query
from kajabi_async.models.members import _MOST_RELATED
from kajabi_async.models.origin import Scope
from kajabi_async.models.resource import MODELS, attribute_names
from tests.models.building import build, read, strict

OFFER = {"type": "offers", "id": "4"}
PRODUCT = {"type": "products", "id": "7"}
CONTACT = {"type": "contacts", "id": "9"}
CUSTOMER = {"type": "customers", "id": "1"}


def _customer(**relationships: Any) -> Customer:
    return build(Customer, {"name": "Ada"}, relationships={n: {"data": d} for n, d in relationships.items()})


def _with_included() -> Customer:
    owner: dict[str, Any] = {"offers": {"data": [OFFER]}, "contact": {"data": CONTACT}, "products": {"data": []}}
    included = [
        {**OFFER, "attributes": {"title": "All"}, "relationships": {"products": {"data": [PRODUCT]}}},
        {**PRODUCT, "attributes": {"title": "Course"}},
        {**CONTACT, "attributes": {"email": "a@b.c"}, "relationships": {"customer": {"data": CUSTOMER}}},
    ]
    return read(Customer, {"data": {**CUSTOMER, "attributes": {}, "relationships": owner}, "included": included})


def test_attributes_are_ready_for_json() -> None:
    """Decimals are text, times RFC 3339 in UTC with all their digits, and unknown members stand beside the known."""
    attributes = {
        "name": "Ada",
        "net_revenue": "12.50",
        "created_at": "2024-05-01T09:00:00.120-07:00",
        "updated_at": "2024-05-01T16:00:00Z",
        "socials": {"twitter": "ada", "mastodon": "@ada"},
        "sign_in_count": 3,
        "public_bio": None,
        "shoe_size": {"eu": [38]},
    }
    members = build(Customer, attributes).to_dict()
    assert members == {
        "type": "customers",
        "id": "1",
        "name": "Ada",
        "net_revenue": "12.50",
        "created_at": "2024-05-01T16:00:00.120000Z",
        "updated_at": "2024-05-01T16:00:00Z",
        "socials": {"twitter": "ada", "facebook": None, "instagram": None, "mastodon": "@ada"},
        "sign_in_count": 3,
        "public_bio": None,
        "shoe_size": {"eu": [38]},
    }
    assert list(members)[:2] == ["type", "id"]
    assert json.loads(json.dumps(members)) == members


def test_what_is_not_loaded_is_left_out() -> None:
    """Null is a value; absent is none."""
    assert build(Customer, {"name": None}).to_dict() == {"type": "customers", "id": "1", "name": None}


def test_what_cannot_be_read_is_reported() -> None:
    """The raw value stands by its name, and its problem in ``unreadable``."""
    members = build(Contact, {"email": ["a"], "custom_1": "blue", "custom_2": [1]}).to_dict()
    assert (members["email"], members["custom_2"], members["custom_fields"]) == (["a"], [1], {"custom_1": "blue"})
    assert members["unreadable"] == {
        "email": "expected text, got an array",
        "custom_2": "expected text, got an array",
    }
    assert "unreadable" not in build(Contact, {"email": "a"}, scope=strict()).to_dict()


def test_relations_are_ids() -> None:
    """Of each known relation: one id or None, or a list; an unknown one is left out."""
    members = _customer(contact=CONTACT, site=None, offers=[OFFER, {**OFFER, "id": "5"}], products=[]).to_dict()
    assert {name: members[name] for name in members if name.endswith(("_id", "_ids"))} == {
        "contact_id": "9",
        "site_id": None,
        "offer_ids": ["4", "5"],
        "product_ids": [],
    }
    assert _customer().to_dict() == {"type": "customers", "id": "1", "name": "Ada"}
    assert _customer(contact=CONTACT).to_dict(relations=False) == {"type": "customers", "id": "1", "name": "Ada"}


def test_loaded_relations_are_written_with_their_own() -> None:
    """A relation of a related resource as well, unless it leads back to what it is nested in."""
    members = _with_included().to_dict(relations="loaded")
    product = {"type": "products", "id": "7", "title": "Course"}
    assert members["offers"] == [{"type": "offers", "id": "4", "title": "All", "products": [product]}]
    assert members["contact"] == {
        "type": "contacts",
        "id": "9",
        "email": "a@b.c",
        "custom_fields": {},
        "customer_id": "1",
    }
    assert not {"offer_ids", "contact_id", "products"} & members.keys()
    assert members["product_ids"] == []
    assert "offers" not in _with_included().to_dict()


def test_a_relation_that_is_not_loaded_has_its_ids_alone() -> None:
    """Nothing is requested."""
    members = _customer(offers=[OFFER]).to_dict(relations="loaded")
    assert members == {"type": "customers", "id": "1", "name": "Ada", "offer_ids": ["4"]}


def test_the_name_of_a_relation_does_not_depend_on_whether_it_is_empty() -> None:
    """If it was included, it is there by its name."""
    scope = Scope(Query(include=("offers.products", "contact")))
    relationships: dict[str, Any] = {"offers": {"data": []}, "products": {"data": []}, "contact": {"data": None}}
    members = build(Customer, scope=scope, relationships=relationships).to_dict(relations="loaded")
    assert members == {"type": "customers", "id": "1", "offers": [], "products": [], "contact": None}
    bare = build(Customer, relationships=relationships).to_dict(relations="loaded")
    assert bare == {"type": "customers", "id": "1", "offer_ids": [], "product_ids": [], "contact_id": None}


def test_resources_that_all_link_to_each_other_end() -> None:
    """The size of the dict is bounded, whatever a server links."""
    purchases = [{"type": "purchases", "id": str(n)} for n in range(1, 40)]
    transactions = [{"type": "transactions", "id": str(n)} for n in range(1, 40)]
    included = [
        *({**each, "relationships": {"transactions": {"data": transactions}}} for each in purchases[1:]),
        *({**each, "relationships": {"purchases": {"data": purchases}}} for each in transactions),
    ]
    owner = {**purchases[0], "attributes": {}, "relationships": {"transactions": {"data": transactions}}}
    members = read(Purchase, {"data": owner, "included": included}).to_dict(relations="loaded")
    assert len(members["transactions"]) == 39
    assert members["transactions"][0] == {
        "type": "transactions",
        "id": "1",
        "purchase_ids": [each["id"] for each in purchases],
    }


def test_beyond_the_limit_relations_are_ids() -> None:
    """An answer can be multiplied by its links: 150 offers with the same 150 products are 22,500 dicts."""
    offers = [{"type": "offers", "id": str(n)} for n in range(150)]
    products = [{"type": "products", "id": str(n)} for n in range(150)]
    included = [*({**each, "relationships": {"products": {"data": products}}} for each in offers), *products]
    owner = {**CUSTOMER, "attributes": {}, "relationships": {"offers": {"data": offers}}}
    members = read(Customer, {"data": owner, "included": included}).to_dict(relations="loaded")
    written = sum(len(offer.get("products", ())) for offer in members["offers"])
    assert 0 < written <= _MOST_RELATED
    assert all(len(offer.get("products") or offer["product_ids"]) == 150 for offer in members["offers"])


def test_an_attribute_never_hides_a_member_of_ours() -> None:
    """It has an underscore after its name: ``type`` of a custom field, and whatever a server adds."""
    members = build(CustomField, {"type": "TextField"}).to_dict()
    assert (members["type"], members["type_"]) == ("custom_fields", "TextField")
    given = {"type": "x", "id": "y", "contact_id": "z", "offers": 1, "unreadable": 2, "type_": 3}
    members = build(Customer, given).to_dict()
    assert (members["type"], members["id"]) == ("customers", "1")
    assert {name: members[name] for name in members if name.endswith("_")} == {
        "type__": "x",
        "id_": "y",
        "contact_id_": "z",
        "offers_": 1,
        "unreadable_": 2,
        "type_": 3,
    }


@pytest.mark.parametrize("cls", MODELS.values(), ids=lambda cls: cls.__name__)
def test_no_two_members_of_a_resource_have_one_name(cls: type[Resource]) -> None:
    """Each attribute and each relation is a member by itself."""
    relationships = {
        name: {"data": [OFFER | {"type": each.resource_type}] if each.to_many else None}
        for name, each in cls.relations.items()
    }
    names = attribute_names(cls).keys() - {"id", "custom_fields"}
    members = build(cls, dict.fromkeys(names), relationships=relationships).to_dict()
    assert len(members) == len(names) + len(relationships) + 2 + ("custom_fields" in members)


def test_another_choice_of_relations_is_rejected() -> None:
    """With the three that exist."""
    wrong: Any = "all"
    with pytest.raises(InvalidArgumentError, match="True, False or 'loaded', got 'all'"):
        _customer().to_dict(relations=wrong)


def test_the_dict_is_the_callers_own() -> None:
    """Changing it changes neither the resource nor the next dict."""
    customer = build(Customer, {"name": "Ada", "shoes": [{"size": 38}]})
    members = customer.to_dict()
    members["name"] = "Eve"
    members["shoes"][0]["size"] = 44
    assert customer.to_dict() == {"type": "customers", "id": "1", "name": "Ada", "shoes": [{"size": 38}]}
