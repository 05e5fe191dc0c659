"""What concerns the client is not the outcome of an id: a run waits until it is over, and only patience ends it."""

import asyncio
import pickle
import random
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from kajabi_async import (
    BulkStalledError,
    Found,
    InvalidArgumentError,
    NotFoundError,
    PermissionDeniedError,
    Progress,
    ServerError,
)
from kajabi_async.errors import (
    AuthenticationError,
    BadRequestError,
    ClientClosedError,
    ConnectionFailedError,
    DecodeError,
    KajabiError,
    PausedError,
    RateLimitError,
    RequestTimeoutError,
)
from tests.fetching.outages import Api, failed, ids, lookups, outcomes, refused, waits
from tests.virtual_time import virtually

TOKEN = {"method": "POST", "path": "/v1/oauth/token"}


def of_token(error: KajabiError) -> KajabiError:
    """Return *error* as the session raises what a request for a token ended in."""
    error.at_token_endpoint = True
    return error


def _html(error: Any) -> KajabiError:
    error.is_html = True
    return error  # type: ignore[no-any-return]


def _damaged() -> DecodeError:
    return DecodeError("the answer is 'text/html', not JSON:API").sent(attempts=1, maybe_applied=False)


def _timeout(phase: Any) -> RequestTimeoutError:
    return RequestTimeoutError("no answer", phase=phase, seconds=30.0, method="GET", path="/v1/customers/1")


OF_THE_CLIENT: list[KajabiError] = [
    RateLimitError(status=429),
    RateLimitError(status=429, retry_after=2.0),
    PausedError(status=429, retry_after=2.0),
    ServerError(status=500),
    ServerError(status=502),
    ServerError(status=503, retry_after=3.0),
    ServerError(status=522),
    refused(),
    ConnectionFailedError("the connection broke", method="GET", path="/v1/customers/1"),
    _timeout("connect"),
    _timeout("read"),
    _timeout("total"),
    _damaged(),
    _html(PermissionDeniedError(status=403)),
    _html(NotFoundError(status=404)),
    of_token(BadRequestError(status=400, **TOKEN)),  # type: ignore[arg-type]
    of_token(PermissionDeniedError(status=403, **TOKEN)),  # type: ignore[arg-type]
    of_token(RateLimitError(status=429, **TOKEN)),  # type: ignore[arg-type]
    of_token(ServerError(status=503, **TOKEN)),  # type: ignore[arg-type]
    of_token(DecodeError("no usable access_token", context="the token answer")),
]


@pytest.mark.parametrize("ordered", [False, True])
@pytest.mark.parametrize("failure", OF_THE_CLIENT, ids=lambda error: f"{type(error).__name__} {error}"[:60])
def test_an_outage_of_ten_seconds_costs_no_id_and_few_requests(failure: KajabiError, ordered: bool) -> None:
    """Whatever the failure: what was in flight is retried, and one request at a time probes for the end."""

    async def run() -> None:
        api = Api(lambda _, now: failure if 0.3 <= now < 10.3 else None)
        results = await outcomes(lookups(api, ids(600), ordered=ordered))
        assert [each.found for each in results.values()] == [True] * 600
        assert not ordered or list(results) == ids(600)
        in_vain = sum(api.asked.values()) - 600
        # The ten under way when it began, and the probes.
        assert 10 < in_vain <= 10 + 10
        assert 10.3 < api.now < 10.3 + 2.0 + 20.0

    virtually(run())


def test_a_pause_that_the_api_asks_for_is_kept() -> None:
    """Nothing is sent before it is over; then one is tried, and all go on."""

    async def run() -> None:
        once = iter([RateLimitError(status=429, retry_after=61.0)])
        api = Api(lambda _, now: next(once, None) if now >= 1.0 else None)
        results = await outcomes(lookups(api, ids(2000)))
        assert all(each.found for each in results.values())
        assert sum(api.asked.values()) == 2001
        assert [at for at in api.times if 1.1 < at < 62.0] == []
        assert api.now < 66.0

    virtually(run())


