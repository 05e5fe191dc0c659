"""Seeded mixes of faults: reproducible under any concurrency, and recorded."""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence

import aiohttp
import attrs
import pytest
from aiohttp import web

from kajabi_async.testing import FakeKajabi, Fault, FaultPlan, Injection, RecordedRequest, Reply, faults
from kajabi_async.testing.faults import GROUPS, KINDS, Incident, faults_named
from tests.testing.caller import Caller, caller_for

_IDS = tuple(str(number) for number in range(1, 61))


def _request(
    path: str, *, method: str = "GET", operation: str = "customers.get", reused: bool = False
) -> RecordedRequest:
    return RecordedRequest(method, path, "", {"authorization": "Bearer x"}, b"", operation, reused)


def _drawn(plan: FaultPlan, requests: Sequence[RecordedRequest]) -> list[str | None]:
    choices = [plan.choose(request, None) for request in requests]
    return [choice and choice[0].name for choice in choices]


def _some(count: int) -> list[RecordedRequest]:
    return [_request(f"/v1/customers/{number}") for number in range(count)]


async def _hits(plan: FaultPlan, ids: Sequence[str], *, at_once: int) -> set[tuple[str, str, int | None]]:
    """Request each id three times, *at_once* at a time; return the fault and attempt of each hit."""
    async with FakeKajabi(customers=60, faults=plan) as fake, aiohttp.ClientSession(fake.base_url) as session:
        call, gate = caller_for(fake, session), asyncio.Semaphore(at_once)

        async def request(resource_id: str) -> None:
            for _ in range(3):
                async with gate:
                    await call.get(f"/v1/customers/{resource_id}")

        await asyncio.gather(*map(request, ids))
        assert plan.injected == fake.injected == Counter(hit.kind for hit in fake.injections)
        return {(hit.path, hit.kind, hit.attempt) for hit in fake.injections}


def _plan(seed: int = 7) -> FaultPlan:
    return FaultPlan(seed=seed, rate=0.2, kinds=["html_error", "retry_after_seconds", "malformed_json"])


async def test_concurrency_and_order_change_nothing() -> None:
    """The same requests are hit by the same faults on the same attempts."""
    alone = await _hits(_plan(), _IDS, at_once=1)
    together = await _hits(_plan(), random.Random(1).sample(_IDS, len(_IDS)), at_once=40)
    assert alone == together
    assert len(alone) > 10
    assert await _hits(_plan(seed=8), _IDS, at_once=1) != alone


def test_the_same_seed_and_requests_produce_the_same_faults_in_either_order() -> None:
    """By request and by arrival; another seed produces others."""
    for by in ("request", "arrival"):
        first, second, other = (_drawn(FaultPlan(seed=seed, rate=0.3, by=by), _some(300)) for seed in (1, 1, 2))
        assert first == second
        assert first != other


def test_by_arrival_the_place_decides_and_not_the_request() -> None:
    """The nth request is hit, whatever it is."""
    plans = [FaultPlan(seed=3, rate=0.3, kinds=["latency"], by="arrival") for _ in range(2)]
    requests = _some(200)
    assert _drawn(plans[0], requests) == _drawn(plans[1], requests[::-1])


@pytest.mark.parametrize("rate", [0.0, 0.05, 0.5, 1.0])
def test_the_rate_is_the_share_that_is_hit(rate: float) -> None:
    """For ten thousand requests it is right within a percent."""
    hits = [kind for kind in _drawn(FaultPlan(rate=rate, kinds=["refused"]), _some(10_000)) if kind]
    assert abs(len(hits) / 10_000 - rate) < 0.01


def test_every_kind_of_a_plan_comes_about_as_often() -> None:
    """A kind named twice comes twice as often."""
    plan = FaultPlan(rate=1.0, kinds=["latency", "html_error", "html_error"])
    counts = Counter(_drawn(plan, _some(3000)))
    assert set(counts) == {"latency", "html_error"}
    assert abs(counts["html_error"] / counts["latency"] - 2) < 0.3


def test_a_request_is_let_through_after_the_most_faults_in_a_row() -> None:
    """A client with retries succeeds; then the count starts again."""
    plan = FaultPlan(rate=1.0, kinds=["html_error"], max_in_a_row=2)
    assert _drawn(plan, [_request("/v1/me")] * 6) == ["html_error", "html_error", None] * 2
    mixed = [_request("/v1/me"), _request("/v1/version")] * 3
    plan = FaultPlan(rate=1.0, kinds=["html_error"], max_in_a_row=1, by="arrival")
    assert _drawn(plan, mixed) == ["html_error", "html_error", None, None, "html_error", "html_error"]


def test_only_kinds_that_suit_an_operation_are_drawn() -> None:
    """A single resource has no next link, and the token endpoint no token."""
    plan = FaultPlan(rate=1.0, kinds=["pages", "latency"])
    assert set(_drawn(plan, _some(100))) == {"latency"}
    tokens = FaultPlan(rate=1.0, kinds=["tokens"])
    assert _drawn(tokens, [_request("/v1/oauth/token", method="POST", operation="oauth.token")]) == [None]


def test_used_connections_do_not_change_what_others_get() -> None:
    """A reset for reused connections drawn on a new one has no effect, and no other fault replaces it."""
    kinds = ["reset_reused", "html_error"]
    used = _drawn(FaultPlan(rate=1.0, kinds=kinds), [attrs.evolve(r, on_reused_connection=True) for r in _some(100)])
    new = _drawn(FaultPlan(rate=1.0, kinds=kinds), _some(100))
    assert new == [None if kind == "reset_reused" else kind for kind in used]
    assert {"reset_reused", "html_error"} == set(used)


