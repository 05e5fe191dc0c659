"""The relations of the data set: pure functions shared by every family, and the draws that decide them.

Resources are identified by number here; site, offer, product, tag and customer numbers are their ids.
"""

from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Final, Literal, NamedTuple, TypeVar

from kajabi_async.testing.dataset.family import PerTen
from kajabi_async.testing.dataset.sizes import EverySize

__all__ = ["CONTACT_IDS_FROM", "Draw", "Graph", "Kind", "Sale"]

CONTACT_IDS_FROM: Final = 2_150_000_000
"""The contact of customer ``n`` has the id 2150000000 + ``n``, beyond 32 bits as live ids are (observed)."""

_T = TypeVar("_T")

Kind = Literal["single", "subscription", "multipay", "free"]
_KINDS: Final[tuple[Kind, ...]] = ("single", "subscription", "multipay", "free")
_PRICES: Final = (1900, 4900, 9700, 12900, 19900, 49700)
_PURCHASES: Final = (0, 1, 1, 2, 0, 3, 1, 0, 2, 1)
"""The number of offers bought by each of ten consecutive customers."""
_KEPT: Final = 4096
_SECOND_PAYMENTS: Final = {(3, 1), (5, 1)}
"""The index and suffix of second payments (or refunds): always for the first purchase."""


class Draw:
    """A reproducible sequence of random numbers for one subject, such as customer 17; enough for about thirty draws."""

    __slots__ = ("_pool",)

    def __init__(self, seed: int, subject: str, number: int) -> None:
        """Start the sequence for the *number*-th *subject* of the data set with *seed*."""
        digest = blake2b(f"{seed}:{subject}:{number}".encode(), digest_size=48).digest()
        self._pool = int.from_bytes(digest)

    def below(self, limit: int) -> int:
        """Return a number from 0 up to, but not including, *limit*."""
        self._pool, number = divmod(self._pool, limit)
        return number

    def one_in(self, odds: int) -> bool:
        """Return True with a probability of 1 in *odds*."""
        return self.below(odds) == 0

    def pick(self, options: Sequence[_T]) -> _T:
        """Return one of *options*."""
        return options[self.below(len(options))]

    def some(self, options: Sequence[_T], count: int) -> tuple[_T, ...]:
        """Return *count* different ones of *options*, fewer if there are not enough."""
        left = list(options)
        return tuple(left.pop(self.below(len(left))) for _ in range(min(count, len(left))))


class Sale(NamedTuple):
    """One offer sold to one customer; amounts in cents."""

    customer: int
    slot: int
    offer: int
    kind: Kind
    subtotal: int
    discount: int
    tax: int
    coupon: str | None
    is_active: bool

    @property
    def total(self) -> int:
        """The amount charged, tax included."""
        return self.subtotal - self.discount + self.tax

    @property
    def id(self) -> str:
        """The id of the purchase and of its order item."""
        return f"{self.customer}{self.slot}"


