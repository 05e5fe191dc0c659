"""Never run: every marked line is a mistake that mypy and pyright refuse, and no other line is."""

from kajabi_async import Contact, Customer, FixedRate, Kajabi, Offer, RetryPolicy, Timeouts, UnknownIncludeError
from kajabi_async.testing import FakeKajabi


async def includes(api: Kajabi, ids: list[str]) -> None:
    await api.customers.get("1", include="ofers")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await api.customers.get("1", include=["ofers"])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    api.customers.list(sort=["nmae"])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    await api.customers.get("1", include=("offers", "contct"))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await api.customers.get("1", include="offers.product")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await api.customers.get("1", include="site")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await api.customers.get("1", include=7)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await api.customers.get("1", includes="offers")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await api.courses.get("1", include="media")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await api.products.get("1", include="offers")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await api.contacts.get("1", include=("tags", "customers"))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await api.purchases.get("1", include={"customer", "product"})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await api.customers.plan(ids, include="offer")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    api.customers.get_many(ids, include="ofers")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    api.forms.get_many(ids, include=("offer", "tags"))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    api.customers.list(include="ofers")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    api.orders.list(include=("customer", "items"))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    api.sites.list(include="customers")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def sorts(api: Kajabi) -> None:
    api.customers.list(sort="craeted_at")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    api.customers.list(sort="-net_revenu")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    api.customers.list(sort=("-created_at", "nmae"))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    api.contacts.list(sort="net_revenue")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    api.customers.list(sort="created_at desc")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    api.transactions.list(sort="created_at")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    api.hooks.list(sort="created_at")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


async def fieldsets(api: Kajabi, ids: list[str]) -> None:
    await api.customers.get("1", fields={"customers": ["nmae"]})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await api.customers.get("1", fields={"customers": "emial"})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await api.customers.get("1", fields={"costumers": ["name"]})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await api.customers.get("1", fields={"offers": ("title", "prize")})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await api.customers.get("1", fields=["name"])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    api.customers.get_many(ids, fields={"contacts": ["custom_151"]})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await api.contacts.plan(ids, fields={"contacts": ["tag"]})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    api.offers.list(fields={"offers": ["name", "titel"]})  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    api.payouts.list(fields={"kajabi_payments_payouts": ["status"]})  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


async def paths(api: Kajabi, customer: Customer, contacts: tuple[Contact, ...], offers: list[Offer]) -> None:
    await api.prefetch(customer, "ofers")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
    await api.prefetch([customer], "offers.product")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
    await api.prefetch(contacts, "tags", "purchases")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
    await api.prefetch(offers, "customers")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]


async def filters(api: Kajabi, ids: list[str]) -> None:
    api.customers.list(has_ofer_id="1")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    api.customers.list(page_size="100")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    api.customers.list(limit=5)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    api.offers.list(email_contains="x")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await api.customers.get("1", include="offers", offer_per=5)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    api.customers.get_many(ids, concurency=5)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    api.customers.get_many(ids, strategy="list")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await api.customers.find_by_email(email=7)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def resources(api: Kajabi, customer: Customer, contact: Contact) -> None:
    customer.name = "Ada"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
    customer.id = "1"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
    customer.created_at = None  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
    customer.offers = ()  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]
    contact.custom_fields["custom_1"] = "x"  # type: ignore[index]  # pyright: ignore[reportIndexIssue]
    _ = contact.nmae  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownVariableType]
    _ = customer.offers.title  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownVariableType]
    for _ in customer.offers:  # type: ignore[attr-defined]  # pyright: ignore[reportGeneralTypeIssues, reportUnknownVariableType]
        pass
    _ = customer.contact.email  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownVariableType]
    _ = (await customer.contact).email  # type: ignore[union-attr]  # pyright: ignore[reportOptionalMemberAccess]
    _ = customer.net_revenue + 1  # type: ignore[operator]  # pyright: ignore[reportOptionalOperand, reportUnknownVariableType]


async def outcomes(api: Kajabi, ids: list[str]) -> None:
    async for lookup in api.customers.get_many(ids):
        if lookup.found:
            _ = lookup.customer.nmae  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownVariableType]
            lookup.resource.name = "Ada"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
        if lookup.found is True:
            _ = lookup.missing_reason  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownVariableType]
        else:
            lookup.error = None  # type: ignore[misc, assignment]  # pyright: ignore[reportAttributeAccessIssue]
            await api.prefetch(lookup, "contact")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
    async for person in api.contacts.find_many(ids):
        if person.found:
            _ = person.contact.nmae  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownVariableType]
            _ = person.resource.offers.title  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownVariableType]
    api.contacts.find_many(ids, include="ofers")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    api.contacts.find_many([1, 2])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    for _ in api.customers.get_many(ids):  # type: ignore[attr-defined]  # pyright: ignore[reportGeneralTypeIssues, reportUnknownVariableType]
        pass
    for _ in api.customers.list():  # type: ignore[attr-defined]  # pyright: ignore[reportGeneralTypeIssues, reportUnknownVariableType]
        pass
    await api.customers.list()  # type: ignore[misc]  # pyright: ignore[reportGeneralTypeIssues]
    api.customers.list()[0]  # type: ignore[index]  # pyright: ignore[reportIndexIssue]
    len(api.customers.list())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def writes(api: Kajabi) -> None:
    await api.contacts.update("1", nmae="Ada")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await api.contacts.create(name=7)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await api.hooks.create(event="purchased", target_url="https://x.example")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await api.contacts.grant_offers("1")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await api.contacts.grant_offers("1", 7)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await api.customers.create(name="Ada")  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]


async def clients(api: Kajabi) -> None:
    Kajabi(clientid="a")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Kajabi(client_id="a", client_secret="b", timout=5)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Kajabi(client_id="a", client_secret="b", timeout="5")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Kajabi.from_env(concurrency="many")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    api.with_options(timout=5)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    api.with_options(retry=3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    api.with_options(strict=True)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    api.with_options(site_id=1.5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Timeouts(total="5")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    RetryPolicy(3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    FixedRate("10")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    with api:  # type: ignore[attr-defined]  # pyright: ignore[reportGeneralTypeIssues]
        pass
    await api.costumers.get("1")  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    FakeKajabi(customer=5)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    try:
        await api.me()
    except UnknownIncludeError as error:
        _ = error.includes  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownVariableType]
