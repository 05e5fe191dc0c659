"""Lookups off the pages of a list: the same outcomes as single lookups, whatever happens to the pages."""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from aiohttp import web

from kajabi_async import (
    AuthenticationError,
    Customer,
    Failed,
    Found,
    InvalidArgumentError,
    InvalidIdError,
    Kajabi,
    NotFoundError,
    Progress,
    RetryPolicy,
)
from kajabi_async.fetching.plan import Strategy
from kajabi_async.models.names import Fieldsets
from kajabi_async.resources.base import Gettable, Listable
from kajabi_async.resources.people import Customers
from kajabi_async.testing import FakeKajabi
from kajabi_async.testing.faults import Fault, Incident
from kajabi_async.testing.recorded import RecordedRequest
from kajabi_async.testing.replies import Reply
from tests.clocks import ManualClock
from tests.resources.fakes import client_of
from tests.sending import Canned, context, resource

ONCE = RetryPolicy(max_attempts=1)


class _OnPages(Fault):
    """An error that some pages of a list answer with."""

    kind = "on_pages"

    def __init__(self, *numbers: int) -> None:
        self.numbers = {str(number) for number in numbers}

    def fits(self, record: RecordedRequest) -> bool:
        return not self.numbers.isdisjoint(record.query.get("page[number]", ()))

    async def play(self, incident: Incident, /) -> web.StreamResponse:
        return incident.reply(Reply(500, b"", "text/plain"))


@pytest.fixture
async def fake() -> AsyncIterator[FakeKajabi]:
    async with FakeKajabi(customers=450) as server:
        yield server


@pytest.fixture
async def api(fake: FakeKajabi) -> AsyncIterator[Kajabi]:
    async with client_of(fake) as client:
        yield client


def _readable(api: Kajabi) -> Iterator[Any]:
    return (each for each in vars(api).values() if isinstance(each, Gettable) and isinstance(each, Listable))


async def test_every_resource_with_a_list_can_be_scanned() -> None:
    """Found is what a lookup finds, with the same attributes; missing is what a lookup misses."""
    async with FakeKajabi(customers=40) as fake, client_of(fake) as api:
        assert len(list(_readable(api))) > 10
        for operations in _readable(api):
            ids = [row.id async for row in operations.list()]
            requested = [*ids[:150], "987654321", "a/b"]
            fake.reset_counts()
            scanned = {each.id: each async for each in operations.get_many(requested, strategy="scan")}
            assert fake.counts[f"{operations.name}.get"] == 1, operations.name
            async for single in operations.get_many(requested):
                there = scanned.pop(single.id)
                assert (there.found, there.missing) == (single.found, single.missing), operations.name
                if single.found:
                    assert there.resource.loaded_attributes() == single.resource.loaded_attributes()
            assert not scanned


async def test_a_duplicate_and_a_bad_id_are_outcomes_like_any_other(api: Kajabi, fake: FakeKajabi) -> None:
    """One for each time that it was given, as the report counts them."""
    ids: list[Any] = ["7", 7, "a/b", "5000", 400, "7", None, "5000"]
    run = api.customers.get_many(ids, strategy="scan")
    outcomes = [each async for each in run]
    assert sorted(each.id for each in outcomes) == sorted(["7", "7", "a/b", "5000", "400", "7", "None", "5000"])
    failed = [each for each in outcomes if isinstance(each, Failed)]
    assert {type(each.error) for each in failed} == {InvalidIdError, NotFoundError}
    report = await run.report()
    assert (report.total, report.found, report.missing, report.failed, report.duplicates) == (8, 4, 2, 2, 3)
    assert fake.counts["customers.get"] == 1


@pytest.mark.parametrize("strategy", ["scan", "auto"])
async def test_outcomes_come_in_the_order_of_the_ids_on_request(api: Kajabi, strategy: Strategy) -> None:
    """Duplicates, missing and bad ids included."""
    ids: list[Any] = [*random.Random(1).sample(range(1, 451), 200), 9999, [], "3", "3", "x y"]
    given = [each.id async for each in api.customers.get_many(ids, ordered=True, strategy=strategy)]
    assert given == [str(each) for each in ids]


async def test_the_first_in_order_do_not_wait_for_the_end_of_the_scan(api: Kajabi, fake: FakeKajabi) -> None:
    """They are yielded as soon as everything before them is known."""
    loop = aiter(api.customers.get_many([450, 449, 1], ordered=True, strategy="scan"))
    assert (await anext(loop)).id == "450"
    assert fake.counts["customers.list"] == 1
    assert [each.id async for each in loop] == ["449", "1"]


