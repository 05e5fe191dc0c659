"""JSON values to Python values: converted if nothing is lost, refused with the place if something is."""

import sys
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kajabi_async import (
    ConfigurationError,
    Contact,
    Customer,
    DecodeError,
    FieldNotLoadedError,
    Media,
    Offer,
    Payout,
    Podcast,
    Purchase,
    Resource,
)
from kajabi_async.decoding import values
from kajabi_async.decoding.answers import read_samples
from kajabi_async.decoding.values import Refused, converter_for
from kajabi_async.jsonapi.query import Query
from kajabi_async.models.commerce import PayoutTransaction
from kajabi_async.models.origin import Scope
from kajabi_async.models.resource import MODELS, attribute_names
from tests.drawing import examples
from tests.models.building import build, read, strict

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def _numbered(number: int) -> dict[str, int]:
    return {f"x{each}": each for each in range(number)}


@pytest.mark.parametrize(
    ("cls", "name", "value", "expected"),
    [
        (Customer, "net_revenue", "129.50", Decimal("129.50")),
        (Customer, "net_revenue", 10000, Decimal(10000)),
        (Customer, "net_revenue", 0.5, Decimal("0.5")),
        (Customer, "sign_in_count", "12", 12),
        (Customer, "net_revenue", "0.1295e3", Decimal("129.5")),
        (Customer, "sign_in_count", 12.0, 12),
        (Customer, "sign_in_count", 2.0**53 - 1, 2**53 - 1),
        (Customer, "external_user_id", 204611, "204611"),
        (Customer, "external_user_id", 1.5, "1.5"),
        (Customer, "created_at", "2021-01-01T00:00:00Z", datetime(2021, 1, 1, tzinfo=UTC)),
        (Customer, "created_at", "2021-01-01T00:00:00.389Z", datetime(2021, 1, 1, microsecond=389000, tzinfo=UTC)),
        (Customer, "created_at", "2021-01-01T01:00:00+01:00", datetime(2021, 1, 1, tzinfo=UTC)),
        (Customer, "created_at", "2021-01-01T00:00:00.123456000Z", datetime(2021, 1, 1, 0, 0, 0, 123456, UTC)),
        (Contact, "subscribed", "true", True),
        (Contact, "subscribed", False, False),
        (Contact, "subscribed", "false", False),
        (Offer, "price_in_cents", 2**70, 2**70),
        (Offer, "price", 100.0, Decimal("100.0")),
        (Media, "duration_in_minutes", 7, 7.0),
        (Media, "duration_in_minutes", "7.25", 7.25),
        (Purchase, "raw_extra_contact_information", {"a": [1]}, {"a": [1]}),
        (Podcast, "categories", ["arts", "life"], ("arts", "life")),
    ],
)
def test_a_value_becomes_what_the_attribute_is(cls: type[Resource], name: str, value: Any, expected: Any) -> None:
    """Text, numbers and truth are converted into each other if nothing is lost."""
    converted = getattr(build(cls, {name: value}), name)
    assert converted == expected
    assert type(converted) is type(expected)


def test_times_keep_the_zone_they_came_with() -> None:
    """Every time is aware; the offset is the server's."""
    created_at = build(Customer, {"created_at": "2026-08-02T20:26:32.995-05:00"}).created_at
    assert created_at is not None
    assert created_at.utcoffset() == timedelta(hours=-5)