class Graph:
    """The relations of a data set generated from one seed."""

    def __init__(self, seed: int, sizes: EverySize, *, bundled_orders: bool) -> None:
        """Prepare a data set; with *bundled_orders* one transaction pays for all offers of an order."""
        self.seed = seed
        self.sizes = sizes
        self.bundled_orders = bundled_orders
        offers = range(1, sizes.offers + 1)
        self._paid = tuple(offer for offer in offers if self.kind_of(offer) != "free")
        self._free = tuple(offer for offer in offers if self.kind_of(offer) == "free")
        bought = [0] * 10 if not self._paid else _PURCHASES
        entries = [(index, slot) for index, count in enumerate(bought) for slot in range(count)]
        customers = sizes.customers
        self.purchases = PerTen(customers, tuple(entries))
        self.orders = PerTen(customers, tuple((index, 0) for index, slot in entries if slot == 0))
        self.transactions = PerTen(customers, tuple(self._payments(entries)))
        self.products_of_offer = lru_cache(maxsize=_KEPT)(self._products_of_offer)
        self.sales_of = lru_cache(maxsize=_KEPT)(self._sales_of)
        self.price_of = lru_cache(maxsize=_KEPT)(self._price_of)

    def _payments(self, entries: list[tuple[int, int]]) -> list[tuple[int, int]]:
        if self.bundled_orders:
            return [(index, 0) for index, slot in entries if slot == 0]
        payments = [(index, slot * 2) for index, slot in entries]
        payments += [paid for paid in _SECOND_PAYMENTS if (paid[0], 0) in entries]
        return sorted(payments)

    def draw(self, subject: str, number: int) -> Draw:
        """Return the draws for the *number*-th *subject*."""
        return Draw(self.seed, subject, number)

    def site_of(self, number: int) -> str:
        """Return the site of the *number*-th resource of any type."""
        return str((number - 1) % self.sizes.sites + 1)

    def of_site(self, numbers: Sequence[int], like: int) -> Sequence[int]:
        """Return those of *numbers* on the same site as *like*; all of them if that site has none."""
        if self.sizes.sites == 1:
            return numbers
        return tuple(number for number in numbers if self.site_of(number) == self.site_of(like)) or numbers

    def kind_of(self, offer: int) -> Kind:
        """Return the payment type of *offer*; every fourth offer of a site is free."""
        return _KINDS[(offer - 1) // self.sizes.sites % len(_KINDS)]

    def _price_of(self, offer: int) -> int:
        return 0 if self.kind_of(offer) == "free" else self.draw("price", offer).pick(_PRICES)

    def _products_of_offer(self, offer: int) -> tuple[int, ...]:
        products = self.of_site(range(1, self.sizes.products + 1), offer)
        draw = self.draw("products", offer)
        return draw.some(products, 1 + draw.below(3))

    def sale(self, customer: int, slot: int) -> Sale:
        """Return the sale of a purchase."""
        return self.sales_of(customer)[slot]

    def _sales_of(self, customer: int) -> tuple[Sale, ...]:
        slots = self.purchases.suffixes_of(customer)
        if not slots:
            return ()
        draw, pool = self.draw("sales", customer), self.of_site(self._paid, customer)
        first = draw.below(len(pool))
        return tuple(self._sale(customer, slot, pool[(first + slot) % len(pool)], draw) for slot in slots)

    def _sale(self, customer: int, slot: int, offer: int, draw: Draw) -> Sale:
        price, has_coupon, is_taxed = self.price_of(offer), draw.one_in(6), draw.one_in(3)
        discount = price // 5 if has_coupon else 0
        tax = (price - discount) * 8 // 100 if is_taxed else 0
        coupon = "SAVE20" if has_coupon else None
        return Sale(customer, slot, offer, self.kind_of(offer), price, discount, tax, coupon, not draw.one_in(8))

    def granted_offers(self, customer: int) -> tuple[int, ...]:
        """Return the free offers granted to *customer* without a purchase."""
        draw = self.draw("grants", customer)
        free = self.of_site(self._free, customer)
        return (draw.pick(free),) if free and draw.one_in(3) else ()

    def offers_of(self, customer: int) -> tuple[str, ...]:
        """Return the ids of the current offers of *customer*, bought or granted."""
        bought = [sale.offer for sale in self.sales_of(customer) if sale.is_active]
        return tuple(dict.fromkeys(str(offer) for offer in (*bought, *self.granted_offers(customer))))

    def paid_sales(self, customer: int, suffix: int) -> tuple[Sale, ...]:
        """Return the sales paid by the transaction with that *suffix*."""
        if self.bundled_orders:
            return self.sales_of(customer)
        return (self.sale(customer, suffix // 2),)

    def amount_paid(self, customer: int, suffix: int) -> int:
        """Return the amount of a transaction in cents; negative for a refund."""
        sales = self.paid_sales(customer, suffix)
        total = sum(sale.total for sale in sales)
        return -total if suffix % 2 and sales[0].kind == "single" else total

    def net_revenue(self, customer: int) -> int:
        """Return the total paid by *customer* in cents."""
        return sum(self.amount_paid(customer, suffix) for suffix in self.transactions.suffixes_of(customer))

    def tags_of(self, contact: int) -> tuple[str, ...]:
        """Return the ids of the tags of the *contact*-th contact."""
        draw = self.draw("tags", contact)
        tags = self.of_site(range(1, self.sizes.contact_tags + 1), contact)
        return tuple(str(tag) for tag in sorted(draw.some(tags, draw.below(4))))

    @property
    def contacts(self) -> int:
        """The number of contacts, with and without a customer."""
        return self.sizes.customers + self.sizes.contacts_without_customer

    def contact_id(self, number: int) -> str:
        """Return the id of the *number*-th contact."""
        return str(CONTACT_IDS_FROM + number)