async def test_a_slow_loop_slows_the_scan_down(fake: FakeKajabi) -> None:
    """Pages are fetched as outcomes are taken, and only a few are in memory."""
    async with client_of(fake, concurrency=1) as api:
        loop = aiter(api.customers.get_many(range(1, 451), strategy="scan"))
        for _ in range(50):
            await anext(loop)
        for _ in range(50):
            await asyncio.sleep(0)
        assert fake.counts["customers.list"] == 1
        assert len([each async for each in loop]) == 400


async def test_the_scan_ends_with_the_last_row_it_needs(api: Kajabi, fake: FakeKajabi) -> None:
    """Customers are listed newest first: two pages have the newest 150."""
    await api.customers.get_many(range(301, 451), strategy="scan").report()
    assert (fake.counts["customers.list"], fake.counts["customers.get"]) == (2, 0)


async def test_an_async_iterable_is_read_to_its_end_first(api: Kajabi, fake: FakeKajabi) -> None:
    """Only then is it known what the list is scanned for."""
    seen: list[int] = []

    async def ids() -> AsyncIterator[int]:
        for number in range(1, 6):
            seen.append(fake.counts["customers.list"])
            yield number

    report = await api.customers.get_many(ids(), strategy="scan").report()
    assert (report.found, seen) == (5, [0] * 5)


async def test_what_the_ids_raise_comes_out_of_the_loop(api: Kajabi) -> None:
    """It is the caller's."""

    def ids() -> Iterator[str]:
        yield "1"
        raise RuntimeError("the cursor is gone")

    with pytest.raises(RuntimeError, match="cursor"):
        await api.customers.get_many(ids(), strategy="auto").report()


async def test_an_observer_is_notified_of_every_outcome(api: Kajabi) -> None:
    """As with lookups."""
    results: list[Progress] = []
    await api.customers.get_many([1, 2, 9999], strategy="scan", observer=results.append).report()
    assert [each.given for each in results] == [1, 2, 3]
    assert (results[-1].found, results[-1].missing) == (2, 1)


async def test_included_relations_come_along(api: Kajabi, fake: FakeKajabi) -> None:
    """With the row, as with a lookup: they cost no further request."""
    scan = api.customers.get_many(range(401, 451), include=["offers", "contact"], strategy="scan")
    scanned = {each.id: each.customer async for each in scan}
    assert (fake.counts["customers.list"], fake.counts["customers.get"]) == (1, 0)
    fake.reset_counts()
    offers = {key: [offer.id for offer in await customer.offers] for key, customer in scanned.items()}
    assert fake.counts.total() == 0
    async for single in api.customers.get_many(scanned, include="offers"):
        assert offers[single.id] == [offer.id for offer in await single.customer.offers]


async def test_a_list_that_ignores_include_is_not_scanned(fake: FakeKajabi) -> None:
    """The API document has it for single reads alone: what does not come along is looked up, found or not."""
    silent = _WithoutIncludes(customers=450)
    async with silent, client_of(silent) as api:
        async for each in api.customers.get_many([1, 2, 3, 450, 9999], include="offers", strategy="auto"):
            assert each.missing or each.customer.offers.loaded
        assert (silent.counts["customers.list"], silent.counts["customers.get"]) == (1, 5)
        plan = await api.customers.plan(range(1, 451), include="offers")
        assert (plan.strategy, plan.scan_requests) == ("lookup", None)
        assert "does not bring along what is to be included: offers" in plan.because


class _WithoutIncludes(FakeKajabi):
    """Lists leave out what was to be included."""

    def _processed(self, record: Any, found: Any, **settings: Any) -> Reply:
        if record.operation == "customers.list":
            pairs = [pair for pair in record.query_string.split("&") if not pair.startswith("include=")]
            object.__setattr__(record, "query_string", "&".join(pairs))
        return super()._processed(record, found, **settings)


class _Shrinking(FakeKajabi):
    """A customer of the first page is deleted before each further page, so that a row slips off the next page."""

    gone = 0

    def _processed(self, record: Any, found: Any, **settings: Any) -> Reply:
        if record.operation == "customers.list" and "page%5Bnumber%5D=1&" not in record.query_string:
            self.gone += 1
            assert self.remove("customers", str(451 - self.gone))
        return super()._processed(record, found, **settings)


async def test_a_row_that_shifted_past_the_scan_is_found_all_the_same() -> None:
    """Missing is only what the API says is missing: those are looked up singly."""
    shrinking = _Shrinking(customers=450)
    async with shrinking, client_of(shrinking, concurrency=1) as api:
        report = await api.customers.get_many(range(1, 401), strategy="scan").report()
        assert (report.found, report.missing) == (400, 0)
        assert shrinking.gone > 0
        assert shrinking.counts["customers.get"] > 0


