"""Answers read at once and row by row: both return the same."""

import gc
import json
import sys
import weakref
from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kajabi_async import Contact, Customer, DecodeError, Offer, Resource
from kajabi_async.decoding.answers import read_page
from kajabi_async.decoding.decoder import DECODERS
from kajabi_async.decoding.fast import FastReader
from kajabi_async.jsonapi.query import Query
from kajabi_async.models.origin import Scope
from kajabi_async.models.resource import MODELS, attribute_names
from tests.drawing import examples
from tests.models.building import build, read

pytestmark = pytest.mark.usefixtures("nothing_learned")

TIMES = (
    "2024-01-09T08:00:00Z",
    "2024-01-09T08:00:00.120Z",
    "2024-01-09T08:00:00.123456+05:30",
    "2024-01-09T08:00:00.1234567Z",
    "2024-01-09T08:00:00.1234560Z",
    "2024-01-09T08:00:00",
    "2024-01-09 08:00:00+00:00",
    "2024-01-09",
    "20240109T080000Z",
    "20240109T080000.1234567Z",
    "2024W02T080000.1234567Z",
    "2024-W02T08:00:00,1234567Z",
    "2024-01-09T080000.123Z",
    "2024-01-09T08:00:00.1234567",
    "2024-01-09T08:00:00.123456Z",
    "2024-01-09T08:00:00.1+00:00",
    "2024-01-09T08:00:00.995-05:00",
    "2024-01-09T08:00:00.995-0500",
    "2024-01-09T08:00:00.995-05:00:30",
    "2024-01-09T08:00:00.1234567-05:00",
    "2024-01-09T08:00:00.12345678+00",
)
NUMBERS = ("249.0", "-1", "1e3", "NaN", "Infinity", "1_000", " 1", "", 0, 7, 2**70, -3, 1.0, 1.5, 1e300)
OTHERS: tuple[Any, ...] = (None, True, False, "true", "text", "\u0000é", [], {}, ["a"], {"a": None})
VALUES = st.sampled_from([*TIMES, *NUMBERS, *OTHERS])


@contextmanager
def slowly() -> Generator[None]:
    """Read attribute by attribute alone."""
    DECODERS.clear()
    with (
        patch.object(FastReader, "read_one", return_value=None),
        patch.object(FastReader, "read_page", return_value=None),
    ):
        yield
    DECODERS.clear()


@contextmanager
def noted_reads() -> Generator[list[bool]]:
    """Note of each answer whether it was read at once."""
    read_at_once: list[bool] = []

    def noting(name: str) -> Any:
        read: Any = vars(FastReader)[name]

        def noted(reader: FastReader[Any], body: bytes, scope: Scope) -> Any:
            result: Any = read(reader, body, scope)
            read_at_once.append(result is not None)
            return result

        return patch.object(FastReader, name, noted)

    with noting("read_one"), noting("read_page"):
        yield read_at_once


def whole(cls: type[Resource], **values: Any) -> dict[str, Any]:
    return {name: None for name in attribute_names(cls) if name != "id"} | values


def outcome(cls: type[Resource], attributes: Any) -> Any:
    try:
        resource = build(cls, attributes)
    except DecodeError as error:
        return str(error), error.path
    values: dict[str, Any] = {name: (type(value), value) for name, value in resource.loaded_attributes().items()}
    return values, dict(resource.extra)


def outcomes(cls: type[Resource], page: list[dict[str, Any]]) -> list[Any]:
    """What each row of a page comes to."""
    data = [{"type": cls.resource_type, "id": str(index), "attributes": each} for index, each in enumerate(page)]
    content = read_page(json.dumps({"data": data}).encode(), cls=cls, scope=Scope(), context="GET /v1/things")
    return [
        (str(row), row.path) if isinstance(row, DecodeError) else (row.id, row.loaded_attributes(), dict(row.extra))
        for row in content.rows
    ]


CLASSES = st.sampled_from(sorted(MODELS.values(), key=lambda each: each.__name__))


