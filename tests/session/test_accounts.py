"""What a call counts, reports and logs, number by number, on a clock that each request advances by 0.25 s."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from typing import Any

import attrs
import pytest

from kajabi_async import (
    AuthenticationError,
    ClientCredentials,
    ConnectionFailedError,
    KajabiError,
    NotFoundError,
    PausedError,
    RateLimitError,
    RequestTimeoutError,
    RetryPolicy,
    ServerError,
    SessionManager,
    Timeouts,
)
from kajabi_async.exchange import Request, Tally
from kajabi_async.session import (
    MemoryTokenStore,
    OperationEnded,
    OperationStarted,
    RequestAnswered,
    RequestRetried,
    RequestStarted,
    RequestWaited,
    SessionEvent,
    SessionStats,
    TokenRefreshed,
    TokenRequestAnswered,
)
from tests.clocks import ManualClock
from tests.session.aioresponses_adapter import answering
from tests.session.serving import GET, answer, read_request, serving, session

BASE = "https://api.kajabi.com"
READ = Request("GET", "/v1/customers/1")
WRITE = Request("POST", "/v1/contacts", body=b"{}")


class Api:
    """Answers without a socket, each a quarter of a second after its request."""

    def __init__(self, mocked: Any) -> None:
        self.mocked = mocked
        self.clock = ManualClock()
        self.seen: list[SessionEvent] = []

    def answers(self, method: str, path: str, status: int = 200, **given: Any) -> None:
        """Answer the next such request with this."""

        def later(_: Any, **__: Any) -> None:
            self.clock.advance(0.25)

        self.mocked.add(f"{BASE}{path}", method, status=status, callback=later, **given)

    def issues(self, access: str = "tok", **members: Any) -> None:
        """Answer the next token request with a token."""
        self.answers("POST", "/v1/oauth/token", payload={"access_token": access, "expires_in": 1000, **members})

    @asynccontextmanager
    async def session(self, **settings: Any) -> AsyncGenerator[SessionManager]:
        """Yield a session on this API that records its events in `seen`."""
        credentials = ClientCredentials("id", "secret")
        given: dict[str, Any] = {
            "clock": self.clock,
            "jitter": lambda: 1.0,
            "observers": [self.seen.append],
            **settings,
        }
        manager = SessionManager(credentials=credentials, base_url=BASE, **given)
        try:
            async with asyncio.timeout(20):
                yield manager
        finally:
            await manager.aclose()


def _number(api: Api) -> int:
    """Return the number of the one operation that was observed."""
    (number,) = {event.operation for event in api.seen if isinstance(event, OperationStarted)}
    return number


class Stuck(ManualClock):
    """A clock whose sleep never returns, although *seconds* pass."""

    def __init__(self, seconds: float = 0.0) -> None:
        super().__init__()
        self._seconds = seconds

    async def sleep(self, seconds: float) -> None:
        self.advance(self._seconds)
        await asyncio.Event().wait()


@pytest.fixture
def api() -> Generator[Api]:
    with answering() as mocked:
        yield Api(mocked)


class Turns:
    """A rate with fixed waits that learns nothing."""

    def __init__(self, *waits: float) -> None:
        # A request that has to wait asks again in the queue.
        self._waits = [each for wait in waits for each in ((wait, wait, 0.0) if wait else (0.0,))]

    async def take(self, now: float) -> float:
        return self._waits.pop(0) if self._waits else 0.0

    def answered(self, now: float) -> None:
        return

    def refused(self, now: float, pause_seconds: float | None) -> None:
        return

    def per_second(self, now: float) -> float | None:
        return None


async def test_every_step_of_a_call_is_reported_with_its_numbers(api: Api) -> None:
    """The token, a failure, the wait, and the final answer."""
    api.issues()
    api.answers("GET", "/v1/customers/1", 503, body=b"busy")
    api.answers("GET", "/v1/customers/1", body=b'{"data": null}')
    async with api.session() as manager:
        await manager.send(READ)
    of = (_number(api), "customers.get")
    assert api.seen == [
        OperationStarted(*of, "GET", "/v1/customers/{id}", BASE),
        TokenRequestAnswered("oauth.token", "POST", "/v1/oauth/token", BASE, 1, 200, "", 0.25),
        TokenRefreshed(False),
        RequestStarted(*of, 1),
        RequestAnswered(*of, 1, 503, "ServerError", 0.25, 4),
        RequestRetried(*of, 1, "ServerError", 0.5),
        RequestStarted(*of, 2),
        RequestAnswered(*of, 2, 200, "", 0.25, 14),
        OperationEnded(*of, 2, "", False, 1.25),
    ]


async def test_the_steps_of_a_failure_are_reported_with_its_name(api: Api) -> None:
    """For a failure with an answer and for one without."""
    api.issues()
    api.answers("GET", "/v1/customers/1", 404, body=b"")
    async with api.session(retry=RetryPolicy(max_attempts=1)) as manager:
        with pytest.raises(NotFoundError):
            await manager.send(READ)
        api.seen.clear()
        api.mocked.add(f"{BASE}/v1/customers/1", "GET", exception=OSError("gone"))
        with pytest.raises(ConnectionFailedError):
            await manager.send(READ)
    of = (_number(api), "customers.get")
    assert api.seen == [
        OperationStarted(*of, "GET", "/v1/customers/{id}", BASE),
        RequestStarted(*of, 1),
        RequestAnswered(*of, 1, None, "ConnectionFailedError", 0.0, 0),
        OperationEnded(*of, 1, "ConnectionFailedError", False, 0.0),
    ]


@pytest.mark.parametrize(("status", "name"), [(200, ""), (299, ""), (300, "ApiError"), (404, "NotFoundError")])
async def test_an_answer_is_called_by_the_error_that_it_becomes(status: int, name: str, api: Api) -> None:
    """An answer with a 2xx status has no error."""
    api.answers("GET", "/v1/customers/1", status, payload={})
    async with api.session() as manager:
        call = asyncio.create_task(manager.send(GET))
        await asyncio.wait([call])
    assert type(call.exception()).__name__ == (name or "NoneType")
    (answered,) = [event for event in api.seen if isinstance(event, RequestAnswered)]
    assert (answered.status, answered.error) == (status, name)


async def test_each_operation_has_the_next_number(api: Api) -> None:
    """Numbers are shared by all sessions of the process."""
    api.issues()
    api.issues()
    for _ in range(3):
        api.answers("GET", "/v1/customers/1", payload={})
    for calls in (2, 1):
        async with api.session() as manager:
            for _ in range(calls):
                await manager.send(READ)
    numbers = [event.operation for event in api.seen if isinstance(event, OperationStarted)]
    assert numbers == [numbers[0], numbers[0] + 1, numbers[0] + 2]
    assert numbers[0] >= 1


@pytest.mark.parametrize(("seconds", "reported"), [(0.0009, []), (0.001, [0.001]), (2.0, [2.0])])
async def test_a_wait_of_a_millisecond_is_reported(seconds: float, reported: list[float], api: Api) -> None:
    """With its operation; a shorter one is counted but not reported."""
    api.clock.now = 0.0
    api.answers("GET", "/v1/customers/1", payload={})
    tally = Tally()
    async with api.session(rate_limit=Turns(seconds)) as manager:
        await manager.send(GET, tally=tally)
    waits = [event for event in api.seen if isinstance(event, RequestWaited)]
    assert waits == [RequestWaited(_number(api), "customers.get", each) for each in reported]
    assert tally.waiting_seconds == seconds


async def test_waits_are_summed_over_attempts(api: Api) -> None:
    """For a permit and between attempts, with or without observers; time on the wire is another sum."""
    for status in (503, 503, 200):
        api.answers("GET", "/v1/customers/1", status, payload={})
    tally = Tally(operations=1, attempts=1, retries=1, waiting_seconds=1.0, wire_seconds=1.0)
    async with api.session(rate_limit=Turns(2.0, 4.0, 8.0), observers=()) as manager:
        await manager.send(GET, tally=tally)
        stats = manager.stats
    assert tally == Tally(operations=2, attempts=4, retries=3, waiting_seconds=1.0 + 14.0 + 1.5, wire_seconds=1.75)
    assert attrs.asdict(stats) == attrs.asdict(
        SessionStats(operations=1, attempts=3, retries=2, waiting_seconds=15.5, wire_seconds=0.75)
    )


async def test_a_session_counts_all_that_it_has_done(api: Api) -> None:
    """Over all its calls, successful or not; `stats` is a copy."""
    api.issues()
    for status in (503, 200, 404):
        api.answers("GET", "/v1/customers/1", status, payload={})
    api.answers("GET", "/v1/customers/1", 429, headers={"Retry-After": "2"})
    async with api.session(retry=RetryPolicy(budget=1.0)) as manager:
        await manager.send(READ)
        with pytest.raises(NotFoundError):
            await manager.send(READ)
        with pytest.raises(RateLimitError):
            await manager.send(READ, timeout=1.0)
        api.answers("GET", "/v1/customers/1", 503)
        with pytest.raises(ServerError):
            await manager.send(READ)
        first, second = manager.stats, manager.stats
        first.operations = 99
        rate = second.requests_per_second
    assert rate is not None
    assert second == SessionStats(
        operations=4,
        attempts=5,
        retries=1,
        waiting_seconds=0.5 + 2.0,
        wire_seconds=1.25,
        resent=0,
        rate_limited=1,
        pauses=1,
        retries_denied=1,
        token_requests=1,
        tokens_taken=0,
        requests_per_second=rate,
        queued=0,
    )


async def test_a_denied_repeat_is_logged_with_its_operation(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    """With or without observers."""
    for observers in ((), [api.seen.append]):
        caplog.clear()
        api.answers("GET", "/v1/customers/1", 503)
        api.answers("GET", "/v1/customers/1", 503)
        with caplog.at_level(logging.WARNING, logger="kajabi_async"):
            async with api.session(retry=RetryPolicy(budget=1.0), observers=observers) as manager:
                with pytest.raises(ServerError) as caught:
                    await manager.send(GET)
        assert (caught.value.gave_up, caught.value.attempts) == ("budget", 2)
        (record,) = caplog.records
        assert vars(record)["operation"] == "customers.get"


async def test_replaced_connections_are_counted() -> None:
    """Each of them, in the sum over all calls."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(answer())
        await read_request(reader)

    async with serving(handle) as base_url, session(base_url, retry=RetryPolicy(budget=0.0)) as manager:
        for _ in range(3):
            await manager.send(GET)
        assert (manager.stats.resent, manager.stats.retries, manager.stats.attempts) == (2, 2, 5)


