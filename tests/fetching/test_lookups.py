"""Bulk lookups: bounded, complete, and ended when their loop is left."""

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from itertools import chain
from typing import Any

import pytest

from kajabi_async import (
    Customer,
    DecodeError,
    Failed,
    InvalidArgumentError,
    Kajabi,
    NotFoundError,
    Progress,
    RetryPolicy,
    ServerError,
)
from kajabi_async.decoding.answers import read_resource
from kajabi_async.errors import AuthenticationError
from kajabi_async.exchange import Answer, Tally
from kajabi_async.fetching import backlog, id_source
from kajabi_async.fetching.lookups import Lookups
from kajabi_async.models.origin import Scope
from kajabi_async.testing import FakeKajabi
from tests.clocks import ManualClock


class Twice(list[str]):
    """Comes to the loop twice over."""

    def __iter__(self) -> Iterator[str]:
        return chain(super().__iter__(), super().__iter__())


class Source:
    """Looks customers up without a network; ids in a table fail as it says."""

    def __init__(self, failures: dict[str, Exception] | None = None, *, shuffled: random.Random | None = None) -> None:
        self.asked: list[str] = []
        self.at_once = self.most_at_once = 0
        self._failures = failures or {}
        self._shuffled = shuffled

    async def __call__(self, resource_id: str, tally: Tally) -> Customer:
        self.asked.append(resource_id)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            for _ in range(self._shuffled.randrange(1, 6) if self._shuffled else 1):
                await asyncio.sleep(0)
        finally:
            self.at_once -= 1
        tally.attempts += 1
        if resource_id in self._failures:
            raise self._failures[resource_id]
        body = b'{"data":{"type":"customers","id":"%b"}}' % resource_id.encode()
        return read_resource(body, cls=Customer, scope=Scope(), context="")


def _unread(body: bytes, resource_id: str) -> Customer:
    raise AssertionError(f"{resource_id} came as a customer, not as {body!r}")


def _as_customer(_: bytes, resource_id: str) -> Customer:
    body = b'{"data":{"type":"customers","id":"%b"}}' % resource_id.encode()
    return read_resource(body, cls=Customer, scope=Scope(), context="")


def _lookups(source: Source, ids: Any, *, concurrency: int = 10, **settings: Any) -> Lookups[Customer]:
    return Lookups(source, _unread, ids, concurrency=concurrency, clock=ManualClock(), **settings)


async def _no_tasks_left(before: set[Any]) -> bool:
    for _ in range(3):
        await asyncio.sleep(0)
    return asyncio.all_tasks() <= before


@pytest.mark.parametrize("ordered", [False, True])
async def test_every_id_gets_one_outcome(ordered: bool) -> None:
    """In either order nothing is lost and nothing doubled."""
    source = Source(shuffled=random.Random(1))
    run = _lookups(source, (str(number) for number in range(500)), ordered=ordered)
    ids = [lookup.id async for lookup in run]
    assert sorted(ids, key=int) == [str(number) for number in range(500)]
    assert not ordered or ids == sorted(ids, key=int)
    assert source.most_at_once == 10


async def test_ids_may_come_asynchronously() -> None:
    """One at a time, although many workers ask for the next."""

    async def numbers() -> AsyncIterator[int]:
        for number in range(50):
            await asyncio.sleep(0)
            yield number

    ids = [lookup.id async for lookup in _lookups(Source(), numbers())]
    assert sorted(ids, key=int) == [str(number) for number in range(50)]


@pytest.mark.parametrize("ordered", [False, True])
async def test_ids_are_read_no_further_than_twice_the_concurrency_ahead(ordered: bool) -> None:
    """A loop that is slow is not run away from."""
    taken = 0

    def ids() -> Iterator[int]:
        nonlocal taken
        for taken in range(1, 1001):  # noqa: UP028 - the loop variable is what is watched
            yield taken

    given = 0
    async for _ in _lookups(Source(shuffled=random.Random(2)), ids(), concurrency=5, ordered=ordered):
        given += 1
        for _ in range(30):
            await asyncio.sleep(0)
        assert taken <= given + 2 * 5 + 1
        if given == 40:
            break
    assert given == 40


