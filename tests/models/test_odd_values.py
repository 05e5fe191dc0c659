"""One odd value does not lose the resource: reading that attribute raises, the rest of the resource is there."""

import copy
import json
import pickle
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from kajabi_async import (
    Contact,
    Customer,
    DecodeError,
    FieldNotLoadedError,
    Offer,
    Payout,
    Purchase,
    Resource,
    UnreadableAttributeError,
)
from kajabi_async.decoding.answers import read_page, read_samples
from kajabi_async.jsonapi.query import Query
from kajabi_async.models.origin import Scope
from kajabi_async.models.resource import MODELS, attribute_names
from kajabi_async.models.unreadable import PartlyRead
from kajabi_async.serialization import dumps, loads
from tests.models.building import build, read, strict

SECRET = "Lovelace"
CONTEXT = "GET /v1/customers"


def unreadable(resource: Resource, name: str) -> UnreadableAttributeError:
    """Return the error that reading the attribute *name* of *resource* raises."""
    with pytest.raises(UnreadableAttributeError) as caught:
        getattr(resource, name)
    return caught.value


@pytest.mark.parametrize(
    ("cls", "name", "value", "came"),
    [
        (Customer, "created_at", "2024-01-10", ("a time with its zone", "text")),
        (Customer, "created_at", 1609459200, ("an ISO 8601 time", "a number")),
        (Customer, "name", ["a", SECRET], ("text", "an array")),
        (Customer, "name", {"first": SECRET}, ("text", "an object")),
        (Customer, "sign_in_count", "twelve", ("a whole number", "text")),
        (Customer, "sign_in_count", True, ("a whole number", "true or false")),
        (Customer, "net_revenue", "NaN", ("a decimal number", "text")),
        (Customer, "socials", SECRET, ("an object", "text")),
        (Contact, "subscribed", 1, ("true or false", "a number")),
        (Payout, "transactions", SECRET, ("an array", "text")),
    ],
)
@pytest.mark.parametrize("beside", [{}, {"zz": 1}, {"zz": "x" * 70_000}], ids=["alone", "beside", "large"])
def test_an_attribute_that_cannot_be_read_says_what_came(
    cls: type[Resource], name: str, value: Any, came: tuple[str, str], beside: dict[str, Any]
) -> None:
    """Resource, place, what was expected and what came, in whichever way the row is read; never the value."""
    resource = build(cls, {name: value, **beside})
    error = unreadable(resource, name)
    assert (error.resource_type, error.resource_id, error.name) == (cls.resource_type, "1", name)
    assert (error.pointer, error.path) == (f"/data/attributes/{name}", f"data.attributes.{name}")
    assert (error.expected, error.kind) == came
    problem = f"expected {error.expected}, got {error.kind}"
    assert str(error) == (
        f"{cls.resource_type} 1 came with {name!r} that cannot be read: {problem} at /data/attributes/{name}"
    )
    assert SECRET not in f"{error!r}{vars(error)}"
    assert error.__context__ is error.__cause__ is None
    assert dict(resource.extra) == {name: value, **beside}


def test_the_rest_of_the_resource_is_there() -> None:
    """Every other attribute, and every relation."""
    attributes = {
        "name": "Ada",
        "created_at": "2024-01-10",
        "net_revenue": "1.50",
        "updated_at": "2024-01-10T00:00:00Z",
    }
    linkage = {"offers": {"data": [{"type": "offers", "id": "4"}]}}
    customer = build(Customer, attributes, relationships=linkage)
    assert (customer.name, customer.net_revenue) == ("Ada", Decimal("1.50"))
    assert customer.updated_at == datetime(2024, 1, 10, tzinfo=UTC)
    assert customer.offers.ids == ("4",)
    assert "created_at" not in customer.loaded_attributes()
    with pytest.raises(FieldNotLoadedError):
        _ = customer.email


def test_the_error_is_of_both_kinds() -> None:
    """A DecodeError of the tree, and an AttributeError for Python's own protocol."""
    customer = build(Customer, {"name": []})
    error = unreadable(customer, "name")
    assert isinstance(error, DecodeError)
    assert isinstance(error, AttributeError)
    assert not isinstance(error, FieldNotLoadedError)
    assert getattr(customer, "name", "unknown") == "unknown"


def test_a_property_on_an_odd_attribute_says_so() -> None:
    """Rather than that there is no such attribute."""
    assert build(Purchase, {"deactivated_at": "2024-01-10T00:00:00Z"}).is_over
    with pytest.raises(UnreadableAttributeError, match="'deactivated_at' that cannot be read"):
        _ = build(Purchase, {"deactivated_at": "2024-01-10"}).is_over


def test_the_pointer_leads_into_nested_values() -> None:
    """Names and indices as RFC 6901 writes them."""
    payout = build(Payout, {"transactions": [{"fee": "3.17"}, {"fee": "three"}]})
    error = unreadable(payout, "transactions")
    assert error.pointer == "/data/attributes/transactions/1/fee"
    assert error.path == "data.attributes.transactions[1].fee"
    assert unreadable(build(Purchase, {"raw_extra_contact_information": 5}), "raw_extra_contact_information").pointer


