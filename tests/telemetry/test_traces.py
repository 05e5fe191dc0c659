"""The spans of operations and requests, as whole trees."""

import asyncio
from typing import Any

import pytest
from opentelemetry.trace import get_current_span

from kajabi_async import (
    AuthenticationError,
    ConnectionFailedError,
    Kajabi,
    KajabiError,
    NotFoundError,
    RequestTimeoutError,
    RetryPolicy,
    SessionEvent,
)
from kajabi_async.testing import FakeKajabi
from tests.clocks import ManualClock
from tests.telemetry.recording import Recording

ONCE = RetryPolicy(max_attempts=1)
GET_ONE = "GET /v1/customers/{id}"


@pytest.fixture
def recording() -> Recording:
    return Recording()


async def _warm(recording: Recording, api: Kajabi) -> None:
    await api.me()
    recording.exporter.clear()


def _request_attributes(fake: FakeKajabi, **more: Any) -> dict[str, Any]:
    return {
        "http.request.method": "GET",
        "url.scheme": "http",
        "url.template": "/v1/customers/{id}",
        "server.address": "127.0.0.1",
        "server.port": int(fake.base_url.rpartition(":")[2]),
        **more,
    }


async def test_an_operation_with_a_retry_is_one_tree_below_the_callers_span(
    kajabi_fake: FakeKajabi, recording: Recording
) -> None:
    """Token, operation, and a request for each attempt, with the attributes of the conventions."""
    kajabi_fake.fail("customers.get")
    async with recording.client(kajabi_fake) as api:
        with recording.tracer.start_as_current_span("sync customers"):
            await api.customers.get("1")
    root = recording.tree()
    assert root.outline == (
        "sync customers",
        "INTERNAL",
        "UNSET",
        (
            "kajabi customers.get",
            "INTERNAL",
            "UNSET",
            (GET_ONE, "CLIENT", "ERROR"),
            (GET_ONE, "CLIENT", "UNSET"),
        ),
        ("POST /v1/oauth/token", "CLIENT", "UNSET"),
        ("kajabi token", "INTERNAL", "UNSET"),
    )
    operation = root.named("kajabi customers.get")
    assert operation.attributes == {"kajabi.operation": "customers.get", "kajabi.attempts": 2}
    retry = {"error.type": "ServerError", "kajabi.attempt": 1, "kajabi.retry.after_seconds": 0.0}
    assert [event for event in operation.events if event[0] == "kajabi.retry"] == [("kajabi.retry", retry)]
    first, second = operation.children
    failed = {"http.response.status_code": 503, "error.type": "503"}
    assert first.attributes == _request_attributes(kajabi_fake, **failed)
    answered = {"http.request.resend_count": 1, "http.response.status_code": 200}
    assert second.attributes == _request_attributes(kajabi_fake, **answered)
    assert root.named("kajabi token").attributes == {"kajabi.token.shared": False}


async def test_an_error_answer_fails_request_and_operation(kajabi_fake: FakeKajabi, recording: Recording) -> None:
    """The request by its status, the operation by its error; the text of the error is not kept."""
    async with recording.client(kajabi_fake) as api:
        await _warm(recording, api)
        with pytest.raises(NotFoundError):
            await api.customers.get("999999999")
    root = recording.tree()
    assert root.outline == ("kajabi customers.get", "INTERNAL", "ERROR", (GET_ONE, "CLIENT", "ERROR"))
    assert root.attributes["error.type"] == "NotFoundError"
    (request,) = root.children
    assert request.attributes["error.type"] == "404"
    assert {node.span.status.description for node in root.all()} == {None}
    assert [node.events for node in root.all()] == [[], []]


async def test_a_redirect_is_no_error_of_the_request(kajabi_fake: FakeKajabi, recording: Recording) -> None:
    """Only of the operation, which does not follow it."""
    kajabi_fake.answer_with("GET", "/v1/customers/1", status=302, headers={"Location": "/elsewhere"})
    async with recording.client(kajabi_fake) as api:
        await _warm(recording, api)
        with pytest.raises(KajabiError):
            await api.customers.get("1")
    root = recording.tree()
    assert root.outline == ("kajabi customers.get", "INTERNAL", "ERROR", (GET_ONE, "CLIENT", "UNSET"))
    assert "error.type" not in root.children[0].attributes


async def test_no_answer_is_an_error_without_a_status(kajabi_fake: FakeKajabi, recording: Recording) -> None:
    """The error type is the class."""
    async with recording.client(kajabi_fake, retry=ONCE) as api:
        await api.me()
        recording.exporter.clear()
        kajabi_fake.drop("customers.get", times=None)
        with pytest.raises(ConnectionFailedError):
            await api.customers.get("1")
    (request,) = recording.tree().children
    assert request.outline == (GET_ONE, "CLIENT", "ERROR")
    assert request.attributes == _request_attributes(kajabi_fake, **{"error.type": "ConnectionFailedError"})


