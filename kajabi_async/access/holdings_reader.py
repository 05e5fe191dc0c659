"""Reading from the API what people hold."""

from collections.abc import AsyncIterator, Callable, Iterable
from typing import Final, TypeVar

import attrs

from kajabi_async.access.holdings import ActivePurchase, Contents, Holdings, Identity
from kajabi_async.client import Kajabi
from kajabi_async.errors import (
    FieldNotLoadedError,
    KajabiError,
    NotFoundError,
    RelationshipUnavailableError,
    UnreadableAttributeError,
)
from kajabi_async.fetching.email_address import search_texts
from kajabi_async.fetching.email_search import belongs_to, key_of
from kajabi_async.fetching.pages import Pages
from kajabi_async.models.commerce import Purchase
from kajabi_async.models.people import Contact, Customer
from kajabi_async.passing import ends_everything
from kajabi_async.resources.commerce import PurchaseListOptions

__all__ = ["CustomerReading", "HoldingsReader"]

P = TypeVar("P", Customer, Contact)

_PURCHASES_A_PAGE: Final = 25
"""Larger pages of purchases fail (observed)."""


@attrs.frozen
class CustomerReading:
    """What was read of one customer."""

    holdings: Holdings
    contacts: tuple[str, ...] = ()
    """The contact of the same person."""
    failure: KajabiError | None = None


class HoldingsReader:
    """Reads records with one client; every method raises KajabiError if the API does not answer.

    The moment of a record is that of the start of its reading.
    """

    def __init__(self, api: Kajabi, hash_of: Callable[[str], str], now: Callable[[], float], *, thorough: bool) -> None:
        """Name emails by *hash_of* their key; *now* returns seconds since the epoch."""
        self._api = api
        self._hash_of = hash_of
        self._now = now
        self._thorough = thorough

    async def identity(self, email: str, mark: str) -> Identity:
        """Return the customers with the key *email*: on the site of the client, or on all sites if it has none.

        The search misses people (observed), so that none found proves nothing. A contact without a customer is proof
        for the site that it is on; so is, with *thorough*, the whole list.
        """
        as_of = self._now()
        site = self._api.site_id
        ids, contacts = await self._customers_with(email, site), 0
        if not ids:
            contacts, ids = await self._contacts_with(email, site)
        is_proven = site is not None and bool(ids or contacts)
        if not ids and not is_proven and self._thorough:
            ids, is_proven = await self._listed_customers(email)
        return Identity(as_of, mark, ids, is_proven=is_proven)

    async def holdings(self, customer_id: str, mark: str) -> "CustomerReading":
        """Return what a customer holds; with an error if only the customer could be read, not the purchases."""
        as_of = self._now()
        try:
            customer = await self._api.customers.get(customer_id)
        except NotFoundError as error:
            if error.is_html or error.at_token_endpoint:
                # A proxy's page, not the answer of the API.
                raise
            return CustomerReading(Holdings(customer_id, as_of, mark, "", exists=False))
        offers, products = await self._offers_of(customer), await _products_of(customer)
        failure: KajabiError | None = None
        try:
            purchases, is_complete = await self._purchases_of(customer)
        except KajabiError as error:
            if ends_everything(error):
                raise
            purchases, is_complete, failure = (), False, error
        email = self._email_of(customer)
        found = Holdings(customer_id, as_of, mark, email, offers, products, purchases, is_complete=is_complete)
        return CustomerReading(found, customer.contact.ids or (), failure)

    async def contents(self, offer_id: str) -> Contents:
        """Return the products that come with an offer; none if there is no such offer."""
        as_of = self._now()
        try:
            products = await self._api.offers.product_ids(offer_id)
        except NotFoundError as error:
            if error.is_html or error.at_token_endpoint:
                raise
            products = ()
        return Contents(as_of, offer_id, products)

    async def _customers_with(self, email: str, site: str | None) -> tuple[str, ...]:
        pages = [self._api.customers.list(email_contains=text) for text in search_texts(email)]
        return tuple([row.id async for row in _with_email(email, site, pages)])

    async def _contacts_with(self, email: str, site: str | None) -> tuple[int, tuple[str, ...]]:
        """Return how many contacts are known to have no customer, and the ids of the customers of the others."""
        ids: dict[str, None] = {}
        without = 0
        pages = [self._api.contacts.list(email_contains=text) for text in search_texts(email)]
        async for row in _with_email(email, site, pages):
            if row.customer.ids is not None:
                without += not row.customer.ids
                ids |= dict.fromkeys(row.customer.ids)
        return without, tuple(ids)

    async def _listed_customers(self, email: str) -> tuple[tuple[str, ...], bool]:
        async for lookup in self._api.customers.find_many([email], strategy="scan"):
            if lookup.error is not None and not lookup.ambiguous and not lookup.missing:
                raise lookup.error
            if lookup.found:
                return (lookup.customer.id,), True
            return tuple(each.id for each in lookup.candidates), lookup.proven
        return (), False

    def _email_of(self, customer: Customer) -> str:
        """Return the keyed hash of the email; empty if there is none, or the answer does not say."""
        try:
            key = key_of(customer)
        except (FieldNotLoadedError, UnreadableAttributeError):
            return ""
        return "" if key is None else self._hash_of(key)

    async def _offers_of(self, customer: Customer) -> tuple[str, ...]:
        ids = customer.offers.ids
        return await self._api.customers.offer_ids(customer.id) if ids is None else ids

    async def _purchases_of(self, customer: Customer) -> tuple[tuple[ActivePurchase, ...], bool]:
        """Return the purchases that are not over, and whether all could be read."""
        options: PurchaseListOptions = {
            "customer_id": customer.id,
            "page_size": _PURCHASES_A_PAGE,
            "sort": "created_at",
        }
        if customer.site.id is not None:
            # The site of the client would filter the purchases on another site away.
            options["site_id"] = customer.site.id
        found: dict[str, ActivePurchase] = {}
        is_complete = True
        async for row in self._api.purchases.list(**options):
            owners = row.customer.ids
            if owners and customer.id not in owners:
                # The server ignores filters that it does not know.
                continue
            try:
                ends_at = row.deactivated_at
            except (FieldNotLoadedError, UnreadableAttributeError):
                is_complete = False
                continue
            end = None if ends_at is None else ends_at.timestamp()
            if end is None or end > self._now():
                found[row.id] = ActivePurchase(row.id, await _offer_of(row), row.products.ids or (), end)
        return tuple(found.values()), is_complete


async def _with_email(email: str, site: str | None, lists: Iterable[Pages[P]]) -> AsyncIterator[P]:
    """Yield the people with the key *email*; UnreadableAttributeError if there are none, but one may have it."""
    seen: set[str] = set()
    unreadable: UnreadableAttributeError | None = None
    for pages in lists:
        async for row in pages:
            try:
                is_match = key_of(row) == email and belongs_to(row, site)
            except UnreadableAttributeError as error:
                unreadable = error
                continue
            if is_match and row.id not in seen:
                seen.add(row.id)
                yield row
    if not seen and unreadable is not None:
        raise unreadable


async def _products_of(customer: Customer) -> tuple[str, ...]:
    ids = customer.products.ids
    if ids is not None:
        return ids
    try:
        return tuple(each.id for each in await customer.products)
    except RelationshipUnavailableError:
        # Those of the offers are found through the offers.
        return ()


async def _offer_of(purchase: Purchase) -> str | None:
    if purchase.offer.ids is not None:
        return purchase.offer.id
    offer = await purchase.offer
    return None if offer is None else offer.id