def test_an_attribute_that_came_under_another_name_is_pointed_to_there() -> None:
    """An included offer has a name, other offers have a title."""
    offer = build(Offer, {"name": {"en": "Pass"}, "description": "x"})
    assert offer.description == "x"
    assert unreadable(offer, "title").pointer == "/data/attributes/name"
    both = build(Offer, {"name": "Pass", "title": ["Pass"]})
    assert unreadable(both, "title").pointer == "/data/attributes/title"
    assert both.extra == {"name": "Pass", "title": ["Pass"]}


def test_one_custom_field_does_not_lose_the_others() -> None:
    """Its name is among them; reading it raises, as does reading them all."""
    contact = build(Contact, {"custom_1": "blue", "custom_2": ["a", "b"], "custom_3": None, "email": "ada@example.com"})
    assert contact.email == "ada@example.com"
    fields = contact.custom_fields
    assert (fields["custom_1"], fields["custom_3"], fields.get("custom_9")) == ("blue", None, None)
    for read_it in (lambda: fields["custom_2"], lambda: fields.get("custom_2"), lambda: dict(fields)):
        with pytest.raises(UnreadableAttributeError, match="expected text, got an array at /data/attributes/custom_2"):
            read_it()
    assert (list(fields), len(fields), "custom_2" in fields) == (["custom_1", "custom_3", "custom_2"], 3, True)
    assert "custom_9" not in fields
    assert repr(fields) == "{'custom_1': 'blue', 'custom_3': None, 'custom_2': <unreadable: an array>}"
    assert fields == build(Contact, {"custom_2": [SECRET], "custom_1": "blue", "custom_3": None}).custom_fields
    assert fields != {"custom_1": "blue", "custom_3": None}
    assert fields != build(Contact, {"custom_2": [], "custom_1": "red", "custom_3": None}).custom_fields
    assert unreadable(contact, "custom_2").kind == "an array"
    assert contact.extra == {"custom_2": ["a", "b"]}


def test_a_custom_field_that_was_not_requested_is_recorded_all_the_same() -> None:
    """The server sent it."""
    scope = Scope(Query(fields={"contacts": ("name",)}))
    fields = build(Contact, {"name": "Ada", "custom_2": []}, scope=scope).custom_fields
    assert list(fields) == ["custom_2"]


@pytest.mark.parametrize(
    "text", ["1e999", "-1e999", "1" * 5000, "[" * 150 + "]" * 150, '{"a":' * 150 + "1" + "}" * 150]
)
def test_a_value_that_cannot_be_decoded_costs_itself_alone(text: str) -> None:
    """A number beyond all bounds, an array in an array in an array: at a known name, an unknown one, a custom one."""
    body = (
        f'[{{"type":"contacts","id":"1","attributes":{{"name":"Ada","email":{text},"zz":{text},"custom_1":{text}}}}}]'
    )
    (contact,) = read_samples(body.encode(), scope=Scope(), context=CONTEXT)
    assert isinstance(contact, Contact)
    assert contact.name == "Ada"
    noted = contact.unreadable_attributes()
    if not noted:
        # The decoder took the digits for a number.
        assert contact.extra["zz"] == int(text)
        return
    assert {name: each.pointer for name, each in noted.items()} == {
        name: f"/0/attributes/{name}" for name in ("email", "zz", "custom_1")
    }
    for name in noted:
        error = unreadable(contact, name)
        assert error.expected == "a value that can be decoded"
        assert error.kind in {"a number", "an array", "an object"}
    with pytest.raises(UnreadableAttributeError):
        _ = contact.custom_fields["custom_1"]
    assert contact.extra == {}


def test_a_name_that_cannot_be_decoded_costs_the_title_it_stands_for() -> None:
    """It is noted as the attribute, with the name on the wire in its place."""
    body = b'[{"type":"offers","id":"1","attributes":{"name":1e999,"description":"x"}}]'
    (offer,) = read_samples(body, scope=Scope(), context=CONTEXT)
    assert isinstance(offer, Offer)
    assert offer.description == "x"
    assert {name: each.pointer for name, each in offer.unreadable_attributes().items()} == {
        "title": "/0/attributes/name"
    }


