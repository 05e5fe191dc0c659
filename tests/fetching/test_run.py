"""The engine of a run: what it waits for, what it says when it ends, and what it has ended by then."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import nullcontext
from typing import Any

import pytest

from kajabi_async import (
    AuthenticationError,
    BulkStalledError,
    ClientClosedError,
    Customer,
    InvalidArgumentError,
    NotFoundError,
    Progress,
    RateLimitError,
    ServerError,
)
from kajabi_async.errors import KajabiError
from kajabi_async.exchange import Answer, Tally
from kajabi_async.fetching.email_outcomes import EMAILS, EmailFound, Matches
from kajabi_async.fetching.lookups import EmailLookups, Lookups
from kajabi_async.fetching.run import Scanning
from kajabi_async.stall import Stall, Stalls
from tests.fetching.outages import Api, failed, ids, lookups, outcomes, read, refused
from tests.models.building import build
from tests.virtual_time import LoopClock, virtually


def _answer(resource_id: str) -> Answer:
    return Answer(200, {}, b'{"data":{"type":"customers","id":"%b"}}' % resource_id.encode())


def _task_names() -> list[str]:
    current = asyncio.current_task()
    return sorted(task.get_name() for task in asyncio.all_tasks() if task is not current)


@pytest.mark.parametrize("failure", [None, refused()], ids=repr)
def test_a_run_that_stalls_for_good_says_how_far_it_came(failure: KajabiError | None) -> None:
    """With the patience that was kept, and the latest failure if there was one."""

    async def run() -> None:
        async def look_up(resource_id: str, _: Tally) -> Answer:
            if int(resource_id) > 1200:
                if failure is not None:
                    raise failure
                await asyncio.sleep(1e6)
            return _answer(resource_id)

        with pytest.raises(BulkStalledError) as raised:
            await lookups(look_up, ids(1500), patience=2.5, concurrency=2).report()
        error = raised.value
        end = "" if failure is None else f"; the latest failure: {failure}"
        assert str(error) == (
            "nothing was answered for 2.5 s, pauses that the API asked for not counted: 1,200 ids have an outcome, "
            f"{len(error.unanswered)} of those taken have none (.unanswered){end}"
        )
        assert error.answered == 1200
        assert error.unanswered == tuple(ids(1500)[1200 : 1200 + len(error.unanswered)])
        assert error.cause is error.__cause__ is failure

    virtually(run())


def test_a_run_over_emails_says_so() -> None:
    """In the error, and by the outcome of each."""

    async def run() -> None:
        async def look_up(key: str, _: Tally) -> Any:
            if key == "bob@x.y":
                raise refused()
            return Matches((build(Customer, id="7"),))

        settings: dict[str, Any] = {"concurrency": 1, "patience": 5.0, "clock": LoopClock(), "naming": EMAILS}
        emails: EmailLookups[Customer] = EmailLookups(look_up, read, ["Ada@x.y", " BOB@x.y"], **settings)
        iterator = aiter(emails)
        outcome = await anext(iterator)
        assert isinstance(outcome, EmailFound)
        assert (outcome.email, outcome.resource.id) == ("Ada@x.y", "7")
        with pytest.raises(BulkStalledError, match="1 emails have an outcome") as raised:
            await emails.report()
        assert raised.value.unanswered == emails.unanswered == (" BOB@x.y",)
        with pytest.raises(InvalidArgumentError, match=r"call find_many\(\) again for another"):
            aiter(emails)

    virtually(run())


def test_closing_waits_for_the_end_of_everything() -> None:
    """Tasks that end slowly, and the source, which is closed after those that read it have ended."""

    async def run() -> None:
        events: list[str] = []

        async def numbers() -> AsyncIterator[str]:
            try:
                for each in ids(100):
                    yield each
                    await asyncio.sleep(0.001)
            finally:
                await asyncio.sleep(0.5)
                events.append("source")

        async def look_up(resource_id: str, _: Tally) -> Answer:
            try:
                await asyncio.sleep(0.0 if resource_id == "1" else 100.0)
            finally:
                if resource_id != "1":
                    await asyncio.sleep(0.1)
                    events.append("lookup")
            return _answer(resource_id)

        started = lookups(look_up, numbers(), concurrency=3)
        iterator = aiter(started)
        assert (await anext(iterator)).id == "1"
        await asyncio.sleep(0.05)
        assert set(_task_names()) == {"kajabi_async lookup", "kajabi_async patience"}
        await started.aclose()
        assert events == ["lookup"] * 3 + ["source"]
        assert _task_names() == []
        await started.aclose()
        assert len(events) == 4

    virtually(run())


def test_an_abandoned_source_is_closed_by_a_task_of_its_own() -> None:
    """The loop that was left does not wait for it."""

    async def run() -> None:
        async def numbers() -> AsyncIterator[str]:
            try:
                for each in ids(100):
                    yield each
            finally:
                await asyncio.sleep(0.5)

        async for _ in lookups(Api(), numbers(), concurrency=1):
            break
        await asyncio.sleep(0.2)
        assert _task_names() == ["kajabi_async source"]
        await asyncio.sleep(0.5)
        assert _task_names() == []

    virtually(run())


class _Source(AsyncGenerator[str]):
    """Three ids, and then the end or a failure."""

    def __init__(self, end: Exception) -> None:
        self.left, self.end, self.closed = ids(3), end, 0

    async def asend(self, _: object) -> str:
        if self.left:
            return self.left.pop(0)
        raise self.end

    async def athrow(self, *_: object) -> str:
        raise NotImplementedError

    async def aclose(self) -> None:
        self.closed += 1


@pytest.mark.parametrize("end", [StopAsyncIteration(), LookupError("gone")], ids=repr)
def test_a_source_that_was_read_to_its_end_is_not_closed_again(end: Exception) -> None:
    """Nor is one that failed: it has closed itself."""

    async def run() -> None:
        source = _Source(end)
        started = lookups(Api(), source)
        results: list[str] = []
        with pytest.raises(LookupError) if isinstance(end, LookupError) else nullcontext():
            async for lookup in started:
                results.append(lookup.id)  # noqa: PERF401 - what came before the failure is checked
        assert sorted(results) == ids(3)
        await started.aclose()
        assert source.closed == 0

    virtually(run())


def test_a_client_that_is_closed_ends_a_run_that_waits() -> None:
    """With everything that has no outcome in its ``unanswered``."""

    async def run() -> None:
        stalls = Stalls()
        started = lookups(Api(lambda _, __: refused()), ids(50), concurrency=2, stalls=stalls)
        reporting = asyncio.ensure_future(started.report())
        await asyncio.sleep(1.0)
        stalls.end()
        with pytest.raises(ClientClosedError):
            await reporting
        assert started.unanswered[:2] == ("1", "2")
        await asyncio.sleep(0.1)
        assert _task_names() == []

    virtually(run())


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"concurrency": 0}, "concurrency must be"),
        ({"ordered": "yes"}, "ordered must be"),
        ({"observer": 5}, "observer must be"),
        ({"patience": 0}, "patience must be"),
    ],
)
def test_an_option_that_makes_no_sense_is_named(options: dict[str, Any], problem: str) -> None:
    """Before anything is taken from the source."""

    async def run() -> None:
        source = iter(ids(3))
        with pytest.raises(InvalidArgumentError, match=f"^{problem}"):
            lookups(Api(), source, **options)
        assert list(source) == ids(3)
        with pytest.raises(InvalidArgumentError, match="iterable of emails"):
            lookups(Api(), "ada@x.y", naming=EMAILS)

    virtually(run())


def test_a_run_is_used_once() -> None:
    """Its loop or its report; the text names the call."""

    async def run() -> None:
        reported = lookups(Api(), ids(2))
        assert repr(reported) == "<Lookups: not started>"
        assert (await reported.report()).found == 2
        assert repr(reported) == "<Lookups: 2 outcomes; 2 found, 0 missing, 0 failed>"
        with pytest.raises(InvalidArgumentError, match=r"is used once; call get_many\(\) again for another"):
            aiter(reported)

    virtually(run())


def test_credentials_that_are_refused_end_a_run() -> None:
    """Their error is raised, after what was answered; the rest has no outcome."""

    async def run() -> None:
        refusal = AuthenticationError(status=401)
        refusal.at_token_endpoint = True
        started = lookups(Api(lambda each, _: refusal if each == "3" else None), ids(9), concurrency=1)
        results: list[str] = []
        with pytest.raises(AuthenticationError) as raised:
            async for lookup in started:
                results.append(lookup.id)  # noqa: PERF401 - what came before the error is checked
        assert raised.value is refusal
        assert (results, list(started.unanswered)) == (["1", "2"], ["3"])

    virtually(run())


def test_an_observer_sees_a_pause_and_its_end() -> None:
    """In seconds since the epoch; None again once all go on."""

    async def run() -> None:
        seen: list[Progress] = []
        once = iter([RateLimitError(status=429, retry_after=20.0)])
        await lookups(Api(lambda _, __: next(once, None)), ids(2), concurrency=1, observer=seen.append).report()
        paused = [each for each in seen if each.paused_until is not None]
        assert paused
        for each in paused:
            assert each.stalled_since is not None
            assert each.paused_until is not None
            assert each.paused_until - each.stalled_since == pytest.approx(20.0)
        assert (seen[-1].stalled_since, seen[-1].paused_until, seen[-1].given) == (None, None, 2)

    virtually(run())


class _Scan:
    """Ids beside those that the run takes."""

    def __init__(self) -> None:
        self.stall: Stall | None = None

    def join(self, stall: Stall) -> None:
        self.stall = stall

    def unanswered(self, taken: list[Any]) -> list[Any]:
        return [*taken, "more"]


def test_a_scan_waits_with_the_run_and_adds_what_it_has_read() -> None:
    """To what has no outcome, whenever that is asked for."""

    async def run() -> None:
        scan: Scanning = _Scan()
        started = lookups(Api(lambda _, __: refused()), ids(2), patience=5.0, scan=scan)
        assert isinstance(scan.stall, Stall)  # type: ignore[attr-defined]
        assert list(started.unanswered) == ["more"]
        with pytest.raises(BulkStalledError) as raised:
            await started.report()
        assert raised.value.unanswered == started.unanswered == ("1", "2", "more")

    virtually(run())


def test_the_totals_include_what_was_retried_and_how_long_it_waited() -> None:
    """Summed over lookups; the first try waits for nothing."""

    async def run() -> None:
        api = Api(lambda each, _: ServerError(status=500) if each == "1" and api.asked["1"] < 3 else None)
        report = await lookups(api, ["1"], concurrency=1).report()
        assert (report.found, report.requests, report.retries) == (1, 3, 2)
        # Both tries after the first waited, the second of them longer.
        waited = api.times[2] - api.times[0] - 2 * 0.01
        assert report.waiting_seconds == pytest.approx(waited)
        plain = await lookups(Api(), ids(5)).report()
        assert (plain.requests, plain.retries, plain.waiting_seconds) == (5, 0, 0.0)

    virtually(run())


def test_the_comparison_with_an_id_that_was_answered_is_no_retry() -> None:
    """It is a request that the totals count; a 404 there is an answer like any other."""

    async def run() -> None:
        def rule(each: str, _: float) -> KajabiError | None:
            return {"2": NotFoundError(status=404), "3": ServerError(status=500)}.get(each)

        api = Api(rule)
        results = await outcomes(lookups(api, ids(3), concurrency=1))
        assert failed(results.values()) == {"2": "NotFoundError", "3": "ServerError"}
        assert 4 <= api.asked["3"] <= 8
        assert api.asked["2"] > 1
        assert api.asked["1"] == 1
        assert api.now < 30.0

    virtually(run())


def test_another_id_of_the_source_is_tried_before_one_that_was_answered() -> None:
    """It has to be looked up in any case."""

    async def run() -> None:
        api = Api(lambda each, _: ServerError(status=500) if each == "1" else None)
        results = await outcomes(lookups(api, ids(4), concurrency=1))
        assert failed(results.values()) == {"1": "ServerError"}
        assert 4 <= api.asked["1"] <= 8
        assert sum(api.asked[each] for each in ("2", "3", "4")) <= 3 + 4
        assert api.times[1] - api.times[0] < 1.0

    virtually(run())


def test_ids_are_taken_no_further_while_a_run_is_stalled() -> None:
    """Only one, to find out whether it is an outage."""

    async def run() -> None:
        taken: list[str] = []

        def source() -> Iterator[str]:
            for each in ids(1000):
                taken.append(each)
                yield each

        api = Api(lambda _, now: refused() if 0.1 <= now < 20.0 else None)
        started = lookups(api, source(), concurrency=5)
        reporting = asyncio.ensure_future(started.report())
        await asyncio.sleep(0.15)
        before = len(taken)
        await asyncio.sleep(15.0)
        assert len(taken) <= before + 1
        assert (await reporting).found == 1000

    virtually(run())


def test_an_observer_sees_each_outcome_after_it_was_counted() -> None:
    """It is not called any more after the run was closed."""

    async def run() -> None:
        seen: list[Progress] = []
        started = lookups(Api(lambda _, now: refused() if now > 0.5 else None), ids(200), observer=seen.append)
        iterator = aiter(started)
        for given in range(1, 21):
            await anext(iterator)
            assert (len(seen), seen[-1].given, seen[-1].found) == (given, given, given)
        await started.aclose()
        await asyncio.sleep(60.0)
        assert len(seen) == 20

    virtually(run())


def test_a_run_without_has_calls_starts_many_lookups_at_once() -> None:
    """Up to the concurrency, and no more than sixty-four in one iteration."""

    async def run() -> None:
        api = Api()
        started: Lookups[Customer] = lookups(api, ids(300), concurrency=200)
        assert (await started.report()).found == 300
        assert max(api.times.count(each) for each in set(api.times)) > 4

    virtually(run())
