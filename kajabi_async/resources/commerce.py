"""Orders, purchases, transactions and payouts: sales and payments."""

from collections.abc import Mapping
from typing import Any, Literal, Never, Unpack

from kajabi_async.fetching.pages import Pages
from kajabi_async.models.commerce import Order, OrderItem, Payout, Purchase, Transaction
from kajabi_async.models.names import Fieldsets
from kajabi_async.models.names.commerce import OrderInclude, OrderItemInclude, PurchaseInclude, TransactionInclude
from kajabi_async.resources.arguments import needed_site
from kajabi_async.resources.base import Gettable, Listable, ListOptions, PagingOptions, ResourceOperations, sort_keys_of
from kajabi_async.resources.filters import (
    OrderFilters,
    OrderItemFilters,
    PayoutFilters,
    PurchaseFilters,
    TransactionFilters,
)

__all__ = ["OrderItems", "Orders", "Payouts", "Purchases", "Transactions"]

OrderSort = Literal["order_number", "-order_number", "created_at", "-created_at", "fulfilled_at", "-fulfilled_at"]
OrderItemSort = Literal["created_at", "-created_at", "quantity", "-quantity", "fulfilled_at", "-fulfilled_at"]
PurchaseSort = Literal[
    "amount_in_cents",
    "-amount_in_cents",
    "payment_type",
    "-payment_type",
    "multipay_payments_made",
    "-multipay_payments_made",
    "effective_start_at",
    "-effective_start_at",
    "deactivated_at",
    "-deactivated_at",
    "deactivation_reason",
    "-deactivation_reason",
    "coupon_code",
    "-coupon_code",
    "source",
    "-source",
    "referrer",
    "-referrer",
    "quantity",
    "-quantity",
    "created_at",
    "-created_at",
    "updated_at",
    "-updated_at",
]


class OrderListOptions(ListOptions[OrderInclude, OrderSort, Fieldsets], OrderFilters):
    """What the list of orders takes."""


class Orders(Gettable[Order, OrderInclude, Fieldsets], Listable[Order]):
    """``api.orders``: read only."""

    name = "orders"
    model = Order
    filters = OrderFilters
    sort_keys = sort_keys_of(OrderSort)

    def list(self, **options: Unpack[OrderListOptions]) -> Pages[Order]:
        """List orders; filters are those of `OrderFilters`."""
        return self._pages(options)


class OrderItemListOptions(ListOptions[OrderItemInclude, OrderItemSort, Fieldsets], OrderItemFilters):
    """What the list of order items takes."""


class OrderItems(Gettable[OrderItem, OrderItemInclude, Fieldsets], Listable[OrderItem]):
    """``api.order_items``: read only."""

    name = "order_items"
    model = OrderItem
    filters = OrderItemFilters
    sort_keys = sort_keys_of(OrderItemSort)

    def list(self, **options: Unpack[OrderItemListOptions]) -> Pages[OrderItem]:
        """List order items; filters are those of `OrderItemFilters`."""
        return self._pages(options)


class PurchaseListOptions(ListOptions[PurchaseInclude, PurchaseSort, Fieldsets], PurchaseFilters):
    """What the list of purchases takes."""


class Purchases(Gettable[Purchase, PurchaseInclude, Fieldsets], Listable[Purchase]):
    """``api.purchases``: offers bought or granted. Large pages fail (observed): 25 rows are safe."""

    name = "purchases"
    model = Purchase
    filters = PurchaseFilters
    sort_keys = sort_keys_of(PurchaseSort)

    def list(self, **options: Unpack[PurchaseListOptions]) -> Pages[Purchase]:
        """List purchases; filters are those of `PurchaseFilters`."""
        return self._pages(options)

    async def deactivate(self, id: str | int, *, timeout: float | None = None) -> Purchase:
        """End access and return the purchase. A subscription keeps billing (API document).

        ``timeout`` is in seconds for the whole operation. NotFoundError if the purchase does not exist.
        """
        return await self._send_for_resource(self._operation("deactivate"), id, timeout=timeout)

    async def reactivate(self, id: str | int, *, timeout: float | None = None) -> Purchase:
        """Restore access and return the purchase. A cancelled subscription is not started again (API document).

        ``timeout`` is in seconds for the whole operation. NotFoundError if the purchase does not exist.
        """
        return await self._send_for_resource(self._operation("reactivate"), id, timeout=timeout)

    async def cancel_subscription(self, id: str | int, *, timeout: float | None = None) -> Purchase:
        """Cancel the subscription at the payment provider now, end access, and return the purchase.

        Cannot be undone. ``timeout`` is in seconds for the whole operation. UnprocessableEntityError if the purchase
        has no subscription to cancel (API document).
        """
        return await self._send_for_resource(self._operation("cancel_subscription"), id, timeout=timeout)


class TransactionListOptions(ListOptions[TransactionInclude, Never, Fieldsets], TransactionFilters):
    """What the list of transactions takes."""


class Transactions(Gettable[Transaction, TransactionInclude, Fieldsets], Listable[Transaction]):
    """``api.transactions``: payments and refunds; the API lists no test, free, failed or pending ones."""

    name = "transactions"
    model = Transaction
    filters = TransactionFilters

    def list(self, **options: Unpack[TransactionListOptions]) -> Pages[Transaction]:
        """List transactions, in no defined order. Filters are those of `TransactionFilters`."""
        return self._pages(options)


class PayoutListOptions(PagingOptions, PayoutFilters):
    """What the list of payouts takes: no page size, no sort, no sparse fields (API document)."""


class Payouts(Listable[Payout], ResourceOperations[Payout]):
    """``api.payouts``: payouts of Kajabi Payments; every call needs a site."""

    name = "payouts"
    model = Payout
    list_options = PagingOptions
    filters = PayoutFilters

    def list(self, **options: Unpack[PayoutListOptions]) -> Pages[Payout]:
        """List the payouts of a site, ``site_id`` or the client's; filters are those of `PayoutFilters`.

        InvalidArgumentError without a site.
        """
        arguments: Mapping[str, Any] = options
        site_id = needed_site(options.get("site_id"), self._context, owner="payouts.list")
        return self._pages({**arguments, "site_id": site_id})

    async def get(self, id: str, *, site_id: str | int | None = None, timeout: float | None = None) -> Payout:
        """Return one payout of a site, ``site_id`` or the client's, with its transactions.

        ``timeout`` is in seconds for the whole operation. NotFoundError if it does not exist; InvalidArgumentError
        without a site, before anything is sent.
        """
        site = needed_site(site_id, self._context, owner="payouts.get")
        reader = self._reader((), None, timeout=timeout, filters=(("filter[site_id]", site),))
        return await reader.read(id)