def test_the_place_is_that_in_the_page() -> None:
    """The index of the row, of primary data and of what was included."""
    rows: list[Any] = [
        {"type": "customers", "id": "1", "attributes": {"name": "Ada"}},
        {
            "type": "customers",
            "id": "2",
            "attributes": {"name": []},
            "relationships": {"offers": {"data": [{"type": "offers", "id": "4"}]}},
        },
    ]
    included = [{"type": "offers", "id": "4", "attributes": {"title": "Pass", "price_in_cents": "much"}}]
    body = json.dumps({"data": rows, "included": included}).encode()
    first, second = read_page(body, cls=Customer, scope=Scope(), context=CONTEXT).rows
    assert isinstance(first, Customer)
    assert isinstance(second, Customer)
    assert first.name == "Ada"
    assert unreadable(second, "name").pointer == "/data/1/attributes/name"
    loaded = second.offers.at_hand
    assert loaded is not None
    (offer,) = loaded
    assert isinstance(offer, Offer)
    assert offer.title == "Pass"
    assert unreadable(offer, "price_in_cents").pointer == "/included/0/attributes/price_in_cents"


def test_rows_after_an_odd_one_are_read_as_before() -> None:
    """The name of an attribute is never learned as one beside the attributes."""
    for _ in range(3):
        assert unreadable(build(Customer, {"name": [], "zz": 1}), "name")
        customer = build(Customer, {"name": "Ada", "zz": 1})
        assert (customer.name, customer.extra, customer.unreadable_attributes()) == ("Ada", {"zz": 1}, {})


@pytest.mark.parametrize("cls", MODELS.values(), ids=MODELS)
def test_every_attribute_of_every_resource_costs_itself_alone(cls: type[Resource]) -> None:
    """With a value that nothing can be: each alone, and all at once."""
    names = sorted(set(attribute_names(cls)) - {"id", "custom_fields"})
    odd = {name: {"a": [[1]]} for name in names}
    whole = build(cls, odd)
    readable = set(whole.loaded_attributes())
    assert set(whole.unreadable_attributes()) == set(names) - readable
    for name in names:
        resource = build(cls, {**dict.fromkeys(names), name: {"a": [[1]]}})
        assert set(resource.unreadable_attributes()) == {name} - readable
        assert set(resource.loaded_attributes()) >= set(names) - {name}


def _through_pickle(contact: Contact) -> Any:
    return pickle.loads(pickle.dumps(contact))


def _through_json(contact: Contact) -> Any:
    return loads(dumps(contact))


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, _through_pickle, _through_json])
def test_what_cannot_be_read_travels(duplicate: Callable[[Any], Any]) -> None:
    """Copies, pickles and JSON of a resource raise as it does; equality is that of type and id as ever."""
    contact = build(Contact, {"name": [], "email": "a@example.com", "custom_1": "blue", "custom_2": [1]})
    twin: Contact = duplicate(contact)
    assert twin == contact
    assert hash(twin) == hash(contact)
    assert repr(twin) == repr(contact)
    assert vars(unreadable(twin, "name")) == vars(unreadable(contact, "name"))
    assert twin.custom_fields == contact.custom_fields
    assert isinstance(twin.custom_fields, PartlyRead)
    assert unreadable(twin, "custom_2").pointer == "/data/attributes/custom_2"
    assert (twin.email, twin.extra) == ("a@example.com", {"name": [], "custom_2": [1]})


def test_resources_pickled_by_an_older_version_are_read() -> None:
    """They have no note of what cannot be read."""
    customer = build(Customer, {"name": "Ada"})
    state = customer.__getstate__()
    del state["unreadable"]
    old = Customer.__new__(Customer)
    old.__setstate__(state)
    assert (old.name, old.unreadable_attributes()) == ("Ada", {})


def test_the_repr_shows_that_and_not_what() -> None:
    """Of an attribute that cannot be read, its kind."""
    shown = repr(build(Customer, {"name": "Ada", "created_at": SECRET}))
    assert "name='Ada'" in shown
    assert "created_at=<unreadable: text>" in shown
    assert "email=NOTHING" in shown
    assert SECRET not in shown


@pytest.mark.parametrize(
    "attributes", [{"name": []}, {"created_at": "2024-01-10"}, {"custom_2": []}, {"custom_2": [], "name": "Ada"}]
)
def test_a_strict_scope_refuses_the_whole_resource(attributes: dict[str, Any]) -> None:
    """With the place; an included resource that cannot be read is not loaded, so that its relation fetches it."""
    with pytest.raises(DecodeError, match=r"expected .*, got .* at data\.attributes\.") as caught:
        build(Contact, attributes, scope=strict())
    assert not isinstance(caught.value, UnreadableAttributeError)


@pytest.mark.parametrize("document", [{"type": "offers"}, {"id": ["1"]}, {"id": None}, {"attributes": ["x"]}])
def test_what_is_no_attribute_still_costs_the_resource(document: dict[str, Any]) -> None:
    """Type, id, and attributes that are no object."""
    row: dict[str, Any] = {"type": "customers", "id": "1", "attributes": {}, **document}
    with pytest.raises(DecodeError):
        read(Customer, {"data": row})


def test_every_attribute_may_be_odd() -> None:
    """Each is noted by its name."""
    contact = build(Contact, {f"custom_{number}": [] for number in range(1, 1_001)})
    assert len(contact.custom_fields) == len(contact.unreadable_attributes()) == 1_000
