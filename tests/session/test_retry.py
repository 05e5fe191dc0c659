"""What follows a failed attempt, decided without a clock, a network or a coin."""

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
from kajabi_async.session.retry import GiveUp, Retry, RetryPolicy, decide, maybe_applied, read_retry_after


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
    """The same question would get the same answer."""
    assert isinstance(_decided(error), GiveUp)


@pytest.mark.parametrize("error", [_refused(), _timeout("connect")])
def test_a_write_is_repeated_only_when_it_provably_never_left(error: KajabiError) -> None:
    """Not a byte of it was sent."""
    assert isinstance(_decided(error, is_write=True), Retry)
    assert maybe_applied(error, is_write=True) is False


@pytest.mark.parametrize("error", [_status(429), _status(503), ConnectionFailedError("broken"), _timeout("read")])
def test_a_write_that_may_have_left_is_never_repeated(error: KajabiError) -> None:
    """There are no idempotency keys, and a grant sends mail."""
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
    """Four in all, unless the policy says otherwise."""
    assert isinstance(_decided(_status(503), attempt=3), Retry)
    assert isinstance(_decided(_status(503), attempt=4), GiveUp)


def test_waits_double_and_are_bounded_and_jittered() -> None:
    """From nothing to the whole of a growing span."""
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
    """With a little on top, so that not everyone comes back at once."""
    assert _decided(_status(429, 7.0), jitter=lambda: 0.0) == Retry(7.0, everyone=True, free=True)
    assert _decided(_status(503, 7.0), jitter=lambda: 0.0) == Retry(7.0, everyone=True)


def test_who_is_turned_away_for_the_rate_waits_no_longer_each_time() -> None:
    """The rate sees to it that not too many go."""
    assert [_decided(_status(429), attempt=attempt) for attempt in (1, 3)] == [Retry(0.5, free=True)] * 2


def test_a_wait_beyond_the_deadline_is_not_begun() -> None:
    """The error is raised at once instead."""
    assert isinstance(_decided(_status(429, 7.0), deadline=5.0), GiveUp)
    assert isinstance(_decided(_status(429, 7.0), deadline=50.0), Retry)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("7", 7.0),
        ("1.5", 1.5),
        ("0", 0.0),
        ("-3", 0.0),
        ("99999999999999999999", 10.0**9),
        ("Tue, 14 Nov 2023 22:13:30 GMT", 10.0),
        ("Tuesday, 14-Nov-23 22:13:30 GMT", 10.0),
        ("Tue Nov 14 22:13:30 2023", 10.0),
        ("Tue, 14 Nov 2023 22:13:00 GMT", 0.0),
        ("", None),
        ("soon", None),
        ("1_0", None),
        ("\u0661", None),
        ("1e3", None),
        ("nan", None),
        ("9" * 400, None),
    ],
)
def test_retry_after_is_read_in_every_form(value: str, expected: float | None) -> None:
    """Seconds, a fraction, the three forms of an HTTP date; rubbish is as if it were not there."""
    assert read_retry_after({"retry-after": value}, wall_time=1_700_000_000.0) == expected


def test_a_date_is_relative_to_the_date_of_the_answer() -> None:
    """A clock that is wrong here does no harm."""
    headers = {"retry-after": "Tue, 14 Nov 2023 22:13:30 GMT", "date": "Tue, 14 Nov 2023 22:13:20 GMT"}
    assert read_retry_after(headers, wall_time=0.0) == 10.0
    assert read_retry_after({}, wall_time=0.0) is None


@pytest.mark.parametrize(
    "settings", [{"max_attempts": 0}, {"max_attempts": True}, {"base_seconds": -1.0}, {"max_backoff_seconds": -1.0}]
)
def test_a_policy_that_makes_no_sense_is_refused(settings: Any) -> None:
    """When it is made, not when it is first needed."""
    with pytest.raises(ConfigurationError):
        RetryPolicy(**settings)
