"""What looking up many ids costs by each strategy, counted at the fake, over a grid of sizes."""

import math
import random
from collections.abc import AsyncIterator, Callable

import attrs
import pytest

from kajabi_async import Kajabi, LookupPlan
from kajabi_async.fetching.plan import Strategy
from kajabi_async.testing import FakeKajabi
from tests.resources.fakes import client_of

TOTALS = (0, 1, 100, 101, 250, 1000, 3000)
WANTED = (0, 1, 2, 3, 9, 10, 30, 100, 300, 1000)
NAMES = {"customers": ["name"]}
WITHIN = 1.1
"""The bar: a tenth more than the better of the two strategies."""


@attrs.frozen
class Costs:
    lookup: int
    scan: int
    auto: int
    plan: LookupPlan
    wanted: int

    @property
    def better(self) -> int:
        return min(self.lookup, self.scan)

    @property
    def planned(self) -> int:
        """What the strategy costs that the plan chose."""
        return self.scan if self.plan.strategy == "scan" else self.lookup

    @property
    def bar(self) -> int:
        """In whole requests: where the better one takes fewer than ten, the one that tells which it is may be spent."""
        return self.better if self.wanted < 2 else math.ceil(self.better * WITHIN)


def _newest(total: int, wanted: int) -> list[int]:
    return [*range(max(1, total - wanted + 1), total + 1), *_missing(wanted - total)]


def _oldest(total: int, wanted: int) -> list[int]:
    return list(range(1, wanted + 1))


def _scattered(total: int, wanted: int) -> list[int]:
    drawn = random.Random(total * 10_000 + wanted).sample(range(1, total + 1), min(total, wanted))
    return [*drawn, *_missing(wanted - total)]


def _half_of_them_missing(total: int, wanted: int) -> list[int]:
    return _scattered(total, wanted - wanted // 2) + _missing(wanted // 2)


def _with_gaps(total: int, wanted: int) -> list[int]:
    """As if half of all customers had been deleted, or belonged to somebody else."""
    return random.Random(wanted).sample(range(1, 2 * max(total, wanted) + 1), wanted)


def _missing(count: int) -> list[int]:
    return list(range(1_000_000, 1_000_000 + max(0, count)))


def _sizes(total: int, most: int) -> list[int]:
    return sorted({size for size in (*WANTED, total, total + 7) if size <= min(most, total + 7)})


@pytest.mark.parametrize(
    ("choose", "most"),
    [(_newest, 1000), (_oldest, 1000), (_scattered, 1000), (_half_of_them_missing, 300), (_with_gaps, 300)],
)
@pytest.mark.parametrize("total", TOTALS)
async def test_the_planner_is_within_a_tenth_of_the_better_strategy(
    total: int, choose: Callable[[int, int], list[int]], most: int
) -> None:
    """Whatever the size of the list, how many ids are wanted of it, where they stand, and whether they exist."""
    async with FakeKajabi(customers=total) as fake:
        for wanted in _sizes(total, most):
            ids = choose(total, wanted)
            random.Random(wanted).shuffle(ids)
            costs = await _costs(fake, ids, total)
            told = f"{wanted} of {total}: {costs}"
            assert costs.auto <= costs.bar, told
            assert costs.planned <= costs.bar, told
            assert costs.plan.lookup_requests == costs.lookup, told
            assert costs.plan.asked <= 1, told


@pytest.mark.parametrize("strategy", ["lookup", "scan", "auto"])
@pytest.mark.parametrize(("total", "wanted"), [(250, 0), (250, 1), (250, 257), (1000, 300)])
async def test_every_request_is_reported(total: int, wanted: int, strategy: Strategy) -> None:
    """What the report counts is what the fake has seen."""
    async with FakeKajabi(customers=total) as fake, client_of(fake) as api:
        report = await api.customers.get_many(_scattered(total, wanted), strategy=strategy).report()
        assert report.requests == _seen(fake)
        assert (report.total, report.missing) == (wanted, max(0, wanted - total))


async def test_most_of_a_long_list_is_eighty_times_fewer_requests() -> None:
    """40,000 wanted out of 50,000 is planned, and a fifth of that is done."""
    async with FakeKajabi(customers=50_000) as fake, client_of(fake) as api:
        plan = await api.customers.plan(range(5_001, 45_001))
    assert (plan.strategy, plan.lookup_requests) == ("scan", 40_000)
    assert plan.requests <= 500
    async with FakeKajabi(customers=10_000) as fake, client_of(fake) as api:
        report = await api.customers.get_many(range(1_001, 9_001), fields=NAMES, strategy="auto").report()
        assert report.found == 8_000
        assert report.requests == _seen(fake) <= 100


async def test_one_id_is_one_request(kajabi_fake: FakeKajabi, kajabi_api: Kajabi) -> None:
    """Nothing is asked of the list, neither by the plan nor by the run."""
    plan = await kajabi_api.customers.plan(["7"])
    assert (plan.strategy, plan.asked, plan.scan_requests) == ("lookup", 0, None)
    assert _seen(kajabi_fake) == 0
    await kajabi_api.customers.get_many(["7"], strategy="auto").report()
    assert kajabi_fake.counts["customers.get"] == _seen(kajabi_fake) == 1


async def test_the_page_that_tells_the_size_is_the_first_of_the_scan(fake_of_250: FakeKajabi) -> None:
    """The three pages of the list and nothing else are asked for, each once."""
    async with client_of(fake_of_250) as api:
        await api.customers.get_many(range(1, 251), strategy="auto").report()
    asked = [request.query["page[number]"] for request in fake_of_250.requests if request.operation != "oauth.token"]
    assert asked == [["1"], ["2"], ["3"]]


@pytest.fixture
async def fake_of_250() -> AsyncIterator[FakeKajabi]:
    async with FakeKajabi(customers=250) as fake:
        yield fake


async def _costs(fake: FakeKajabi, ids: list[int], total: int) -> Costs:
    async with client_of(fake) as api:
        plan = await api.customers.plan(ids, fields=NAMES)
    assert _seen(fake) == plan.asked
    return Costs(
        # That a lookup is one request for each id is told by `test_every_request_is_reported`.
        lookup=len(set(ids)),
        scan=await _cost(fake, ids, "scan", total),
        auto=await _cost(fake, ids, "auto", total),
        plan=plan,
        wanted=len(set(ids)),
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
