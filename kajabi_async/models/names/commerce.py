"""Names of orders, purchases, transactions and payouts: relations to include, paths to prefetch, fields."""

from typing import Literal

__all__ = [
    "OrderField",
    "OrderInclude",
    "OrderItemField",
    "OrderItemInclude",
    "OrderItemPath",
    "OrderPath",
    "PayoutField",
    "PurchaseField",
    "PurchaseInclude",
    "PurchasePath",
    "TransactionField",
    "TransactionInclude",
    "TransactionPath",
]

OrderInclude = Literal[
    "site",
    "customer",
    "customer.contact",
    "customer.offers",
    "customer.products",
    "order_items",
    "order_items.order",
]

OrderPath = Literal[
    OrderInclude,
    "customer.site",
    "payment_transactions",
    "payment_transactions.customer",
    "payment_transactions.purchases",
    "payment_transactions.offer",
    "payment_transactions.site",
]

OrderField = Literal[
    "order_number",
    "currency_code",
    "currency_symbol",
    "fulfilled_at",
    "created_at",
    "total_price_in_cents",
    "subtotal_in_cents",
    "sales_tax_amount_in_cents",
    "discount_amount_in_cents",
    "formatted_total_price",
    "formatted_subtotal",
    "site",
    "customer",
    "order_items",
    "payment_transactions",
]

OrderItemInclude = Literal[
    "order",
    "order.site",
    "order.customer",
    "order.order_items",
]

OrderItemPath = Literal[
    OrderItemInclude,
    "order.payment_transactions",
]

OrderItemField = Literal[
    "quantity",
    "currency_code",
    "currency_symbol",
    "item_type",
    "item_id",
    "title",
    "fulfilled_at",
    "created_at",
    "total_price_in_cents",
    "subtotal_in_cents",
    "sales_tax_amount_in_cents",
    "discount_amount_in_cents",
    "formatted_total_price",
    "formatted_subtotal",
    "order",
]

PurchaseInclude = Literal[
    "offer",
    "offer.products",
    "customer",
    "customer.contact",
    "customer.offers",
    "customer.products",
]

PurchasePath = Literal[
    PurchaseInclude,
    "offer.site",
    "offer.forms",
    "customer.site",
    "transactions",
    "transactions.customer",
    "transactions.purchases",
    "transactions.offer",
    "transactions.site",
    "products",
    "products.site",
]

PurchaseField = Literal[
    "amount_in_cents",
    "payment_type",
    "multipay_payments_made",
    "payment_plan_total_payments",
    "opt_in",
    "raw_extra_contact_information",
    "currency",
    "effective_start_at",
    "cardholder_name",
    "billing_address_zip",
    "deactivated_at",
    "deactivation_reason",
    "coupon_code",
    "source",
    "referrer",
    "quantity",
    "status",
    "trial",
    "trial_end_at",
    "created_at",
    "updated_at",
    "offer",
    "customer",
    "transactions",
    "products",
]

TransactionInclude = Literal[
    "customer",
    "customer.contact",
    "customer.offers",
    "customer.products",
    "purchases",
    "purchases.offer",
    "purchases.customer",
    "offer",
    "offer.products",
]

TransactionPath = Literal[
    TransactionInclude,
    "customer.site",
    "purchases.transactions",
    "purchases.products",
    "offer.site",
    "offer.forms",
    "site",
]

TransactionField = Literal[
    "action",
    "state",
    "payment_type",
    "amount_in_cents",
    "sales_tax_in_cents",
    "currency",
    "currency_symbol",
    "formatted_amount",
    "provider",
    "payment_fee_in_cents",
    "settlement_amount_in_cents",
    "settlement_fee_amount_in_cents",
    "settlement_currency",
    "created_at",
    "updated_at",
    "customer",
    "purchases",
    "offer",
    "site",
]

PayoutField = Literal[
    "status",
    "amount",
    "currency",
    "initiated_date",
    "estimated_arrival_date",
    "bank_account",
    "transactions",
]