async def test_ids_that_come_again_are_requested_once_and_answered_each_time() -> None:
    """Those in flight and the latest few thousand."""
    source = Source({"2": NotFoundError(status=404)})
    run = _lookups(source, ["1", "1", "2", *["3"] * 10, 1, "2"])
    outcomes = [lookup async for lookup in run]
    assert sorted(lookup.id for lookup in outcomes) == sorted(["1"] * 3 + ["2"] * 2 + ["3"] * 10)
    assert sorted(source.asked) == ["1", "2", "3"]
    report = await run.report()
    assert (report.total, report.found, report.missing, report.duplicates, report.requests) == (15, 13, 2, 12, 3)


async def test_an_id_whose_answer_was_empty_is_not_requested_again() -> None:
    """It fails each time, with the one answer."""
    requested: list[str] = []

    async def empty(resource_id: str, _: Tally) -> Answer:
        requested.append(resource_id)
        return Answer(200, {}, b"")

    def read(body: bytes, _: str) -> Customer:
        return read_resource(body, cls=Customer, scope=Scope(), context="")

    run: Lookups[Customer] = Lookups(empty, read, ["1", "2", "1", "1"], concurrency=1)
    outcomes = [lookup async for lookup in run]
    assert sorted((lookup.id, type(lookup.error)) for lookup in outcomes) == [
        *[("1", DecodeError)] * 3,
        ("2", DecodeError),
    ]
    assert requested == ["1", "2"]


async def test_only_the_latest_outcomes_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory grows with concurrency, not with ids."""
    monkeypatch.setattr(backlog, "RECENT_OUTCOMES", 20)
    run = _lookups(Source(), range(500))
    most = 0
    async for _ in run:
        most = max(most, len(run._run._backlog.recent) + len(run._run._backlog.in_flight))
    assert 20 <= most <= 20 + 10


@pytest.mark.parametrize(
    ("ids", "are_kept"),
    [
        (["1", "2", "3"], False),
        (("1", "2", "3"), False),
        (["1", "2", "1"], True),
        (["1", 1, "2"], True),
        ([1, 2, 3], True),
        ([["1"], "2"], True),
        (["1", "2", "3", "4"], True),
        (iter(["1", "2", "3"]), True),
        (Twice(["1", "2"]), True),
        ({"1": None, "2": None}, True),
    ],
)
async def test_no_outcome_is_kept_for_ids_that_are_sure_to_come_once(
    ids: Any, are_kept: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A list or tuple of not too many texts that all differ; from anything else an id may come again."""
    monkeypatch.setattr(id_source, "_MOST_COMPARED", 3)
    source = Source()
    run = _lookups(source, ids)
    kept = 0
    async for _ in run:
        kept = max(kept, len(run._run._backlog.recent))
    assert (kept > 0) is are_kept
    assert len(source.asked) == len(set(source.asked))


async def test_one_bad_id_never_ends_the_run() -> None:
    """Each failure is an outcome; only 404 is missing."""
    failures: dict[str, Exception] = {"2": NotFoundError(status=404), "3": ServerError(status=500)}
    ids = ["1", "2", "3", "../4", "", 5, None, True]
    outcomes = {lookup.id: lookup async for lookup in _lookups(Source(failures), ids)}
    assert {each for each, lookup in outcomes.items() if lookup.found} == {"1", "5"}
    assert {each for each, lookup in outcomes.items() if lookup.missing} == {"2"}
    failed = [lookup for lookup in outcomes.values() if isinstance(lookup, Failed)]
    assert {lookup.id for lookup in failed} == {"2", "3", "../4", "", "None", "True"}
    assert all(lookup.customer is None and lookup.resource is None for lookup in failed)


