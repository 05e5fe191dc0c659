"""Orders, order items, purchases, transactions and payouts, derived from the sales."""

from collections.abc import Iterator
from functools import partial
from typing import Any, Final

from kajabi_async.testing.dataset.catalog import offer_title
from kajabi_async.testing.dataset.family import Family, Parts, numbered
from kajabi_async.testing.dataset.graph import Graph, Sale
from kajabi_async.testing.dataset.people import customer_identity
from kajabi_async.testing.dataset.times import DAY, instant, written
from kajabi_async.testing.rows import Linkage, LinkToMany, LinkToOne, Row

__all__ = ["commerce"]

_STATUSES: Final = ("Paid", "Paid", "Paid", "In transit", "Pending", "Failed", "Canceled")
_HOUR: Final = DAY // 24


def commerce(graph: Graph) -> Iterator[Family]:
    """Yield the families of sales and payments."""
    in_site = Parts({"site_id": graph.site_of})
    of_customer = Parts({"site_id": graph.site_of}, {"customer": lambda customer: (str(customer),)})
    of_order = Parts({**in_site.values, "order_number": _order_number}, of_customer.links)
    items, sold, paid = partial(_order_item, graph), partial(_purchase, graph), partial(_transaction, graph)
    yield graph.orders.family("orders", lambda customer, _: _order(graph, customer), of_order)
    yield graph.purchases.family("order_items", items, in_site)
    yield graph.purchases.family("purchases", sold, of_customer)
    yield graph.transactions.family("transactions", paid, of_customer)
    payouts = graph.sizes.payouts
    yield numbered("kajabi_payments_payouts", payouts, lambda number: _payout(graph, number), prefix="payout_")


def _order_number(customer: int) -> int:
    return 1000 + customer


def _bought_at(customer: int, slot: int = 0) -> int:
    return instant(customer) + slot * _HOUR


def _formatted(cents: int) -> str:
    return f"{'-' if cents < 0 else ''}${abs(cents) // 100}.{abs(cents) % 100:02}"


def _amounts(*sales: Sale) -> dict[str, Any]:
    total, subtotal = sum(sale.total for sale in sales), sum(sale.subtotal for sale in sales)
    return {
        "total_price_in_cents": total,
        "subtotal_in_cents": subtotal,
        "sales_tax_amount_in_cents": sum(sale.tax for sale in sales),
        "discount_amount_in_cents": sum(sale.discount for sale in sales),
        "formatted_total_price": _formatted(total),
        "formatted_subtotal": _formatted(subtotal),
        "currency_symbol": "$",
    }


def _fulfilled_at(graph: Graph, customer: int) -> str | None:
    return None if graph.draw("fulfilled", customer).one_in(3) else written(_bought_at(customer) + DAY, customer)


def _order(graph: Graph, customer: int) -> Row:
    sales = graph.sales_of(customer)
    attributes = {
        "order_number": _order_number(customer),
        "currency_code": "USD",
        "fulfilled_at": _fulfilled_at(graph, customer),
        "created_at": written(_bought_at(customer), customer),
        **_amounts(*sales),
    }
    relations: dict[str, Linkage] = {
        "site": LinkToOne("sites", graph.site_of(customer)),
        "customer": LinkToOne("customers", str(customer)),
        "order_items": LinkToMany("order_items", tuple(sale.id for sale in sales)),
    }
    return Row("orders", f"{customer}0", attributes, relations)


def _order_item(graph: Graph, customer: int, slot: int) -> Row:
    sale = graph.sale(customer, slot)
    attributes = {
        "quantity": 1,
        "currency_code": "USD",
        "item_type": "Offer",
        "item_id": sale.offer,
        "title": offer_title(sale.offer),
        "fulfilled_at": _fulfilled_at(graph, customer),
        "created_at": written(_bought_at(customer, slot), customer),
        **_amounts(sale),
    }
    hidden = {"site_id": graph.site_of(customer)}
    return Row("order_items", sale.id, attributes, {"order": LinkToOne("orders", f"{customer}0")}, hidden)


def _purchase(graph: Graph, customer: int, slot: int) -> Row:
    sale = graph.sale(customer, slot)
    bought, draw = _bought_at(customer, slot), graph.draw("purchase", customer * 10 + slot)
    ended = None if sale.is_active else written(bought + 40 * DAY, customer)
    created = written(bought, customer)
    attributes = {
        "amount_in_cents": sale.subtotal - sale.discount,
        "payment_type": sale.kind,
        "multipay_payments_made": 1 + draw.below(3) if sale.kind == "multipay" else None,
        "opt_in": draw.one_in(2),
        "raw_extra_contact_information": {"shirt_size": "M"} if draw.one_in(5) else {},
        "currency": "USD",
        "effective_start_at": created if draw.below(3) else None,
        "cardholder_name": customer_identity(graph, customer)["name"] if draw.below(2) else None,
        "billing_address_zip": draw.pick(("73301", "5003", "8001")) if draw.below(2) else None,
        "deactivated_at": ended,
        "deactivation_reason": None if sale.is_active else draw.pick(("refunded", "payment_failed")),
        "coupon_code": sale.coupon,
        "source": draw.pick(("checkout", "upsell", None)),
        "referrer": draw.pick(("https://search.example/?q=course", "https://social.example/post/1", None)),
        "quantity": 1,
        "created_at": created,
        "updated_at": ended or created,
    }
    hidden = {
        "site_id": graph.site_of(customer),
        "is_subscribed": sale.is_active and sale.kind in {"subscription", "multipay"},
    }
    return Row("purchases", sale.id, attributes, _purchase_relations(graph, sale), hidden)