async def test_a_call_that_failed_is_added_to_its_tally(api: Api) -> None:
    """As a successful one is."""
    api.answers("GET", "/v1/customers/1", 404)
    tally = Tally()
    async with api.session() as manager:
        with pytest.raises(NotFoundError):
            await manager.send(GET, tally=tally)
    assert tally == Tally(operations=1, attempts=1, wire_seconds=0.25)


async def test_a_token_of_another_client_is_reported_as_one(api: Api) -> None:
    """It is counted too."""
    store = MemoryTokenStore()
    api.issues()
    for _ in range(2):
        api.answers("GET", "/v1/customers/1", payload={})
    for shared in (False, True):
        api.seen.clear()
        async with api.session(token_store=store) as manager:
            await manager.send(READ)
            assert (manager.stats.tokens_taken, manager.stats.token_requests) == (int(shared), int(not shared))
        assert [event for event in api.seen if isinstance(event, TokenRefreshed)] == [TokenRefreshed(shared)]


async def test_a_write_that_was_refused_with_its_token_was_not_applied(api: Api) -> None:
    """Whatever happens to the request for a new token."""
    api.issues()
    api.answers("POST", "/v1/contacts", 401)
    api.answers("POST", "/v1/oauth/token", 500)
    async with api.session(retry=RetryPolicy(max_attempts=1)) as manager:
        with pytest.raises(ServerError) as caught:
            await manager.send(WRITE)
    assert (caught.value.path, caught.value.maybe_applied, caught.value.attempts) == ("/v1/oauth/token", False, 1)