def test_a_pause_without_an_end_is_probed_every_ten_minutes() -> None:
    """One answer must not stop a run for good."""

    async def run() -> None:
        once = iter([ServerError(status=503, retry_after=1e9)])
        api = Api(lambda _, now: next(once, None) if now >= 1.0 else None)
        results = await outcomes(lookups(api, ids(1500), patience=30.0))
        assert all(each.found for each in results.values())
        assert 600.0 < api.now < 610.0

    virtually(run())


@pytest.mark.parametrize("concurrency", [1, 3, 10])
@pytest.mark.parametrize("bad", [{"1"}, {"50"}, {"100"}, {"1", "2", "3"}, {"98", "99", "100"}, {"7", "8", "70"}])
@pytest.mark.parametrize(
    "failure", [ServerError(status=500), ServerError(status=504), _timeout("read"), _damaged()], ids=repr
)
def test_an_id_that_fails_by_itself_gets_its_failure(concurrency: int, bad: set[str], failure: KajabiError) -> None:
    """It is retried apart, while others are answered, and does not keep them waiting for long."""

    async def run() -> None:
        api = Api(lambda each, _: failure if each in bad else None)
        results = await outcomes(lookups(api, ids(100), concurrency=concurrency))
        assert failed(results.values()) == dict.fromkeys(bad, type(failure).__name__)
        assert all(4 <= api.asked[each] <= 8 for each in bad)
        assert sum(api.asked[each] - 1 for each in results if each not in bad) <= 4 * len(bad)
        assert api.now < 30.0 + 20.0 * len(bad)

    virtually(run())


def test_a_single_id_that_the_api_answers_with_500_fails_after_four_tries() -> None:
    """There is nothing to compare it with, and the API itself has answered."""

    async def run() -> None:
        api = Api(lambda _, __: ServerError(status=500))
        assert failed((await outcomes(lookups(api, ["7"]))).values()) == {"7": "ServerError"}
        assert api.asked["7"] == 4
        assert api.now < 15.0

    virtually(run())


@pytest.mark.parametrize("failure", [refused(), ServerError(status=503), RateLimitError(status=429)], ids=repr)
def test_a_single_id_waits_for_an_outage_to_be_over(failure: KajabiError) -> None:
    """A proxy that answers for the API says nothing of the id."""

    async def run() -> None:
        api = Api(lambda _, now: failure if now < 100.0 else None)
        assert (await outcomes(lookups(api, ["7"])))["7"].found
        assert api.asked["7"] < 15

    virtually(run())


@pytest.mark.parametrize("share", [0.05, 0.3, 0.6])
def test_failures_that_hit_by_chance_lose_nothing(share: float) -> None:
    """The more there are, the more often an id has to fail before that is taken for its own."""

    async def run() -> None:
        chance = random.Random(share)
        api = Api(lambda _, __: ServerError(status=502) if chance.random() < share else None)
        results = await outcomes(lookups(api, ids(3000), concurrency=20))
        assert failed(results.values()) == {}

    virtually(run())


def test_a_limit_that_rejects_many_is_not_an_outcome() -> None:
    """However often an id is rejected."""

    async def run() -> None:
        chance = random.Random(3)
        api = Api(lambda _, __: RateLimitError(status=429) if chance.random() < 0.7 else None)
        assert failed((await outcomes(lookups(api, ids(500)))).values()) == {}

    virtually(run())


