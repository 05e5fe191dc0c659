"""The number of values that an answer may have converted one by one: a small answer may hold a great many."""

import json
from collections import Counter
from typing import Any

import pytest

from kajabi_async import AnswerTooLargeError, Contact, ContactTag, Customer, DecodeError, Offer, Payout
from kajabi_async.decoding.answers import read_page, read_resource
from kajabi_async.jsonapi.limits import MAX_ELEMENTS, excess_in
from kajabi_async.jsonapi.linkage import LinkageState
from kajabi_async.jsonapi.query import Query
from kajabi_async.models.origin import Scope
from kajabi_async.models.resource import Resource, attribute_names
from tests.decoding.largest import CUSTOM_FIELDS, DISTINCT, LINKED, ROWS, largest_page
from tests.models.building import read

CONTEXT = "GET /v1/contacts"


_COMPLETE = {name: None for name in attribute_names(Payout) if name != "id"}


def _numbered(prefix: str, number: int, value: Any) -> dict[str, Any]:
    return {f"{prefix}{index}": value for index in range(1, number + 1)}


def _page(cls: type[Resource], attributes: dict[str, Any], *, rows: int, most_elements: int = 200_000) -> Any:
    row = {"type": cls.resource_type, "id": "1", "attributes": attributes}
    body = json.dumps({"data": [row] * rows}).encode()
    return read_page(body, cls=cls, scope=Scope(most_elements=most_elements), context=CONTEXT)


def _is_too_large(cls: type[Resource], attributes: dict[str, Any], *, rows: int, most_elements: int) -> None:
    with pytest.raises(AnswerTooLargeError, match=f"more than {most_elements // 2} values to convert") as caught:
        _page(cls, attributes, rows=rows, most_elements=most_elements)
    assert caught.value.context == CONTEXT


@pytest.mark.parametrize(("number", "readable"), [(1_000, True), (1_001, False)])
def test_a_resource_may_have_a_thousand_attributes(number: int, readable: bool) -> None:
    """With more it is malformed: as the one resource an error, in a page the others are read."""
    many = {"type": "contacts", "id": "1", "attributes": _numbered("x", number, 0)}
    few = {"type": "contacts", "id": "2", "attributes": {"name": "Ada"}}
    first, second = read_page(json.dumps({"data": [many, few]}).encode(), cls=Contact, scope=Scope(), context="").rows
    assert isinstance(first, Contact if readable else DecodeError)
    assert isinstance(second, Contact)
    if not readable:
        with pytest.raises(DecodeError, match="more than 1000 attributes") as caught:
            read(Contact, {"data": many})
        assert caught.value.path == "data.attributes"


@pytest.mark.parametrize(("number", "state"), [(999, LinkageState.TO_MANY), (1_000, LinkageState.MISSING)])
def test_a_resource_may_have_a_thousand_relations(number: int, state: LinkageState) -> None:
    """With more nothing is known of any, and the attributes are read."""
    relations: dict[str, Any] = {"offers": {"data": []}, **_numbered("x", number, {"data": None})}
    row: dict[str, Any] = {"type": "customers", "id": "1", "attributes": {"name": "Ada"}, "relationships": relations}
    customer = read(Customer, {"data": row})
    assert customer.name == "Ada"
    assert customer.origin.relationship("offers").state is state


