"""Never run: mypy and pyright read it as users' code, and `assert_type` holds the types that callers lean on."""

from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Literal, assert_type, cast

import kajabi_async
from kajabi_async import (
    AdaptiveRate,
    AmbiguousMatchError,
    AnswerTooLargeError,
    ApiError,
    ApiVersion,
    AuthenticationError,
    BadRequestError,
    BlogPost,
    BulkStalledError,
    ClientClosedError,
    ClientCredentials,
    ConfigurationError,
    ConflictError,
    ConnectionFailedError,
    Contact,
    ContactNote,
    ContactTag,
    Course,
    Credentials,
    Customer,
    CustomField,
    DecodeError,
    EmailFailed,
    EmailFound,
    EmailLookup,
    EmailLookups,
    EnsuredHooks,
    ErrorObject,
    ExportError,
    Failed,
    FieldNotLoadedError,
    FixedRate,
    Form,
    FormField,
    FormSubmission,
    Found,
    GetOrCreated,
    Hook,
    HookEvent,
    InvalidArgumentError,
    InvalidEmailError,
    InvalidIdError,
    Kajabi,
    KajabiError,
    LandingPage,
    Lesson,
    Lookup,
    LookupPlan,
    Lookups,
    Me,
    Media,
    MemoryTokenStore,
    Module,
    NotFoundError,
    Offer,
    Order,
    OrderItem,
    Page,
    Pages,
    PagingError,
    PasswordCredentials,
    PausedError,
    Payout,
    PayoutTransaction,
    PermissionDeniedError,
    Podcast,
    PodcastDirectory,
    Product,
    Progress,
    Purchase,
    RateLimit,
    RateLimitError,
    RefreshTokenCredentials,
    RelationshipUnavailableError,
    Report,
    RequestTimeoutError,
    Resource,
    RetryPolicy,
    ServerError,
    SessionEvent,
    SessionManager,
    SessionObserver,
    SessionStats,
    Site,
    Socials,
    StoreUnavailableError,
    Timeouts,
    TokenStore,
    ToMany,
    ToOne,
    Transaction,
    TransportError,
    UnknownAttributeError,
    UnknownFieldError,
    UnknownFilterError,
    UnknownHookEventError,
    UnknownIncludeError,
    UnknownSortKeyError,
    UnprocessableEntityError,
    UnreadableAttributeError,
    UntrustedLinkError,
    UntypedResource,
    WebsitePage,
    WrongLoopError,
    dumps,
    loads,
)
from kajabi_async.access import Access, AccessGate, Cache, MemoryCache, RedisCache, State
from kajabi_async.changes import (
    AccessEnded,
    Change,
    Changes,
    ContactAdded,
    ContactChanged,
    CustomerAdded,
    CustomerChanged,
    FormSubmitted,
    NoteWritten,
    OrderChanged,
    OrderPlaced,
    PurchaseChanged,
    PurchaseMade,
    ResourceGone,
    WatchName,
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


async def names_that_are_known_at_run_time(api: Kajabi, read: list[str]) -> None:
    names = cast("Any", read)
    assert_type(await api.customers.get("1", include=names), Customer)
    assert_type(api.customers.list(include=names, sort=names), Pages[Customer])
    await api.customers.get_many(["1"], include=[*names, "offers"]).report()
    await api.customers.plan(["1"], include=names)


async def names_of_each_resource(api: Kajabi, ids: list[str]) -> None:
    await api.contacts.get(
        "1", include=("tags", "customer.offers"), fields={"contacts": ["name", "custom_150", "tags"]}
    )
    await api.courses.get("1", include=["lessons.media", "modules"], fields={"modules": "title"})
    await api.forms.get_many(ids, include="fields", fields={"fields": ("title", "name")}).report()
    api.purchases.list(include=("offer", "customer.contact"), sort="-amount_in_cents", fields={"purchases": ["status"]})
    api.orders.list(include={"customer", "order_items"}, sort=("-created_at", "order_number"))
    api.products.list(include=(), sort="title")
    api.payouts.list(site_id="1")


async def prefetched(api: Kajabi, customers: tuple[Customer, ...], resources: list[Resource]) -> None:
    await api.prefetch(customers, "contact", "offers.products", "site", patience=60)
    await api.prefetch(customers[0], "contact")
    await api.prefetch([page async for page in api.contacts.list()], "tags")
    await api.prefetch(iter(resources), "offers")


async def outcomes(api: Kajabi, lookup: Lookup[Customer], progress: Progress) -> str | None:
    if lookup.found:
        name = lookup.customer.name or lookup.resource.name
        return name if name is None else name.title()
    assert_type(progress.stalled_since, float | None)
    observed = api.offers.get_many(["1"], observer=lambda each: print(each.found))  # noqa: T201 - as users would
    try:
        await observed.report()
    except BulkStalledError as error:
        assert_type(error.unanswered, tuple[Any, ...])
        assert_type(error.cause, KajabiError | None)
    return str(lookup.error)


async def clients(store: TokenStore, rate: RateLimit, observer: SessionObserver, credentials: Credentials) -> None:
    timeouts, policy = Timeouts(total=5, queue=None), RetryPolicy(max_attempts=2, statuses=frozenset({500}))
    async with Kajabi(client_id="a", client_secret="b", timeout=timeouts, retry=policy, token_store=store) as api:
        assert_type(api, Kajabi)
        assert_type(api.stats, SessionStats)
        assert_type(api.session, SessionManager)
        assert_type(await api.me(), Me)
        assert_type(await api.version(), ApiVersion)
        async with api.with_options(timeout=2, retry=policy, site_id=None, concurrency=5) as quick:
            assert_type(quick, Kajabi)
            await quick.with_options(timeout=Timeouts(read=5)).customers.get("1")
    Kajabi.from_env(rate_limit=rate, observers=[observer, observed], strict=True, site_id=9)
    Kajabi(credentials=credentials, rate_limit=FixedRate(10), token_store=MemoryTokenStore())
    Kajabi(credentials=ClientCredentials("a", "b"), rate_limit=AdaptiveRate())
    Kajabi(credentials=PasswordCredentials("a", "b"), rate_limit=5)
    Kajabi(credentials=RefreshTokenCredentials("a"), timeout=None)
    assert_type(kajabi_async.__version__, str)


def observed(event: SessionEvent) -> None:
    print(event)  # noqa: T201 - as users would


async def account(api: Kajabi, event: HookEvent) -> None:
    assert_type(await api.hooks.ensure("https://x.example", [event, "purchase"]), EnsuredHooks)
    assert_type(await api.hooks.list().first(), Hook | None)
    assert_type(await api.sites.get("1"), Site)


async def people(api: Kajabi, customer: Customer) -> None:
    assert_type(await api.contacts.find_by_email("ada@example.com"), Contact | None)
    assert_type(await api.contact_tags.get("1"), ContactTag)
    assert_type(await api.contact_notes.create(contact_id="1", body="x"), ContactNote)
    assert_type(await api.custom_fields.list().collect(), tuple[CustomField, ...])
    assert_type(customer.socials, Socials | None)
    assert_type(customer.offers, ToMany[Offer])
    assert_type(customer.contact, ToOne[Contact])
    assert_type(loads(dumps(customer)), Any)


async def catalog_and_content(api: Kajabi, course: Course, post: BlogPost) -> None:
    assert_type(await course.modules, tuple[Module, ...])
    assert_type(await course.lessons, tuple[Lesson, ...])
    assert_type(await course.media, tuple[Media, ...])
    assert_type(await post.blog, UntypedResource | None)
    podcast = await api.podcasts.get("1")
    assert_type(podcast, Podcast)
    assert_type(podcast.directories, tuple[PodcastDirectory, ...] | None)
    assert_type(await api.landing_pages.get("1"), LandingPage)
    assert_type(await api.website_pages.get("1"), WebsitePage)
    assert_type(await api.blog_posts.get("1"), BlogPost)


async def sales_and_forms(api: Kajabi, form: Form) -> None:
    assert_type(await api.orders.get("1"), Order)
    assert_type(await api.order_items.get("1"), OrderItem)
    assert_type(await api.transactions.get("1"), Transaction)
    payout = await api.payouts.get("1", site_id="1")
    assert_type(payout, Payout)
    assert_type(payout.transactions, tuple[PayoutTransaction, ...] | None)
    assert_type(await form.fields, tuple[FormField, ...])
    assert_type(await api.forms.submit(form.id, name="Ada"), FormSubmission)


async def api_errors(api: Kajabi) -> None:
    try:
        await api.customers.get("1")
    except (NotFoundError, BadRequestError, ConflictError, PermissionDeniedError, UnprocessableEntityError) as error:
        assert_type(error.errors, tuple[ErrorObject, ...])
    except (PausedError, RateLimitError) as error:
        assert_type(error.retry_after, float | None)
    except (AuthenticationError, ServerError, ApiError) as error:
        assert_type(error.status, int)
    except RequestTimeoutError as error:
        assert_type(error.seconds, float | None)
    except (ConnectionFailedError, TransportError) as error:
        assert_type(error.maybe_applied, bool)
    except (AnswerTooLargeError, UnreadableAttributeError, DecodeError, FieldNotLoadedError) as error:
        assert_type(error.attempts, int)


MISUSES: Mapping[str, type[KajabiError]] = {
    "arguments": InvalidArgumentError,
    "attribute": UnknownAttributeError,
    "closed": ClientClosedError,
    "email": AmbiguousMatchError,
    "event": UnknownHookEventError,
    "export": ExportError,
    "field": UnknownFieldError,
    "filter": UnknownFilterError,
    "id": InvalidIdError,
    "include": UnknownIncludeError,
    "link": UntrustedLinkError,
    "loop": WrongLoopError,
    "options": ConfigurationError,
    "paging": PagingError,
    "relation": RelationshipUnavailableError,
    "sort": UnknownSortKeyError,
    "store": StoreUnavailableError,
}


async def people_by_email(api: Kajabi, emails: list[str]) -> None:
    run = api.customers.find_many(emails, include="offers")
    assert_type(run, EmailLookups[Customer])
    async for lookup in run:
        assert_type(lookup, EmailFound[Customer] | EmailFailed[Customer])
        by_hand: EmailLookup[Customer] = lookup
        if isinstance(by_hand, EmailFound):
            assert_type(by_hand.resource, Customer)
        elif isinstance(by_hand.error, InvalidEmailError):
            assert_type(by_hand.candidates, tuple[Customer, ...])


async def what_was_found(api: Kajabi, ids: list[str]) -> None:
    async for lookup in api.customers.get_many(ids):
        # The resource can be used after this in both; pyright does not narrow the outcome itself, which mypy does.
        if lookup.found:
            name: str | None = lookup.customer.name
            takes_customer(lookup.customer, name or lookup.resource.id)
        # Each of these narrows the outcome in both.
        if lookup.found is True:
            assert_type(lookup, Found[Customer])
            assert_type(lookup.customer, Customer)
            assert_type(lookup.resource, Customer)
        else:
            assert_type(lookup, Failed)
            assert_type(lookup.error, KajabiError)
        if lookup.found is not True:
            raise lookup.error
        assert_type(lookup.customer, Customer)


async def what_was_found_otherwise(api: Kajabi, ids: list[str]) -> None:
    async for lookup in api.contacts.get_many(ids):
        if lookup.error is None:
            assert_type(lookup, Found[Contact])
        elif lookup.missing:
            assert_type(lookup, Failed)
        if isinstance(lookup, Failed):
            raise lookup.error
        assert_type(lookup.resource, Contact)
    async for each in api.offers.get_many(ids):
        match each:
            case Found(resource=offer):
                assert_type(offer, Offer)
            case Failed(error=error):
                assert_type(error, KajabiError)


async def who_was_found(api: Kajabi, emails: list[str]) -> None:
    async for lookup in api.contacts.find_many(emails):
        if lookup.found:
            texts: tuple[str | None, str] = lookup.contact.email, lookup.resource.id
            assert_type(len(texts), int)
        if lookup.found is True:
            assert_type(lookup, EmailFound[Contact])
            assert_type(lookup.contact, Contact)
            assert_type(lookup.resource, Contact)
        else:
            assert_type(lookup, EmailFailed[Contact])
            assert_type(lookup.candidates, tuple[Contact, ...])
            assert_type(lookup.proven, bool)
    async for person in api.customers.find_many(emails):
        match person:
            case EmailFound(resource=customer):
                assert_type(customer, Customer)
            case EmailFailed(error=error):
                assert_type(error, KajabiError | None)


def takes_customer(customer: Customer, name: str) -> None:
    """Take a customer, and not None."""


async def what_has_changed(api: Kajabi, stored: str | None) -> None:
    names: tuple[WatchName, ...] = ("purchases", "contact_notes")
    changes = api.changes(cursor=stored, since=timedelta(hours=1), every=30, watch=names, sweep=60.0)
    assert_type(changes, Changes)
    api.changes(watch="contacts", since=3600)
    assert_type(await changes.poll(), tuple[Change, ...])
    assert_type(changes.cursor, str | None)
    async for change in changes:
        assert_type(change, Change)
        assert_type((change.at, change.key, change.cursor, change.kind), tuple[datetime, str, str, str])
        assert_type((change.customer_id, change.contact_id, change.email), tuple[str | None, str | None, str | None])
        assert_type(change.to_dict(), dict[str, Any])
        match change:
            case PurchaseMade() | PurchaseChanged() | AccessEnded():
                assert_type(change.resource, Purchase)
            case OrderPlaced() | OrderChanged():
                assert_type(change.resource, Order)
            case ContactAdded() | ContactChanged():
                assert_type(change.resource, Contact)
            case CustomerAdded() | CustomerChanged():
                assert_type(change.resource, Customer)
            case FormSubmitted():
                assert_type(change.resource, FormSubmission)
            case NoteWritten():
                assert_type(change.resource, ContactNote)
            case ResourceGone():
                assert_type(change.resource, Resource)
            case _:
                assert_type(change.resource, Resource)


async def who_may_in(api: Kajabi, cache: Cache, event: object) -> None:
    gate = AccessGate(api, cache=cache, fresh=60, stale=3600, budget=1.5, fresh_denied=5, thorough=False)
    caches: tuple[Cache, ...] = (MemoryCache(most_entries=10), RedisCache("redis://localhost", prefix="mine"))
    assert_type(len(caches), int)
    access = await gate.check(email="ada@example.com", offers=["4", 5])
    assert_type(access, Access)
    assert_type(access.allowed or access.denied or access.unknown, bool)
    assert_type((access.because, access.person), tuple[str, str | None])
    assert_type(access.as_of, datetime | None)
    assert_type(access.error, KajabiError | None)
    state: State = access.state
    assert_type(state, Literal["allowed", "denied", "unknown"])
    await gate.check(customer_id=1, products=(9,))
    gate.forget(contact_id="1")
    await gate.forget(email="ada@example.com", customer_id=1)
    await gate.notice(event)
    assert_type(api.site_id, str | None)