@pytest.mark.parametrize("ordered", [False, True])
@pytest.mark.parametrize("failure", [refused(), ServerError(status=500), _timeout("read")], ids=repr)
def test_a_server_that_is_gone_for_good_ends_the_run_with_what_is_unanswered(
    failure: KajabiError, ordered: bool
) -> None:
    """After the patience since the last answer; a second run over them, and the rest, completes the set."""

    async def run() -> None:
        api = Api(lambda _, now: failure if now >= 1.0 else None)
        source = iter(ids(3000))
        first = lookups(api, source, patience=120.0, ordered=ordered)
        results: list[str] = []
        with pytest.raises(BulkStalledError, match="nothing was answered for 120 s") as raised:
            async for lookup in first:
                assert lookup.found
                results.append(lookup.id)
        assert 121.0 - 0.1 < api.now < 121.1
        error = raised.value
        assert (error.answered, type(error.cause), error.__cause__) == (len(results), type(failure), error.cause)
        assert list(error.unanswered) == sorted(error.unanswered, key=int)
        assert sorted([*results, *error.unanswered], key=int) == ids(len(results) + len(error.unanswered))
        assert first.unanswered == error.unanswered
        assert len(error.unanswered) <= 20
        # What was under way, and probes in gaps that grow to half a minute.
        assert sum(at >= 1.0 for at in api.times) <= 10 + 16
        api.rule = Api().rule
        rest = await outcomes(lookups(api, [*error.unanswered, *source]))
        assert sorted([*results, *rest], key=int) == ids(3000)
        await asyncio.sleep(0)
        assert len(asyncio.all_tasks()) == 1

    virtually(run())


def test_silence_ends_a_run_too() -> None:
    """No failure reports it."""

    async def run() -> None:
        api = Api(seconds=10_000.0)
        with pytest.raises(BulkStalledError) as raised:
            await lookups(api, ids(100), patience=60.0).report()
        assert (api.now, raised.value.cause, raised.value.answered) == (60.0, None, 0)
        assert raised.value.unanswered == tuple(ids(10))

    virtually(run())


def test_time_without_anything_to_ask_for_is_not_counted() -> None:
    """A source or a loop that takes its time is no server that is silent."""

    async def run() -> None:
        async def slow() -> AsyncIterator[str]:
            for each in ids(5):
                await asyncio.sleep(100.0)
                yield each

        assert len(await outcomes(lookups(Api(), slow(), patience=20.0))) == 5
        seen = 0
        async for _ in lookups(Api(), ids(100), patience=20.0, concurrency=2):
            await asyncio.sleep(50.0)
            seen += 1
        assert seen == 100

    virtually(run())


def test_pauses_are_not_counted_as_time_without_an_answer() -> None:
    """Four minutes of pauses, and a patience of thirty seconds."""

    async def run() -> None:
        api = Api(lambda _, now: RateLimitError(status=429, retry_after=50.0) if 1.0 <= now < 240.0 else None)
        assert len(await outcomes(lookups(api, ids(1000), patience=30.0))) == 1000

    virtually(run())


@pytest.mark.parametrize(
    "failure",
    [of_token(AuthenticationError(status=401)), ClientClosedError("closed"), of_token(AuthenticationError(status=400))],
)
@pytest.mark.parametrize("ordered", [False, True])
def test_what_every_request_would_meet_ends_the_run_at_once(failure: KajabiError, ordered: bool) -> None:
    """What was answered is still yielded, in an order with gaps if need be; the rest is in ``unanswered``."""

    async def run() -> None:
        api = Api(lambda each, _: failure if each == "25" else None)
        started = lookups(api, ids(1000), ordered=ordered)
        results: list[str] = []
        with pytest.raises(type(failure)):
            async for lookup in started:
                results.append(lookup.id)  # noqa: PERF401 - what came before the error is checked
        assert api.now < 1.0
        assert sorted([*results, *started.unanswered], key=int) == ids(len(results) + len(started.unanswered))
        assert "25" in started.unanswered

    virtually(run())


def _refused_token(attempts: int = 2) -> KajabiError:
    """Return what a request ends in that was refused; by the second attempt with a new token."""
    return AuthenticationError(status=401).sent(attempts=attempts, maybe_applied=False)


@pytest.mark.parametrize(("attempts", "until"), [(2, 1.3), (1, 30.0)])
def test_tokens_that_end_faster_than_requests_come_back_cost_no_id(attempts: int, until: float) -> None:
    """Another client may end them, and no new one be requested for a while."""

    async def run() -> None:
        api = Api(lambda _, now: _refused_token(attempts) if 1.0 <= now < until else None)
        assert failed((await outcomes(lookups(api, ids(3000)))).values()) == {}

    virtually(run())