@st.composite
def attributes_of(draw: st.DrawFn, cls: type[Resource]) -> dict[str, Any]:
    own = [name for name in attribute_names(cls) if name != "id"]
    whole = draw(st.booleans())
    names = own if whole else draw(st.lists(st.sampled_from(own), unique=True)) if own else []
    beside = draw(st.lists(st.sampled_from(["custom_1", "custom_x", "name", "title", "tomorrow"]), max_size=2))
    return {name: draw(VALUES) for name in (*names, *beside)}


@st.composite
def rows(draw: st.DrawFn) -> tuple[type[Resource], dict[str, Any]]:
    cls = draw(CLASSES)
    return cls, draw(attributes_of(cls))


@st.composite
def pages(draw: st.DrawFn) -> tuple[type[Resource], list[dict[str, Any]]]:
    cls = draw(CLASSES)
    return cls, draw(st.lists(attributes_of(cls) | st.just(whole(cls)), max_size=4))


@given(rows())
@examples(600)
def test_both_ways_return_the_same(row: tuple[type[Resource], dict[str, Any]]) -> None:
    """The same values of the same types, the same extra, the same error at the same place."""
    cls, attributes = row
    with slowly():
        expected = outcome(cls, attributes)
    assert outcome(cls, attributes) == expected
    assert outcome(cls, attributes) == expected, "what was learned from the row must not change how it is read"


@given(pages())
@examples(300)
def test_a_page_read_at_once_is_the_same_as_one_read_row_by_row(page: tuple[type[Resource], list[Any]]) -> None:
    """One odd row changes nothing for the others."""
    cls, attributes = page
    with slowly():
        expected = outcomes(cls, attributes)
    assert outcomes(cls, attributes) == expected
    assert outcomes(cls, attributes) == expected, "what was learned from the page must not change how it is read"


def test_documented_rows_are_read_at_once() -> None:
    """Nulls, sparse fields and names of tomorrow included: nothing that is seen twice is read the slow way twice."""
    with noted_reads() as read_at_once:
        for attributes in (
            whole(Customer, name="Grace", created_at="2024-01-09T08:00:00.120Z", net_revenue="249.0"),
            {"name": "Grace"},
            whole(Customer, of_tomorrow=1),
            whole(Customer, of_tomorrow=2),
            {"name": "Grace"},
        ):
            build(Customer, attributes)
    assert read_at_once == [True, True, False, True, True]


def test_a_page_of_documented_rows_is_decoded_with_its_attributes() -> None:
    """Also one of sparse rows, and from the second time on one with unknown names."""
    in_turn: list[list[dict[str, Any]]] = [
        [whole(Customer), whole(Customer, name="Grace")],
        [{"name": "Grace"}, {}],
        [{"name": "Grace"}, {}],
        [{"name": "Grace", "of_tomorrow": 1}],
        [{"name": "Grace", "of_tomorrow": 1}, {"name": "Ada"}],
        [{"name": 5}],
    ]
    with noted_reads() as read_at_once:
        for page in in_turn:
            assert [len(row) for row in outcomes(Customer, page)] == [3] * len(page)
    assert read_at_once == [True, True, True, False, True, False]


@pytest.mark.parametrize("attributes", [None, {}, "absent"])
def test_rows_without_attributes_stand_among_others(attributes: Any) -> None:
    """They have an id, and perhaps relations."""
    empty: dict[str, Any] = {"type": "customers", "id": "2"}
    if attributes != "absent":
        empty["attributes"] = attributes
    full = {"type": "customers", "id": "1", "attributes": whole(Customer, name="Grace")}
    body = json.dumps({"data": [full, empty]}).encode()
    first, second = read_page(body, cls=Customer, scope=Scope(), context="GET /v1/customers").rows
    assert isinstance(first, Customer)
    assert first.name == "Grace"
    assert isinstance(second, Customer)
    assert (second.id, second.loaded_attributes(), second.extra) == ("2", {}, {})


