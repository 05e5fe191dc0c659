"""The metrics, in the units of the conventions."""

import asyncio

import pytest

from kajabi_async import NotFoundError, RequestTimeoutError
from kajabi_async.session import MemoryTokenStore
from kajabi_async.testing import FakeKajabi
from tests.clocks import ManualClock
from tests.telemetry.recording import Recording


async def test_each_request_is_measured_in_seconds_by_method_target_and_outcome(kajabi_fake: FakeKajabi) -> None:
    """By the name and the attributes of the conventions; token requests too."""
    recording = Recording()
    async with recording.client(kajabi_fake) as api:
        await api.customers.get("1")
        await api.customers.get("2")
        with pytest.raises(NotFoundError):
            await api.customers.get("999999999")
    metric = recording.metrics()["http.client.request.duration"]
    assert metric.unit == "s"
    assert metric.data.data_points[0].explicit_bounds[:3] == (0.005, 0.01, 0.025)
    port = int(kajabi_fake.base_url.rpartition(":")[2])
    server = {"url.scheme": "http", "server.address": "127.0.0.1", "server.port": port}
    customer = {"http.request.method": "GET", "url.template": "/v1/customers/{id}", **server}
    token = {"http.request.method": "POST", "url.template": "/v1/oauth/token", **server}
    found = recording.points("http.client.request.duration")
    assert len(found) == 3
    assert ({**token, "http.response.status_code": 200}, 1) in found
    assert ({**customer, "http.response.status_code": 200}, 2) in found
    assert ({**customer, "http.response.status_code": 404, "error.type": "404"}, 1) in found


async def test_a_request_without_an_answer_is_measured_as_well(kajabi_fake: FakeKajabi) -> None:
    """With the error that ended it."""
    recording = Recording()
    kajabi_fake.hang("customers.get")
    async with recording.client(kajabi_fake) as api:
        with pytest.raises(RequestTimeoutError):
            await api.customers.get("1", timeout=0.2)
    found = recording.points("http.client.request.duration")
    (labels,) = [labels for labels, _ in found if labels["http.request.method"] == "GET"]
    assert labels["error.type"] == "CancelledError"
    assert "http.response.status_code" not in labels


async def test_retries_and_waits_are_counted_by_operation(kajabi_fake: FakeKajabi) -> None:
    """A wait is measured in seconds."""
    recording = Recording()
    kajabi_fake.fail("customers.get")
    kajabi_fake.fail("offers.get", status=429, headers={"Retry-After": "7"})
    async with recording.client(kajabi_fake, clock=ManualClock()) as api:
        await api.customers.get("1")
        await api.offers.get("1")
    assert sorted(recording.points("kajabi.client.retries"), key=str) == [
        ({"kajabi.operation": "customers.get", "error.type": "ServerError"}, 1),
        ({"kajabi.operation": "offers.get", "error.type": "RateLimitError"}, 1),
    ]
    assert ({"kajabi.operation": "offers.get"}, 1) in recording.points("kajabi.client.wait.duration")
    metric = recording.metrics()["kajabi.client.wait.duration"]
    assert metric.unit == "s"
    assert max(point.max for point in metric.data.data_points) >= 7.0


async def test_new_tokens_are_counted_as_fetched_or_shared(kajabi_fake: FakeKajabi) -> None:
    """Of two clients with one store, one takes the token that the other fetched."""
    recording, store = Recording(), MemoryTokenStore()
    async with (
        recording.client(kajabi_fake, token_store=store) as one,
        recording.client(kajabi_fake, token_store=store) as other,
    ):
        await asyncio.gather(one.me(), other.me())
    assert sorted(recording.points("kajabi.client.token.refreshes"), key=str) == [
        ({"kajabi.token.shared": False}, 1),
        ({"kajabi.token.shared": True}, 1),
    ]
