"""What follows a failed attempt, decided without a clock, a network or randomness."""

from typing import Any

import pytest

from kajabi_async.errors import (
    AnswerTooLargeError,
    ApiError,
    ConfigurationError,
    ConnectionFailedError,
    DecodeError,
    KajabiError,
    RequestTimeoutError,
    api_error_class,
)
from kajabi_async.session.retry import GiveUp, Retry, RetryPolicy, decide, maybe_applied


def _status(status: int, retry_after: float | None = None) -> ApiError:
    return api_error_class(status)(status=status, retry_after=retry_after)


def _refused() -> ConnectionFailedError:
    error = ConnectionFailedError("refused")
    error.never_sent = True
    return error


def _timeout(phase: Any) -> RequestTimeoutError:
    return RequestTimeoutError("late", phase=phase, seconds=1.0)


def _decided(error: KajabiError, **given: Any) -> Retry | GiveUp:
    asked: dict[str, Any] = {
        "is_write": False,
        "attempt": 1,
        "now": 0.0,
        "deadline": None,
        "jitter": lambda: 1.0,
    } | given
    return decide(RetryPolicy(), error, **asked)


@pytest.mark.parametrize(
    "error",
    [*map(_status, (408, 429, 500, 502, 503, 504)), ConnectionFailedError("x"), _timeout("read"), DecodeError("x")],
)
def test_a_read_is_repeated_after_what_may_pass(error: KajabiError) -> None:
    """Busy, broken or silent servers may answer the next time."""
    assert isinstance(_decided(error), Retry)


@pytest.mark.parametrize(
    "error",
    [
        *map(_status, (302, 400, 401, 403, 404, 409, 422)),
        AnswerTooLargeError("x"),
        _timeout("queue"),
        _timeout("total"),
    ],
)
def test_nothing_is_repeated_after_what_will_not_pass(error: KajabiError) -> None:
    """The same request would get the same answer."""
    assert isinstance(_decided(error), GiveUp)


@pytest.mark.parametrize("error", [_refused(), _timeout("connect")])
def test_a_write_is_repeated_only_when_it_provably_never_left(error: KajabiError) -> None:
    """Not a byte of it was sent."""
    assert isinstance(_decided(error, is_write=True), Retry)
    assert maybe_applied(error, is_write=True) is False


@pytest.mark.parametrize("error", [_status(429), _status(503), ConnectionFailedError("broken"), _timeout("read")])
def test_a_write_that_may_have_left_is_never_repeated(error: KajabiError) -> None:
    """Kajabi has no idempotency keys, and a grant sends mail."""
    assert isinstance(_decided(error, is_write=True), GiveUp)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (_status(500), True),
        (_status(408), True),
        (_status(302), True),
        (_status(422), False),
        (_status(429), False),
        (ConnectionFailedError("broken"), True),
        (_timeout("read"), True),
        (_timeout("total"), True),
        (DecodeError("junk"), True),
    ],
)
def test_a_write_may_have_been_applied_unless_the_server_said_no(error: KajabiError, expected: bool) -> None:
    """A read never applies anything."""
    assert maybe_applied(error, is_write=True) is expected
    assert maybe_applied(error, is_write=False) is False


def test_attempts_are_bounded() -> None:
    """Four in all, by default."""
    assert isinstance(_decided(_status(503), attempt=3), Retry)
    assert isinstance(_decided(_status(503), attempt=4), GiveUp)


def test_waits_double_and_are_bounded_and_jittered() -> None:
    """From zero to the whole of a growing span."""
    waits = [
        decide(
            RetryPolicy(max_attempts=99),
            _status(503),
            is_write=False,
            attempt=n,
            now=0,
            deadline=None,
            jitter=lambda: 1.0,
        )
        for n in (1, 2, 3, 9)
    ]
    assert [wait.after_seconds for wait in waits if isinstance(wait, Retry)] == [0.5, 1.0, 2.0, 30.0]
    assert _decided(_status(503), jitter=lambda: 0.0) == Retry(0.0)


def test_retry_after_is_kept_to_and_meant_for_everyone() -> None:
    """Plus a little, so that clients do not all return at once."""
    assert _decided(_status(429, 7.0), jitter=lambda: 0.0) == Retry(7.0, everyone=True, free=True)
    assert _decided(_status(503, 7.0), jitter=lambda: 0.0) == Retry(7.0, everyone=True)


def test_who_is_turned_away_for_the_rate_waits_no_longer_each_time() -> None:
    """The rate limits how many go."""
    assert [_decided(_status(429), attempt=attempt) for attempt in (1, 3)] == [Retry(0.5, free=True)] * 2


def test_a_wait_beyond_the_deadline_is_not_begun() -> None:
    """The error is raised at once instead."""
    assert isinstance(_decided(_status(429, 7.0), deadline=5.0), GiveUp)
    assert isinstance(_decided(_status(429, 7.0), deadline=50.0), Retry)