def _purchase_relations(graph: Graph, sale: Sale) -> dict[str, LinkToOne | LinkToMany]:
    payments = tuple(
        f"{sale.customer}{suffix}"
        for suffix in graph.transactions.suffixes_of(sale.customer)
        if graph.bundled_orders or suffix // 2 == sale.slot
    )
    products = tuple(str(product) for product in graph.products_of_offer(sale.offer))
    return {
        "offer": LinkToOne("offers", str(sale.offer)),
        "customer": LinkToOne("customers", str(sale.customer)),
        "transactions": LinkToMany("transactions", payments),
        "products": LinkToMany("products", products),
    }


def _transaction(graph: Graph, customer: int, suffix: int) -> Row:
    sales, amount = graph.paid_sales(customer, suffix), graph.amount_paid(customer, suffix)
    is_recurring = sales[0].kind != "single"
    charge = ("subscribe", "subscription_charge") if is_recurring else ("charge", "refund")
    attributes = {
        "action": charge[suffix % 2],
        "state": "succeeded",
        "payment_type": sales[0].kind if graph.draw("payment", customer).below(5) else None,
        "amount_in_cents": amount,
        "sales_tax_in_cents": sum(sale.tax for sale in sales) * (1 if amount >= 0 else -1),
        "currency": "USD",
        "currency_symbol": "$",
        "formatted_amount": _formatted(amount),
        "created_at": written(_bought_at(customer, sales[0].slot) + suffix % 2 * 30 * DAY, customer),
    }
    relations: dict[str, Linkage] = {
        "customer": LinkToOne("customers", str(customer)),
        "offer": LinkToOne("offers", str(sales[0].offer) if len(sales) == 1 else None),
        "purchases": LinkToMany("purchases", tuple(sale.id for sale in sales)),
    }
    return Row("transactions", f"{customer}{suffix}", attributes, relations, {"site_id": graph.site_of(customer)})


def _payout(graph: Graph, number: int) -> Row:
    draw, initiated = graph.draw("payout", number), instant(number)
    paid = [_payout_transaction(graph, position) for position in _transactions_of_payout(graph, number)]
    attributes = {
        "status": draw.pick(_STATUSES),
        "amount": round(sum(entry["net"] for entry in paid), 2),
        "currency": "USD",
        "initiated_date": written(initiated, 1),
        "estimated_arrival_date": written(initiated + 7 * DAY, 1),
        "bank_account": f"Harbour Bank - {draw.below(10_000):04}",
        "transactions": paid,
    }
    return Row("kajabi_payments_payouts", f"payout_{number}", attributes, hidden={"site_id": graph.site_of(number)})


def _transactions_of_payout(graph: Graph, number: int) -> range:
    count = 1 + graph.draw("payout.transactions", number).below(4)
    first = (number - 1) * 4
    return range(min(first, graph.transactions.size), min(first + count, graph.transactions.size))


def _payout_transaction(graph: Graph, position: int) -> dict[str, Any]:
    customer, suffix = graph.transactions.at(position)
    sales, amount = graph.paid_sales(customer, suffix), graph.amount_paid(customer, suffix) / 100
    fee = round(abs(amount) * 0.029 + 0.3, 2)
    identity = customer_identity(graph, customer)
    is_refund = amount < 0
    return {
        "transaction_type": "Refund" if is_refund else "Sale",
        "pricing_type": "One-time" if sales[0].kind == "single" else "Subscription",
        "sales_tax": sum(sale.tax for sale in sales) / 100,
        "amount": amount,
        "currency": "USD",
        "fee": fee,
        "net": round(amount - fee, 2),
        # Only here ids are integers and the order number is text (API document).
        "customer_id": customer,
        "customer_name": identity["name"],
        "customer_email": identity["email"],
        "offer_ids": [sale.offer for sale in sales],
        "offer_titles": [offer_title(sale.offer) for sale in sales],
        "provider": "Kajabi Payments",
        "payment_method": "Visa",
        "created_at": written(_bought_at(customer, sales[0].slot), 1),
        "coupon_used": sales[0].coupon,
        "presented_amount": amount,
        "presented_currency": "USD",
        "exchange_rate": 1.0,
        "quantity": 1,
        "order_number": f"ORD-{_order_number(customer)}",
    }
