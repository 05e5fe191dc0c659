"""What looking up many ids costs by each strategy, counted at the fake, over a grid of sizes."""

import math
import random
from collections.abc import AsyncIterator, Callable

import attrs
import pytest

from kajabi_async import Kajabi, LookupPlan
from kajabi_async.fetching.plan import Strategy
from kajabi_async.models.names import Fieldsets
from kajabi_async.testing import FakeKajabi
from tests.resources.fakes import client_of

TOTALS = (0, 1, 100, 101, 250, 1000, 3000)
REQUESTED = (0, 1, 2, 3, 9, 10, 30, 100, 300, 1000)
NAMES: Fieldsets = {"customers": ["name"]}
WITHIN = 1.1
"""The bar: a tenth more than the better of the two strategies."""


@attrs.frozen
class Costs:
    lookup: int
    scan: int
    auto: int
    plan: LookupPlan
    requested: int

    @property
    def better(self) -> int:
        return min(self.lookup, self.scan)

    @property
    def planned(self) -> int:
        """What the strategy costs that the plan chose."""
        return self.scan if self.plan.strategy == "scan" else self.lookup

    @property
    def bar(self) -> int:
        """In whole requests: if the better one takes fewer than ten, one may be spent to find out which it is."""
        return self.better if self.requested < 2 else math.ceil(self.better * WITHIN)


def _newest(total: int, requested: int) -> list[int]:
    return [*range(max(1, total - requested + 1), total + 1), *_missing(requested - total)]


def _oldest(total: int, requested: int) -> list[int]:
    return list(range(1, requested + 1))


def _scattered(total: int, requested: int) -> list[int]:
    drawn = random.Random(total * 10_000 + requested).sample(range(1, total + 1), min(total, requested))
    return [*drawn, *_missing(requested - total)]


def _half_of_them_missing(total: int, requested: int) -> list[int]:
    return _scattered(total, requested - requested // 2) + _missing(requested // 2)


def _with_gaps(total: int, requested: int) -> list[int]:
    """As if half of all customers had been deleted, or belonged to another site."""
    return random.Random(requested).sample(range(1, 2 * max(total, requested) + 1), requested)


def _missing(count: int) -> list[int]:
    return list(range(1_000_000, 1_000_000 + max(0, count)))


def _sizes(total: int, most: int) -> list[int]:
    return sorted({size for size in (*REQUESTED, total, total + 7) if size <= min(most, total + 7)})


@pytest.mark.parametrize(
    ("choose", "most"),
    [(_newest, 1000), (_oldest, 1000), (_scattered, 1000), (_half_of_them_missing, 300), (_with_gaps, 300)],
)
@pytest.mark.parametrize(
    "total", [pytest.param(each, marks=pytest.mark.thorough if each > 100 else ()) for each in TOTALS]
)
async def test_the_planner_is_within_a_tenth_of_the_better_strategy(
    total: int, choose: Callable[[int, int], list[int]], most: int
) -> None:
    """For every size of the list, number of ids, their places in it, and whether they exist."""
    async with FakeKajabi(customers=total) as fake:
        sizes = _sizes(total, most)
        assert len(sizes) > 1
        for requested in sizes:
            ids = choose(total, requested)
            random.Random(requested).shuffle(ids)
            costs = await _costs(fake, ids, total)
            results = f"{requested} of {total}: {costs}"
            assert costs.auto <= costs.bar, results
            assert costs.planned <= costs.bar, results
            assert costs.plan.lookup_requests == costs.lookup, results
            assert costs.plan.asked <= 1, results


@pytest.mark.parametrize("strategy", ["lookup", "scan", "auto"])
@pytest.mark.parametrize(("total", "requested"), [(250, 0), (250, 1), (250, 257), (1000, 300)])
async def test_every_request_is_reported(total: int, requested: int, strategy: Strategy) -> None:
    """What the report counts is what the fake has seen."""
    async with FakeKajabi(customers=total) as fake, client_of(fake) as api:
        report = await api.customers.get_many(_scattered(total, requested), strategy=strategy).report()
        assert report.requests == _seen(fake)
        assert (report.total, report.missing) == (requested, max(0, requested - total))


async def test_most_of_a_long_list_is_eighty_times_fewer_requests() -> None:
    """40,000 ids out of 50,000 are planned, and a tenth of that is run."""
    async with FakeKajabi(customers=50_000) as fake, client_of(fake) as api:
        plan = await api.customers.plan(range(5_001, 45_001))
    assert (plan.strategy, plan.lookup_requests) == ("scan", 40_000)
    assert plan.requests <= 500
    async with FakeKajabi(customers=5_000) as fake, client_of(fake) as api:
        report = await api.customers.get_many(range(501, 4_501), fields=NAMES, strategy="auto").report()
        assert report.found == 4_000
        assert report.requests == _seen(fake) <= 50


async def test_one_id_is_one_request(kajabi_fake: FakeKajabi, kajabi_api: Kajabi) -> None:
    """The list is not requested, neither by the plan nor by the run."""
    plan = await kajabi_api.customers.plan(["7"])
    assert (plan.strategy, plan.asked, plan.scan_requests) == ("lookup", 0, None)
    assert _seen(kajabi_fake) == 0
    await kajabi_api.customers.get_many(["7"], strategy="auto").report()
    assert kajabi_fake.counts["customers.get"] == _seen(kajabi_fake) == 1


async def test_the_page_that_states_the_size_is_the_first_of_the_scan(fake_of_250: FakeKajabi) -> None:
    """The three pages of the list and nothing else are requested, each once."""
    async with client_of(fake_of_250) as api:
        await api.customers.get_many(range(1, 251), strategy="auto").report()
    numbers = [request.query["page[number]"] for request in fake_of_250.requests if request.operation != "oauth.token"]
    assert numbers == [["1"], ["2"], ["3"]]


@pytest.fixture
async def fake_of_250() -> AsyncIterator[FakeKajabi]:
    async with FakeKajabi(customers=250) as fake:
        yield fake


async def _costs(fake: FakeKajabi, ids: list[int], total: int) -> Costs:
    async with client_of(fake) as api:
        plan = await api.customers.plan(ids, fields=NAMES)
    assert _seen(fake) == plan.asked
    return Costs(
        # `test_every_request_is_reported` shows that a lookup is one request for each id.
        lookup=len(set(ids)),
        scan=await _cost(fake, ids, "scan", total),
        auto=await _cost(fake, ids, "auto", total),
        plan=plan,
        requested=len(set(ids)),
    )


async def _cost(fake: FakeKajabi, ids: list[int], strategy: Strategy, total: int) -> int:
    fake.reset_counts()
    async with client_of(fake) as api:
        report = await api.customers.get_many(ids, fields=NAMES, strategy=strategy).report()
    there = sum(each <= total for each in ids)
    assert (report.total, report.found, report.missing) == (len(ids), there, len(ids) - there)
    seen = _seen(fake)
    fake.reset_counts()
    return seen


def _seen(fake: FakeKajabi) -> int:
    return sum(number for name, number in fake.counts.items() if not name.startswith("oauth."))
