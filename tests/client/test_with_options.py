"""``with_options``: a client with other options on the pool, the token, the gate and the rate of another one."""

import asyncio
import gc
import warnings
from typing import Any

import aiohttp
import pytest

from kajabi_async import (
    ClientClosedError,
    ConfigurationError,
    Contact,
    InvalidIdError,
    Kajabi,
    RequestTimeoutError,
    RetryPolicy,
    ServerError,
    Timeouts,
    UnreadableAttributeError,
)
from kajabi_async.errors import DecodeError
from kajabi_async.exchange import Request
from kajabi_async.session.pool import Pool
from kajabi_async.testing import FakeKajabi


def _client(fake: FakeKajabi, **options: Any) -> Kajabi:
    return Kajabi(client_id=fake.client_id, client_secret=fake.client_secret, base_url=fake.base_url, **options)


async def test_token_and_statistics_are_shared(kajabi_fake: FakeKajabi, kajabi_api: Kajabi) -> None:
    """One token, whichever client asks first, and one set of counters; revoking it revokes it for all."""
    quick = kajabi_api.with_options(timeout=5)
    await quick.customers.get("1")
    await kajabi_api.customers.get("2")
    assert kajabi_fake.counts["oauth.token"] == 1
    assert quick.stats == kajabi_api.stats
    assert kajabi_api.stats.operations == 2
    await quick.revoke()
    await kajabi_api.customers.get("3")
    assert kajabi_api.stats.token_requests == 2


async def test_gate_and_pool_are_shared(kajabi_fake: FakeKajabi) -> None:
    """All clients together keep to the concurrency of the one that they were made from."""
    async with _client(kajabi_fake, concurrency=1) as api:
        kajabi_fake.hang("customers.get", times=1)
        first = asyncio.create_task(api.customers.get("1"))
        while not kajabi_fake.counts["customers.get"]:
            await asyncio.sleep(0)
        waiting = asyncio.create_task(api.with_options(timeout=5).customers.get("2"))
        while not api.stats.queued:
            await asyncio.sleep(0)
        assert kajabi_fake.counts["customers.get"] == 1
        first.cancel()
        assert (await waiting).id == "2"


async def test_the_time_limit_is_its_own_and_the_other_limits_stay(kajabi_fake: FakeKajabi) -> None:
    """A number replaces the total alone; None removes it."""
    async with _client(kajabi_fake, timeout=Timeouts(total=50, queue=7, connect=3, read=20)) as api:
        quick = api.with_options(timeout=0.05)
        assert quick.session.timeouts == Timeouts(total=0.05, queue=7, connect=3, read=20)
        assert api.with_options(timeout=None).session.timeouts.total is None
        assert quick.with_options(site_id=1).session.timeouts == quick.session.timeouts
        kajabi_fake.hang("customers.get", times=1)
        with pytest.raises(RequestTimeoutError) as caught:
            await quick.customers.get("1")
        assert (caught.value.phase, caught.value.seconds) == ("total", 0.05)
        assert api.session.timeouts.total == 50
        assert (await api.customers.get("1")).id == "1"


@pytest.mark.parametrize("handed_in", [False, True])
async def test_silence_is_limited_by_its_own_limit(kajabi_fake: FakeKajabi, *, handed_in: bool) -> None:
    """Each limit by itself, through the pool of the client or a session that was handed in."""
    async with (
        aiohttp.ClientSession() as session,
        _client(kajabi_fake, http_session=session if handed_in else None) as api,
    ):
        kajabi_fake.hang("customers.get", times=None)
        quick = api.with_options(timeout=Timeouts(read=0.05), retry=RetryPolicy(max_attempts=1))
        with pytest.raises(RequestTimeoutError) as caught:
            await quick.customers.get("1")
        assert (caught.value.phase, caught.value.seconds) == ("read", 0.05)


