"""Filters of orders, purchases, transactions and payouts."""

from typing import TypedDict

from kajabi_async.resources.filters.encoding import (
    ORDER_SUFFIXES,
    SUFFIXES_WITH_RANGES,
    Day,
    Flag,
    Id,
    Ids,
    Label,
    Labels,
    Number,
    Text,
    Texts,
    accept_suffixes,
)

__all__ = ["OrderFilters", "OrderItemFilters", "PayoutFilters", "PurchaseFilters", "TransactionFilters"]


class _SoldFilters(TypedDict, total=False):
    """What orders and their items are both filtered by."""

    currency_code_eq: Text
    currency_code_cont: Text
    currency_code_i_cont: Text
    currency_code_start: Text
    currency_code_in: Texts
    currency_code_not_in: Texts
    currency_code_null: Flag
    fulfilled_at_eq: Day
    fulfilled_at_gt: Day
    fulfilled_at_gteq: Day
    fulfilled_at_lt: Day
    fulfilled_at_lteq: Day
    fulfilled_at_null: Flag
    created_at_eq: Day
    created_at_gt: Day
    created_at_gteq: Day
    created_at_lt: Day
    created_at_lteq: Day
    created_at_null: Flag
    total_price_in_cents_eq: Number
    total_price_in_cents_gt: Number
    total_price_in_cents_gteq: Number
    total_price_in_cents_lt: Number
    total_price_in_cents_lteq: Number
    total_price_in_cents_null: Flag
    subtotal_in_cents_eq: Number
    subtotal_in_cents_gt: Number
    subtotal_in_cents_gteq: Number
    subtotal_in_cents_lt: Number
    subtotal_in_cents_lteq: Number
    subtotal_in_cents_null: Flag
    sales_tax_amount_in_cents_eq: Number
    sales_tax_amount_in_cents_gt: Number
    sales_tax_amount_in_cents_gteq: Number
    sales_tax_amount_in_cents_lt: Number
    sales_tax_amount_in_cents_lteq: Number
    sales_tax_amount_in_cents_null: Flag
    discount_amount_in_cents_eq: Number
    discount_amount_in_cents_gt: Number
    discount_amount_in_cents_gteq: Number
    discount_amount_in_cents_lt: Number
    discount_amount_in_cents_lteq: Number
    discount_amount_in_cents_null: Flag


class OrderFilters(_SoldFilters, total=False):
    """Filters of orders."""

    site_id: Id
    customer_id: Id
    order_number_eq: Label
    order_number_cont: Label
    order_number_i_cont: Label
    order_number_start: Label
    order_number_in: Labels
    order_number_not_in: Labels
    order_number_null: Flag


class OrderItemFilters(_SoldFilters, total=False):
    """Filters of order items."""

    site_id: Id
    item_type_eq: Text
    item_type_cont: Text
    item_type_i_cont: Text
    item_type_start: Text
    item_type_in: Texts
    item_type_not_in: Texts
    item_type_null: Flag
    item_id_eq: Id
    item_id_in: Ids
    item_id_not_in: Ids
    title_eq: Text
    title_cont: Text
    title_i_cont: Text
    title_start: Text
    title_in: Texts
    title_not_in: Texts
    title_null: Flag
    quantity_eq: Number
    quantity_gt: Number
    quantity_gteq: Number
    quantity_lt: Number
    quantity_lteq: Number
    quantity_null: Flag


