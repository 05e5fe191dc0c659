"""The options for the rate of a client, and what each does with a request."""

import math
from typing import Any

import pytest

from kajabi_async.errors import ConfigurationError
from kajabi_async.session.limits.rate import AdaptiveRate, FixedRate, ForeignRate, as_rate

METHODS = ("take", "answered", "refused", "per_second")


class Limit:
    """A limit of the caller's own that records what it is asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[object, ...]] = []

    async def take(self, now: float) -> float:
        self.asked.append(("take", now))
        return 0.5

    def answered(self, now: float) -> None:
        self.asked.append(("answered", now))

    def refused(self, now: float, pause_seconds: float | None) -> None:
        self.asked.append(("refused", now, pause_seconds))

    def per_second(self, now: float) -> float | None:
        self.asked.append(("per_second", now))
        return 2.345


@pytest.mark.parametrize("missing", METHODS)
def test_a_limit_without_one_of_the_methods_is_refused(missing: str) -> None:
    """The error names the option, all methods that are needed and what was given."""
    incomplete: Any = type("Incomplete", (), {name: getattr(Limit, name) for name in METHODS if name != missing})
    with pytest.raises(ConfigurationError) as caught:
        as_rate(incomplete())
    expected = "rate_limit must have take(), answered(), refused() and per_second(), got Incomplete"
    assert str(caught.value) == expected


async def test_a_limit_that_is_handed_in_decides_alone() -> None:
    """Also for runs, which it cannot tell from calls; it is never asked without an await."""
    limit = Limit()
    rate = as_rate(limit)
    assert isinstance(rate, ForeignRate)
    assert (await rate.take(1.0), await rate.take_for_run(2.0)) == (0.5, 0.5)
    rate.answered(3.0)
    rate.refused(4.0, None)
    rate.refused(5.0, 6.0)
    assert rate.per_second(7.0) == 2.345
    assert (rate.take_at_once(8.0), rate.take_at_once(8.0, True)) == (math.inf, math.inf)
    expected = [("take", 1.0), ("take", 2.0), ("answered", 3.0), ("refused", 4.0, None), ("refused", 5.0, 6.0)]
    assert limit.asked == [*expected, ("per_second", 7.0)]
    assert rate.advice(2.345) == (
        "the limit given as rate_limit= lets 2.3 requests a second go: raise it, or ask for less"
    )


async def test_a_fixed_rate_leaves_permits_to_calls() -> None:
    """At 40 a second four may leave at once: a run gets three of them, a call the fourth."""
    rate = FixedRate(40.0)
    assert rate.per_second(1000.0) == 40.0
    assert await rate.take(1000.0) == 0.0
    rate = FixedRate(40.0)
    rate._pace.stock, rate._pace.stocked_at = 4.0, 1000.0
    assert [await rate.take_for_run(1000.0) for _ in range(3)] == [0.0] * 3
    assert await rate.take_for_run(1000.0) > 0.0
    assert await rate.take(1000.0) == 0.0
    assert await rate.take(1000.0) == pytest.approx(1 / 40)
    assert rate.advice(40.0) == "rate_limit=40 lets 40 requests a second go: raise it, or ask for less"


async def test_a_learned_rate_is_unknown_until_the_first_refusal() -> None:
    """The refusal, and the pause that it asks for, hold the next request back."""
    rate = AdaptiveRate()
    assert rate.per_second(1000.0) is None
    assert await rate.take(1000.0) == await rate.take_for_run(1000.0) == rate.take_at_once(1000.0) == 0.0
    rate.answered(1000.0)
    rate.refused(1000.0, 3.0)
    assert await rate.take(1001.0) == await rate.take_for_run(1001.0) == rate.take_at_once(1001.0) == 2.0
    assert rate.per_second(1001.0) is not None
    assert rate.advice(5.0).startswith("the client keeps to the 5 requests a second that it learned from answers 429")