@pytest.mark.parametrize("value", ["An answer of some words", None])
@pytest.mark.parametrize(("documented", "most"), [(True, MAX_ELEMENTS * 4 // 5), (False, MAX_ELEMENTS * 19 // 20)])
def test_the_largest_page_of_a_real_account_is_read(value: str | None, documented: bool, most: int) -> None:
    """500 contacts with 150 custom fields each and all that can be included: four fifths of the limits are enough."""
    body = largest_page(value, documented=documented)
    assert excess_in(body, most, "max_answer_elements") == ""
    page = read_page(body, cls=Contact, scope=Scope(most_elements=most), context=CONTEXT)
    contacts = [row for row in page.rows if isinstance(row, Contact)]
    assert [len(contact.custom_fields) for contact in contacts] == [CUSTOM_FIELDS] * ROWS
    known = contacts[0].origin.scope.known
    assert Counter(map(type, known.values())) == {
        Contact: ROWS,
        Customer: ROWS,
        Offer: DISTINCT,
        ContactTag: DISTINCT,
    }
    assert not any(each.unreadable_attributes() for each in known.values())
    assert {len(contact.tags.ids or ()) for contact in contacts} == {LINKED}


def test_more_custom_fields_than_any_page_has_are_refused_once() -> None:
    """At half as many as the answer may have elements."""
    assert len(_page(Contact, _numbered("custom_", 100, "x"), rows=40, most_elements=8_000).rows) == 40
    _is_too_large(Contact, _numbered("custom_", 100, "x"), rows=41, most_elements=8_000)


@pytest.mark.parametrize(("cls", "most_rows"), [(Contact, 20), (Customer, 40)])
def test_attributes_that_are_not_known_are_counted(cls: type[Resource], most_rows: int) -> None:
    """Each is placed by itself. A contact's is counted twice: it might be a custom field beyond those documented."""
    for number in (100, 50):
        attributes = _numbered("x", number, 0)
        # The second time those names are learned that can be.
        for _ in range(2):
            rows = most_rows * 100 // number
            assert len(_page(cls, attributes, rows=rows, most_elements=8_000).rows) == rows
            _is_too_large(cls, attributes, rows=rows + 1, most_elements=8_000)


@pytest.mark.parametrize("value", [[], {"a": 1}, True])
def test_values_that_cannot_be_read_count_forty_times(value: Any) -> None:
    """What is wrong is noted for each."""
    page = _page(Contact, _numbered("custom_", 10, value), rows=9, most_elements=8_000)
    assert {len(row.unreadable_attributes()) for row in page.rows} == {10}
    _is_too_large(Contact, _numbered("custom_", 10, value), rows=10, most_elements=8_000)


def test_members_that_are_decoded_by_themselves_count_four_times() -> None:
    """They are if one of them cannot be decoded, such as a number that no float holds."""
    attributes = {**_numbered("x", 99, 0), "y": "REPLACE"}
    row = {"type": "contacts", "id": "1", "attributes": attributes}

    def body(rows: int) -> bytes:
        return json.dumps({"data": [row] * rows}).encode().replace(b'"REPLACE"', b"1e999")

    scope = Scope(most_elements=8_000)
    # 4 and 2 for each member, as it is not known either, and 40 for the one that cannot be read.
    assert len(read_page(body(6), cls=Contact, scope=scope, context=CONTEXT).rows) == 6
    with pytest.raises(AnswerTooLargeError):
        read_page(body(7), cls=Contact, scope=Scope(most_elements=8_000), context=CONTEXT)


@pytest.mark.parametrize(("odd", "most_rows"), [({}, 66), (_COMPLETE, 66), ({"status": []}, 49)])
def test_objects_in_an_array_count_ten_times(odd: dict[str, Any], most_rows: int) -> None:
    """And each value of an array in them once; whether or not the whole answer is decoded at once."""
    transactions = [{"amount": "1.5", "offer_ids": ["1", "2"]}] * 10
    attributes = {**odd, "transactions": transactions}
    page = _page(Payout, attributes, rows=most_rows, most_elements=16_000)
    assert {len(row.transactions) for row in page.rows} == {10}
    _is_too_large(Payout, attributes, rows=most_rows + 1, most_elements=16_000)


def test_one_value_may_not_have_too_many_parts() -> None:
    """It does not take many resources."""
    row: dict[str, Any] = {"type": Payout.resource_type, "id": "1", "attributes": {"transactions": [{}] * 10_001}}
    with pytest.raises(AnswerTooLargeError, match="more than 100000 values to convert"):
        read_resource(json.dumps({"data": row}).encode(), cls=Payout, scope=Scope(), context=CONTEXT)


def test_included_resources_beyond_the_limit_are_left_out() -> None:
    """Their relations fetch them; those before them are there."""
    offers: list[dict[str, Any]] = [
        {"type": "offers", "id": str(number), "attributes": {"title": [], "price_in_cents": []}} for number in range(60)
    ]
    row = {"type": "customers", "id": "1", "attributes": {"name": "Ada"}}
    scope = Scope(Query(include=("offers",)), most_elements=8_000)
    customer = read_resource(
        json.dumps({"data": row, "included": offers}).encode(), cls=Customer, scope=scope, context=CONTEXT
    )
    known = [each for each in customer.origin.scope.known.values() if isinstance(each, Offer)]
    assert len(known) == 4_000 // (2 * 41)


@pytest.mark.parametrize(
    ("number", "linkage", "linked"),
    [
        (10, 0, True),
        (500, 0, True),
        (501, 0, False),
        (1, 1_996, True),
        (1, 1_997, False),
    ],
)
def test_what_was_included_is_linked_only_if_that_takes_little(number: int, linkage: int, linked: bool) -> None:
    """Sparse fields dropped the linkage, and what else was included may link to the same type; else it is unknown.

    A relation counts four times, and once more for each resource that it leads to.
    """
    row = {"type": "customers", "id": "1", "attributes": {"name": "Ada"}}
    theirs = [{"type": "offers", "id": f"of posts {each}"} for each in range(linkage)]
    other = {"type": "posts", "id": "1", "relationships": _numbered("x", number, {"data": theirs})}
    included = [{"type": "offers", "id": "7"}, other]
    query = Query(include=("offers",), fields={"customers": ("name",)})
    body = json.dumps({"data": row, "included": included}).encode()
    customer = read_resource(body, cls=Customer, scope=Scope(query, most_elements=4_000), context=CONTEXT)
    assert customer.offers.ids == (("7",) if linked else None)