def _refused_credentials() -> AuthenticationError:
    error = AuthenticationError(status=401)
    error.at_token_endpoint = True
    return error


async def test_refused_credentials_end_the_run() -> None:
    """No other id could fare better."""
    source = Source({"3": _refused_credentials()})
    with pytest.raises(AuthenticationError):
        await _lookups(source, range(1000), concurrency=2).report()
    assert len(source.asked) < 10


async def test_an_iterable_that_raises_does_so_after_what_was_in_flight() -> None:
    """Nothing that was requested is lost."""

    def ids() -> Iterator[str]:
        yield from ("1", "2", "3")
        raise LookupError("no more")

    seen: list[str] = []
    with pytest.raises(LookupError, match="no more"):
        async for lookup in _lookups(Source(), ids(), concurrency=2):
            seen.append(lookup.id)  # noqa: PERF401 - what came before the error is checked
    assert sorted(seen) == ["1", "2", "3"]


async def test_a_defect_in_looking_up_is_raised_and_does_not_hang() -> None:
    """It is no outcome: nothing is known of the id."""
    with pytest.raises(ZeroDivisionError):
        await _lookups(Source({"2": ZeroDivisionError()}), range(10)).report()


async def test_an_error_is_raised_once_and_what_came_before_it_can_be_reported() -> None:
    """A caller that has handled it wants to know what was done."""
    run = _lookups(Source({"2": _refused_credentials()}), range(4), concurrency=1)
    with pytest.raises(AuthenticationError):
        async for _ in run:
            pass
    report = await run.report()
    assert (report.total, report.found) == (2, 2)


async def test_a_lookup_that_cancels_itself_does_not_hang_the_run() -> None:
    """No other lookup would ever answer that id."""
    with pytest.raises(asyncio.CancelledError):
        await _lookups(Source({"2": asyncio.CancelledError()}), range(10), concurrency=2).report()  # type: ignore[dict-item]


async def test_a_value_that_cannot_be_shown_is_named_by_its_type() -> None:
    """A number of more digits than Python prints is a bad id like any other."""

    class Unwilling:
        def __str__(self) -> str:
            raise RuntimeError

    given: list[Any] = [10**5000, Unwilling(), "7"]
    outcomes = [lookup async for lookup in _lookups(Source(), given, ordered=True)]
    assert [(lookup.id, lookup.found) for lookup in outcomes] == [("<int>", False), ("<Unwilling>", False), ("7", True)]


async def test_leaving_the_loop_leaves_no_task() -> None:
    """At once, without anything to close."""
    before = asyncio.all_tasks()
    run = _lookups(Source(), range(10_000))
    async for _ in run:
        break
    assert await _no_tasks_left(before)
    assert (await run.report()).total == 1


async def test_cancelling_the_report_leaves_no_task() -> None:
    """Awaiting the report runs the loop, and cancelling that ends it."""
    before = asyncio.all_tasks()
    source = Source()
    run = _lookups(source, (str(number) for number in range(100_000)))
    waiting = asyncio.create_task(run.report())
    while len(source.asked) < 50:
        await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert await _no_tasks_left(before)
    assert (await run.report()).total < 100_000


async def test_cancelling_the_loop_leaves_no_task() -> None:
    """Wherever it happens to stand."""

    async def consume() -> None:
        async for _ in _lookups(Source(shuffled=random.Random(3)), range(10_000)):
            await asyncio.sleep(0)

    before = asyncio.all_tasks()
    for steps in range(0, 60, 7):
        task = asyncio.create_task(consume())
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await _no_tasks_left(before)


async def test_an_error_in_the_loop_leaves_no_task() -> None:
    """Neither does closing by hand, which waits."""
    before = asyncio.all_tasks()
    with pytest.raises(KeyError):
        async for lookup in _lookups(Source(), range(1000)):
            raise KeyError(lookup.id)
    assert await _no_tasks_left(before)
    run = _lookups(Source(), range(1000))
    iterator = aiter(run)
    await anext(iterator)
    await run.aclose()
    assert asyncio.all_tasks() == before