def test_names_are_learned_without_their_meaning() -> None:
    """A name of tomorrow stays in extra, a custom field among the custom fields, an alias in its attribute's place."""
    for _ in range(2):
        customer = build(Customer, whole(Customer, of_tomorrow={"a": [1]}))
        assert customer.extra == {"of_tomorrow": {"a": [1]}}
        attributes = {name: value for name, value in whole(Contact).items() if name != "custom_fields"}
        contact = build(Contact, attributes | {"custom_1": "x", "custom_12": None})
        assert contact.custom_fields == {"custom_1": "x", "custom_12": None}
        assert contact.extra == {}
        offer = build(Offer, {"name": "Everything"})
        assert (offer.title, dict(offer.extra)) == ("Everything", {})


@pytest.mark.parametrize(
    ("text", "at_once"),
    [
        ("2026-08-02T20:26:32Z", True),
        ("2026-08-02T20:26:32.995Z", True),
        ("2026-08-02T20:26:32-05:00", True),
        ("2026-08-02T20:26:32.995-05:00", True),
        ("2026-08-02T20:26:32.995123+05:30", True),
        ("2026-08-02T20:26:32.9951230Z", False),
        ("2026-08-02T20:26:32.995123-05:00:30", False),
    ],
)
def test_times_are_read_at_once_in_each_form_that_the_api_prints(text: str, at_once: bool) -> None:
    """In UTC, as the document has it, and with the offset of the site, as the live API has it."""
    with noted_reads() as read_at_once:
        created_at = build(Customer, whole(Customer, created_at=text)).created_at
    assert read_at_once == [at_once]
    assert created_at == datetime.fromisoformat(text)


def test_names_are_learned_from_the_first_ten_rows_of_a_page() -> None:
    """Those that follow mostly carry the same."""
    outcomes(Customer, [whole(Customer) | {f"of_row_{number}": number} for number in range(12)])
    with noted_reads() as read_at_once:
        for number in (0, 9, 10, 11):
            outcomes(Customer, [whole(Customer) | {f"of_row_{number}": number}])
    assert read_at_once == [True, True, False, False]


def test_names_without_end_are_not_learned() -> None:
    """A server that invents names costs time, never memory; the rows are read all the same."""
    with noted_reads() as read_at_once:
        for number in range(200):
            name = f"invented_{number}"
            assert build(Customer, whole(Customer, **{name: number})).extra[name] == number
        customer = build(Customer, whole(Customer, **{f"more_{number}": number for number in range(100)}))
        assert len(customer.extra) == 100
        read_at_once.clear()
        for name in ("invented_0", "invented_63", "invented_64", "invented_199", "more_0", "invented_1"):
            build(Customer, whole(Customer, **{name: 1}))
    assert read_at_once == [True, True, False, False, False, True]


@pytest.mark.parametrize(("number", "learned"), [(64, True), (65, False)])
def test_as_many_names_are_learned_from_one_row_as_from_several(number: int, learned: bool) -> None:
    """Or none of them."""
    names = {f"invented_{each}": each for each in range(number)}
    with noted_reads() as read_at_once:
        for _ in range(2):
            assert dict(build(Customer, whole(Customer) | names).extra) == names
        build(Customer, whole(Customer, more=1))
        build(Customer, whole(Customer, more=1))
    assert read_at_once == [False, learned, False, not learned]


@pytest.mark.parametrize(
    ("name", "learned"),
    [
        *((each, False) for each in ('"', "\\", "\n", "", "é", "a b", "n" * 65)),
        *((each, True) for each in ("n" * 64, "n", "Of-Tomorrow_2.0")),
    ],
)
def test_odd_names_are_not_learned(name: str, learned: bool) -> None:
    """They are kept like any other name."""
    with noted_reads() as read_at_once:
        for _ in range(2):
            assert dict(build(Customer, whole(Customer) | {name: 1}).extra) == {name: 1}
    assert read_at_once == [False, learned]