async def test_a_pause_is_recorded_as_an_event(kajabi_fake: FakeKajabi, recording: Recording) -> None:
    """With the duration of the wait."""
    clock = ManualClock()
    kajabi_fake.fail("customers.get", status=429, headers={"Retry-After": "7"})
    async with recording.client(kajabi_fake, clock=clock) as api:
        await _warm(recording, api)
        await api.customers.get("1")
    root = recording.tree()
    (_, retry), (name, wait) = root.events
    assert (retry["error.type"], retry["kajabi.retry.after_seconds"]) == ("RateLimitError", 7.0)
    assert name == "kajabi.wait"
    assert wait["kajabi.wait.seconds"] >= 7.0
    assert [child.attributes["http.response.status_code"] for child in root.children] == [429, 200]


async def test_cancelling_ends_all_spans(kajabi_fake: FakeKajabi, recording: Recording) -> None:
    """In the middle of an attempt."""
    async with recording.client(kajabi_fake) as api:
        await _warm(recording, api)
        kajabi_fake.hang("customers.get")
        hanging = asyncio.create_task(api.customers.get("1"))
        while kajabi_fake.counts["customers.get"] == 0:
            await asyncio.sleep(0)
        hanging.cancel()
        await asyncio.wait([hanging])
    root = recording.tree()
    assert root.outline == ("kajabi customers.get", "INTERNAL", "ERROR", (GET_ONE, "CLIENT", "ERROR"))
    assert {node.attributes["error.type"] for node in root.all()} == {"CancelledError"}
    assert recording.tracing._open == {}


async def test_a_timeout_ends_all_spans(kajabi_fake: FakeKajabi, recording: Recording) -> None:
    """In the middle of an attempt as well as in the queue before it."""
    async with recording.client(kajabi_fake, concurrency=1) as api:
        await _warm(recording, api)
        kajabi_fake.hang("customers.get")
        calls = [api.customers.get("1", timeout=0.1), api.offers.get("1", timeout=0.05)]
        results = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(result) for result in results] == [RequestTimeoutError, RequestTimeoutError]
    on_the_wire, in_line = recording.trees()
    assert on_the_wire.outline == ("kajabi customers.get", "INTERNAL", "ERROR", (GET_ONE, "CLIENT", "ERROR"))
    assert in_line.outline == ("kajabi offers.get", "INTERNAL", "ERROR")
    assert in_line.attributes == {
        "kajabi.operation": "offers.get",
        "kajabi.attempts": 0,
        "error.type": "RequestTimeoutError",
    }
    assert [name for name, _ in in_line.events] == ["kajabi.wait"]
    assert recording.tracing._open == {}


async def test_a_refused_token_shows_as_a_request_sent_again(kajabi_fake: FakeKajabi, recording: Recording) -> None:
    """The request for the new token is beside the operation."""
    async with recording.client(kajabi_fake) as api:
        await _warm(recording, api)
        kajabi_fake.revoke_all()
        with recording.tracer.start_as_current_span("job"):
            await api.customers.get("1")
    root = recording.tree()
    operation = root.named("kajabi customers.get")
    assert [child.attributes["http.response.status_code"] for child in operation.children] == [401, 200]
    assert operation.children[1].attributes["http.request.resend_count"] == 1
    assert [child.name for child in root.children] == [
        "kajabi customers.get",
        "POST /v1/oauth/token",
        "kajabi token",
    ]


async def test_credentials_that_are_refused_fail_an_operation_without_requests(
    kajabi_fake: FakeKajabi, recording: Recording
) -> None:
    """The span of the token request has the reason."""
    async with recording.client(kajabi_fake, client_secret="wrong") as api:
        with recording.tracer.start_as_current_span("job"), pytest.raises(AuthenticationError):
            await api.customers.get("1")
    root = recording.tree()
    operation, token = root.children
    assert operation.outline == ("kajabi customers.get", "INTERNAL", "ERROR")
    assert operation.attributes["error.type"] == "AuthenticationError"
    assert token.outline == ("POST /v1/oauth/token", "CLIENT", "ERROR")
    assert token.attributes["error.type"] == str(token.attributes["http.response.status_code"]) == "401"