async def test_a_write_that_waits_to_be_sent_again_was_not_applied(api: Api) -> None:
    """It never left, and its time ends before it does."""

    refused = ConnectionFailedError("refused")
    refused.never_sent = True
    api.mocked.add(f"{BASE}/v1/contacts", "POST", exception=refused)
    write = Request("POST", "/v1/contacts", body=b"{}", authorized=False)
    async with api.session(clock=Stuck(), jitter=lambda: 0.0) as manager:
        with pytest.raises(RequestTimeoutError) as caught:
            await manager.send(write, timeout=0.05)
    assert (caught.value.phase, caught.value.maybe_applied, caught.value.attempts) == ("total", False, 1)


async def test_a_write_that_never_left_was_not_applied_when_no_token_comes_for_it(api: Api) -> None:
    """The token ends before the write is sent again, and the token endpoint fails."""
    refused = ConnectionFailedError("refused")
    refused.never_sent = True
    api.issues()
    api.mocked.add(f"{BASE}/v1/contacts", "POST", exception=refused)
    for _ in range(2):
        api.answers("POST", "/v1/oauth/token", 500)
    policy = RetryPolicy(max_attempts=2, base_seconds=2000.0, max_backoff_seconds=2000.0)
    async with api.session(retry=policy, timeouts=Timeouts(total=None)) as manager:
        with pytest.raises(ServerError) as caught:
            await manager.send(WRITE)
    assert (caught.value.path, caught.value.maybe_applied, caught.value.attempts) == ("/v1/oauth/token", False, 1)


