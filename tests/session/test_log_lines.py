"""Each line of the log, word by word, with the fields of its record."""

import logging
from collections.abc import Generator
from typing import Any

import pytest

from kajabi_async.session import (
    ClientCredentials,
    OperationEnded,
    OperationStarted,
    RequestAnswered,
    RequestRetried,
    RequestStarted,
    RequestWaited,
    SessionEvent,
    SessionManager,
    TokenRefreshed,
    TokenRequestAnswered,
)
from kajabi_async.session.logs import BudgetLog, log_pause, log_rate
from kajabi_async.session.reports import log_event
from kajabi_async.session.retry import RetryBudget


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Generator[pytest.LogCaptureFixture]:
    """Return the log of the package at level DEBUG."""
    caplog.clear()
    with caplog.at_level(logging.DEBUG, logger="kajabi_async"):
        yield caplog


def test_a_cut_of_the_rate_is_logged_with_both_rates(log: pytest.LogCaptureFixture) -> None:
    """From a twentieth on; the first one in other words. Both rates are fields too."""
    log_rate(10.0, 9.5)
    log_rate(None, 7.25)
    records = log.records
    assert [(record.levelname, record.getMessage()) for record in records] == [
        ("INFO", "the rate is cut from 10.0 to 9.5 requests a second"),
        ("INFO", "the API limits the rate: going on at 7.2 requests a second, and looking for more"),
    ]
    fields = [(vars(record)["requests_per_second"], vars(record)["requests_per_second_before"]) for record in records]
    assert fields == [(9.5, 10.0), (7.25, None)]


def test_a_pause_is_logged_with_its_fields(log: pytest.LogCaptureFixture) -> None:
    """Its length, its cause and the operation that was paused."""
    log_pause(2.5, 503, "customers.get")
    (record,) = log.records
    assert (record.levelname, record.getMessage()) == ("INFO", "the API asks for a pause of 2.5 s (503)")
    fields = vars(record)
    assert (fields["operation"], fields["status"], fields["seconds"]) == ("customers.get", 503, 2.5)


def test_a_spent_budget_is_logged_with_the_operation_that_was_denied(log: pytest.LogCaptureFixture) -> None:
    """Only the first one."""
    budget_log = BudgetLog(RetryBudget(2.0), 2.0)
    budget_log.denied("customers.get")
    budget_log.denied("offers.get")
    (record,) = log.records
    assert (record.levelname, vars(record)["operation"]) == ("WARNING", "customers.get")


@pytest.mark.parametrize(
    ("capacity", "enough"), [(1.0, 1.0), (2.0, 1.0), (4.0, 2.0), (10.0, 5.0)], ids=["one", "two", "four", "ten"]
)
def test_an_outage_is_over_with_half_of_the_budget_and_one_repeat_at_least(
    capacity: float, enough: float, log: pytest.LogCaptureFixture
) -> None:
    """So an outage that flickers is logged once."""
    budget = RetryBudget(capacity)
    budget_log = BudgetLog(budget, capacity)
    budget_log.earned()
    budget_log.denied("customers.get")
    for left, lines in ((0.0, 1), (enough - 0.25, 1), (enough, 2), (capacity, 2)):
        budget._left = left
        budget_log.earned()
        assert len(log.records) == lines
    assert [record.levelname for record in log.records] == ["WARNING", "INFO"]


def test_a_budget_of_less_than_one_repeat_is_no_outage(log: pytest.LogCaptureFixture) -> None:
    """Such a budget allows no retry."""
    BudgetLog(RetryBudget(0.99), 0.99).denied("customers.get")
    assert log.records == []


