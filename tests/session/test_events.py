"""The events that observers receive."""

import asyncio
import gc
import logging
import weakref
from typing import Any

import pytest

from kajabi_async import Kajabi, KajabiError, NotFoundError, RequestTimeoutError, RetryPolicy, SessionEvent
from kajabi_async.session import (
    OperationEnded,
    OperationStarted,
    RequestAnswered,
    RequestRetried,
    RequestStarted,
    RequestWaited,
    TokenRefreshed,
    TokenRequestAnswered,
)
from kajabi_async.testing import FakeKajabi


def _client(fake: FakeKajabi, seen: list[SessionEvent], **options: Any) -> Kajabi:
    return Kajabi(
        client_id=fake.client_id,
        client_secret=fake.client_secret,
        base_url=fake.base_url,
        observers=[seen.append],
        retry=RetryPolicy(base_seconds=0.0),
        **options,
    )


async def test_a_call_is_reported_from_start_to_end(kajabi_fake: FakeKajabi) -> None:
    """With the name of the operation, and without any id."""
    seen: list[SessionEvent] = []
    async with _client(kajabi_fake, seen) as api:
        kajabi_fake.fail("customers.get")
        await api.customers.get("1")
    kinds = [type(event) for event in seen if not isinstance(event, RequestWaited)]
    attempt = [RequestStarted, RequestAnswered]
    token = [TokenRequestAnswered, TokenRefreshed]
    assert kinds == [OperationStarted, *token, *attempt, RequestRetried, *attempt, OperationEnded]
    started = seen[0]
    assert isinstance(started, OperationStarted)
    assert (started.name, started.method, started.template) == ("customers.get", "GET", "/v1/customers/{id}")
    assert started.base_url == kajabi_fake.base_url
    assert {getattr(event, "name", "") for event in seen if hasattr(event, "operation")} == {"customers.get"}
    answered = [event for event in seen if isinstance(event, RequestAnswered)]
    assert [(event.attempt, event.status, event.error) for event in answered] == [
        (1, 503, "ServerError"),
        (2, 200, ""),
    ]
    assert answered[1].answer_bytes > 0
    ended = seen[-1]
    assert isinstance(ended, OperationEnded)
    assert (ended.attempts, ended.error, ended.cancelled) == (2, "", False)
    assert "customers/1" not in repr(seen)


async def test_failures_and_cancellations_differ(kajabi_fake: FakeKajabi) -> None:
    """By the name of the error."""
    seen: list[SessionEvent] = []
    async with _client(kajabi_fake, seen) as api:
        with pytest.raises(NotFoundError):
            await api.customers.get("999999999")
        kajabi_fake.hang(times=1)
        hanging = asyncio.create_task(api.customers.get("1"))
        async with asyncio.timeout(5):
            while not isinstance(seen[-1], RequestStarted):
                await asyncio.sleep(0)
        hanging.cancel()
        await asyncio.wait([hanging])
    ended = [(event.error, event.cancelled) for event in seen if isinstance(event, OperationEnded)]
    assert ended == [("NotFoundError", False), ("CancelledError", True)]


@pytest.mark.parametrize("how", ["cancelled", "out of time", "dropped"])
async def test_an_attempt_has_always_ended_before_its_operation(how: str, kajabi_fake: FakeKajabi) -> None:
    """However it ends: an observer never has to close an open attempt itself."""
    seen: list[SessionEvent] = []
    async with _client(kajabi_fake, seen) as api:
        await api.me()
        seen.clear()
        if how == "dropped":
            kajabi_fake.drop("customers.get", times=None)
        else:
            kajabi_fake.hang("customers.get")
        call = asyncio.create_task(api.customers.get("1", timeout=0.1 if how == "out of time" else 60.0))
        async with asyncio.timeout(5):
            while how == "cancelled" and not any(isinstance(event, RequestStarted) for event in seen):
                await asyncio.sleep(0)
        if how == "cancelled":
            call.cancel()
        await asyncio.gather(call, return_exceptions=True)
    kinds = [type(event) for event in seen]
    assert kinds.count(RequestStarted) == kinds.count(RequestAnswered) >= 1
    assert kinds[0] is OperationStarted
    assert kinds[-2:] == [RequestAnswered, OperationEnded]