def test_what_is_read_at_once_cannot_be_set_either() -> None:
    """However it was filled, it is an ordinary instance of its class."""
    customer = build(Customer, whole(Customer, name="Grace"))
    assert type(customer) is Customer
    assert customer.name == "Grace"
    with pytest.raises(AttributeError, match="cannot be set"):
        customer.name = "Ada"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]


def included() -> dict[str, Any]:
    linkage = {"offers": {"data": [{"type": "offers", "id": "4"}]}}
    back = {"customers": {"data": [{"type": "customers", "id": "1"}]}}
    return {
        "data": {"type": "customers", "id": "1", "attributes": {"name": "Grace"}, "relationships": linkage},
        "included": [{"type": "offers", "id": "4", "attributes": {"title": "All"}, "relationships": back}],
    }


def test_included_resources_are_read_when_they_are_needed() -> None:
    """Not before: most never are, and an answer without them is freed at once."""
    gc.disable()
    try:
        customer = read(Customer, included())
        gone = weakref.ref(customer)
        del customer
        assert gone() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("name", ["Grace", 5])
def test_nothing_that_is_kept_keeps_the_answer(name: Any) -> None:
    """One row of a page may be kept for long; the page is freed, however it was read."""
    row = included()["data"] | {"attributes": {"name": name}, "links": {"self": "/v1/customers/1"}, "meta": {"a": 1}}
    body = json.dumps({"data": [row], "included": included()["included"]}).encode()
    before = sys.getrefcount(body)
    (customer,) = read_page(body, cls=Customer, scope=Scope(), context="GET /v1/customers").rows
    assert isinstance(customer, Customer)
    assert sys.getrefcount(body) == before
    assert (customer.origin.links, customer.origin.meta) == ({"self": "/v1/customers/1"}, {"a": 1})
    assert customer.offers.ids == ("4",)


def test_what_was_included_leads_back() -> None:
    """The primary resource is among those that are loaded."""
    customer = read(Customer, included())
    (offer,) = customer.offers.at_hand or (None,)
    assert isinstance(offer, Offer)
    assert offer.title == "All"
    assert customer.identifier in offer.origin.scope.known
    assert offer.origin.scope.known[customer.identifier] is customer


def test_a_malformed_included_resource_is_not_loaded() -> None:
    """It can still be fetched by its relation."""
    document = included()
    document["included"][0]["attributes"] = {"price_in_cents": "much"}
    customer = read(Customer, json.loads(json.dumps(document)), scope=Scope(Query(include=("offers",)), strict=True))
    assert customer.offers.ids == ("4",)
    assert not customer.offers.loaded


def deep_page(levels: int, place: str) -> bytes:
    deep = "[" * levels + "]" * levels
    attributes = f'{{"name": "Grace"{f""", "socials": {deep}""" if place == "attributes" else ""}}}'
    top = f', "zz": {deep}' if place == "top" else ""
    return f'{{"data": [{{"type": "customers", "id": "1", "attributes": {attributes}}}]{top}}}'.encode()


@pytest.mark.parametrize("place", ["attributes", "top"])
@pytest.mark.parametrize("limit", [1000, 10**6])
def test_text_of_any_depth_ends_neither_the_process_nor_with_a_foreign_error(place: str, limit: int) -> None:
    """Not even if the program has raised the recursion limit."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(limit)
    try:
        reader = DECODERS[Customer].fast
        assert reader is not None
        assert reader.read_page(deep_page(200_000, place), Scope()) is None
        with pytest.raises(DecodeError, match="nested too deeply"):
            read_page(deep_page(200_000, place), cls=Customer, scope=Scope(), context="GET /v1/customers")
    finally:
        sys.setrecursionlimit(before)


def test_a_sparse_page_among_complete_ones_is_read_at_once() -> None:
    """In whatever order they come."""
    with noted_reads() as read_at_once:
        for name in ("Ada", None, "Ada", None):
            rows = [whole(Customer, name=name)] if name else [{"email": "a@example.com"}]
            assert len(outcomes(Customer, rows)) == 1
            assert len(outcomes(Customer, [*rows, whole(Customer)])) == 2
    assert read_at_once == [True] * 8
