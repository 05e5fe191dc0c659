"""Orders, purchases, transactions and payouts. Amounts named ``*_in_cents`` are hundredths of the currency."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import attrs

from kajabi_async.errors import InvalidArgumentError
from kajabi_async.models.relations import ToManyRelation, ToOneRelation
from kajabi_async.models.resource import Part, Resource, model

if TYPE_CHECKING:
    from kajabi_async.models.account import Site
    from kajabi_async.models.catalog import Offer, Product
    from kajabi_async.models.people import Customer

__all__ = ["Order", "OrderItem", "Payout", "PayoutTransaction", "Purchase", "Transaction"]


@model("orders", distinguished_by=("order_number", "formatted_total_price", "created_at"))
class Order(Resource):
    """One checkout: the ordered items and their price."""

    order_number: str | None
    """A whole number in the API document, text such as ``ORD-12345`` in payouts."""
    currency_code: str | None
    currency_symbol: str | None
    fulfilled_at: datetime | None
    created_at: datetime | None
    total_price_in_cents: int | None
    subtotal_in_cents: int | None
    sales_tax_amount_in_cents: int | None
    discount_amount_in_cents: int | None
    formatted_total_price: str | None
    formatted_subtotal: str | None

    site = ToOneRelation["Site"]("sites", includable=True)
    customer = ToOneRelation["Customer"]("customers", includable=True)
    order_items = ToManyRelation["OrderItem"]("order_items", includable=True)
    payment_transactions = ToManyRelation["Transaction"]("transactions")
    """Seen only in hook samples."""


@model("order_items", distinguished_by=("title", "quantity", "formatted_total_price"))
class OrderItem(Resource):
    """One line of an order."""

    quantity: int | None
    currency_code: str | None
    currency_symbol: str | None
    item_type: str | None
    """Such as ``Offer``."""
    item_id: str | None
    """The id of the ordered item; a whole number on the wire, text here like every id."""
    title: str | None
    fulfilled_at: datetime | None
    created_at: datetime | None
    total_price_in_cents: int | None
    subtotal_in_cents: int | None
    sales_tax_amount_in_cents: int | None
    discount_amount_in_cents: int | None
    formatted_total_price: str | None
    formatted_subtotal: str | None

    order = ToOneRelation["Order"]("orders", includable=True)


@model("purchases", distinguished_by=("amount_in_cents", "currency", "created_at"))
class Purchase(Resource):
    """The access of a customer to an offer, bought or granted."""

    amount_in_cents: int | None
    """In hundredths; the API document calls it a price in USD although ``currency`` varies."""
    payment_type: str | None
    multipay_payments_made: int | None
    payment_plan_total_payments: int | None
    """Only in the prose of the API document."""
    opt_in: bool | None
    raw_extra_contact_information: Mapping[str, Any] | None
    currency: str | None
    effective_start_at: datetime | None
    cardholder_name: str | None
    billing_address_zip: str | None
    deactivated_at: datetime | None
    """The time at which access ends or ended; it may be in the future (observed). See ``is_over``."""
    deactivation_reason: str | None
    coupon_code: str | None
    source: str | None
    referrer: str | None
    quantity: int | None
    status: str | None
    """Only in the prose of the API document."""
    trial: Any
    """A number, or true or false: the prose of the API document contradicts itself."""
    trial_end_at: datetime | None
    created_at: datetime | None
    updated_at: datetime | None

    offer = ToOneRelation["Offer"]("offers", includable=True)
    """Can be included, although the API document lists no include for purchases (observed); so can ``customer``."""
    customer = ToOneRelation["Customer"]("customers", includable=True)
    transactions = ToManyRelation["Transaction"]("transactions")
    products = ToManyRelation["Product"]("products")

    @property
    def is_over(self) -> bool:
        """Whether access has ended by now, by the clock of this machine; see `was_over_at`."""
        return self.was_over_at(datetime.now(UTC))

    def was_over_at(self, moment: datetime) -> bool:
        """Return whether access had ended at ``moment``: ``deactivated_at`` is not after it (observed).

        FieldNotLoadedError if the answer did not carry ``deactivated_at``; InvalidArgumentError if ``moment`` has no
        zone.
        """
        if moment.utcoffset() is None:
            raise InvalidArgumentError(f"the time {moment.isoformat()} has no zone: add one, such as tzinfo=UTC")
        return self.deactivated_at is not None and self.deactivated_at <= moment


@model("transactions", distinguished_by=("action", "formatted_amount", "created_at"))
class Transaction(Resource):
    """A payment or a refund."""

    action: str | None
    state: str | None
    payment_type: str | None
    amount_in_cents: int | None
    """Negative for a refund."""
    sales_tax_in_cents: int | None
    currency: str | None
    currency_symbol: str | None
    formatted_amount: str | None
    provider: str | None
    payment_fee_in_cents: int | None
    settlement_amount_in_cents: int | None
    settlement_fee_amount_in_cents: int | None
    settlement_currency: str | None
    created_at: datetime | None
    updated_at: datetime | None
    """Only in examples of lists."""

    customer = ToOneRelation["Customer"]("customers", includable=True)
    purchases = ToManyRelation["Purchase"]("purchases", includable=True)
    """The purchase that was paid for, or several for a bundle."""
    offer = ToOneRelation["Offer"]("offers", includable=True)
    """Deprecated by the API in favour of ``purchases``; null for a bundle. Can be included (observed)."""
    site = ToOneRelation["Site"]("sites")
    """Only in examples of lists."""


@attrs.frozen
class PayoutTransaction(Part):
    """One transaction within a payout; amounts are in whole units of the currency."""

    transaction_type: str | None = None
    pricing_type: str | None = None
    sales_tax: Decimal | None = None
    amount: Decimal | None = None
    currency: str | None = None
    fee: Decimal | None = None
    net: Decimal | None = None
    customer_id: str | None = None
    """A whole number on the wire, text here like every id."""
    customer_name: str | None = None
    customer_email: str | None = None
    offer_ids: tuple[str, ...] | None = None
    offer_titles: tuple[str, ...] | None = None
    provider: str | None = None
    payment_method: str | None = None
    created_at: datetime | None = None
    coupon_used: str | None = None
    presented_amount: Decimal | None = None
    presented_currency: str | None = None
    exchange_rate: Decimal | None = None
    quantity: int | None = None
    order_number: str | None = None


@model("kajabi_payments_payouts", distinguished_by=("status", "amount", "currency"))
class Payout(Resource):
    """A transfer of Kajabi Payments to the bank; amounts are in whole units of the currency."""

    status: str | None
    """Such as ``Paid``; the filter takes it in lower case."""
    amount: Decimal | None
    currency: str | None
    initiated_date: datetime | None
    estimated_arrival_date: datetime | None
    bank_account: str | None
    transactions: tuple[PayoutTransaction, ...] | None
    """Loaded by ``get`` only: lists do not carry them."""
