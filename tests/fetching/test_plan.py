"""What a plan says: requests, seconds at the client's pace, why, and what all that is worked out from."""

import copy
import pickle
from collections.abc import AsyncIterator, Callable
from typing import Any

import attrs
import pytest

from kajabi_async import InvalidIdError, Kajabi, LookupPlan, UnknownIncludeError
from kajabi_async.exchange import Answer, Request, Tally
from kajabi_async.fetching.plan import Speed, explained
from kajabi_async.resources.people import Customers
from kajabi_async.session import SessionStats
from kajabi_async.testing import FakeKajabi
from kajabi_async.testing.pagination import MetaShape
from tests.resources.fakes import client_of
from tests.sending import Canned, context, resource

PLAN = LookupPlan(
    strategy="scan",
    ids=40_000,
    list_rows=50_000,
    list_pages=500,
    lookup_requests=40_000,
    scan_requests=500,
    lookup_seconds=4_000.0,
    scan_seconds=50.0,
    because="the list has 50,000 rows on 500 pages; a scan takes all of it",
    estimated_from="50 at a time, 10.0 requests a second",
    asked=1,
)


def test_a_plan_can_be_read() -> None:
    """A line for each strategy, then the reason, then what the times are from."""
    assert str(PLAN).splitlines() == [
        "lookup  40,000 requests, about 67 min",
        "scan    500 requests, about 50 s, chosen",
        "because the list has 50,000 rows on 500 pages; a scan takes all of it",
        "times estimated from 50 at a time, 10.0 requests a second",
    ]
    unknown = attrs.evolve(PLAN, strategy="lookup", lookup_requests=1, scan_requests=None, lookup_seconds=None)
    assert str(unknown).splitlines()[:2] == ["lookup  1 request, chosen", "scan    unknown"]


def test_a_plan_gives_what_was_chosen() -> None:
    """So that a program need not look at the strategy."""
    assert (PLAN.requests, PLAN.seconds) == (500, 50.0)
    other = attrs.evolve(PLAN, strategy="lookup")
    assert (other.requests, other.seconds) == (40_000, 4_000.0)


def _through_pickle(plan: LookupPlan) -> LookupPlan:
    travelled: LookupPlan = pickle.loads(pickle.dumps(plan))
    return travelled


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, _through_pickle])
def test_a_plan_travels(duplicate: Callable[[LookupPlan], LookupPlan]) -> None:
    """Between processes, equal and frozen."""
    travelled = duplicate(PLAN)
    assert travelled == PLAN
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        travelled.ids = 1  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "under a second"),
        (0.99, "under a second"),
        (1.0, "about 1 s"),
        (119.0, "about 119 s"),
        (120.0, "about 2.0 min"),
        (150.0, "about 2.5 min"),
        (300.0, "about 5.0 min"),
        (600.0, "about 10 min"),
        (4_000.0, "about 67 min"),
        (7_200.0, "about 2.0 h"),
        (360_000.0, "about 100 h"),
    ],
)
def test_seconds_are_rounded_as_an_estimate_deserves(seconds: float, text: str) -> None:
    """In the unit that people would use."""
    assert explained(seconds) == text


SPEED = Speed(at_once=50, pages_at_once=16, per_second=None, lookup_seconds=0.1, page_seconds=0.4, answers=200)


def test_seconds_are_answer_times_over_what_goes_at_once() -> None:
    """A page takes as long as pages do, and fewer of them go at once."""
    assert SPEED.seconds_for(lookups=40_000, pages=0) == pytest.approx(80.0)
    assert SPEED.seconds_for(lookups=0, pages=500) == pytest.approx(32 * 0.4)
    assert SPEED.seconds_for(lookups=50, pages=16) == pytest.approx(0.5)
    assert SPEED.seconds_for(lookups=0, pages=0) == 0.0