@pytest.mark.parametrize("strategy", ["scan", "auto"])
async def test_a_page_that_fails_leaves_its_ids_to_be_looked_up(
    fake: FakeKajabi, strategy: Strategy, caplog: pytest.LogCaptureFixture
) -> None:
    """The pages after it are still read, and a line in the log says so."""
    fake.inject(_OnPages(2), times=None, path="customers.list")
    async with client_of(fake, retry=ONCE, clock=ManualClock()) as api:
        with caplog.at_level(logging.WARNING, "kajabi_async"):
            report = await api.customers.get_many(range(1, 451), strategy=strategy).report()
    assert (report.found, report.failed) == (450, 0)
    # Four times, as it might have passed.
    assert (fake.counts["customers.list"], fake.counts["customers.get"]) == (4 + 4, 100)
    assert "pages of a list failed while it was scanned, with ServerError; 100 ids are looked up singly" in caplog.text


async def test_a_list_whose_first_page_fails_is_scanned_from_the_second_on(fake: FakeKajabi) -> None:
    """With ``"scan"``; with ``"auto"`` the size stays unknown, and ids are looked up."""
    fake.inject(_OnPages(1), times=None, path="customers.list")
    async with client_of(fake, retry=ONCE, clock=ManualClock()) as api:
        assert (await api.customers.get_many(range(1, 451), strategy="scan").report()).found == 450
        assert fake.counts["customers.get"] == 100
        plan = await api.customers.plan(range(1, 451))
        assert (plan.strategy, plan.scan_requests, plan.asked) == ("lookup", None, 1)
        assert plan.because.startswith("the list cannot be read: GET /v1/customers was answered 500")


@pytest.mark.parametrize(("strategy", "pages"), [("scan", 3), ("auto", 1)])
async def test_a_list_that_may_not_be_read_is_given_up(fake: FakeKajabi, strategy: Strategy, pages: int) -> None:
    """After three pages in a row at the latest; every id is looked up."""
    fake.fail("customers.list", status=403, times=None)
    async with client_of(fake) as api:
        report = await api.customers.get_many(range(1, 21), strategy=strategy).report()
    assert (report.found, report.requests) == (20, 20 + pages)
    assert (fake.counts["customers.list"], fake.counts["customers.get"]) == (pages, 20)


async def test_a_malformed_row_is_looked_up(fake: FakeKajabi) -> None:
    """And fails or not as a lookup does."""
    fake.add({"type": "customers", "id": "7", "attributes": {"created_at": 5}})
    async with client_of(fake, strict=True) as api:
        async for each in api.customers.get_many(["6", "7", "8"], strategy="scan"):
            assert each.found == (each.id != "7")
    assert fake.counts["customers.get"] == 1


@pytest.mark.parametrize("strategy", ["scan", "auto"])
async def test_refused_credentials_end_the_run(fake: FakeKajabi, strategy: Strategy) -> None:
    """They come out of the loop, and out of the plan."""
    credentials: dict[str, Any] = {"client_id": fake.client_id, "client_secret": "wrong"}
    async with Kajabi(**credentials, base_url=fake.base_url, retry=ONCE) as api:
        with pytest.raises(AuthenticationError):
            await api.customers.get_many(range(1, 100), strategy=strategy).report()
        with pytest.raises(AuthenticationError):
            await api.customers.plan(range(1, 100))
    assert fake.counts["customers.get"] == fake.counts["customers.list"] == 0


async def test_the_list_of_the_clients_site_is_scanned_and_others_are_looked_up() -> None:
    """A lookup knows no site, so neither does what is found."""
    async with FakeKajabi(customers=60, sites=2) as fake, client_of(fake, site_id="1") as api:
        of_site = {row.id async for row in api.customers.list()}
        assert 0 < len(of_site) < 60
        fake.reset_counts()
        assert (await api.customers.get_many(range(1, 61), strategy="scan").report()).found == 60
        assert fake.counts["customers.get"] == 60 - len(of_site)
        assert fake.requests[0].query["filter[site_id]"] == ["1"]


@pytest.mark.parametrize("steps", range(0, 60, 7))
async def test_leaving_the_loop_leaves_no_task(steps: int) -> None:
    """Wherever it happens to stand, among pages that are under way or between them."""

    async def consume() -> None:
        async for _ in Customers(context(_listing(last=5, measured=True))).get_many(range(10, 60), strategy="scan"):
            await asyncio.sleep(0)

    before = asyncio.all_tasks()
    task = asyncio.create_task(consume())
    for _ in range(steps):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    for _ in range(5):
        await asyncio.sleep(0)
    assert asyncio.all_tasks() <= before


def _page(number: int, following: int | None, meta: dict[str, int]) -> dict[str, Any]:
    link = f"https://api.kajabi.com/v1/customers?page%5Bnumber%5D={following}&page%5Bsize%5D=100"
    rows = [resource("customers", str(number * 10 + each)) for each in range(10)]
    return {"data": rows, "meta": meta, "links": {} if following is None else {"next": link}}