async def test_waiting_for_one_outcome_may_be_cancelled_and_resumed() -> None:
    """Cancelling ``anext`` does not leave the loop."""
    iterator = aiter(_lookups(Source(shuffled=random.Random(4)), range(20)))
    waiting = asyncio.ensure_future(anext(iterator))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert len([lookup async for lookup in iterator]) == 20


async def test_a_report_runs_what_was_not_run() -> None:
    """Counts, requests and times of the whole run."""
    report = await _lookups(Source({"7": NotFoundError(status=404)}), range(20)).report()
    assert (report.total, report.found, report.missing, report.failed) == (20, 19, 1, 0)
    assert report.requests == 20
    assert report.elapsed_seconds > 0


async def test_an_observer_is_notified_of_every_outcome() -> None:
    """With the counts so far."""
    results: list[Progress] = []
    await _lookups(Source({"1": NotFoundError(status=404)}), ["0", "1", "x/y", "0"], observer=results.append).report()
    assert [progress.given for progress in results] == [1, 2, 3, 4]
    last = results[-1]
    assert (last.found, last.missing, last.failed, last.duplicates) == (2, 1, 1, 1)


async def test_no_ids_are_no_outcomes() -> None:
    """And a report of zeros."""
    assert [lookup async for lookup in _lookups(Source(), [])] == []
    assert (await _lookups(Source(), iter(())).report()).total == 0


@pytest.mark.parametrize("ids", ["123", b"123", 5, None])
def test_what_is_no_iterable_of_ids_is_refused(ids: Any) -> None:
    """One string would be taken apart into its characters."""
    with pytest.raises(InvalidArgumentError, match="iterable of ids"):
        _lookups(Source(), ids)


@pytest.mark.parametrize("concurrency", [0, -1, True, 1.5, "3", 10**10])
def test_concurrency_is_a_whole_number_of_at_least_one(concurrency: Any) -> None:
    """Zero would never end."""
    with pytest.raises(InvalidArgumentError, match="concurrency"):
        _lookups(Source(), [], concurrency=concurrency)


async def test_a_run_is_used_once_and_not_by_a_plain_for() -> None:
    """Its ids may be gone; the text says what to do."""
    run = _lookups(Source(), range(3))
    assert len([lookup async for lookup in run]) == 3
    with pytest.raises(InvalidArgumentError, match="used once"):
        aiter(run)
    untyped: Any = run
    with pytest.raises(TypeError, match="async for"):
        iter(untyped)


async def test_a_run_whose_report_was_awaited_has_been_used() -> None:
    """Its ids are gone."""
    run = _lookups(Source(), range(3))
    await run.report()
    with pytest.raises(InvalidArgumentError, match="used once"):
        aiter(run)


async def test_bodies_kept_for_ids_that_come_again_are_bounded_by_bytes() -> None:
    """A few MiB in all, however large each is; what is not kept is requested again."""
    requested: list[str] = []

    async def large(resource_id: str, _: Tally) -> Answer:
        requested.append(resource_id)
        return Answer(200, {}, bytes(200_000 if int(resource_id) < 100 else 10_000_000))

    run: Lookups[Customer] = Lookups(large, _as_customer, [*range(100), 99, 0, 200, 200], concurrency=1)
    most = 0
    async for _ in run:
        kept = run._run._backlog.recent
        bodies = [*kept._latest.values(), *kept._before.values()]
        most = max(most, sum(len(body) for body in bodies if isinstance(body, bytes)))
    assert 2 * 2**20 < most <= backlog.RECENT_BYTES
    assert requested == [*map(str, range(100)), "0", "200", "200"]