@pytest.mark.parametrize(("request_", "because"), [(GET, "attempts"), (WRITE, "write")], ids=["read", "write"])
async def test_why_a_call_was_given_up_is_about_this_call(request_: Request, because: str, api: Api) -> None:
    """Although its error was raised by a wrapper of the session, which may send by another client."""
    theirs = ConnectionFailedError("broken").sent(attempts=7, maybe_applied=False, gave_up="budget")
    api.issues()
    api.mocked.add(f"{BASE}{request_.path}", request_.method, exception=theirs)
    async with api.session(retry=RetryPolicy(max_attempts=1)) as manager:
        with pytest.raises(ConnectionFailedError) as caught:
            await manager.send(request_)
    assert caught.value is theirs
    assert (theirs.gave_up, theirs.attempts, theirs.maybe_applied) == (because, 1, request_ is WRITE)


async def test_a_token_that_is_refused_again_and_again_is_tried_three_times(api: Api) -> None:
    """Other clients save new ones in the store meanwhile; one fetched just now is the last."""
    clock = api.clock

    class Others(MemoryTokenStore):
        """A store in which another client saves a new token before each load."""

        looks = 0

        async def load(self, key: str) -> Any:
            found = await super().load(key)
            self.looks += 1
            return None if found is None else attrs.evolve(found, access=type(found.access)(f"theirs-{self.looks}"))

    api.issues()
    for _ in range(9):
        api.answers("GET", "/v1/customers/1", 401)
    async with api.session(token_store=Others(monotonic=clock.monotonic)) as manager:
        with pytest.raises(AuthenticationError) as caught:
            await manager.send(READ)
        assert (caught.value.attempts, manager.stats.token_requests, manager.stats.tokens_taken) == (4, 1, 3)


async def test_what_was_not_sent_says_for_how_long_and_until_when(api: Api) -> None:
    """By the clock of this machine."""
    api.answers("GET", "/v1/customers/1", 429, headers={"Retry-After": "40"})
    async with api.session() as manager:
        with pytest.raises(RateLimitError):
            await manager.send(GET, timeout=30)
        api.clock.advance(10.0)
        with pytest.raises(PausedError) as caught:
            await manager.send(GET, timeout=30)
    error = caught.value
    assert (error.status, error.method, error.path) == (429, "GET", "/v1/customers/1")
    assert error.retry_after == 30.0
    assert error.retry_at == api.clock.time() + 30.0
    assert (error.attempts, error.maybe_applied, error.gave_up) == (0, False, "final")


async def test_waiting_for_a_turn_is_not_waiting_for_a_place(api: Api) -> None:
    """The limit on the queue applies to permits too, if there is one."""

    class Slow(ManualClock):
        async def sleep(self, seconds: float) -> None:
            await super().sleep(seconds)
            await asyncio.sleep(0.1)

    api.answers("GET", "/v1/customers/1", payload={})
    settings: dict[str, Any] = {"clock": Slow(), "rate_limit": Turns(3.0), "timeouts": Timeouts(queue=0.02)}
    async with api.session(**settings) as manager:
        assert (await manager.send(GET)).status == 200