class PurchaseFilters(TypedDict, total=False):
    """Filters of purchases.

    Compare with ``gteq`` and ``lteq``: the server's library has them, and an integrator uses them (observed). The API
    document has ``gte`` and ``lte``, which the server probably ignores.
    """

    site_id: Id
    customer_id: Id
    active: Flag
    deactivated: Flag
    referrer: Text
    multipay_payments_made_eq: Number
    multipay_payments_made_not_eq: Number
    multipay_payments_made_gt: Number
    multipay_payments_made_gteq: Number
    multipay_payments_made_gte: Number
    multipay_payments_made_lt: Number
    multipay_payments_made_lteq: Number
    multipay_payments_made_lte: Number
    opt_in_eq: Flag
    opt_in_not_eq: Flag
    currency_eq: Text
    currency_not_eq: Text
    currency_cont: Text
    currency_not_cont: Text
    currency_start: Text
    currency_end: Text
    effective_start_at_eq: Day
    effective_start_at_not_eq: Day
    effective_start_at_gt: Day
    effective_start_at_gteq: Day
    effective_start_at_gte: Day
    effective_start_at_lt: Day
    effective_start_at_lteq: Day
    effective_start_at_lte: Day
    cardholder_name_eq: Text
    cardholder_name_not_eq: Text
    cardholder_name_cont: Text
    cardholder_name_not_cont: Text
    cardholder_name_start: Text
    cardholder_name_end: Text
    billing_address_zip_eq: Text
    billing_address_zip_not_eq: Text
    billing_address_zip_cont: Text
    billing_address_zip_not_cont: Text
    billing_address_zip_start: Text
    billing_address_zip_end: Text
    deactivated_at_eq: Day
    deactivated_at_not_eq: Day
    deactivated_at_gt: Day
    deactivated_at_gteq: Day
    deactivated_at_gte: Day
    deactivated_at_lt: Day
    deactivated_at_lteq: Day
    deactivated_at_lte: Day
    deactivation_reason_eq: Text
    deactivation_reason_not_eq: Text
    deactivation_reason_cont: Text
    deactivation_reason_not_cont: Text
    deactivation_reason_start: Text
    deactivation_reason_end: Text
    coupon_code_eq: Text
    coupon_code_not_eq: Text
    coupon_code_cont: Text
    coupon_code_not_cont: Text
    coupon_code_start: Text
    coupon_code_end: Text
    source_eq: Text
    source_not_eq: Text
    source_cont: Text
    source_not_cont: Text
    source_start: Text
    source_end: Text
    referrer_eq: Text
    referrer_not_eq: Text
    referrer_cont: Text
    referrer_not_cont: Text
    referrer_start: Text
    referrer_end: Text
    quantity_eq: Number
    quantity_not_eq: Number
    quantity_gt: Number
    quantity_gteq: Number
    quantity_gte: Number
    quantity_lt: Number
    quantity_lteq: Number
    quantity_lte: Number
    created_at_eq: Day
    created_at_not_eq: Day
    created_at_gt: Day
    created_at_gteq: Day
    created_at_gte: Day
    created_at_lt: Day
    created_at_lteq: Day
    created_at_lte: Day
    updated_at_eq: Day
    updated_at_not_eq: Day
    updated_at_gt: Day
    updated_at_gteq: Day
    updated_at_gte: Day
    updated_at_lt: Day
    updated_at_lteq: Day
    updated_at_lte: Day
    amount_in_cents_eq: Number
    amount_in_cents_not_eq: Number
    amount_in_cents_gt: Number
    amount_in_cents_gteq: Number
    amount_in_cents_gte: Number
    amount_in_cents_lt: Number
    amount_in_cents_lteq: Number
    amount_in_cents_lte: Number


class TransactionFilters(TypedDict, total=False):
    """Filters of transactions."""

    site_id: Id
    customer_id: Id
    name_or_email: Text
    start_date: Day
    end_date: Day


class PayoutFilters(TypedDict, total=False):
    """Filters of payouts; each list is of one site."""

    site_id: Id
    status: Text
    """``pending``, ``in_transit``, ``paid``, ``failed`` or ``canceled``."""
    start_date: Day
    end_date: Day


accept_suffixes(OrderFilters, ORDER_SUFFIXES)
accept_suffixes(OrderItemFilters, ORDER_SUFFIXES)
accept_suffixes(PurchaseFilters, SUFFIXES_WITH_RANGES)
