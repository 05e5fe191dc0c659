"""The older deliveries that are set up in the dashboard."""

import json
import pickle
from decimal import Decimal
from typing import Any

import pytest

from kajabi_async.webhooks import (
    DashboardEvent,
    DashboardFormSubmissionCreated,
    DashboardOrderCreated,
    DashboardPaymentSucceeded,
    DashboardPurchaseCreated,
    MalformedDeliveryError,
    Member,
    OrderedItem,
    Payment,
    SoldOffer,
    parse,
)
from tests.webhooks.deliveries import DASHBOARD_DELIVERIES, delivery


def test_a_purchase_is_flat() -> None:
    """Members named ``member_*`` and ``offer_*`` become member, offer and payment."""
    event = parse(DASHBOARD_DELIVERIES["purchase.created"])
    assert isinstance(event, DashboardPurchaseCreated)
    assert event.member == Member(
        id="2150000031", email="ada@lovelace.example", name="Ada Lovelace", first_name="Ada", last_name="Lovelace"
    )
    assert event.offer == SoldOffer(id="2150000021", title="Year")
    assert event.payment == Payment(
        id="1234567890",
        amount_paid=1250,
        amount_paid_decimal=Decimal("12.5"),
        currency="USD",
        payment_method="visa",
        payment_processor="Kajabi Payments",
        coupon_code="10OFF",
    )
    assert event.custom_fields == {"city_of_birth": "Somerset"}
    assert event.fields["trial"] is False
    assert event.id == "f36e8f76-e02e-11f0-921d-4b2732f24088"


def test_a_payment_is_nested_beside_the_id() -> None:
    """Without a payload; members unknown to the SDK are in ``extra`` and in ``fields``."""
    event = parse(DASHBOARD_DELIVERIES["payment.succeeded"])
    assert isinstance(event, DashboardPaymentSucceeded)
    assert (event.member.email, event.offer.ids) == ("ada@lovelace.example", ("2150000021",))
    assert (event.payment.amount_paid, event.payment.extra) == (1250, {"quantity": 1})
    assert set(event.fields) == {"member", "offer", "payment_transaction"}


def test_an_order_has_its_items_its_payment_and_its_person() -> None:
    """The help pages call it a cart purchase; the person is within the payment."""
    event = parse(DASHBOARD_DELIVERIES["order.created"])
    assert isinstance(event, DashboardOrderCreated)
    assert event.order.id == "4411"
    assert event.order.order_items == (OrderedItem(id="2151386538", title="AXIOM", unit_cost=0, quantity=1),)
    assert (event.payment.id, event.payment.amount_paid) == ("1234567890", 0)
    assert event.member == Member(id="55", email="ada@lovelace.example", name="Ada Lovelace")
    assert (event.id, event.has_own_id) == ("7f3c", True)
    assert set(event.fields) == {"order", "payment_transaction"}


@pytest.mark.parametrize("name", ["payment.succeeded", "order.created", "purchase.created"])
def test_without_an_id_of_its_own_a_delivery_has_that_of_the_transaction(name: str) -> None:
    """Integrators recorded payments and orders with and without an id."""
    body = json.loads(DASHBOARD_DELIVERIES[name])
    del body["id"]
    event = parse(json.dumps(body).encode())
    assert isinstance(event, DashboardEvent)
    assert (event.id, event.has_own_id) == ("1234567890", False)
    sale = body.get("payload") or body
    sale.pop("payment_transaction", None)
    sale.pop("transaction_id", None)
    with pytest.raises(MalformedDeliveryError, match="got null or nothing at id"):
        parse(json.dumps(body).encode())


