"""The access gate under load, without Kajabi, and in random walks."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from kajabi_async import Kajabi
from kajabi_async.access import Access, AccessGate, Cache, MemoryCache, RedisCache
from kajabi_async.testing import FakeKajabi
from tests.access.machine import AccessMachine, walk
from tests.soak.figures import Figure

TASKS = 1000
PEOPLE = 200
BARS = {"memory": 0.001, "Redis": 0.005}


def _client(fake: FakeKajabi) -> Kajabi:
    return Kajabi(client_id=fake.client_id, client_secret=fake.client_secret, base_url=fake.base_url, timeout=30)


async def cached(redis_url: str, *, rounds: int) -> list[Figure]:
    """Measure checks of what is cached: a thousand tasks at once, and the same tasks spread over a second."""
    figures: list[Figure] = []
    for where, bar in BARS.items():
        async with AsyncExitStack() as stack:
            fake = await stack.enter_async_context(FakeKajabi(customers=PEOPLE))
            api = await stack.enter_async_context(_client(fake))
            cache: Cache = MemoryCache()
            if where == "Redis":
                cache = await stack.enter_async_context(RedisCache(redis_url))
            gate = AccessGate(api, cache=cache, budget=30.0)
            people = [str(number) for number in range(1, PEOPLE + 1) if _holds_offers(fake, str(number))]
            await asyncio.gather(*(gate.check(customer_id=each) for each in people))
            for how, gap in (("at once", 0.0), ("within a second", 1.0)):
                seconds: list[float] = []
                for _ in range(rounds):
                    await asyncio.gather(*(_timed(gate, people, n, gap, seconds) for n in range(TASKS)))
                worst = sorted(seconds)[int(len(seconds) * 0.99) - 1]
                shown = f"{worst * 1000:.3f} ms for 99 of 100 checks"
                what = f"{TASKS:,} tasks {how}, {len(people)} people, cached in {where}"
                figures.append(Figure(what, shown, f"under {bar * 1000:g} ms", worst < bar))
    return figures


async def _timed(gate: AccessGate, people: list[str], number: int, gap: float, seconds: list[float]) -> None:
    await asyncio.sleep(gap * number / TASKS)
    started = time.perf_counter()
    access = await gate.check(customer_id=people[number % len(people)])
    seconds.append(time.perf_counter() - started)
    assert access.allowed


def _holds_offers(fake: FakeKajabi, customer_id: str) -> bool:
    customer = fake.resource("customers", customer_id)
    return customer is not None and bool(customer["relationships"]["offers"]["data"])


async def logins(number: int, people: int) -> list[Figure]:
    """Log *number* visitors in at the same moment, who are *people* in all, by id and by email."""
    figures: list[Figure] = []
    async with FakeKajabi(customers=60, latency=0.05) as fake, _client(fake) as api:
        chosen = [str(each) for each in range(1, 61) if _holds_offers(fake, str(each))][:people]
        emails = [_email(fake, each) for each in chosen]
        for by, names in (("customer_id", chosen), ("email", emails)):
            gate = AccessGate(api, budget=30.0)
            fake.reset_counts()
            answers = await asyncio.gather(*(_check(gate, by, names[n % people]) for n in range(number)))
            allowed = sum(each.allowed for each in answers)
            readings = fake.counts["purchases.list"]
            shown = f"{allowed} let in, {readings} readings {dict(fake.counts)}"
            what = f"{number:,} logins of {people} people at the same moment, by {by}"
            figures.append(Figure(what, shown, f"all, {people}", allowed == number and readings == people))
    return figures


async def _check(gate: AccessGate, by: str, name: str) -> Access:
    arguments: dict[str, Any] = {by: name}
    return await gate.check(**arguments)


def _email(fake: FakeKajabi, customer_id: str) -> str:
    customer = fake.resource("customers", customer_id)
    assert customer is not None
    email: str = customer["attributes"]["email"]
    return email


async def gone(number: int, *, budget: float) -> list[Figure]:
    """Let *number* checks meet a Kajabi that hangs, fails, pauses or is not there."""
    ways: dict[str, Callable[[FakeKajabi], Awaitable[object] | object]] = {
        "hangs": lambda fake: fake.hang(times=None),
        "answers 503": lambda fake: fake.fail(status=503, times=None),
        "asks for a pause": lambda fake: fake.fail(status=429, times=None, headers={"Retry-After": "60"}),
        "cuts connections": lambda fake: fake.drop(times=None),
        "is not there": lambda fake: fake.aclose(),
    }
    figures: list[Figure] = []
    for how, act in ways.items():
        async with FakeKajabi(customers=60) as fake, _client(fake) as api:
            gate = AccessGate(api, budget=budget, fresh=0.0)
            known = next(str(each) for each in range(1, 61) if _holds_offers(fake, str(each)))
            assert (await AccessGate(api).check(customer_id=known)).allowed
            assert (await gate.check(customer_id=known)).allowed
            result = act(fake)
            if isinstance(result, Awaitable):
                await result
            seconds: list[float] = []
            wrong = 0
            for each in range(number):
                for customer, state in ((known, "allowed"), (str(1000 + each), "unknown")):
                    started = time.perf_counter()
                    access = await gate.check(customer_id=customer)
                    seconds.append(time.perf_counter() - started)
                    wrong += access.state != state
            most = max(seconds) - budget
            shown = f"{wrong} wrong answers, the slowest {most * 1000:+.0f} ms from the budget"
            holds = not wrong and most < 0.05
            what = f"{2 * number} checks while Kajabi {how}"
            figures.append(Figure(what, shown, "0, at most +50 ms", holds))
    return figures


def machine(steps: int) -> Figure:
    """Take *steps* of the state machine, half of them as hypothesis chooses and half at random."""
    examples = max(1, steps // 2 // 50)
    profile = settings(
        max_examples=examples,
        stateful_step_count=50,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.too_slow],
    )
    wrong: list[str] = []
    try:
        run_state_machine_as_test(AccessMachine, settings=profile)
    except AssertionError as error:
        wrong.append(str(error)[:200])
    for seed in range(steps // 2 // 50):
        wrong += walk(seed, 50)
    return Figure(f"{steps:,} steps of the state machine", f"{len(wrong)} wrong {wrong[:2]}", "0", not wrong)