@pytest.mark.parametrize(
    ("cls", "name", "value", "expected"),
    [
        (Customer, "net_revenue", "NaN", "a decimal number"),
        (Customer, "net_revenue", "1_000", "a decimal number"),
        (Customer, "net_revenue", "١٢", "a decimal number"),
        (Customer, "net_revenue", "", "a decimal number"),
        (Customer, "net_revenue", True, "a decimal number"),
        (Customer, "net_revenue", "1e400", "a decimal number"),
        (Customer, "net_revenue", 123456789012345678.25, "a decimal number"),
        (Customer, "sign_in_count", 1.5, "a whole number"),
        (Customer, "sign_in_count", True, "a whole number"),
        (Customer, "sign_in_count", 1e300, "a whole number"),
        (Customer, "sign_in_count", 12345678901234568.0, "a whole number"),
        (Customer, "sign_in_count", "", "a whole number"),
        (Customer, "sign_in_count", " 12", "a whole number"),
        (Customer, "sign_in_count", "1_000", "a whole number"),
        (Customer, "sign_in_count", "١٢", "a whole number"),
        (Customer, "sign_in_count", 2.0**53, "a whole number"),
        (Customer, "external_user_id", 2.0**53, "text"),
        (Customer, "external_user_id", 1e22, "text"),
        (Media, "duration_in_minutes", 10**400, "a number that a float can hold"),
        (Media, "duration_in_minutes", 2**53 + 1, "a number that a float can hold"),
        (Media, "duration_in_minutes", "0.1234567890123456789", "a number that a float can hold"),
        (Media, "duration_in_minutes", True, "a decimal number"),
        (Customer, "sign_in_count", "12x", "a whole number"),
        (Customer, "sign_in_count", "9" * 5000, "a whole number"),
        (Customer, "name", {"first": "Ada"}, "text"),
        (Customer, "name", True, "text"),
        (Customer, "created_at", "2021-01-01T00:00:00", "a time with its zone"),
        (Customer, "created_at", "2021-01-01", "a time with its zone"),
        (Customer, "created_at", "2021-01-01T00:00:00.123456789Z", "a time of at most microseconds"),
        (Customer, "created_at", "2024W02T080000.1234567Z", "a time of at most microseconds"),
        (Customer, "created_at", "yesterday", "an ISO 8601 time"),
        (Customer, "created_at", 1609459200, "an ISO 8601 time"),
        (Customer, "socials", "none", "an object"),
        (Contact, "subscribed", 1, "true or false"),
        (Podcast, "categories", "arts", "an array"),
    ],
)
def test_a_value_that_would_lose_something_is_refused_with_its_place(
    cls: type[Resource], name: str, value: Any, expected: str
) -> None:
    """The error says what was expected, what came, and where."""
    with pytest.raises(DecodeError, match=f"expected {expected}, got") as caught:
        build(cls, {name: value}, scope=strict())
    assert caught.value.path == f"data.attributes.{name}"


def test_the_place_reaches_into_nested_values() -> None:
    """A bad value deep inside is found without searching."""
    with pytest.raises(DecodeError) as caught:
        build(Payout, {"transactions": [{"fee": "3.17"}, {"fee": "three"}]}, scope=strict())
    assert caught.value.path == "data.attributes.transactions[1].fee"


@pytest.mark.parametrize(
    ("cls", "attributes", "place"),
    [
        (Contact, {"custom_1": {"a": 1}, "email": "ada@example.com"}, "custom_1"),
        (Contact, {"name": "Ada", "custom_9": True, "custom_10": "x"}, "custom_9"),
        (Offer, {"name": {"en": "Pass"}, "description": "x"}, "name"),
    ],
)
def test_the_place_is_the_name_on_the_wire(cls: type[Resource], attributes: dict[str, Any], place: str) -> None:
    """What is gathered or has another name here is refused under the name it came with, whatever came after it."""
    with pytest.raises(DecodeError) as caught:
        build(cls, attributes, scope=strict())
    assert caught.value.path == f"data.attributes.{place}"


@pytest.mark.parametrize("attributes", [[1], "text", 5, True, _numbered(1_001)])
@pytest.mark.parametrize("is_strict", [False, True])
def test_attributes_that_are_no_object_or_too_many_are_refused(attributes: Any, is_strict: bool) -> None:
    """Whatever stands in their place, the place is named, and the request."""
    with pytest.raises(DecodeError) as caught:
        build(Customer, attributes, scope=Scope(strict=is_strict))
    assert (caught.value.path, caught.value.context) == ("data.attributes", "GET /v1/things/1")
    assert caught.value.problem in {"attributes must be an object", "more than 1000 attributes"}