@pytest.mark.parametrize("name", ["purchase.created", "payment.succeeded"])
@pytest.mark.parametrize("wrapped", [True, False])
@pytest.mark.parametrize("flat", [True, False])
def test_both_sales_are_read_in_every_shape_seen(name: str, wrapped: bool, flat: bool) -> None:
    """The help pages changed the shape of a purchase once, so both events accept every shape."""
    flat_fields = {"member_email": "a@b.example", "offer_id": 7, "transaction_id": 8}
    nested = {"member": {"email": "a@b.example"}, "offer": {"id": 7}, "payment_transaction": {"id": 8}}
    fields: dict[str, Any] = flat_fields if flat else nested
    body = {"id": "1", "event": name, **({"payload": fields} if wrapped else fields)}
    event = parse(json.dumps(body).encode())
    assert isinstance(event, DashboardPurchaseCreated | DashboardPaymentSucceeded)
    assert (event.name, event.member.email, event.offer.id, event.payment.id) == (name, "a@b.example", "7", "8")


@pytest.mark.parametrize(
    ("given", "ids"), [("7, 8,9", ("7", "8", "9")), (7, ("7",)), ("", ()), (None, ()), (" , ", ())]
)
def test_several_offers_of_one_payment_come_in_one_text(given: object, ids: tuple[str, ...]) -> None:
    """With order bumps, ids are joined by commas; titles are not split, as a title may contain a comma."""
    payload = {"offer_id": given, "offer_title": "Yoga, Pilates", "member_email": "a@b.example"}
    event = parse(delivery("purchase.created", payload))
    assert isinstance(event, DashboardPurchaseCreated)
    assert (event.offer.ids, event.offer.title) == (ids, "Yoga, Pilates")


def test_a_form_submission_is_keyed_by_labels() -> None:
    """All members but the title of the form are answers."""
    event = parse(DASHBOARD_DELIVERIES["form_submission.created"])
    assert isinstance(event, DashboardFormSubmissionCreated)
    assert event.form_title == "Newsletter"
    assert event.answers == {"Name": "Ada Lovelace", "Email": "ada@lovelace.example", "Your city?": "Somerset"}


@pytest.mark.parametrize(
    ("name", "payload", "problem"),
    [
        ("purchase.created", [], "expected an object at payload"),
        ("purchase.created", "text", "expected an object at payload"),
        ("purchase.created", {"quantity": 1}, "has no member, no offer and no payment at payload"),
        ("purchase.created", {"member_email": ["ada@lovelace.example"]}, "expected text at payload.member_email"),
        ("purchase.created", {"transaction_id": {}}, "expected text at payload.transaction_id"),
        ("purchase.created", {"amount_paid": "12.50"}, "expected a whole number at payload.amount_paid"),
        ("payment.succeeded", {"member": "ada@lovelace.example"}, "expected an object at payload.member"),
        ("payment.succeeded", {"member": {"email": 1.5e300}}, "expected text at payload.member.email"),
        (
            "payment.succeeded",
            {"payment_transaction": {"amount_paid": True}},
            "payload.payment_transaction.amount_paid",
        ),
        ("payment.succeeded", None, "has no member, no offer and no payment"),
        ("form_submission.created", None, "expected an object at payload"),
        ("form_submission.created", [], "expected an object at payload"),
        ("form_submission.created", {"form_title": {"ada": 1}}, "expected text at payload.form_title"),
    ],
)
def test_another_shape_is_refused_with_its_place(name: str, payload: object, problem: str) -> None:
    """The error names the event and the member, and repeats no value."""
    with pytest.raises(MalformedDeliveryError) as caught:
        parse(delivery(name, payload))
    assert problem in str(caught.value)
    assert caught.value.event == name
    assert "ada" not in str(caught.value)
    assert caught.value.__context__ is None


@pytest.mark.parametrize("name", DASHBOARD_DELIVERIES)
def test_a_dashboard_event_can_be_pickled_and_shows_no_personal_data(name: str) -> None:
    """Its repr has class and id alone."""
    event = parse(DASHBOARD_DELIVERIES[name])
    assert pickle.loads(pickle.dumps(event)) == event
    assert repr(event) == f"<{type(event).__name__} {event.id}>"