_EVENTS: list[tuple[SessionEvent, str, dict[str, Any]]] = [
    (
        RequestAnswered(7, "customers.get", 2, 200, "", 0.25, 1234),
        "customers.get attempt 2: 200 in 0.250 s, 1234 bytes",
        {"operation_number": 7, "operation": "customers.get", "attempt": 2, "status": 200, "error": ""}
        | {"seconds": 0.25, "answer_bytes": 1234},
    ),
    (
        RequestAnswered(7, "customers.get", 1, None, "ConnectionFailedError", 1.5, 0),
        "customers.get attempt 1: no answer (ConnectionFailedError) in 1.500 s, 0 bytes",
        {"operation_number": 7, "operation": "customers.get", "attempt": 1, "status": None}
        | {"error": "ConnectionFailedError", "seconds": 1.5, "answer_bytes": 0},
    ),
    (
        RequestWaited(7, "customers.get", 0.125),
        "customers.get waited 0.125 s for its turn",
        {"operation_number": 7, "operation": "customers.get", "seconds": 0.125},
    ),
    (
        RequestRetried(7, "customers.get", 1, "ServerError", 0.5),
        "customers.get attempt 1 failed (ServerError), again in 0.500 s",
        {"operation_number": 7, "operation": "customers.get", "attempt": 1, "error": "ServerError"}
        | {"after_seconds": 0.5},
    ),
    (
        OperationEnded(7, "customers.get", 3, "ServerError", False, 2.5),
        "customers.get failed after 2.500 s and 3 attempts: ServerError",
        {"operation_number": 7, "operation": "customers.get", "attempts": 3, "error": "ServerError", "seconds": 2.5},
    ),
    (
        TokenRequestAnswered("oauth.token", "POST", "/v1/oauth/token", "https://a", 1, 401, "AuthenticationError", 0.5),
        "oauth.token attempt 1: 401 in 0.500 s",
        {"operation": "oauth.token", "attempt": 1, "status": 401, "error": "AuthenticationError", "seconds": 0.5},
    ),
    (
        TokenRequestAnswered("oauth.token", "POST", "/v1/oauth/token", "https://a", 2, None, "RequestTimeoutError", 9),
        "oauth.token attempt 2: no answer (RequestTimeoutError) in 9.000 s",
        {"operation": "oauth.token", "attempt": 2, "status": None, "error": "RequestTimeoutError", "seconds": 9},
    ),
]


@pytest.mark.parametrize(("event", "line", "fields"), _EVENTS, ids=[line for _, line, _ in _EVENTS])
def test_each_event_has_its_line_and_its_fields(
    event: SessionEvent, line: str, fields: dict[str, Any], log: pytest.LogCaptureFixture
) -> None:
    """The record has no other fields."""
    log_event(event)
    (record,) = log.records
    plain = {*vars(logging.makeLogRecord({})), "message", "asctime"}
    assert (record.name, record.levelname, record.getMessage()) == ("kajabi_async", "DEBUG", line)
    assert {name: value for name, value in vars(record).items() if name not in plain} == fields


@pytest.mark.parametrize(
    "event",
    [
        OperationStarted(7, "customers.get", "GET", "/v1/customers/{id}", "https://a"),
        RequestStarted(7, "customers.get", 1),
        OperationEnded(7, "customers.get", 1, "", False, 0.5),
        TokenRefreshed(False),
    ],
)
def test_what_another_line_says_has_none(event: SessionEvent, log: pytest.LogCaptureFixture) -> None:
    """The line before already has the answer of a successful call."""
    log_event(event)
    assert log.records == []


def test_observers_are_notified_before_the_log_and_alone_only_while_it_is_off(log: pytest.LogCaptureFixture) -> None:
    """Both receive every event."""
    seen: list[SessionEvent] = []
    manager = SessionManager(credentials=ClientCredentials("id", "secret"), observers=[seen.append])
    event = RequestWaited(7, "customers.get", 0.125)
    both = manager._observer_now()
    assert both is not None
    both(event)
    assert (seen, len(log.records)) == ([event], 1)
    log.set_level(logging.INFO, logger="kajabi_async")
    alone = manager._observer_now()
    assert alone is not None
    alone(event)
    assert (seen, len(log.records)) == ([event] * 2, 1)