@pytest.mark.parametrize("attributes", [b'{"name":"Ada","sign_in_count":1e999}', b"[1e999]"])
@pytest.mark.parametrize("is_strict", [False, True])
def test_attributes_that_cannot_be_decoded_are_refused_by_name_of_the_request(
    attributes: bytes, is_strict: bool
) -> None:
    """All of them in a strict scope; else one that cannot be decoded costs itself alone, if they are an object."""
    row = b'[{"type":"customers","id":"1","attributes":%s}]' % attributes
    if attributes.startswith(b"{") and not is_strict:
        (customer,) = read_samples(row, scope=Scope(), context="GET /v1/samples")
        assert isinstance(customer, Customer)
        assert (customer.name, list(customer.unreadable_attributes())) == ("Ada", ["sign_in_count"])
        return
    with pytest.raises(DecodeError, match="out of range") as caught:
        read_samples(row, scope=Scope(strict=is_strict), context="GET /v1/samples")
    assert caught.value.context == "GET /v1/samples"


def test_custom_fields_are_gathered_under_their_own_names() -> None:
    """A site may have 150 of them; numbers are text there."""
    contact = build(Contact, {"custom_1": "blue", "custom_150": None, "custom_7": 3, "custom_x": 1, "custom_٣": 2})
    assert contact.custom_fields == {"custom_1": "blue", "custom_150": None, "custom_7": "3"}
    assert contact.extra == {"custom_x": 1, "custom_٣": 2}


def test_custom_fields_are_empty_if_the_whole_contact_came_without_any() -> None:
    """A site need not have any."""
    assert build(Contact, {"name": "Ada"}).custom_fields == {}
    assert build(Contact, {"name": "Ada", "mood": "fine"}).custom_fields == {}


def test_custom_fields_that_were_not_requested_are_not_loaded() -> None:
    """A sparse fieldset without them does not say that there are none; one with any of them does."""
    without = Scope(Query(fields={"contacts": ("name",)}))
    with pytest.raises(FieldNotLoadedError, match=r"add 'custom_1' or its like to fields="):
        _ = build(Contact, {"name": "Ada"}, scope=without).custom_fields
    requested = Scope(Query(fields={"contacts": ("name", "custom_1")}))
    assert build(Contact, {"name": "Ada"}, scope=requested).custom_fields == {}
    assert build(Contact, {"name": "Ada", "custom_1": "blue"}, scope=without).custom_fields == {"custom_1": "blue"}


def test_an_odd_attribute_leaves_custom_fields_that_were_not_requested_unloaded() -> None:
    """Nothing is known of them."""
    contact = build(Contact, {"name": []}, scope=Scope(Query(fields={"contacts": ("name",)})))
    assert list(contact.unreadable_attributes()) == ["name"]
    with pytest.raises(FieldNotLoadedError):
        _ = contact.custom_fields


def test_socials_keep_networks_that_are_not_documented() -> None:
    """The document's own example has one."""
    socials = build(Customer, {"socials": {"twitter": "@ada", "linkedin": "ada"}}).socials
    assert socials is not None
    assert (socials.twitter, socials.facebook, socials.extra) == ("@ada", None, {"linkedin": "ada"})


@pytest.fixture
def converter() -> None:
    """Make the converter again, as in a new process."""
    values._converter.cache_clear()


