"""A page is converted attribute by attribute: the same values as row by row, and refused for the same reasons."""

import json
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kajabi_async import Contact, Customer, Media, Offer, Resource
from kajabi_async.decoding.answers import read_page
from kajabi_async.decoding.by_column import times_of
from kajabi_async.decoding.fast import FastReader, convert_times
from kajabi_async.models.origin import Scope
from tests.decoding.test_fast import TIMES, noted_reads, whole

pytestmark = pytest.mark.usefixtures("nothing_learned")

OF_THE_LENGTH_OF_TIMES = [text for text in TIMES if 20 <= len(text) <= 32]
MORE = (
    "0999-01-09T08:00:00Z",
    "9000-01-09T08:00:00Z",
    "8999-12-31T23:59:59Z",
    "1000-01-09T08:00:00Z",
    "2024-13-09T08:00:00Z",
    "2024-01-09T08:00:00,1Z",
    "2024-01-09T08:00:00.123456789012",
    "20240109T080000.12345Z",
    "x" * 20,
)


@given(st.lists(st.none() | st.sampled_from([*OF_THE_LENGTH_OF_TIMES, *MORE]), max_size=4))
def test_a_column_of_times_is_read_as_each_of_them(column: list[str | None]) -> None:
    """One that needs a closer look, in whichever place, refuses the column; nulls stay where they were."""
    assert _outcome(lambda: list(times_of(column))) == _outcome(lambda: _one_by_one(column))


@pytest.mark.parametrize("text", [*OF_THE_LENGTH_OF_TIMES, *MORE])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_one_odd_time_among_others_is_not_overlooked(text: str, place: int) -> None:
    """Neither first, nor last, nor between others, of its length or of any."""
    usual = {
        20: "2024-01-09T08:00:00Z",
        22: "2024-01-09T08:00:00.1Z",
        23: "2024-01-09T08:00:00.12Z",
        24: "2024-01-09T08:00:00.123Z",
        25: "2024-01-09T08:00:00-05:00",
        27: "2024-01-09T08:00:00.123456Z",
        28: "2024-01-09T08:00:00.12-05:00",
        29: "2024-01-09T08:00:00.123-05:00",
        32: "2024-01-09T08:00:00.123456-05:00",
    }
    mixed = ["2024-01-09T08:00:00Z", "2024-01-09T08:00:00.120Z", "2024-01-09T08:00:00.123456-05:00"]
    for column in ([usual.get(len(text), text)] * 3, [mixed[1]] * 3, mixed, mixed[::-1]):
        column[place] = text
        assert _outcome(lambda: list(times_of(column))) == _outcome(lambda: _one_by_one(column))  # noqa: B023


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("name", ["Ada", None, ""], ["Ada", None, ""]),
        ("net_revenue", ["249.0", "1e3", "249.0"], [Decimal("249.0"), Decimal("1e3"), Decimal("249.0")]),
        ("net_revenue", [None, 7, "0.0"], [None, Decimal(7), Decimal("0.0")]),
        ("net_revenue", [None, None, None], [None, None, None]),
        ("sign_in_count", [0, None, 2**70], [0, None, 2**70]),
        ("socials", [None, None, None], [None, None, None]),
        ("created_at", [None, "2024-01-09T08:00:00Z", None], [None, datetime.fromisoformat("2024-01-09T08:00Z"), None]),
    ],
)
def test_each_row_has_its_own_values(name: str, values: list[Any], expected: list[Any]) -> None:
    """Whatever nulls stand between them; no row is read by itself."""
    with patch.object(FastReader, "_build", side_effect=AssertionError), noted_reads() as read_at_once:
        rows = _read([whole(Customer, **{name: value}) for value in values])
    assert read_at_once == [True]
    assert [(type(row), row.id, getattr(row, name)) for row in rows] == [
        (Customer, str(number), value) for number, value in enumerate(expected)
    ]


def test_text_becomes_the_type_of_its_attribute() -> None:
    """Not only decimals may come as text."""
    with noted_reads() as read_at_once:
        rows = _read([whole(Media, duration_in_minutes=each) for each in ("7.25", "1")], Media)
    assert read_at_once == [True]
    assert [(type(row.duration_in_minutes), row.duration_in_minutes) for row in rows] == [(float, 7.25), (float, 1.0)]


def test_objects_stand_among_nulls() -> None:
    """Each is read for its own row."""
    rows = _read([whole(Customer, socials=each) for each in ({"twitter": "a"}, None, {"twitter": "b", "x": 1})])
    assert [each and (each.twitter, each.extra) for each in (row.socials for row in rows)] == [
        ("a", {}),
        None,
        ("b", {"x": 1}),
    ]


def test_members_without_a_slot_stay_with_their_row() -> None:
    """Custom fields and names of tomorrow, once they are learned."""
    whole_contact = {name: value for name, value in whole(Contact).items() if name != "custom_fields"}
    added: list[dict[str, Any]] = [{"custom_1": "x", "of_tomorrow": 1}, {}, {"custom_2": None}]
    with noted_reads() as read_at_once:
        pages = [_read([whole_contact | each for each in added], Contact) for _ in range(2)]
    assert read_at_once == [False, True]
    for rows in pages:
        assert [(row.custom_fields, dict(row.extra)) for row in rows] == [
            ({"custom_1": "x"}, {"of_tomorrow": 1}),
            ({}, {}),
            ({"custom_2": None}, {}),
        ]


def test_complete_rows_have_no_custom_fields_if_none_came() -> None:
    """And an offer keeps its title, as no other name came."""
    with patch.object(FastReader, "_build", side_effect=AssertionError):
        contacts = _read(
            [{name: value for name, value in whole(Contact).items() if name != "custom_fields"}] * 2, Contact
        )
        offers = _read([whole(Offer, title=each) for each in ("All", None)], Offer)
    assert [(row.custom_fields, dict(row.extra)) for row in contacts] == [({}, {})] * 2
    assert [(row.title, dict(row.extra)) for row in offers] == [("All", {}), (None, {})]


def test_the_rows_of_a_page_are_as_closed_as_any_resource() -> None:
    """They are of the class itself, and cannot be set."""
    row: Any
    (row,) = _read([whole(Customer)])
    assert type(row).__mro__ == Customer.__mro__
    with pytest.raises(AttributeError, match=r"Customer\.name is what the server said and cannot be set"):
        row.name = "Ada"
    with pytest.raises(AttributeError, match="cannot be deleted"):
        del row.name
    with pytest.raises(TypeError, match=r"Customer\(\) takes no arguments"):
        type(row)("1")


def _read(rows: list[dict[str, Any]], cls: type[Resource] = Customer) -> list[Any]:
    data = [
        {"type": cls.resource_type, "id": str(number), "attributes": attributes}
        for number, attributes in enumerate(rows)
    ]
    return list(read_page(json.dumps({"data": data}).encode(), cls=cls, scope=Scope(), context="GET /v1/rows").rows)


def _one_by_one(column: Sequence[str | None]) -> list[Any]:
    values: list[Any] = list(column)
    for index in range(len(values)):
        convert_times(values, [index])
    return values


def _outcome(read: Any) -> Any:
    try:
        values = read()
    except ValueError:
        return "refused"
    return [value and (value, value.utcoffset()) for value in values]