def test_the_rate_limit_decides_if_it_is_the_slower_one() -> None:
    """However many are sent at once."""
    limited = attrs.evolve(SPEED, per_second=10.0)
    assert limited.seconds_for(lookups=40_000, pages=0) == pytest.approx(4_000.0)
    assert limited.seconds_for(lookups=100, pages=100) == pytest.approx(20.0)
    assert attrs.evolve(SPEED, per_second=10_000.0).seconds_for(lookups=40_000, pages=0) == pytest.approx(80.0)


def test_nothing_is_estimated_from_nothing() -> None:
    """Before the first answer, the time is estimated from a known rate alone."""
    nothing = attrs.evolve(SPEED, lookup_seconds=None, page_seconds=None, answers=0)
    assert nothing.seconds_for(lookups=10, pages=1) is None
    assert attrs.evolve(SPEED, lookup_seconds=None).seconds_for(lookups=10, pages=1) is None
    assert attrs.evolve(nothing, per_second=5.0).seconds_for(lookups=10, pages=0) == pytest.approx(2.0)
    assert str(nothing) == "50 at a time, nothing was answered yet"


def test_it_is_said_what_the_times_are_from() -> None:
    """The mean of a number of answers, or an estimate from the page."""
    assert str(SPEED) == "50 at a time, 0.100 s an answer, the mean of 200 so far, 0.400 s a page"
    guessed = attrs.evolve(SPEED, per_second=12.5, lookup_seconds=0.4, answers=0)
    assert str(guessed) == (
        "50 at a time, 12.5 requests a second, 0.400 s a page, a lookup assumed to take as long, as none was answered "
        "yet"
    )


class _Timed(Canned):
    """Takes two attempts of 0.4 s for each answer, as far as the tally says."""

    async def __call__(self, request: Request, *, tally: Tally | None = None, **settings: Any) -> Answer:
        if tally is not None:
            tally.attempts += 1
            tally.wire_seconds += 0.8
        return await super().__call__(request, tally=tally, **settings)


async def test_the_pace_of_the_client_is_what_is_planned_by() -> None:
    """Its concurrency, its rate limit, and the answers it has had."""
    page = {"data": [resource("customers", "1")], "meta": {"total_count": 50_000, "total_pages": 500}}
    link = "https://api.kajabi.com/v1/customers?page[number]=2"
    stats = SessionStats(attempts=400, wire_seconds=100.0, requests_per_second=20.0)
    send = _Timed({"/v1/customers": {**page, "links": {"next": link}}})
    customers = Customers(context(send, stats=lambda: stats, concurrency=10))
    plan = await customers.plan(range(10_000))
    assert plan.lookup_seconds == pytest.approx(500.0)
    assert plan.estimated_from == (
        "10 at a time, 20.0 requests a second, 0.250 s an answer, the mean of 400 so far, 0.400 s a page"
    )
    unlisted = await customers.plan([1, 2])
    assert unlisted.asked == 0
    assert unlisted.lookup_seconds == pytest.approx(0.25)
    assert unlisted.estimated_from.endswith("the mean of 400 so far, 0.250 s a page")
    first = await Customers(context(send)).plan(range(10_000))
    assert first.asked == 2
    assert first.lookup_seconds == pytest.approx(200 * 0.4)
    assert first.scan_seconds == pytest.approx(32 * 0.4)
    assert first.estimated_from == (
        "50 at a time, 0.400 s a page, a lookup assumed to take as long, as none was answered yet"
    )


async def test_of_two_strategies_that_cost_the_same_lookups_are_planned() -> None:
    """A lookup is the smaller request."""
    async with FakeKajabi(customers=250) as fake, client_of(fake) as api:
        plan = await api.customers.plan([1, 100, 250])
    assert (plan.strategy, plan.lookup_requests, plan.scan_requests) == ("lookup", 3, 3)


async def test_a_fixed_rate_is_planned_by_before_anything_was_sent(kajabi_fake: FakeKajabi) -> None:
    """100 requests a second, and no page is requested."""
    async with client_of(kajabi_fake, rate_limit=100) as api:
        plan = await api.customers.plan([1, 2])
    assert plan.lookup_seconds == pytest.approx(0.02)
    assert plan.asked == 0
    assert plan.because == "to ask how long the list is would take as many requests as it could save"


