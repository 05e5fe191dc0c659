"""JSON values to Python values: converted where nothing is lost, refused with the place where something is."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kajabi_async import Contact, Customer, DecodeError, Offer, Payout, Podcast, Purchase, Resource
from tests.models.building import build

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.parametrize(
    ("cls", "name", "value", "expected"),
    [
        (Customer, "net_revenue", "129.50", Decimal("129.50")),
        (Customer, "net_revenue", 10000, Decimal(10000)),
        (Customer, "net_revenue", 0.5, Decimal("0.5")),
        (Customer, "sign_in_count", "12", 12),
        (Customer, "sign_in_count", 12.0, 12),
        (Customer, "external_user_id", 204611, "204611"),
        (Customer, "created_at", "2021-01-01T00:00:00Z", datetime(2021, 1, 1, tzinfo=UTC)),
        (Customer, "created_at", "2021-01-01T00:00:00.389Z", datetime(2021, 1, 1, microsecond=389000, tzinfo=UTC)),
        (Customer, "created_at", "2021-01-01T01:00:00+01:00", datetime(2021, 1, 1, tzinfo=UTC)),
        (Contact, "subscribed", "true", True),
        (Contact, "subscribed", False, False),
        (Offer, "price_in_cents", 2**70, 2**70),
        (Offer, "price", 100.0, Decimal("100.0")),
        (Purchase, "raw_extra_contact_information", {"a": [1]}, {"a": [1]}),
        (Podcast, "categories", ["arts", "life"], ("arts", "life")),
    ],
)
def test_a_value_becomes_what_the_attribute_is(cls: type[Resource], name: str, value: Any, expected: Any) -> None:
    """Text, numbers and truth are converted into each other where nothing is lost."""
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
        (Customer, "sign_in_count", 1.5, "a whole number"),
        (Customer, "sign_in_count", True, "a whole number"),
        (Customer, "sign_in_count", "12x", "a whole number"),
        (Customer, "sign_in_count", "9" * 5000, "a whole number"),
        (Customer, "name", {"first": "Ada"}, "text"),
        (Customer, "name", True, "text"),
        (Customer, "created_at", "2021-01-01T00:00:00", "a time with its zone"),
        (Customer, "created_at", "2021-01-01", "a time with its zone"),
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
        build(cls, {name: value})
    assert caught.value.path == f"data.attributes.{name}"


def test_the_place_reaches_into_nested_values() -> None:
    """A bad value deep inside is found without searching."""
    with pytest.raises(DecodeError) as caught:
        build(Payout, {"transactions": [{"fee": "3.17"}, {"fee": "three"}]})
    assert caught.value.path == "data.attributes.transactions[1].fee"


def test_attributes_that_are_no_object_are_refused() -> None:
    """Whatever stands in their place, the place is named."""
    with pytest.raises(DecodeError) as caught:
        build(Customer, [1])
    assert caught.value.path == "data.attributes"


def test_custom_fields_are_gathered_under_their_own_names() -> None:
    """A site may have 150 of them; numbers are text there."""
    contact = build(Contact, {"custom_1": "blue", "custom_150": None, "custom_7": 3, "custom_x": 1})
    assert contact.custom_fields == {"custom_1": "blue", "custom_150": None, "custom_7": "3"}
    assert contact.extra == {"custom_x": 1}


def test_socials_keep_networks_that_are_not_documented() -> None:
    """The document's own example has one."""
    socials = build(Customer, {"socials": {"twitter": "@ada", "linkedin": "ada"}}).socials
    assert socials is not None
    assert (socials.twitter, socials.facebook, socials.extra) == ("@ada", None, {"linkedin": "ada"})


@given(attributes=st.dictionaries(st.sampled_from(["name", "socials", "net_revenue", "created_at", "x"]), JSON))
def test_any_json_is_a_resource_or_a_decode_error(attributes: dict[str, Any]) -> None:
    """No other exception leaves the conversion."""
    with suppress(DecodeError):
        assert repr(build(Customer, attributes))
