"""Where the documents and the wire disagree, each a test; the numbers are those of the collected facts."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from kajabi_async import (
    Course,
    Customer,
    CustomField,
    DecodeError,
    Form,
    FormField,
    Hook,
    Lesson,
    Module,
    Offer,
    Order,
    OrderItem,
    Payout,
    Product,
    Resource,
    Transaction,
)
from kajabi_async.models.account import ApiVersion
from tests.models.building import build, read


def test_an_offer_reads_its_title_from_name_if_it_came_like_that() -> None:
    """Quirk 1: offers included in other answers carry ``name``; with both, ``title`` wins."""
    assert build(Offer, {"name": "Year pass"}).title == "Year pass"
    assert build(Offer, {"name": 5}).title == "5"
    assert build(Offer, {"name": None}).title is None
    both = build(Offer, {"name": "internal", "title": "Year pass"})
    assert both.title == "Year pass"
    assert both.extra == {"name": "internal"}


@pytest.mark.parametrize(
    ("cls", "name", "value", "expected"),
    [
        pytest.param(Offer, "status", "active", "active", id="2 offers: status in list examples"),
        pytest.param(Offer, "price", 100.0, Decimal("100.0"), id="2 offers: price in courses' examples"),
        pytest.param(Form, "webhook_url", "https://a.example/x", "https://a.example/x", id="11 webhook_url: text"),
        pytest.param(Form, "webhook_url", {"url": "x"}, {"url": "x"}, id="11 webhook_url: object"),
        pytest.param(Module, "position", "1", 1, id="12 position: text in the schema"),
        pytest.param(Lesson, "position", 0, 0, id="12 position: 0 observed"),
        pytest.param(Hook, "resource_id", 123, "123", id="13 resource_id: a number in the schema"),
        pytest.param(Hook, "resource_id", "123", "123", id="13 resource_id: text in the example"),
        pytest.param(Customer, "net_revenue", "0.0", Decimal("0.0"), id="14 net_revenue: text"),
        pytest.param(Customer, "net_revenue", 10000, Decimal(10000), id="14 net_revenue: a number"),
        pytest.param(Payout, "amount", 1450.50, Decimal("1450.5"), id="15 payouts: amounts are fractions"),
        pytest.param(Transaction, "amount_in_cents", -19900, -19900, id="15 refunds are negative"),
        pytest.param(Payout, "status", "Paid", "Paid", id="19 payout status is kept as it came"),
        pytest.param(Order, "order_number", 12345, "12345", id="19 order_number: a number"),
        pytest.param(Order, "order_number", "ORD-12345", "ORD-12345", id="19 order_number: text"),
        pytest.param(OrderItem, "item_id", 456, "456", id="19 ids are text everywhere"),
        pytest.param(CustomField, "type", "TextField", "TextField", id="20 an attribute called type"),
        pytest.param(FormField, "type", "EmailField", "EmailField", id="20 an attribute called type"),
        pytest.param(Product, "image_url", "https://a.example/i.png", "https://a.example/i.png", id="21 image_url"),
        pytest.param(Product, "status", "active", "active", id="21 a status outside the prose"),
        pytest.param(Course, "status", "ready", "ready", id="22 courses: status in examples"),
    ],
)
def test_the_wire_is_survived(cls: type[Resource], name: str, value: Any, expected: Any) -> None:
    """Each is printed one way in one place and another way in another."""
    assert getattr(build(cls, {name: value}), name) == expected


def test_the_resource_type_is_not_hidden_by_an_attribute_called_type() -> None:
    """Quirk 20: the attribute clashes with the type of the resource when flattened."""
    field = build(CustomField, {"type": "TextField"})
    assert (field.resource_type, field.identifier.type, field.type) == ("custom_fields", "custom_fields", "TextField")


def test_included_misplaced_inside_data_is_found() -> None:
    """Quirk 8: the example of courses has ``included`` inside ``data``."""
    data: dict[str, Any] = {
        "type": "courses",
        "id": "1",
        "attributes": {"title": "Compilers"},
        "relationships": {"modules": {"data": [{"type": "modules", "id": "2"}]}},
        "included": [{"type": "modules", "id": "2", "attributes": {"title": "Parsing"}}],
    }
    assert read(Course, {"data": data}).modules.loaded


def test_what_is_included_twice_is_known_as_it_came_first() -> None:
    """The primary resource stands, whatever ``included`` says of it again; of two included ones the first."""
    back = {"customers": {"data": [{"type": "customers", "id": "1"}]}}
    document: dict[str, Any] = {
        "data": {
            "type": "customers",
            "id": "1",
            "attributes": {"name": "Ada"},
            "relationships": {"offers": {"data": [{"type": "offers", "id": "4"}]}},
        },
        "included": [
            {"type": "customers", "id": "1", "attributes": {"name": "stub"}},
            {"type": "offers", "id": "4", "attributes": {"title": "Year pass"}, "relationships": back},
            {"type": "offers", "id": "4", "attributes": {"title": "stub"}},
        ],
    }
    customer = read(Customer, document)
    (offer,) = customer.offers.at_hand or (None,)
    assert isinstance(offer, Offer)
    assert offer.title == "Year pass"
    assert customer.origin.scope.known[customer.identifier] is customer


def test_a_show_that_answers_an_array_of_one_is_read() -> None:
    """Quirk 10: the sparse example of forms prints an array for a show; more than one is refused."""
    form = {"type": "forms", "id": "1", "attributes": {"title": "Newsletter"}}
    assert read(Form, {"data": [form]}).title == "Newsletter"
    with pytest.raises(DecodeError, match="2 came"):
        read(Form, {"data": [form, form]})


def test_the_offset_form_of_a_time_is_read() -> None:
    """Quirk 17: three forms of time are printed."""
    seen = build(Customer, {"last_request_at": "2026-08-02T20:26:32.995-05:00"}).last_request_at
    assert seen == datetime.fromisoformat("2026-08-03T01:26:32.995+00:00")


def test_payout_transactions_are_read_with_their_number_ids() -> None:
    """Quirk 19: customer and offer ids are numbers there, and a sale is called Sales."""
    row = {"transaction_type": "Sales", "customer_id": 789, "offer_ids": [101], "order_number": "ORD-1", "fee": 3.17}
    transactions = build(Payout, {"transactions": [row]}).transactions
    assert transactions is not None
    first = transactions[0]
    assert (first.customer_id, first.offer_ids, first.fee) == ("789", ("101",), Decimal("3.17"))


@pytest.mark.parametrize("key", ["specficiation", "specification"])
def test_the_version_is_read_whichever_way_its_key_is_spelt(key: str) -> None:
    """Quirk 28: the document and the wire spell it differently."""
    version = ApiVersion.from_document(
        {"meta": {"title": "API", "version": "1.1.0"}, "jsonapi": {"version": "v1.1", key: "x"}}
    )
    assert (version.version, version.jsonapi) == ("1.1.0", "v1.1")
    assert (version.title, version.documentation) == ("API", None)
    linked = ApiVersion.from_document({"meta": {"version": 2}, "links": {"documentation": "https://a.example"}})
    assert (linked.title, linked.version, linked.documentation) == (None, "2", "https://a.example")


def test_ids_beyond_32_bits_and_number_ids_are_text() -> None:
    """Quirk 32: ids have ten digits; a number is taken for the same text."""
    assert read(Customer, {"data": {"type": "customers", "id": 2150966111}}).id == "2150966111"