@pytest.mark.parametrize("meta", ["documented", "none", "total", "pages", "count", "pagination", "pages_without_count"])
async def test_every_shape_of_meta_states_the_size(meta: MetaShape) -> None:
    """By the number of rows, of pages, or the link to the last one."""
    async with FakeKajabi(customers=450, meta=meta) as fake, client_of(fake) as api:
        plan = await api.customers.plan(range(1, 451))
    assert (plan.strategy, plan.list_pages, plan.scan_requests) == ("scan", 5, 5)
    assert plan.list_rows == (None if meta in {"none", "pages_without_count"} else 450)
    rows = "" if plan.list_rows is None else "450 rows on "
    assert plan.because == f"the list has {rows}5 pages; a scan takes all of it"


async def test_page_sizes_that_are_clamped_are_planned_by() -> None:
    """The size of the first page counts, not the requested one."""
    async with FakeKajabi(customers=450, max_page_size=25, meta="total") as fake, client_of(fake) as api:
        plan = await api.customers.plan(range(1, 451))
        assert (plan.list_pages, plan.scan_requests) == (18, 18)
        assert (await api.customers.get_many(range(1, 451), strategy="auto").report()).requests == 18


async def test_duplicates_and_bad_ids_cost_nothing(kajabi_api: Kajabi) -> None:
    """Only different, valid ids are counted, from an async iterable as well."""

    async def ids() -> AsyncIterator[str]:
        for each in ("1", "1", "2", "a/b", "2"):
            yield each

    plan = await kajabi_api.customers.plan(ids())
    assert (plan.ids, plan.lookup_requests) == (2, 2)


async def test_no_ids_cost_no_requests(kajabi_api: Kajabi) -> None:
    """Nothing is sent, and that takes no time."""
    plan = await kajabi_api.customers.plan([])
    assert (plan.requests, plan.seconds, plan.asked) == (0, 0.0, 0)
    assert plan.because == "there is nothing to look up"
    with pytest.raises(StopAsyncIteration):
        await anext(aiter(kajabi_api.customers.get_many(["1"][:0], strategy="scan")))


async def test_the_reasons_have_the_numbers(kajabi_api: Kajabi, kajabi_fake: FakeKajabi) -> None:
    """Rows, pages, and lookups of what is not there."""
    assert len([row async for row in kajabi_api.customers.list(page_size=100)]) == 1000
    all_and_more = await kajabi_api.customers.plan(range(1, 1021))
    assert all_and_more.because == (
        "the list has 1,000 rows on 10 pages; a scan takes all of it, and 20 lookups of ids that are not there"
    )
    one_more = await kajabi_api.customers.plan(range(1, 1002))
    assert one_more.because.endswith("all of it, and 1 lookup of an id that is not there")
    newest = await kajabi_api.customers.plan(range(850, 1001))
    assert newest.because == (
        "the list has 1,000 rows on 10 pages; a scan takes 2 pages if ids go on as on the first page"
    )
    first = await kajabi_api.customers.plan(range(998, 1001))
    assert first.because == "the list has 1,000 rows on 10 pages; a scan takes 1 page"
    sites = await kajabi_api.sites.plan(["1", "1000", "1001", "1002"])
    assert "1 page; a scan takes all of it" in sites.because


async def test_mistakes_raise_before_anything_is_sent(kajabi_api: Kajabi, kajabi_fake: FakeKajabi) -> None:
    """As by get_many; a bad id is not an error of the plan."""
    with pytest.raises(UnknownIncludeError):
        await kajabi_api.customers.plan(["1"], include="offer")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    assert (await kajabi_api.customers.plan(["a/b"])).ids == 0
    with pytest.raises(InvalidIdError):
        await kajabi_api.customers.get("a/b")
    assert kajabi_fake.counts.total() == 0