@pytest.mark.usefixtures("converter")
@pytest.mark.parametrize(
    ("annotation", "value", "converted"),
    [
        (date, "2024-01-09", date(2024, 1, 9)),
        (date | None, "2024-01-09", date(2024, 1, 9)),
        (Mapping[str, int], {"a": "1", "b": None}, {"a": 1, "b": None}),
        (Mapping[str, int | None], {"a": 2.0, "b": None}, {"a": 2, "b": None}),
        (Mapping[str, str | None], {"a": "x", "b": None, "c": 3}, {"a": "x", "b": None, "c": "3"}),
        (Mapping[str, Any], {"a": [1, {"b": None}]}, {"a": [1, {"b": None}]}),
        (tuple[int, ...], ["1", None, 3.0], (1, None, 3)),
        (tuple[Mapping[str, Decimal], ...], [{"a": "1.5"}, {"b": None}], ({"a": Decimal("1.5")}, {"b": None})),
        (
            PayoutTransaction,
            {"fee": 3, "offer_ids": [7], "created_at": None, "of_tomorrow": [1], "extra": 2},
            PayoutTransaction(fee=Decimal(3), offer_ids=("7",), extra={"of_tomorrow": [1], "extra": 2}),
        ),
    ],
)
def test_what_is_in_a_value_is_converted_by_the_same_rules(annotation: Any, value: Any, converted: Any) -> None:
    """Null stays null wherever it stands, and a member that is not known stays as it came."""
    result = converter_for(annotation)(value)
    assert (type(result), result) == (type(converted), converted)


@pytest.mark.usefixtures("converter")
@pytest.mark.parametrize(
    ("annotation", "value", "problem", "kind", "steps"),
    [
        (date, "tomorrow", "expected an ISO 8601 date, got 'tomorrow'", "text", ()),
        (date, 20240109, "expected an ISO 8601 date, got 20240109", "a number", ()),
        (datetime, "now", "expected an ISO 8601 time, got 'now'", "text", ()),
        (datetime, "2024-01-09T08:00:00", "expected a time with its zone, got '2024-01-09T08:00:00'", "text", ()),
        (datetime, "9999-01-01T00:00:00Z", "expected a time that every zone has, got '9999-01-01T", "text", ()),
        (datetime, "2024-01-09T08:00:00.1234567Z", "expected a time of at most microseconds, got '2", "text", ()),
        (float, "1" * 100 + "e99", "expected a number that a float can hold, got '111", "text", ()),
        (float, 10**400, "expected a number that a float can hold, got a number of more than", "a number", ()),
        (bool, "yes", "expected true or false, got 'yes'", "text", ()),
        (Decimal, [1], "expected a decimal number, got [1]", "an array", ()),
        (Decimal, None, "expected a decimal number, got None", "null", ()),
        (Mapping[str, int], [1], "expected an object, got [1]", "an array", ()),
        (Mapping[str, int], {"a": 1, "b": "x"}, "expected a whole number, got 'x'", "text", ("b",)),
        (Mapping[str, str | None], {"a": "x", "k" * 61: [1]}, "expected text, got [1]", "an array", ("k" * 60,)),
        (tuple[int, ...], {"a": 1}, "expected an array, got {'a': 1}", "an object", ()),
        (tuple[int, ...], [1, None, True], "expected a whole number, got True", "true or false", (2,)),
        (
            tuple[Mapping[str, int], ...],
            [{"b": 1}, {"a": 1.5}],
            "expected a whole number, got 1.5",
            "a number",
            (1, "a"),
        ),
        (PayoutTransaction, [1], "expected an object, got [1]", "an array", ()),
        (PayoutTransaction, {"offer_ids": ["1", [2]]}, "expected text, got [2]", "an array", ("offer_ids", 1)),
    ],
)
def test_a_refusal_says_what_was_expected_and_what_came_and_leads_to_it(
    annotation: Any, value: Any, problem: str, kind: str, steps: tuple[str | int, ...]
) -> None:
    """By names, the long ones cut, and by places in arrays."""
    with pytest.raises(Refused) as caught:
        converter_for(annotation)(value)
    assert str(caught.value).startswith(problem)
    assert (caught.value.kind, caught.value.steps) == (kind, steps)


@given(places=st.dictionaries(st.integers(0, 999), JSON, max_size=5))
@examples(200)
def test_any_json_is_a_resource_or_a_decode_error(places: dict[int, Any]) -> None:
    """No other exception leaves the conversion, whatever the type of the attribute."""
    for cls in MODELS.values():
        names = [*attribute_names(cls), "custom_1", "x"]
        with suppress(DecodeError):
            assert repr(build(cls, {names[place % len(names)]: value for place, value in places.items()}))