def _listing(last: int, *, after_last: int | None = None, measured: bool = False) -> Canned:
    """A list of ten rows to a page, with next links, and with its length only if *measured*."""
    meta = {"total_pages": last, "total_count": 10 * last} if measured else {}

    def respond(request: Any) -> Any:
        if request.path != "/v1/customers":
            return {"data": resource("customers", request.path.rpartition("/")[2])}
        number = int(request.query.partition("page%5Bnumber%5D=")[2].partition("&")[0])
        return _page(number, number + 1 if number < last else after_last, meta)

    return Canned(respond)


async def test_a_list_of_unknown_length_can_be_scanned_and_not_planned() -> None:
    """``"scan"`` follows the links; ``"auto"`` looks up after the first page."""
    requested = range(10, 60)
    send = _listing(last=5)
    assert (await Customers(context(send)).get_many(requested, strategy="scan").report()).requests == 5
    send = _listing(last=5)
    assert (await Customers(context(send)).get_many(requested, strategy="auto").report()).requests == 1 + 40
    plan = await Customers(context(_listing(last=5))).plan(requested)
    assert (plan.strategy, plan.because) == ("lookup", "the server does not say how long the list is")


async def test_a_link_that_leads_back_ends_the_scan() -> None:
    """The rest is looked up, instead of going round for ever."""
    send = _listing(last=3, after_last=2)
    report = await Customers(context(send)).get_many(range(10, 60), strategy="scan").report()
    assert (report.found, report.requests) == (50, 3 + 20)


async def test_a_list_that_cannot_bring_what_is_requested_is_not_scanned(api: Kajabi, fake: FakeKajabi) -> None:
    """Fields of hooks cannot be restricted in the list, so ``"scan"`` is an error that says so."""
    fields: Fieldsets = {"hooks": ["event"]}
    with pytest.raises(InvalidArgumentError, match="no list of hooks brings what is asked for"):
        api.hooks.get_many(["1"], fields=fields, strategy="scan")
    hooks = [hook.id async for hook in api.hooks.list()]
    fake.reset_counts()
    await api.hooks.get_many([*hooks, "1", "2", "3", "4"], fields=fields, strategy="auto").report()
    assert fake.counts["hooks.list"] == 0
    plan = await api.hooks.plan(range(1, 10), fields=fields)
    assert (plan.strategy, plan.because) == ("lookup", "no list brings what is asked for")


async def test_what_cannot_be_listed_is_looked_up() -> None:
    """A resource of your own may be readable by id alone."""

    class Readable(Gettable[Customer]):
        name = "customers"
        model = Customer

    operations = Readable(context(_listing(last=1)))
    assert (await operations.get_many(range(10), strategy="auto").report()).found == 10
    plan = await operations.plan(range(10))
    assert (plan.because, plan.asked) == ("no list brings what is asked for", 0)


@pytest.mark.parametrize("strategy", ["", "SCAN", None, 1])
def test_there_are_three_strategies(strategy: Any) -> None:
    """The text names them."""
    with pytest.raises(InvalidArgumentError, match="strategy must be one of lookup, scan, auto"):
        Customers(context(Canned({}))).get_many(["1"], strategy=strategy)


@pytest.mark.parametrize("ids", ["123", b"123", 5, None])
def test_what_is_no_iterable_of_ids_is_refused_at_once(ids: Any) -> None:
    """One string would be taken apart into its characters."""
    with pytest.raises(InvalidArgumentError, match="iterable of ids"):
        Customers(context(Canned({}))).get_many(ids, strategy="scan")


async def test_random_lists_and_faults_lose_and_double_nothing() -> None:
    """Whatever fails, in either order: one outcome for each id, and what exists is found."""
    rng = random.Random(4)
    async with FakeKajabi(customers=450) as fake:
        for _ in range(12):
            order = fake.inject(_OnPages(*rng.sample(range(1, 6), 2)), times=None, path="customers.list")
            ids = rng.choices(range(1, 600), k=rng.randrange(1, 400))
            strategy: Strategy = rng.choice(["scan", "auto"])
            ordered = rng.random() < 0.5
            async with client_of(fake, retry=ONCE, concurrency=rng.randrange(1, 20), clock=ManualClock()) as api:
                outcomes = [each async for each in api.customers.get_many(ids, ordered=ordered, strategy=strategy)]
            order.cancel()
            given = [int(each.id) for each in outcomes]
            assert given == ids if ordered else sorted(given) == sorted(ids)
            assert all(isinstance(each, Found) == (int(each.id) <= 450) for each in outcomes)