async def test_connecting_is_limited_by_its_own_limit(kajabi_api: Kajabi, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a connection of the shared pool is made for it; otherwise the session's limit stands."""
    seen: list[aiohttp.ClientTimeout] = []
    real = Pool.ask

    async def ask(self: Pool, *arguments: Any) -> Any:
        seen.append(arguments[-1])
        return await real(self, *arguments)

    monkeypatch.setattr(Pool, "ask", ask)
    await kajabi_api.customers.get("1")
    await kajabi_api.with_options(timeout=5).customers.get("1")
    await kajabi_api.with_options(timeout=Timeouts(connect=2)).customers.get("1")
    assert [each.sock_connect for each in seen][-3:] == [10.0, 10.0, 2]


async def test_the_retry_policy_is_its_own(kajabi_fake: FakeKajabi, kajabi_api: Kajabi) -> None:
    """The client it was made from goes on to retry."""
    once = kajabi_api.with_options(retry=RetryPolicy(max_attempts=1))
    kajabi_fake.fail("customers.get", status=500, times=1)
    with pytest.raises(ServerError) as caught:
        await once.customers.get("1")
    assert (caught.value.attempts, caught.value.gave_up) == (1, "attempts")
    again = once.with_options(retry=RetryPolicy(base_seconds=0.0))
    kajabi_fake.fail("customers.get", status=500, times=1)
    assert (await again.customers.get("1")).id == "1"
    assert kajabi_api.stats.retries == 1


async def test_the_retry_budget_is_shared_unless_the_policy_has_another(kajabi_fake: FakeKajabi) -> None:
    """Clients made for single calls must not multiply the retries of an outage."""
    async with _client(kajabi_fake, retry=RetryPolicy(budget=1.0, base_seconds=0.0)) as api:
        kajabi_fake.fail("customers.get", status=500, times=None)
        for budget, attempts in ((1.0, 2), (1.0, 1), (2.0, 3)):
            other = api.with_options(retry=RetryPolicy(budget=budget, base_seconds=0.0, max_attempts=9))
            with pytest.raises(ServerError) as caught:
                await other.customers.get("1")
            assert (caught.value.attempts, caught.value.gave_up) == (attempts, "budget")


async def test_the_site_is_its_own(kajabi_fake: FakeKajabi) -> None:
    """For lists and creations; None is no site."""
    async with _client(kajabi_fake, site_id="1") as api:
        await api.with_options(site_id=2).customers.list().first()
        await api.with_options(site_id=None).customers.list().first()
        await api.with_options(timeout=9).customers.list().first()
        queries = [
            request.query.get("filter[site_id]") for request in kajabi_fake.requests if "customers" in request.path
        ]
        assert queries == [["2"], None, ["1"]]


async def test_bulk_runs_keep_to_its_concurrency(kajabi_fake: FakeKajabi) -> None:
    """A part of the client's slots, so that the rest of the program is not held up."""
    async with _client(kajabi_fake, concurrency=10) as api:
        kajabi_fake.hang("customers.get", times=None)
        run = asyncio.create_task(api.with_options(concurrency=3).customers.get_many(range(1, 100)).report())
        while kajabi_fake.counts["customers.get"] < 3:
            await asyncio.sleep(0)
        for _ in range(100):
            await asyncio.sleep(0)
        assert kajabi_fake.counts["customers.get"] == 3
        run.cancel()
        await asyncio.wait({run})
        assert api.with_options(concurrency=3).with_options(concurrency=10).session.concurrency == 10
        with pytest.raises(ConfigurationError, match=r"^concurrency=11 is more than the 10 requests .* at once: raise"):
            api.with_options(concurrency=3).with_options(concurrency=11)


async def test_what_is_not_named_follows_the_client(kajabi_fake: FakeKajabi) -> None:
    """Such as ``strict``, also through relations and several steps."""
    odd = {"type": "customers", "id": "7", "attributes": {"name": "A", "net_revenue": "much"}}
    kajabi_fake.add(odd)
    async with _client(kajabi_fake, strict=True) as strict, _client(kajabi_fake) as lenient:
        with pytest.raises(DecodeError):
            await strict.with_options(timeout=5).with_options(site_id=1).customers.get("7")
        customer = await lenient.with_options(timeout=5).customers.get("7")
        with pytest.raises(UnreadableAttributeError):
            _ = customer.net_revenue


async def test_relations_are_followed_with_its_options(kajabi_fake: FakeKajabi, kajabi_api: Kajabi) -> None:
    """What it has read keeps to its limits."""
    customer = await kajabi_api.with_options(timeout=0.2).customers.get("1")
    kajabi_fake.hang("contacts.get", times=1)
    with pytest.raises(RequestTimeoutError):
        await customer.contact
    assert await customer.contact is not None


async def test_closing_it_closes_nothing(kajabi_api: Kajabi) -> None:
    """Not for the client, nor for itself."""
    async with kajabi_api.with_options(timeout=5) as quick:
        await quick.customers.get("1")
    assert (await kajabi_api.customers.get("1")).id == (await quick.customers.get("1")).id


async def test_closing_the_client_closes_it(kajabi_fake: FakeKajabi, kajabi_api: Kajabi) -> None:
    """Calls and relations under way end with ClientClosedError, later ones begin with it."""
    quick = kajabi_api.with_options(timeout=30).with_options(retry=RetryPolicy(max_attempts=2))
    customer = await quick.customers.get("1")
    kajabi_fake.hang("contacts.get", times=None)
    kajabi_fake.hang("offers.get", times=None)

    async def contact() -> Contact | None:
        return await customer.contact

    waiting = [asyncio.create_task(contact()), asyncio.create_task(quick.offers.get("1"))]
    while not (kajabi_fake.counts["contacts.get"] and kajabi_fake.counts["offers.get"]):
        await asyncio.sleep(0)
    await kajabi_api.aclose()
    done, _ = await asyncio.wait(waiting, timeout=10)
    assert [type(each.exception()) for each in done] == [ClientClosedError] * 2
    assert [task for task in asyncio.all_tasks() if task.get_name().startswith("kajabi_async")] == []
    with pytest.raises(ClientClosedError):
        await quick.customers.get("1")
    await quick.aclose()


async def test_it_keeps_the_client_alive_and_is_dropped_without_a_warning(kajabi_fake: FakeKajabi) -> None:
    """The pool has one owner, whose end is reported once."""
    quick = _client(kajabi_fake).with_options(timeout=5)
    gc.collect()
    assert (await quick.customers.get("1")).id == "1"
    session: Any = quick.session
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        parent = session._parent
        del quick, session
        gc.collect()
    assert shown == []
    await parent.send(Request("GET", "/v1/customers/2"))
    assert kajabi_fake.counts["customers.get"] == 2
    await parent.aclose()


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"timout": 5}, ConfigurationError, r"^with_options\(\) has no option 'timout'; did you mean 'timeout'\?$"),
        ({"base_url": "https://x.example"}, ConfigurationError, "no option 'base_url'"),
        ({"timeout": 0}, ConfigurationError, "timeout total"),
        ({"timeout": "5"}, ConfigurationError, "timeout total"),
        ({"retry": 3}, ConfigurationError, "retry must be a RetryPolicy, got int"),
        ({"retry": 0}, ConfigurationError, "retry must be a RetryPolicy, got int"),
        ({"concurrency": 0}, ConfigurationError, "concurrency"),
        ({"concurrency": True}, ConfigurationError, "concurrency"),
        ({"site_id": "a/b"}, InvalidIdError, "sites"),
    ],
)
async def test_options_are_checked_as_by_the_constructor(
    options: Any, error: type[Exception], message: str, kajabi_api: Kajabi
) -> None:
    """Before there is a client."""
    with pytest.raises(error, match=message):
        kajabi_api.with_options(**options)


async def test_no_policy_is_the_default_one_as_in_the_constructor(kajabi_fake: FakeKajabi) -> None:
    """Not that of the client."""
    async with _client(kajabi_fake, retry=RetryPolicy(max_attempts=1)) as api:
        none: Any = None
        assert api.with_options(retry=none).session.retry == RetryPolicy()
        assert api.with_options().session.retry == RetryPolicy(max_attempts=1)


async def test_a_subclass_stays_one(kajabi_fake: FakeKajabi) -> None:
    """With its own attributes."""

    class Ours(Kajabi):
        label = "ours"

    async with Ours(
        client_id=kajabi_fake.client_id, client_secret=kajabi_fake.client_secret, base_url=kajabi_fake.base_url
    ) as api:
        other = api.with_options(timeout=5)
        assert type(other) is Ours
        assert repr(other) == repr(api)