@pytest.mark.parametrize("target", [int, float, Decimal])
@given(
    value=st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.from_regex(r"[-+]?[0-9]{1,25}(\.[0-9]{0,25})?(e[-+]?[0-9]{1,3})?", fullmatch=True)
)
def test_a_number_keeps_its_value_or_is_refused(target: type, value: Any) -> None:
    """Nothing is rounded on the way: what came and what it became are the same number."""
    with suppress(Refused):
        converted = converter_for(target)(value)
        assert Decimal(repr(converted) if target is float else converted) == Decimal(str(value))


@pytest.mark.parametrize(
    ("cls", "name", "value"),
    [
        (Media, "duration_in_minutes", 10**400),
        (Media, "duration_in_minutes", "1" * 100 + "e99"),
        (Customer, "sign_in_count", "9" * 5000),
        (Customer, "net_revenue", "1e999"),
        (Customer, "created_at", "9999-12-31T23:59:59-23:59"),
        (Customer, "created_at", "0001-01-01T00:00:00+23:59"),
        (Customer, "created_at", "9" * 5000),
        (Customer, "name", 1e300),
    ],
)
def test_what_no_value_can_hold_is_refused_and_never_foreign(cls: type[Resource], name: str, value: Any) -> None:
    """Neither by the conversion nor by what a program does with it next, such as telling a time in another zone."""
    with pytest.raises(DecodeError, match=rf"attributes\.{name}$"):
        build(cls, {name: value}, scope=strict())


@pytest.mark.parametrize("value", ["x" * 10**6, ["x" * 10**5] * 10, {"k" * 10**6: 1}, "9" * 4000])
def test_a_value_that_is_refused_is_shown_in_brief(value: Any) -> None:
    """Of any size, as its sender chose."""
    with pytest.raises(DecodeError) as caught:
        build(Customer, {"sign_in_count": value}, scope=strict())
    assert len(str(caught.value)) < 300
    with pytest.raises(DecodeError) as caught:
        build(Contact, {"custom_1": [], "k" * 10**6: 1}, scope=strict())
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("size", [10, 100_000])
def test_attributes_of_any_size_are_read_alike(size: int) -> None:
    """Large ones are read one after the other at once, as trying the other way first would take twice as long."""
    attributes = {"name": "x" * size, "sign_in_count": 3, "zz": {"a": [1]}, "created_at": "2021-01-01T00:00:00Z"}
    customer = build(Customer, attributes)
    assert (customer.name, customer.sign_in_count, customer.extra) == ("x" * size, 3, {"zz": {"a": [1]}})


def test_an_attribute_that_is_nested_too_deeply_is_refused_whichever_way_it_is_read() -> None:
    """Once a name is known, it is read along with the others."""
    deep: Any = 1
    for _ in range(200):
        deep = [deep]
    for value in (deep, 1, 2, deep, deep):
        if value is deep:
            with pytest.raises(DecodeError, match="nested too deeply"):
                build(Customer, {"learned_deep": value}, scope=strict())
        else:
            assert build(Customer, {"learned_deep": value}).extra == {"learned_deep": value}


def test_a_reader_deep_in_a_recursion_loses_nothing() -> None:
    """The next access finds the related resources."""
    document = {
        "data": {
            "type": "customers",
            "id": "1",
            "attributes": {},
            "relationships": {"offers": {"data": [{"type": "offers", "id": "7"}]}},
        },
        "included": [{"type": "offers", "id": "7", "attributes": {"title": "Course"}}],
    }
    customer = read(Customer, document)

    def descend(levels: int) -> Any:
        return customer.offers.loaded if levels == 0 else descend(levels - 1)

    for levels in range(sys.getrecursionlimit() - 10, 200, -1):
        try:
            if descend(levels):
                break
        except RecursionError:
            # Not a step was left to call us with.
            continue
        except ConfigurationError:
            continue
        else:
            pytest.fail("what was included is taken for absent")
    assert customer.offers.loaded
    assert customer.offers.ids == ("7",)