@pytest.mark.parametrize(("back_off", "statuses"), [(4.0, [503, 200]), (6.0, [503])], ids=["in time", "too late"])
async def test_the_time_of_an_operation_is_what_is_left_when_it_leaves_the_line(
    back_off: float, statuses: list[int], api: Api
) -> None:
    """Half a minute in the line takes nothing of its five seconds and adds nothing to them."""
    for status in statuses:
        api.answers("GET", "/v1/customers/1", status, payload={})
    settings: dict[str, Any] = {"rate_limit": Turns(30.0), "retry": RetryPolicy(base_seconds=back_off)}
    async with api.session(**settings) as manager:
        call = asyncio.create_task(manager.send(GET, timeout=5.0, timeout_starts="sent"))
        await asyncio.wait([call])
    error = call.exception()
    assert api.clock.slept == [30.0, back_off][: len(statuses)]
    if statuses[-1] == 200:
        assert error is None
    else:
        assert isinstance(error, ServerError)
        assert (error.gave_up, error.attempts) == ("deadline", 1)


async def test_an_operation_without_a_limit_waits_in_the_line_as_well(api: Api) -> None:
    """Whether the wait would count or not."""
    for _ in range(2):
        api.answers("GET", "/v1/customers/1", payload={})
    settings: dict[str, Any] = {"rate_limit": Turns(3000.0, 3000.0), "timeouts": Timeouts(total=None)}
    async with api.session(**settings) as manager:
        assert (await manager.send(GET)).status == 200
        assert (await manager.send(GET, timeout_starts="sent")).status == 200
    assert api.clock.slept == [3000.0, 3000.0]


async def test_a_call_that_was_cancelled_is_counted_as_well(api: Api) -> None:
    """It is reported too, and the cancellation passes through."""
    tally = Tally()

    clock = Stuck(2.0)
    api.answers("GET", "/v1/customers/1", 503)
    async with api.session(clock=clock) as manager:
        call = asyncio.create_task(manager.send(GET, tally=tally))
        for _ in range(50):
            await asyncio.sleep(0)
        assert any(isinstance(event, RequestRetried) for event in api.seen)
        call.cancel()
        await asyncio.wait([call])
        assert call.cancelled()
        assert tally == Tally(operations=1, attempts=1, retries=1, waiting_seconds=2.0, wire_seconds=0.0)
    ended = api.seen[-1]
    assert isinstance(ended, OperationEnded)
    assert (ended.attempts, ended.error, ended.cancelled, ended.seconds) == (1, "CancelledError", True, 2.0)


async def test_a_request_that_was_cancelled_on_the_wire_has_ended(api: Api) -> None:
    """It is reported with the time that it took until then."""

    async def hang(_: Any, **__: Any) -> None:
        api.clock.advance(0.5)
        await asyncio.Event().wait()

    api.mocked.get(f"{BASE}/v1/customers/1", callback=hang)
    async with api.session() as manager:
        call = asyncio.create_task(manager.send(GET))
        for _ in range(5):
            await asyncio.sleep(0)
        call.cancel()
        await asyncio.wait([call])
        assert manager.stats.wire_seconds == 0.5
    of = (_number(api), "customers.get")
    assert api.seen[-2:] == [
        RequestAnswered(*of, 1, None, "CancelledError", 0.5, 0),
        OperationEnded(*of, 1, "CancelledError", True, 0.5),
    ]


async def test_a_call_that_ran_out_of_time_ended_with_that_error(api: Api) -> None:
    """Its own timeout is not a cancellation."""
    api.answers("GET", "/v1/customers/1", 503)
    async with api.session(clock=Stuck(), jitter=lambda: 0.0) as manager:
        with pytest.raises(KajabiError) as caught:
            await manager.send(GET, timeout=0.05)
    assert str(caught.value) == (
        "GET /v1/customers/1: not done, waiting and repeating included, within 0.05 s (host api.kajabi.com)"
    )
    ended = api.seen[-1]
    assert isinstance(ended, OperationEnded)
    assert (ended.attempts, ended.error, ended.cancelled) == (1, "RequestTimeoutError", False)


async def test_a_call_that_ran_out_of_time_with_its_token_is_no_failure_of_the_token_endpoint(api: Api) -> None:
    """Its token came in time."""
    api.issues()
    api.answers("GET", "/v1/customers/1", 503)
    async with api.session(clock=Stuck(), jitter=lambda: 0.0) as manager:
        with pytest.raises(RequestTimeoutError) as caught:
            await manager.send(READ, timeout=0.05)
    assert caught.value.at_token_endpoint is False
