"""Includes, sparse fieldsets and sort keys are checked before anything is sent."""

from contextlib import nullcontext
from typing import Any

import pytest

from kajabi_async import (
    Contact,
    Course,
    Customer,
    FieldNotLoadedError,
    InvalidArgumentError,
    UnknownAttributeError,
    UnknownFieldError,
    UnknownIncludeError,
    UnknownSortKeyError,
)
from kajabi_async.resources.arguments import checked_fields, checked_include, checked_sort
from kajabi_async.resources.commerce import Purchases, Transactions
from kajabi_async.resources.people import Customers
from kajabi_async.resources.writes import ContactAttributes, written_attributes
from tests.models.building import build
from tests.sending import Canned, context, resource


@pytest.mark.parametrize(
    "include", ["offers,contact", ["offers", "contact"], ("offers", "contact", "offers"), "offers, contact"]
)
def test_includes_may_be_text_or_names(include: Any) -> None:
    """Repeated names are sent once, in the order of the call."""
    assert checked_include(include, Customer, owner="customers") == ("offers", "contact")


def test_an_include_may_be_a_path_of_relations() -> None:
    """Each step is a relation that can be included."""
    assert checked_include("lessons.media", Course, owner="courses") == ("lessons.media",)


@pytest.mark.parametrize(
    ("model", "include", "nearest"),
    [
        (Customer, "offer", "offers"),
        (Customer, "site", None),
        (Course, "lessons.medium", "media"),
        (Course, "media.x", None),
    ],
)
def test_an_include_the_endpoint_does_not_have_is_refused(model: Any, include: str, nearest: str | None) -> None:
    """Row 61: With the nearest name; a relation that exists but cannot be included is refused as well."""
    with pytest.raises(UnknownIncludeError) as caught:
        checked_include(include, model, owner="here")
    assert caught.value.nearest == nearest


def test_fields_are_checked_for_any_type() -> None:
    """Row 62: Attributes, relations, other names on the wire and custom fields are all fields."""
    asked = {"customers": "name,offers", "offers": ["title", "name"], "contacts": ["custom_12"], "product": ["title"]}
    assert checked_fields(asked, owner="customers") == {
        "customers": ("name", "offers"),
        "offers": ("title", "name"),
        "contacts": ("custom_12",),
        "product": ("title",),
    }


def test_no_fields_of_a_type_can_be_requested() -> None:
    """An empty list asks for no fields (JSON:API, "Sparse Fieldsets")."""
    assert checked_fields({"customers": []}, owner="customers") == {"customers": ()}
    assert checked_fields(None, owner="customers") == {}


@pytest.mark.parametrize(
    ("fields", "nearest"),
    [
        ({"customers": ["nmae"]}, "name"),
        ({"customer_s": ["name"]}, "customers"),
        ({"contacts": ["custom_fields"]}, None),
    ],
)
def test_a_field_or_type_that_does_not_exist_is_refused(fields: Any, nearest: str | None) -> None:
    """The error names the nearest one."""
    with pytest.raises(UnknownFieldError) as caught:
        checked_fields(fields, owner="customers")
    assert nearest is None or caught.value.nearest == nearest


def test_fields_that_are_no_mapping_are_refused() -> None:
    """A list of names does not say to which type they belong."""
    names: Any = ["name"]
    with pytest.raises(InvalidArgumentError, match="maps types to names"):
        checked_fields(names, owner="customers")


@pytest.mark.parametrize(
    ("sort", "expected"), [("-created_at", ("-created_at",)), (["name", "-email"], ("name", "-email")), (None, ())]
)
def test_sort_keys_keep_their_order_and_direction(sort: Any, expected: tuple[str, ...]) -> None:
    """Row 64: A leading minus is descending (JSON:API, "Sorting")."""
    assert checked_sort(sort, {"created_at", "name", "email"}, owner="customers") == expected


def test_a_sort_key_the_list_does_not_have_is_refused() -> None:
    """The server would ignore it."""
    with pytest.raises(UnknownSortKeyError, match="did you mean 'name'"):
        checked_sort("-nmae", {"name"}, owner="customers")
    not_a_name: Any = [1]
    with pytest.raises(InvalidArgumentError, match="takes names"):
        checked_sort(not_a_name, {"name"}, owner="customers")


@pytest.mark.parametrize("cls", [Purchases, Transactions])
async def test_customer_and_offer_come_with_purchases_and_transactions(cls: type[Purchases | Transactions]) -> None:
    """Row 5 of what integrators saw: the document names no include of purchases, but five code bases use it."""
    related = {"customer": {"data": {"type": "customers", "id": "3"}}, "offer": {"data": {"type": "offers", "id": "2"}}}
    rows = [resource(cls.model.resource_type, str(number), relationships=related) for number in range(100)]
    included = [resource("customers", "3"), resource("offers", "2")]
    send = Canned(lambda _: {"data": rows, "included": included, "links": {}})
    for row in await cls(context(send)).list(include=["customer", "offer"]).collect():
        customer, offer = await row.customer, await row.offer
        assert customer is not None
        assert offer is not None
        assert (customer.id, offer.id) == ("3", "2")
    assert len(send.asked) == 1


@pytest.mark.parametrize("name", ["customers", "customer"])
async def test_a_singular_type_restricts_like_the_plural(name: str) -> None:
    """Reading an attribute that was not requested says so, and included resources stay linked to their owner."""
    send = Canned({"/v1/customers/1": {"data": resource("customers", "1", attributes={"name": "Ada"})}})
    customer = await Customers(context(send)).get("1", include="offers", fields={name: ["name"]})
    with pytest.raises(FieldNotLoadedError, match=r"asked for with fields\[customers\]=name,offers; add 'email'"):
        _ = customer.email
    assert f"fields%5B{name}%5D=name,offers" in send.paths[0]


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("custom_1", True),
        ("custom_150", True),
        ("custom_123456789", True),
        ("custom_0", False),
        ("custom_007", False),
        ("custom_1234567890", False),
        ("custom_", False),
        ("custom_x", False),
        ("custom_٣", False),
        ("Custom_1", False),
    ],
)
def test_what_a_custom_field_is_called_is_one_rule(name: str, *, is_one: bool) -> None:
    """For answers, ``fields=`` and writes."""
    contact = build(Contact, {name: "blue"})
    assert (contact.custom_fields, contact.extra) == (({name: "blue"}, {}) if is_one else ({}, {name: "blue"}))
    with nullcontext() if is_one else pytest.raises(UnknownFieldError):
        assert checked_fields({"contacts": [name]}, owner="contacts") == {"contacts": (name,)}
    with nullcontext() if is_one else pytest.raises(UnknownAttributeError):
        written: Any = {name: "blue"}
        assert written_attributes(ContactAttributes, written, owner="contacts.update") == {name: "blue"}
    with nullcontext() if is_one else pytest.raises(InvalidArgumentError, match="custom fields are called"):
        written_attributes(ContactAttributes, {"custom_fields": {name: "blue"}}, owner="contacts.update")
