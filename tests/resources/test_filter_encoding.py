"""Filters: checked by name and kind before anything is sent, and encoded as the server reads them."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from kajabi_async import InvalidArgumentError, UnknownFilterError
from kajabi_async.resources.filters import (
    BlogPostFilters,
    CustomerIncludedFilters,
    LandingPageFilters,
    OfferFilters,
    OrderFilters,
    PayoutFilters,
    PeopleFilters,
    ProductFilters,
    PurchaseFilters,
)
from kajabi_async.resources.filters.encoding import encode_extra_filters, encode_filters


@pytest.mark.parametrize(
    ("declared", "name", "value", "expected"),
    [
        (PeopleFilters, "site_id", 9, ("filter[site_id]", "9")),
        (PeopleFilters, "has_tag_id", ["5", 6], ("filter[has_tag_id]", "5,6")),
        (PeopleFilters, "has_all_tag_id", "5,6", ("filter[has_all_tag_id]", "5,6")),
        (PeopleFilters, "subscribed", True, ("filter[subscribed]", "true")),
        (PeopleFilters, "is_hidden", False, ("filter[is_hidden]", "false")),
        (PeopleFilters, "created_in_last", 30, ("filter[created_in_last]", "30")),
        (PeopleFilters, "net_revenue_greater_than", Decimal("99.50"), ("filter[net_revenue_greater_than]", "99.50")),
        (PeopleFilters, "email_contains", "a+b@example.com", ("filter[email_contains]", "a+b@example.com")),
        (PayoutFilters, "start_date", date(2024, 12, 1), ("filter[start_date]", "2024-12-01")),
        (PayoutFilters, "start_date", "2024-12-01", ("filter[start_date]", "2024-12-01")),
        (OrderFilters, "fulfilled_at_null", True, ("filter[fulfilled_at_null]", "true")),
        (OrderFilters, "currency_code_in", ["USD", "EUR"], ("filter[currency_code_in]", "USD,EUR")),
        (
            OrderFilters,
            "created_at_gteq",
            datetime(2024, 1, 1, tzinfo=UTC),
            ("filter[created_at_gteq]", "2024-01-01T00:00:00+00:00"),
        ),
        (PurchaseFilters, "amount_in_cents_gt", 19900, ("filter[amount_in_cents_gt]", "19900")),
        (PurchaseFilters, "opt_in_cont", "x", ("filter[opt_in_cont]", "x")),
    ],
)
def test_a_value_is_written_as_the_server_reads_it(declared: type, name: str, value: Any, expected: Any) -> None:
    """Ids, lists of ids, days, booleans, dates and amounts each have one encoding."""
    assert encode_filters(declared, {name: value}, owner="things") == (expected,)


def test_a_list_the_server_wants_repeated_is_repeated() -> None:
    """Row 69: ``exclude_product_types`` is sent once for each value, with empty brackets."""
    given = {"exclude_product_types": ["Courses::CohortCourse", "Podcast"]}
    assert encode_filters(ProductFilters, given, owner="products") == (
        ("filter[exclude_product_types][]", "Courses::CohortCourse"),
        ("filter[exclude_product_types][]", "Podcast"),
    )


def test_the_order_of_filters_does_not_depend_on_the_caller() -> None:
    """Equal filters make equal queries, which can be compared and cached."""
    there = encode_filters(PeopleFilters, {"search": "a", "site_id": 1}, owner="customers")
    back = encode_filters(PeopleFilters, {"site_id": 1, "search": "a"}, owner="customers")
    assert there == back


@pytest.mark.parametrize("several", [set, frozenset])
def test_a_set_is_written_in_one_order(several: Any) -> None:
    """A set has no order, and that of its iteration differs between processes; a list keeps its order."""
    ids = ["10", 9, "8", 11, "100"]
    for given, expected in ((several(ids), "10,100,11,8,9"), (ids, "10,9,8,11,100")):
        assert encode_filters(PeopleFilters, {"has_tag_id": given}, owner="customers") == (
            ("filter[has_tag_id]", expected),
        )
        assert encode_extra_filters({"unheard": given}) == (("filter[unheard]", expected),)


@pytest.mark.parametrize(
    ("name", "nearest"),
    [("has_offer", "has_offer_id"), ("email", "email_contains"), ("created_in_lst", "created_in_last")],
)
def test_an_unknown_filter_is_refused_with_the_nearest_known_one(name: str, nearest: str) -> None:
    """The server would ignore it and return an unfiltered page."""
    with pytest.raises(UnknownFilterError, match="extra_filters=") as caught:
        encode_filters(PeopleFilters, {name: "x"}, owner="customers")
    assert caught.value.name == name
    assert nearest in str(caught.value) or nearest in caught.value.known


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("site_id", True, "an id"),
        ("site_id", "1/2", "an id"),
        ("has_tag_id", [], "an id, or several"),
        ("has_tag_id", {"5": 1}, "an id, or several"),
        ("subscribed", "yes", "True or False"),
        ("created_in_last", "30", "a whole number of days"),
        ("created_in_last", -1, "a whole number of days"),
        ("net_revenue_equal_to", "much", "an amount"),
        ("search", 5, "text"),
        ("search", None, "leave it out"),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused(name: str, value: Any, wanted: str) -> None:
    """The error names the parameter and the kind it takes."""
    with pytest.raises(InvalidArgumentError, match=wanted) as caught:
        encode_filters(PeopleFilters, {name: value}, owner="customers")
    assert f"filter[{name}]" in str(caught.value)


def test_a_naive_time_is_refused() -> None:
    """It does not say which moment it means."""
    with pytest.raises(InvalidArgumentError, match="has no zone"):
        encode_filters(OrderFilters, {"created_at_gt": datetime(2024, 1, 1)}, owner="orders")  # noqa: DTZ001 - the point
    with pytest.raises(InvalidArgumentError, match=r"^filter\[created_at_gt\]: the time .* has no zone"):
        encode_filters(OrderFilters, {"created_at_gt": "2024-01-01T00:00:00"}, owner="orders")
    with pytest.raises(InvalidArgumentError, match=r"^filter\[title_cont\]: the server splits 'a,b' at its comma"):
        encode_filters(OfferFilters, {"title_cont": "a,b"}, owner="offers")
    with pytest.raises(InvalidArgumentError, match="a date"):
        encode_filters(OrderFilters, {"created_at_gt": "soon"}, owner="orders")


def test_text_with_a_comma_is_refused() -> None:
    """The server splits it in two, and there is no way to quote it."""
    with pytest.raises(InvalidArgumentError, match="comma"):
        encode_filters(PeopleFilters, {"search": "Lovelace, Ada"}, owner="customers")


def test_extra_filters_are_the_way_out() -> None:
    """A bare name stands for filter[name]; whole parameter names are sent as they are."""
    assert encode_extra_filters(
        {"brand_new": True, "filter[a][]": ["x", "y"], "when": date(2024, 1, 1), "n": (1.5).__int__()}
    ) == (
        ("filter[brand_new]", "true"),
        ("filter[a][]", "x,y"),
        ("filter[n]", "1"),
        ("filter[when]", "2024-01-01"),
    )


@pytest.mark.parametrize("name", ["", "a&b", "filter[", "filter[_]", "a]b[c", "x y[", "-a"])
def test_extra_filters_cannot_smuggle_in_another_parameter(name: str) -> None:
    """Rows 59, 66 and 67: Their names follow the rules for query parameters."""
    with pytest.raises(InvalidArgumentError, match="cannot be the name"):
        encode_extra_filters({name: "x"})


@pytest.mark.parametrize("suffix", ["gteq", "lteq"])
def test_purchases_are_compared_as_the_library_of_the_server_does(suffix: str) -> None:
    """Row 7 of what integrators saw: ``created_at_gteq`` is used live."""
    name = f"created_at_{suffix}"
    assert encode_filters(PurchaseFilters, {name: "2026-08-01"}, owner="x") == ((f"filter[{name}]", "2026-08-01"),)


@pytest.mark.parametrize("declared", [PurchaseFilters, LandingPageFilters])
@pytest.mark.parametrize("misspelt", ["created_at_gtee", "created_at_gt_eq", "updated_at_lt_", "created_at_ge"])
def test_a_misspelt_filter_never_leads_to_one_that_is_probably_dead(declared: type, misspelt: str) -> None:
    """``gte`` and ``lte`` are accepted since the API document has them, but the server probably ignores them."""
    with pytest.raises(UnknownFilterError) as caught:
        encode_filters(declared, {misspelt: "2026-08-01"}, owner="x")
    assert caught.value.nearest is None or not caught.value.nearest.endswith(("_gte", "_lte"))
    assert not [name for name in caught.value.known if name.endswith(("_gte", "_lte"))]


@pytest.mark.parametrize("name", ["offers_page", "offers_per", "products_page", "products_per"])
@pytest.mark.parametrize("value", [0, -1, True, "1", 1.0])
def test_pages_of_included_rows_are_counted_from_one(name: str, value: Any) -> None:
    """The server would silently return another page, or all of them."""
    with pytest.raises(InvalidArgumentError, match="whole number of at least 1"):
        encode_filters(CustomerIncludedFilters, {name: value}, owner="x")


@pytest.mark.parametrize(
    ("declared", "misspelt", "nearest"),
    [
        (BlogPostFilters, "created_at_gteq", None),
        (BlogPostFilters, "created_at_gt", None),
        (BlogPostFilters, "title_not_start", "title_not_cont"),
        (BlogPostFilters, "titel_cont", "title_cont"),
        (PurchaseFilters, "created_gteq", "created_at_gteq"),
        (PurchaseFilters, "created_lt", "created_at_lt"),
        (PeopleFilters, "created_at_gt", "created_in_last"),
    ],
)
def test_a_filter_leads_to_no_other_comparison(declared: type, misspelt: str, nearest: str | None) -> None:
    """A misspelt range or negation is not answered with a filter that keeps other rows."""
    with pytest.raises(UnknownFilterError) as caught:
        encode_filters(declared, {misspelt: "2026-08-01"}, owner="x")
    assert caught.value.nearest == nearest