@pytest.mark.parametrize("begins", [0.0, 1.0])
def test_a_resource_that_refuses_every_token_ends_the_run_within_seconds(begins: float) -> None:
    """After a few requests, whether or not others were answered before."""

    async def run() -> None:
        api = Api(lambda _, now: _refused_token() if now >= begins else None)
        started = lookups(api, ids(3000), concurrency=10)
        with pytest.raises(AuthenticationError):
            await started.report()
        assert api.now < begins + 5.0
        assert sum(moment >= begins for moment in api.times) <= 10 + 4

    virtually(run())


def test_one_id_that_is_refused_with_every_token_fails_by_itself() -> None:
    """The others are answered."""

    async def run() -> None:
        api = Api(lambda each, _: _refused_token() if each == "25" else None)
        assert failed((await outcomes(lookups(api, ids(3000)))).values()) == {"25": "AuthenticationError"}

    virtually(run())


def test_the_observer_is_notified_while_no_outcome_arrives() -> None:
    """Of the stall, of the pause, and that it is over; in seconds since the epoch."""

    async def run() -> None:
        results: list[Progress] = []
        seen = iter([refused()] * 15)
        api = Api(lambda _, now: next(seen, None) if now >= 1.0 else None)
        await lookups(api, ids(500), concurrency=1, observer=results.append).report()
        assert waits(results) == [(False, False), (True, False), (False, False)]
        stalled = next(each for each in results if each.stalled_since is not None)
        assert stalled.stalled_since == pytest.approx(1_700_001_001.0, abs=0.1)
        results.clear()
        once = iter([RateLimitError(status=429, retry_after=20.0)])
        await lookups(Api(lambda _, __: next(once, None)), ids(5), observer=results.append).report()
        paused = results[0]
        assert paused.paused_until is not None
        assert paused.stalled_since is not None
        assert paused.paused_until - paused.stalled_since == pytest.approx(20.0)
        assert waits(results)[-1] == (False, False)

    virtually(run())


def test_random_failures_are_not_reported_as_stalls() -> None:
    """Another id was answered a moment later: there are more workers than ids that wait for their next try."""

    async def run() -> None:
        results: list[Progress] = []
        chance = random.Random(5)
        api = Api(lambda _, __: ServerError(status=502) if chance.random() < 0.02 else None)
        await lookups(api, ids(1000), concurrency=50, observer=results.append).report()
        in_mid_run = [each for each in results if each.given < 980]
        assert waits(in_mid_run) == [(False, False)]

    virtually(run())


def test_an_observer_that_fails_during_a_stall_ends_the_run() -> None:
    """Its error is the caller's to see, and nothing hangs."""

    async def run() -> None:
        def observe(progress: Progress) -> None:
            if progress.stalled_since is not None:
                raise LookupError("of the observer's")

        with pytest.raises(LookupError, match="of the observer's"):
            await lookups(Api(lambda _, __: refused()), ids(50), observer=observe).report()
        await asyncio.sleep(0.1)
        assert len(asyncio.all_tasks()) == 1

    virtually(run())


@pytest.mark.parametrize("at", [0.5, 1.2, 5.0, 40.0])
def test_leaving_a_run_that_is_stalled_leaves_no_task(at: float) -> None:
    """By a break, by cancelling the loop, or by closing it."""

    async def run() -> None:
        api = Api(lambda _, now: refused() if now >= 1.0 else None)
        started = lookups(api, ids(10_000))
        waiting = asyncio.create_task(started.report())
        await asyncio.sleep(at)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await started.aclose()
        assert len(asyncio.all_tasks()) == 1

    virtually(run())


