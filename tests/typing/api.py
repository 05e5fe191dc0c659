"""Never run: mypy and pyright read it as users' code, and `assert_type` holds the types that callers lean on."""

from collections.abc import AsyncIterator
from datetime import datetime
from decimal import Decimal
from typing import Literal, assert_type

from kajabi_async import (
    Contact,
    Customer,
    Failed,
    Found,
    GetOrCreated,
    Kajabi,
    LookupPlan,
    Lookups,
    Offer,
    Page,
    Pages,
    Product,
    Purchase,
    Report,
    Resource,
    Site,
)


async def lookups(api: Kajabi, ids: AsyncIterator[str]) -> None:
    customer = await api.customers.get("123", include=["contact", "offers"], fields={"offers": ["title"]}, offers_per=5)
    assert_type(customer, Customer)
    assert_type(customer.net_revenue, Decimal | None)
    assert_type(customer.created_at, datetime | None)
    assert_type(await customer.contact, Contact | None)
    assert_type(await customer.offers, tuple[Offer, ...])
    assert_type(customer.offers.ids, tuple[str, ...] | None)
    for offer in await customer.offers:
        assert_type(await offer.products, tuple[Product, ...])
        assert_type(await offer.site, Site | None)
    async for lookup in api.customers.get_many(ids, include="offers", concurrency=10, ordered=True):
        assert_type(lookup, Found[Customer] | Failed)
        if lookup.found:
            customer = lookup.customer
        else:
            print(lookup.id, lookup.missing, lookup.error)  # noqa: T201 - as users would
    assert_type(await api.contacts.get_many(["1", 2]).report(), Report)
    assert_type(api.offers.get_many(ids, strategy="auto"), Lookups[Offer])
    plan = await api.customers.plan(ids, include="offers")
    assert_type(plan, LookupPlan)
    assert_type(plan.strategy, Literal["lookup", "scan"])
    # There are three strategies.
    api.offers.get_many(ids, strategy="list")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def lists(api: Kajabi) -> None:
    pages = api.customers.list(site_id="9", has_offer_id=["456", 7], sort="-created_at", page_size=100, prefetch=2)
    assert_type(pages, Pages[Customer])
    assert_type(await pages.first(), Customer | None)
    assert_type(await pages.count(), int | None)
    assert_type(await pages.collect(limit=10), tuple[Customer, ...])
    async for customer in pages:
        assert_type(customer, Customer)
    async for page in pages.pages():
        assert_type(page, Page[Customer])
    # Misspelt filters and filters of another resource are refused by both checkers.
    api.customers.list(has_offer="456")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    api.offers.list(email_contains="x")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


async def writes(api: Kajabi) -> None:
    contact = await api.contacts.create(site_id="9", name="Ada", email="ada@example.com", subscribed=True)
    assert_type(contact, Contact)
    assert_type(await api.contacts.update(contact.id, phone_number=None), Contact)
    assert_type(await api.contacts.get_or_create(email="ada@example.com"), GetOrCreated)
    granted = await api.contacts.grant_offers(contact.id, ["77"], send_customer_welcome_email=False)
    assert_type(granted, tuple[str, ...])
    assert_type(await api.purchases.deactivate("5"), Purchase)
    assert_type(await api.hooks.sample("purchase"), tuple[Resource, ...])
    # What is misspelt, and attributes that do not exist, are refused.
    await api.contacts.update("1", nmae="Ada")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    print(contact.nmae)  # type: ignore[attr-defined]  # noqa: T201  # pyright: ignore[reportAttributeAccessIssue]