@pytest.mark.parametrize(
    "settings", [{"max_attempts": 0}, {"max_attempts": True}, {"base_seconds": -1.0}, {"max_backoff_seconds": -1.0}]
)
def test_a_policy_that_makes_no_sense_is_refused(settings: Any) -> None:
    """When it is made, not when it is first used."""
    with pytest.raises(ConfigurationError):
        RetryPolicy(**settings)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"max_attempts": 0}, "max_attempts must be a whole number of at least 1, got 0"),
        ({"max_attempts": True}, "max_attempts must be a whole number of at least 1, got True"),
        ({"max_attempts": "4"}, "max_attempts must be a whole number of at least 1, got '4'"),
        ({"base_seconds": -1.0}, "base_seconds must be a number of at least 0, got -1.0"),
        ({"base_seconds": float("nan")}, "base_seconds must be a number of at least 0, got nan"),
        ({"max_backoff_seconds": -0.5}, "max_backoff_seconds must be a number of at least 0, got -0.5"),
        ({"max_backoff_seconds": None}, "max_backoff_seconds must be a number of at least 0, got None"),
        ({"budget": "100"}, "the retry budget must be a number of at least 0, got '100'"),
    ],
)
def test_what_is_wrong_with_a_policy_is_said(settings: Any, expected: str) -> None:
    """The error shows the value."""
    with pytest.raises(ConfigurationError) as caught:
        RetryPolicy(**settings)
    assert str(caught.value) == expected


def test_a_policy_may_wait_for_nothing_and_try_once() -> None:
    """Both are the smallest allowed values."""
    policy = RetryPolicy(max_attempts=1, base_seconds=0.0, max_backoff_seconds=0.0)
    assert (policy.max_attempts, policy.base_seconds, policy.max_backoff_seconds) == (1, 0.0, 0.0)


@pytest.mark.parametrize(
    ("error", "given", "because"),
    [
        pytest.param(_status(404), {}, "final", id="a read that would get the same answer"),
        pytest.param(_status(404), {"is_write": True}, "final", id="a write that would"),
        pytest.param(_status(503), {"is_write": True}, "write", id="a write that would be repeated, were it a read"),
        pytest.param(_status(503), {"attempt": 4}, "attempts", id="the last attempt"),
        pytest.param(_status(503), {"attempt": 5}, "attempts", id="one more than the last"),
        pytest.param(_status(503, 7.0), {"deadline": 7.5}, "deadline", id="a wait beyond the deadline"),
        pytest.param(_status(503), {"now": 4.0, "deadline": 4.5}, "deadline", id="a wait up to the deadline"),
        pytest.param(_timeout("total"), {"is_write": True}, "final", id="a limit of the caller's"),
    ],
)
def test_why_nothing_more_is_tried_is_said(error: KajabiError, given: Any, because: Any) -> None:
    """The error shows the reason to the user."""
    assert _decided(error, **given) == GiveUp(because)


def test_a_wait_that_just_ends_in_time_is_begun() -> None:
    """Back-off and deadline count from now."""
    assert _decided(_status(503), now=4.0, deadline=4.625) == Retry(0.5)
    assert _decided(_status(503), now=4.0, deadline=None) == Retry(0.5)


def test_an_idle_connection_is_replaced_at_once() -> None:
    """It costs no budget, but only the first time: after that the server is at fault."""
    error = ConnectionFailedError("broken")
    error.on_reused_connection = True
    assert _decided(error) == Retry(0.0, free=True, stale=True)
    assert _decided(error, attempt=2) == Retry(1.0)
    assert _decided(ConnectionFailedError("broken")) == Retry(0.5)


@pytest.mark.parametrize(
    ("retry_after", "jitter", "after"), [(7.0, 0.0, 7.0), (7.0, 0.5, 7.25), (7.0, 1.0, 7.5), (0.25, 1.0, 0.75)]
)
def test_a_little_is_put_on_top_of_a_pause(retry_after: float, jitter: float, after: float) -> None:
    """A share of what the back-off would be."""
    assert _decided(_status(503, retry_after), jitter=lambda: jitter) == Retry(after, everyone=True)


def test_what_is_put_on_top_is_a_second_at_most() -> None:
    """However long the back-off has become."""
    assert _decided(_status(503, 7.0), attempt=3) == Retry(8.0, everyone=True)


@pytest.mark.parametrize(("attempt", "after"), [(1, 0.25), (2, 0.25), (3, 0.25)])
def test_who_is_turned_away_for_the_rate_is_never_kept_longer_than_the_policy_says(attempt: int, after: float) -> None:
    """The longest wait applies from the first attempt on."""
    policy = RetryPolicy(base_seconds=0.5, max_backoff_seconds=0.25)
    decided = decide(policy, _status(429), is_write=False, attempt=attempt, now=0.0, deadline=None, jitter=lambda: 1.0)
    assert decided == Retry(after, free=True)


def test_the_wait_of_a_thousandth_attempt_is_still_a_number() -> None:
    """Doubling without a limit would overflow."""
    policy = RetryPolicy(max_attempts=9999, base_seconds=2.0**-61, max_backoff_seconds=1e9)
    waits = [
        decide(policy, _status(503), is_write=False, attempt=attempt, now=0.0, deadline=None, jitter=lambda: 1.0)
        for attempt in (61, 62, 5000)
    ]
    assert waits == [Retry(0.5)] * 3


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_reads_are_repeated_and_nothing_else(method: str) -> None:
    """Row R20: a request that changes nothing may be sent twice."""
    assert RetryPolicy().would_repeat(_status(503), method=method)
    assert not any(RetryPolicy().would_repeat(_status(503), method=each) for each in ("POST", "PATCH", "DELETE"))


@pytest.mark.parametrize("status", [399, 400, 407, 409, 499])
def test_a_write_that_was_refused_was_not_applied(status: int) -> None:
    """All of 4xx but 408; for an exception that is no status it is unknown."""
    assert maybe_applied(_status(status), is_write=True) is (status < 400)


def test_the_statuses_of_a_policy_are_several() -> None:
    """One number is refused by the name of the setting."""
    statuses: Any = 503
    with pytest.raises(ConfigurationError) as caught:
        RetryPolicy(statuses=statuses)
    assert str(caught.value) == "an iterable of statuses is needed, got int"