@pytest.mark.parametrize("how", ["break", "error", "aclose", "cancel", "refused", "stalled"])
def test_an_async_generator_is_closed_when_the_run_ends_before_it(how: str) -> None:
    """It may hold a file or a cursor; by whatever way the run ends."""

    async def run() -> None:
        closed: list[str] = []

        async def numbers() -> AsyncIterator[str]:
            try:
                for each in ids(10_000):
                    yield each
                    await asyncio.sleep(0.001)
            finally:
                closed.append(how)

        ends = {"refused": of_token(AuthenticationError(status=401)), "stalled": refused()}
        api = Api(lambda each, _: ends.get(how) if int(each) > 20 else None)
        started = lookups(api, numbers(), patience=5.0)

        async def consume() -> None:
            async for lookup in started:
                if how == "break" and lookup.id == "5":
                    return
                if how == "error" and lookup.id == "5":
                    raise KeyError(lookup.id)
                if how == "aclose" and lookup.id == "5":
                    await started.aclose()

        task = asyncio.create_task(consume())
        await asyncio.sleep(0.05)
        if how == "cancel":
            task.cancel()
        await asyncio.wait([task])
        assert task.cancelled() or isinstance(task.exception(), KeyError | KajabiError | None)
        del task
        await asyncio.sleep(0.1)
        assert closed == [how]
        assert len(asyncio.all_tasks()) == 1

    virtually(run())


def test_random_incidents_lose_and_double_nothing() -> None:
    """Outages, pauses and bad ids in any mixture: one outcome for each id, and that of a bad one is its own."""

    async def run(seed: int) -> None:
        chance = random.Random(seed)
        bad = set(chance.sample(ids(400), chance.randrange(5)))
        hit = [(start, start + chance.uniform(0.1, 8.0)) for start in (chance.uniform(0, 3) for _ in range(3))]
        kinds = [chance.choice(OF_THE_CLIENT) for _ in hit]

        def rule(each: str, now: float) -> KajabiError | None:
            for (start, end), kind in zip(hit, kinds, strict=True):
                if start <= now < end:
                    return kind
            return ServerError(status=500) if each in bad else None

        api = Api(rule)
        ordered = chance.random() < 0.5
        results = await outcomes(lookups(api, ids(400), concurrency=chance.randrange(1, 12), ordered=ordered))
        assert not ordered or list(results) == ids(400)
        assert sorted(results, key=int) == ids(400)
        assert {each for each, lookup in results.items() if not isinstance(lookup, Found)} == bad

    for seed in range(60):
        virtually(run(seed))


def test_ids_that_come_again_during_a_stall_are_unanswered_as_often() -> None:
    """One outcome is owed for each."""

    async def run() -> None:
        given: Iterator[str] = iter(["1", "2", "1", "1", "3", "2"])
        with pytest.raises(BulkStalledError) as raised:
            await lookups(Api(lambda _, __: refused()), given, patience=10.0).report()
        assert raised.value.unanswered == ("1", "2", "1", "1", "3", "2")[: len(raised.value.unanswered)]
        assert [*raised.value.unanswered, *given] == ["1", "2", "1", "1", "3", "2"]

    virtually(run())


@pytest.mark.parametrize("patience", [0, -1, True, "5", None, float("nan")])
def test_patience_is_a_number_of_seconds_above_zero(patience: Any) -> None:
    """Anything else is refused before anything is sent."""

    async def run() -> None:
        with pytest.raises(InvalidArgumentError, match="patience"):
            lookups(Api(), [], patience=patience)

    virtually(run())


def test_the_error_travels_with_what_it_carries() -> None:
    """To another process, as any error of the tree."""
    error = BulkStalledError("stalled", answered=5, unanswered=["7", "8"], cause=ServerError(status=503))
    arrived = pickle.loads(pickle.dumps(error))
    assert (arrived.answered, arrived.unanswered, type(arrived.cause)) == (5, ("7", "8"), ServerError)
    assert arrived.cause.status == 503


def test_credentials_refused_while_ids_are_compared_end_the_run() -> None:
    """Also if the id to compare with was answered before."""

    async def run() -> None:
        def rule(each: str, now: float) -> KajabiError | None:
            if each == "20":
                return ServerError(status=500)
            return of_token(AuthenticationError(status=401)) if now > 0.1 else None

        with pytest.raises(AuthenticationError):
            await lookups(Api(rule), ids(20)).report()

    virtually(run())