async def test_each_request_for_a_token_is_a_span(kajabi_fake: FakeKajabi, recording: Recording) -> None:
    """Retries are counted; revoking is a request, too."""
    kajabi_fake.fail("oauth.token")
    async with recording.client(kajabi_fake) as api:
        with recording.tracer.start_as_current_span("job"):
            await api.me()
            await api.revoke()
    root = recording.tree()
    requests = [node for node in root.children if node.span.kind.name == "CLIENT"]
    assert [(node.name, node.attributes.get("http.request.resend_count")) for node in requests] == [
        ("POST /v1/oauth/token", None),
        ("POST /v1/oauth/token", 1),
        ("POST /v1/oauth/revoke", None),
    ]
    assert [node.attributes["http.response.status_code"] for node in requests] == [503, 200, 200]
    for node in requests:
        assert (node.span.start_time or 0) <= (node.span.end_time or 0)


async def test_the_callers_span_stays_the_current_one(kajabi_fake: FakeKajabi, recording: Recording) -> None:
    """Spans of other libraries are never children of ours."""
    seen: set[Any] = set()

    def look(_: SessionEvent) -> None:
        seen.add(get_current_span())

    async with recording.client(kajabi_fake, observers=[recording.tracing, look]) as api:
        with recording.tracer.start_as_current_span("job") as span:
            await api.customers.get("1")
            assert get_current_span() is span
    assert seen == {span}


async def test_two_hundred_operations_at_once_are_two_hundred_trees(recording: Recording) -> None:
    """Even if their attempts are interleaved."""
    async with FakeKajabi(customers=200) as fake, recording.client(fake) as api:
        await _warm(recording, api)
        fake.fail("customers.get", times=50)
        await asyncio.gather(*(api.customers.get(str(number)) for number in range(1, 201)))
    trees = recording.trees()
    assert len({tree.span.context.trace_id for tree in trees if tree.span.context}) == len(trees) == 200
    statuses: list[int] = []
    for tree in trees:
        assert tree.name == "kajabi customers.get"
        assert tree.attributes["kajabi.attempts"] == len(tree.children)
        codes = [child.attributes["http.response.status_code"] for child in tree.children]
        assert codes == [503] * (len(codes) - 1) + [200]
        assert [child.attributes.get("http.request.resend_count", 0) for child in tree.children] == list(
            range(len(codes))
        )
        statuses += codes
    assert (statuses.count(503), statuses.count(200)) == (50, 200)
    assert recording.tracing._open == {}


async def test_operations_at_once_are_children_of_the_span_of_their_own_task(
    kajabi_fake: FakeKajabi, recording: Recording
) -> None:
    """Each task has its own current span."""

    async def job(api: Kajabi, number: int) -> None:
        with recording.tracer.start_as_current_span(f"job {number}"):
            await (api.customers.get("1") if number % 2 else api.offers.get("1"))

    async with recording.client(kajabi_fake) as api:
        await _warm(recording, api)
        await asyncio.gather(*(job(api, number) for number in range(20)))
    assert len(recording.trees()) == 20
    for tree in recording.trees():
        (operation,) = tree.children
        number = int(tree.name.removeprefix("job "))
        assert operation.name == ("kajabi customers.get" if number % 2 else "kajabi offers.get")


async def test_clients_may_share_one_observer(kajabi_fake: FakeKajabi, recording: Recording) -> None:
    """Their operations are never mixed up."""
    async with (
        FakeKajabi() as another,
        recording.client(kajabi_fake) as one,
        recording.client(another) as other,
    ):
        await _warm(recording, one)
        await _warm(recording, other)
        await asyncio.gather(*(api.customers.get("1") for api in [one, other] * 10))
    ports = [tree.children[0].attributes["server.port"] for tree in recording.trees()]
    assert sorted(ports) == sorted([int(fake.base_url.rpartition(":")[2]) for fake in (kajabi_fake, another)] * 10)


async def test_an_operation_that_is_dropped_leaves_no_span_open(kajabi_fake: FakeKajabi, recording: Recording) -> None:
    """Its coroutine is closed before its end."""
    async with recording.client(kajabi_fake) as api:
        await _warm(recording, api)
        operation = api.customers.get("1").__await__()
        next(operation)
        assert len(recording.tracing._open) == 1
        operation.close()
    assert recording.tracing._open == {}
    assert recording.tree().attributes["error.type"] == "GeneratorExit"


async def test_what_the_table_of_operations_does_not_know_is_called_by_its_method(
    kajabi_fake: FakeKajabi, recording: Recording
) -> None:
    """Its path may contain anything."""
    async with recording.client(kajabi_fake) as api:
        await _warm(recording, api)
        with pytest.raises(KajabiError):
            await api.request("GET", "/v1/unheard/471100")
    root = recording.tree()
    assert root.outline == ("kajabi GET", "INTERNAL", "ERROR", ("GET", "CLIENT", "ERROR"))
    assert "url.template" not in root.children[0].attributes
    assert not [node for node in root.all() if "471100" in node.span.to_json()]