@pytest.mark.parametrize("ordered", [False, True])
async def test_bodies_that_wait_for_a_slow_loop_are_bounded_by_bytes(ordered: bool) -> None:
    """Not by their number alone, which grows with the concurrency."""

    async def large(resource_id: str, _: Tally) -> Answer:
        await asyncio.sleep(0)
        return Answer(200, {}, bytes(1_000_000))

    run: Lookups[Customer] = Lookups(large, _as_customer, range(600), concurrency=100, ordered=ordered)
    given = 0
    async for _ in run:
        for _ in range(20 if given < 20 else 1):
            await asyncio.sleep(0)
        waiting = sum(len(body) for _, _, body in run._run._backlog.arrived if isinstance(body, bytes))
        # Those under way when there was enough come on top.
        assert waiting <= 32 * 2**20 + 100 * 1_000_000
        given += 1
    assert given == 600
    assert run._run._backlog.large_bytes == 0


async def test_workers_end_with_the_ids_though_no_outcome_is_taken() -> None:
    """A loop that is slow at the end keeps no idle tasks."""
    run = _lookups(Source(), range(15), concurrency=10)
    iterator = aiter(run)
    await anext(iterator)
    for _ in range(20):
        await asyncio.sleep(0)
    assert not run._run._workers
    assert len([lookup async for lookup in iterator]) == 14


async def test_a_hundred_lookups_at_once_have_the_time_of_each_to_themselves(kajabi_fake: FakeKajabi) -> None:
    """The client sends fewer at once: the time in its queue does not count."""
    kajabi_fake.latency = 0.05
    async with Kajabi(
        client_id=kajabi_fake.client_id,
        client_secret=kajabi_fake.client_secret,
        base_url=kajabi_fake.base_url,
        concurrency=4,
        timeout=1.0,
    ) as api:
        report = await api.customers.get_many(range(1, 101), concurrency=100).report()
    assert (report.found, report.failed, report.retries) == (100, 0, 0)


async def test_stress_with_random_delays_failures_and_exits() -> None:
    """In every case it ends, and no task is left."""
    rng = random.Random(20)
    before = asyncio.all_tasks()
    for _ in range(60):
        count = rng.randrange(60)
        failures: dict[str, Exception] = {str(rng.randrange(60)): ServerError(status=500) for _ in range(5)}
        ids = [rng.randrange(60) for _ in range(count)]
        stop = rng.randrange(80)
        given = 0
        run = _lookups(Source(failures, shuffled=rng), ids, concurrency=rng.randrange(1, 9), ordered=rng.random() < 0.5)
        async for _lookup in run:
            given += 1
            if given == stop:
                break
        assert given == min(count, stop or count)
        assert await _no_tasks_left(before)


async def test_four_hundred_lookups_on_a_cold_client_cost_one_token(kajabi_fake: FakeKajabi) -> None:
    """Again one after the key was rotated; cancelling half the callers changes nothing for the rest."""
    async with Kajabi(
        client_id=kajabi_fake.client_id, client_secret=kajabi_fake.client_secret, base_url=kajabi_fake.base_url
    ) as api:
        await asyncio.gather(*(api.customers.get(number % 200 + 1) for number in range(400)))
        assert kajabi_fake.counts["oauth.token"] == 1
        kajabi_fake.rotate_key()
        kajabi_fake.reset_counts()
        tasks = [asyncio.create_task(api.customers.get(number % 200 + 1)) for number in range(400)]
        await asyncio.sleep(0)
        for task in tasks[::2]:
            task.cancel()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        assert sum(isinstance(outcome, Customer) for outcome in outcomes) == 200
        assert kajabi_fake.counts["oauth.token"] == 1


async def test_a_wrong_secret_costs_one_token_request_and_ends_the_run(kajabi_fake: FakeKajabi) -> None:
    """Not one for each id."""
    async with Kajabi(
        client_id=kajabi_fake.client_id,
        client_secret="wrong",
        base_url=kajabi_fake.base_url,
        retry=RetryPolicy(max_attempts=1),
    ) as api:
        with pytest.raises(AuthenticationError, match="KAJABI_CLIENT_SECRET"):
            await api.customers.get_many(range(1, 10_000)).report()
    assert kajabi_fake.counts["oauth.token"] <= 50
