"""The client of the package under faults, as a user would test their own code."""

import asyncio
from collections import Counter
from typing import Any

import pytest

from kajabi_async import DecodeError, Kajabi, RateLimitError, RetryPolicy, ServerError
from kajabi_async.testing import FakeKajabi, Fault, FaultPlan, FaultProxy, RequestLimit, faults, toxics
from tests.clocks import ManualClock

_IDS = tuple(str(number) for number in range(1, 201))
_PATIENT = RetryPolicy(max_attempts=8, base_seconds=0.001)


def _client(fake: FakeKajabi, base_url: str = "", *, concurrency: int = 20, **options: Any) -> Kajabi:
    return Kajabi(
        client_id=fake.client_id,
        client_secret=fake.client_secret,
        base_url=base_url or fake.base_url,
        retry=_PATIENT,
        concurrency=concurrency,
        **options,
    )


async def _found(api: Kajabi) -> Counter[str]:
    return Counter([lookup.id async for lookup in api.customers.get_many(_IDS) if lookup.found])


async def test_a_patient_client_gets_through_a_transient_mix() -> None:
    """Every customer is found once, with more than a fifth of the requests hit by every transient fault."""
    kinds: list[str | Fault] = ["slow", "refused", "broken", faults.TooManyRequests("float", 0.01)]
    plan = FaultPlan(seed=3, rate=0.25, kinds=kinds, max_in_a_row=2, path="customers.get")
    async with FakeKajabi(customers=200, faults=plan) as fake, _client(fake, clock=ManualClock()) as api:
        assert await _found(api) == Counter(_IDS)
        assert fake.injected == plan.injected
        assert len(fake.injected) > 10


async def test_tokens_that_wear_out_are_replaced() -> None:
    """This happens during the work, and no customer is missed."""
    async with FakeKajabi(customers=200, token_uses=60) as fake, _client(fake, concurrency=2) as api:
        assert await _found(api) == Counter(_IDS)
        assert fake.token_grants == 4


async def test_a_client_behind_a_bad_network_loses_nothing() -> None:
    """Connections are reset repeatedly, and requests arrive in small pieces."""
    async with FakeKajabi(customers=200) as fake, FaultProxy(fake.base_url) as proxy:
        proxy.add(toxics.Slicer(50, 20), "upstream")
        proxy.add(toxics.LimitData(20_000), toxicity=0.5)
        async with _client(fake, proxy.url) as api:
            assert await _found(api) == Counter(_IDS)
        assert proxy.counts["accepted"] > 10


async def test_a_hidden_limit_is_seen_by_the_client_as_rate_limit_errors() -> None:
    """The errors have the wait that the fake announced."""
    async with FakeKajabi(customers=1) as fake, _client(fake) as api:
        await api.customers.get("1")
        fake.rate_limit = RequestLimit(0, 3600.0, retry_after="seconds")
        with pytest.raises(RateLimitError) as caught:
            await api.customers.get("1", timeout=5.0)
        assert caught.value.retry_after == 3600
        assert fake.traffic["limited"] == 1


@pytest.mark.parametrize("kind", ["nan", "malformed_json", "deep_nesting", "broken_gzip", "html_success", "gzip_bomb"])
async def test_an_answer_that_cannot_be_read_is_an_error_of_the_tree(kind: str) -> None:
    """No exception of another library is raised."""
    async with FakeKajabi(customers=1) as fake, _client(fake) as api:
        fake.inject(kind, path="customers.get", times=None)
        with pytest.raises(DecodeError):
            await api.customers.get("1")


async def test_a_mix_can_be_cancelled_in_the_middle() -> None:
    """The fake closes although requests hang and dribble."""
    plan = FaultPlan(rate=1.0, kinds=["endless", faults.Dribble(pause=600.0)], path="customers.get")
    async with FakeKajabi(customers=200, faults=plan) as fake, _client(fake, clock=ManualClock()) as api:
        asking = asyncio.create_task(api.customers.get("1"))
        others = [asyncio.create_task(api.customers.get(resource_id)) for resource_id in _IDS[1:20]]
        for _ in range(10_000):
            if fake.injected.total() >= 10:
                break
            await asyncio.sleep(0.001)
        for task in (asking, *others):
            task.cancel()
        results = await asyncio.gather(asking, *others, return_exceptions=True)
        assert {type(result) for result in results} == {asyncio.CancelledError}


async def test_a_rejected_token_request_is_distinguished(fake: FakeKajabi) -> None:
    """The error says that the token endpoint answered."""
    fake.inject("html_error", path="oauth.token", times=None)
    async with _client(fake, clock=ManualClock()) as api:
        with pytest.raises(ServerError, match="oauth/token"):
            await api.customers.get("1")
    assert fake.token_grants == 0