async def test_a_plan_can_be_for_one_method_and_path(fake: FakeKajabi, call: Caller) -> None:
    """Several plans can be active; they can be changed while the fake runs, and cleared."""
    fake.faults = [
        FaultPlan(rate=1.0, kinds=["html_error"], path="oauth.token"),
        FaultPlan(rate=1.0, kinds=["failure"], path="/v1/customers/{id}", method="get"),
    ]
    fields = {"grant_type": "client_credentials"}
    statuses = [(await call.get(path)).status for path in ("/v1/customers/1", "/v1/offers/1")]
    statuses.append((await call.post("/v1/oauth/token", data=fields)).status)
    assert statuses == [503, 200, 502]
    assert [plan.injected.total() for plan in fake.faults] == [1, 1]
    fake.clear_faults()
    assert ((await call.get("/v1/customers/1")).status, fake.faults) == (200, ())
    fake.faults = FaultPlan(rate=1.0, kinds=["failure"])
    assert (await call.get("/v1/customers/1")).status == 503
    fake.faults = None
    assert (await call.get("/v1/customers/1")).status == 200


async def test_of_several_plans_one_hits_and_all_count(fake: FakeKajabi, call: Caller) -> None:
    """The first that chooses a request hits it; the choices of the others are not recorded."""
    first = FaultPlan(rate=1.0, kinds="failure", max_in_a_row=1)
    second = FaultPlan(rate=1.0, kinds="html_error")
    fake.faults = [first, second]
    assert [(await call.get("/v1/me")).status for _ in range(3)] == [503, 502, 503]
    assert (first.injected, second.injected) == ({"failure": 2}, {"html_error": 1})
    assert [hit.attempt for hit in fake.injections] == [1, 2, 3]


async def test_an_order_comes_before_a_plan(fake: FakeKajabi, call: Caller) -> None:
    """Faults are recorded in their order."""
    fake.faults = FaultPlan(rate=1.0, kinds=["html_error"])
    fake.inject("failure", path="customers.get", times=1)
    assert [(await call.get("/v1/customers/1?include=contact")).status for _ in range(2)] == [503, 502]
    query = "include=contact"
    assert list(fake.injections) == [
        Injection("failure", "GET", "/v1/customers/1", query, None),
        Injection("html_error", "GET", "/v1/customers/1", query, 1),
    ]


@pytest.mark.parametrize(
    ("kinds", "said"),
    [(["latncy"], "did you mean 'latency'"), (["transient", "zzz"], "known are latency"), ([""], "no such kind")],
)
def test_a_kind_that_is_none_is_refused(kinds: list[str], said: str) -> None:
    """The error names the nearest known kind."""
    with pytest.raises(ValueError, match=said):
        FaultPlan(kinds=kinds)


def test_one_kind_needs_no_list() -> None:
    """A name is not read as a list of letters."""
    assert FaultPlan(kinds="refused") == FaultPlan(kinds=["failure", "html_error"])


@pytest.mark.parametrize(
    "wrong", [{"rate": 1.1}, {"rate": -0.1}, {"max_in_a_row": 0}, {"by": "id"}, {"path": "me.get"}]
)
def test_a_plan_that_makes_no_sense_is_refused(wrong: dict[str, object]) -> None:
    """A fault that never happens would make a test pass for nothing."""
    with pytest.raises(ValueError, match=r"must be|no such operation"):
        FaultPlan(**wrong)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def test_inject_takes_one_kind_and_no_group(fake: FakeKajabi) -> None:
    """Groups are for plans."""
    with pytest.raises(ValueError, match="group of"):
        fake.inject("transient")
    with pytest.raises(ValueError, match="no such operation"):
        fake.inject("latency", path="customer.get")


async def test_inject_aims_at_method_and_path(fake: FakeKajabi, call: Caller) -> None:
    """The order can be cancelled."""
    order = fake.inject("failure", method="patch", path="/v1/contacts/{id}", times=None)
    contact = fake.contact_id_of("1")
    body = {"data": {"type": "contacts", "id": contact, "attributes": {"name": "A"}}}
    assert (await call.get(f"/v1/contacts/{contact}")).status == 200
    assert (await call.patch(f"/v1/contacts/{contact}", body)).status == 503
    order.cancel()
    assert (await call.patch(f"/v1/contacts/{contact}", body)).status == 200


class _Teapot(Fault):
    kind = "teapot"

    async def play(self, incident: Incident, /) -> web.StreamResponse:
        return incident.reply(Reply(418, b"short and stout", "text/plain"))


async def test_a_fault_of_ones_own_is_a_small_class(fake: FakeKajabi, call: Caller) -> None:
    """It works with inject and in plans."""
    fake.inject(_Teapot())
    assert (await call.get("/v1/me")).status == 418
    fake.faults = FaultPlan(rate=1.0, kinds=[_Teapot()])
    assert (await call.get("/v1/me")).body == b"short and stout"
    assert fake.injected == {"teapot": 2}


def test_random_waits_are_drawn_from_the_seed() -> None:
    """They lie between the two bounds."""
    fault = faults.Delay(0.1, up_to=0.5)
    waits = [fault.drawn(random.Random(f"{number}")) for number in range(100)]
    assert waits == [fault.drawn(random.Random(f"{number}")) for number in range(100)]
    assert len(set(waits)) == 100
    assert all(0.1 <= wait <= 0.5 for wait in waits)
    assert faults.Delay(0.1).drawn(random.Random(1)) == 0.1


def test_every_kind_is_in_a_group_and_goes_by_its_name() -> None:
    """A mix of all groups omits no kind."""
    assert {name: fault.name for name, fault in KINDS.items()} == {name: name for name in KINDS}
    assert {name for group, names in GROUPS.items() if group not in {"all", "transient"} for name in names} == set(
        KINDS
    )
    assert faults_named(["all"]) == tuple(KINDS.values())
