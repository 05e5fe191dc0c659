"""The pause after token requests that fail, moment by moment."""

from typing import Any

import pytest

from kajabi_async.errors import (
    AnswerTooLargeError,
    ConnectionFailedError,
    KajabiError,
    PausedError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
)
from kajabi_async.session import RetryPolicy
from kajabi_async.session.auth.backoff import TokenBackoff
from tests.clocks import ManualClock


class Api:
    """A `TokenBackoff` with a clock of its own and a pause of all requests."""

    def __init__(self, jitter: float = 1.0, **policy: Any) -> None:
        self.clock = ManualClock()
        self.paused_until = 0.0
        self.backoff = TokenBackoff(
            RetryPolicy(**policy), self.clock, lambda: jitter, lambda: max(0.0, self.paused_until - self.clock.now)
        )

    async def waited(self, deadline: float | None = None) -> float:
        began = self.clock.now
        await self.backoff.enter(deadline)
        return self.clock.now - began


@pytest.mark.parametrize(
    ("policy", "jitter", "seconds"),
    [
        ({}, 1.0, [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]),
        ({}, 0.0, [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 15.0]),
        ({"base_seconds": 0}, 1.0, [0.1, 0.2, 0.4, 0.8, 1.6, 3.2]),
        ({"base_seconds": 0, "max_backoff_seconds": 0}, 1.0, [0.1, 0.2, 0.4, 0.8, 1.0, 1.0]),
        ({"base_seconds": 3, "max_backoff_seconds": 10}, 1.0, [3.0, 6.0, 10.0, 10.0]),
    ],
)
async def test_the_pause_doubles_until_a_token_comes(
    policy: dict[str, float], jitter: float, seconds: list[float]
) -> None:
    """As the retry policy sets it; a pause is never missing and never endless."""
    api = Api(jitter, **policy)
    for _ in range(2):
        for number, expected in enumerate(seconds, 1):
            api.backoff.failed(ServerError(status=503))
            assert api.backoff.failures == number
            assert not api.backoff.is_open
            api.clock.advance(expected - 0.0625)
            assert not api.backoff.is_open
            api.clock.advance(0.0625)
            assert api.backoff.is_open
        api.backoff.succeeded()
        assert api.backoff.is_open


async def test_a_thousand_failures_are_no_overflow() -> None:
    """An outage may last for days."""
    api = Api()
    for _ in range(2000):
        api.backoff.failed(ServerError(status=503))
    api.clock.advance(30.0)
    assert api.backoff.is_open


async def test_a_pause_that_begins_is_waited_for_and_a_long_one_is_not() -> None:
    """Two seconds at most; beyond that the failure is raised at once, with the number of times it was met."""
    api = Api()
    for _ in range(3):
        api.backoff.failed(ServerError(status=503))
    assert await api.waited() == 2.0
    api.backoff.failed(failure := ServerError(status=503, path="/v1/oauth/token"))
    api.clock.advance(1.5)
    with pytest.raises(ServerError) as caught:
        await api.waited()
    error = caught.value
    assert (error.path, error.attempts, error.gave_up, error.maybe_applied) == (failure.path, 4, "attempts", False)
    assert error is not failure
    api.clock.advance(0.5)
    assert await api.waited() == 2.0


async def test_a_short_pause_is_not_waited_for_without_the_time() -> None:
    """A deadline at its very end is too early as well; the failure is raised at once, and says why."""
    api = Api()
    for _ in range(3):
        api.backoff.failed(ServerError(status=503))
    for seconds in (1.0, 2.0):
        with pytest.raises(ServerError) as caught:
            await api.waited(api.clock.now + seconds)
        error = caught.value
        assert (error.attempts, error.gave_up, error.maybe_applied) == (3, "deadline", False)
    assert api.clock.slept == []
    assert await api.waited(api.clock.now + 2.25) == 2.0


async def test_a_pause_that_the_api_asked_for_is_waited_for_by_those_who_have_the_time() -> None:
    """However long it is; callers with less time learn at once how long it is."""
    api = Api(jitter=0.0)
    api.paused_until = api.clock.now + 50.0
    with pytest.raises(PausedError) as caught:
        await api.waited(api.clock.now + 50.0)
    error = caught.value
    assert (error.status, error.method, error.path, error.retry_after) == (429, "POST", "/v1/oauth/token", 50.0)
    assert (error.retry_at, error.at_token_endpoint) == (api.clock.time() + 50.0, True)
    assert api.clock.slept == []
    assert await api.waited(api.clock.now + 50.5) == 50.0


@pytest.mark.parametrize("status", [429, 503])
async def test_retry_after_takes_the_place_of_the_growing_pause(status: int) -> None:
    """Plus up to half a second, so that processes do not return together; ten minutes at most."""
    api = Api()
    kind = RateLimitError if status == 429 else ServerError
    for _ in range(8):
        api.backoff.failed(kind(status=status, retry_after=7.0))
    api.paused_until = api.clock.now + 7.0
    assert await api.waited() == 7.5
    api.backoff.failed(kind(status=status, retry_after=1e9))
    api.paused_until = api.clock.now + 600.0
    assert await api.waited() == 600.5


async def test_what_is_put_on_top_of_a_pause_is_drawn_and_at_most_a_second() -> None:
    """However long the first pause of the policy is."""
    api = Api(0.5, base_seconds=3)
    api.backoff.failed(RateLimitError(status=429, retry_after=7.0))
    api.paused_until = api.clock.now + 7.0
    assert await api.waited() == 7.5


async def test_an_idle_connection_that_the_server_closed_is_no_reason_to_wait() -> None:
    """Once: the closed connection says nothing about the endpoint."""
    api = Api()
    stale = ConnectionFailedError("closed")
    stale.on_reused_connection = True
    api.backoff.failed(stale)
    assert api.backoff.is_open
    api.backoff.failed(stale)
    assert await api.waited() == 1.0


@pytest.mark.parametrize(
    ("failures", "error", "seconds", "because"),
    [
        (1, ServerError(status=503), None, None),
        (1, ServerError(status=503), 0.5, "deadline"),
        (1, ServerError(status=503), 0.6, None),
        (3, ServerError(status=503), None, None),
        (4, ServerError(status=503), None, "attempts"),
        (1, PermissionDeniedError(status=403), None, "final"),
        (1, AnswerTooLargeError("too large"), None, "final"),
    ],
)
def test_a_call_is_repeated_as_the_policy_says(
    failures: int, error: KajabiError, seconds: float | None, because: str | None
) -> None:
    """The attempts of all calls count together."""
    api = Api()
    for _ in range(failures):
        api.backoff.failed(error)
    assert (
        api.backoff.gave_up(error, None if seconds is None else api.clock.now + seconds, failures_before=0) == because
    )


def test_a_failure_is_kept_without_its_frames() -> None:
    """Frames hold the form that was sent, and would be kept through the pause."""
    api = Api()
    with pytest.raises(ServerError) as caught:
        _fail()
    api.backoff.failed(caught.value)
    assert api.backoff._failure is not None
    assert api.backoff._failure.__traceback__ is None


def _fail() -> None:
    raise ServerError(status=503)
