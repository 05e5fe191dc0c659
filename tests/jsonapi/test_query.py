from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kajabi_async.errors import InvalidArgumentError
from kajabi_async.jsonapi.query import Query, encoded_pairs

_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


def test_is_empty_if_nothing_was_requested() -> None:
    """No part, no parameter: not even an empty one."""
    assert Query().encode() == ""


def test_has_one_order_whatever_order_it_was_built_in() -> None:
    """Include, fields by type, filters, sort, page: the same request has the same query."""
    query = Query(
        page_size=50,
        page_number=2,
        sort=("-created_at", "name"),
        filters=(("filter[site_id]", "9"),),
        fields={"offers": ("title",), "customers": ("name", "email")},
        include=("contact", "offers.products"),
    )
    assert query.encode() == (
        "include=contact,offers.products"
        "&fields%5Bcustomers%5D=name,email&fields%5Boffers%5D=title"
        "&filter%5Bsite_id%5D=9&sort=-created_at,name&page%5Bnumber%5D=2&page%5Bsize%5D=50"
    )


def test_separates_included_paths_by_commas() -> None:
    """Row 60: ``include`` is a comma-separated list of dotted paths."""
    assert Query(include=("contact", "offers.products")).encode() == "include=contact,offers.products"


def test_asks_for_no_fields_at_all_with_an_empty_list() -> None:
    """Row 62: an empty value means none, which is not the same as leaving the parameter out."""
    assert Query(fields={"customers": ()}).encode() == "fields%5Bcustomers%5D="


def test_keeps_the_order_of_sort_keys() -> None:
    """Row 64: the first key sorts first, a minus reverses it."""
    assert Query(sort=("-net_revenue", "name")).encode() == "sort=-net_revenue,name"


def test_keeps_repeated_filters_in_their_order() -> None:
    """Row 69: a parameter that is repeated stays repeated."""
    pairs = (
        ("filter[exclude_product_types][]", "Courses::CohortCourse"),
        ("filter[exclude_product_types][]", "Podcast"),
    )
    assert parse_qsl(Query(filters=pairs).encode()) == list(pairs)


def test_encodes_brackets_and_leaves_commas() -> None:
    """Row 68: brackets are percent-encoded; commas that separate stay as they are."""
    assert encoded_pairs([("filter[has_tag_id]", "1,2")]) == "filter%5Bhas_tag_id%5D=1,2"


@pytest.mark.parametrize("value", ["a&b=c", "a#b", "a+b", "a b", "50%", "a;b", "größe", "\r\n", "/?"])
def test_cannot_be_broken_out_of_by_a_value(value: str) -> None:
    """Any value stays one value of one parameter."""
    assert parse_qsl(encoded_pairs([("filter[search]", value)])) == [("filter[search]", value)]


@pytest.mark.parametrize("pair", [("filter[search]", "\ud800"), ("filter[\udfff]", "a")])
def test_refuses_text_that_utf8_cannot_carry(pair: tuple[str, str]) -> None:
    """Half a surrogate pair is refused on our side, with an error of the tree."""
    with pytest.raises(InvalidArgumentError, match="surrogate"):
        encoded_pairs([pair])


def test_shows_the_beginning_of_a_text_it_refuses() -> None:
    """A long text is not repeated whole."""
    with pytest.raises(InvalidArgumentError, match=f"^{'x' * 60!r} holds half a surrogate pair"):
        encoded_pairs([("filter[search]", "x" * 1000 + "\ud800")])


@given(st.lists(st.tuples(_TEXT, _TEXT), max_size=6))
def test_reads_back_as_the_same_pairs(pairs: list[tuple[str, str]]) -> None:
    """Every name and value comes back from the query string as it went in, in ASCII on the way."""
    query = encoded_pairs(pairs)
    assert query.isascii()
    assert parse_qsl(query, keep_blank_values=True) == pairs