async def test_a_wait_in_vain_is_reported(kajabi_fake: FakeKajabi) -> None:
    """It is the cause of the error; a moment's wait is not reported."""
    seen: list[SessionEvent] = []
    async with _client(kajabi_fake, seen, concurrency=1) as api:
        await api.me()
        kajabi_fake.hang("offers.get")
        hanging = asyncio.create_task(api.offers.get("1"))
        while kajabi_fake.counts["offers.get"] == 0:
            await asyncio.sleep(0)
        seen.clear()
        with pytest.raises(RequestTimeoutError):
            await api.customers.get("1", timeout=0.02)
        hanging.cancel()
        await asyncio.wait([hanging])
    mine = [event for event in seen if getattr(event, "name", "") == "customers.get"]
    assert [type(event) for event in mine] == [OperationStarted, RequestWaited, OperationEnded]


async def test_concurrent_operations_differ_by_number(kajabi_fake: FakeKajabi) -> None:
    """Their events are interleaved."""
    seen: list[SessionEvent] = []
    async with _client(kajabi_fake, seen) as api:
        await asyncio.gather(*(api.customers.get(str(number)) for number in range(1, 6)))
    numbers = [event.operation for event in seen if isinstance(event, OperationStarted)]
    assert len(set(numbers)) == 5
    for kind in (RequestStarted, RequestAnswered, OperationEnded):
        assert sorted(event.operation for event in seen if isinstance(event, kind)) == sorted(numbers)


@pytest.mark.parametrize("failure", [ZeroDivisionError(), KeyError("x"), AssertionError(), KajabiError("x")], ids=repr)
async def test_an_observer_that_fails_breaks_nothing(
    failure: Exception, kajabi_fake: FakeKajabi, caplog: pytest.LogCaptureFixture
) -> None:
    """Its exception is logged; the other observers are notified all the same."""
    seen: list[SessionEvent] = []

    def broken(_: SessionEvent) -> None:
        raise failure

    async with Kajabi(
        client_id=kajabi_fake.client_id,
        client_secret=kajabi_fake.client_secret,
        base_url=kajabi_fake.base_url,
        observers=[broken, seen.append],
    ) as api:
        with caplog.at_level(logging.WARNING, logger="kajabi_async"):
            await api.customers.get("1")
    assert isinstance(seen[-1], OperationEnded)
    assert f"an observer failed on OperationStarted: {failure!r}" in [record.getMessage() for record in caplog.records]


class _Worker:
    """Owns a client, observes it, and keeps the error of a call."""

    error: KajabiError | None = None

    def __init__(self, fake: FakeKajabi) -> None:
        self.seen: list[SessionEvent] = []
        self.api = Kajabi(
            client_id=fake.client_id,
            client_secret=fake.client_secret,
            base_url=fake.base_url,
            observers=[self.observe],
        )

    def observe(self, event: SessionEvent) -> None:
        self.seen.append(event)

    async def work(self) -> None:
        async with self.api:
            try:
                await self.api.customers.get("999999")
            except NotFoundError as error:
                self.error = error


async def test_an_observer_that_keeps_an_error_is_collected_with_its_client(kajabi_fake: FakeKajabi) -> None:
    """Its traceback leads to the call, to the observer, and back: a process that makes many clients must not grow."""
    worker = _Worker(kajabi_fake)
    await worker.work()
    assert worker.error is not None
    kept = weakref.ref(worker)
    del worker
    gc.collect()
    assert kept() is None


async def test_what_is_not_in_the_table_is_reported_by_its_method(kajabi_fake: FakeKajabi) -> None:
    """Its template is empty."""
    seen: list[SessionEvent] = []
    async with _client(kajabi_fake, seen) as api:
        with pytest.raises(NotFoundError):
            await api.request("GET", "/v1/unheard/5")
    started = seen[0]
    assert isinstance(started, OperationStarted)
    assert (started.name, started.method, started.template) == ("GET", "GET", "")
