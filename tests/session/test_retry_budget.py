"""The retry budget: an outage is not made worse."""

from typing import Any

import pytest

from kajabi_async.errors import ConfigurationError
from kajabi_async.session.retry import RetryBudget


def test_an_outage_uses_it_up_and_successes_bring_it_back() -> None:
    """Five successes for one retry."""
    budget = RetryBudget(10)
    assert [budget.spend() for _ in range(11)] == [True] * 10 + [False]
    for _ in range(4):
        budget.earn()
    assert not budget.spend()
    budget.earn()
    assert budget.spend()
    assert not budget.spend()


def test_it_never_holds_more_than_its_capacity() -> None:
    """However many requests succeeded."""
    budget = RetryBudget(2)
    for _ in range(1000):
        budget.earn()
    assert budget.left == 2
    assert [budget.spend() for _ in range(3)] == [True, True, False]


@pytest.mark.parametrize("capacity", [-1, True, float("nan")])
def test_a_capacity_is_a_number(capacity: Any) -> None:
    """With zero only retries that cost nothing are allowed."""
    with pytest.raises(ConfigurationError, match="retry budget"):
        RetryBudget(capacity)
