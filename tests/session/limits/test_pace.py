"""How the pace finds an unknown limit, in a simulated world with its own clock."""

import heapq
import itertools
from collections import deque
from collections.abc import Callable
from typing import Any

import pytest

from kajabi_async.errors import ConfigurationError
from kajabi_async.session.limits.pace import Pace
from kajabi_async.session.limits.rate import AdaptiveRate, FixedRate, as_rate


class World:
    """Clients of fifty concurrent requests each, and a server that accepts so many a second and refuses the rest."""

    def __init__(self, limit: Callable[[float], float], paces: list[Pace], *, pause: float | None = None) -> None:
        self._limit = limit
        self._paces = paces
        self._pause = pause
        self._numbers = itertools.count()
        self._due: list[tuple[float, int, str, int]] = []
        self._waiting: list[deque[int]] = [deque(range(50)) for _ in paces]
        self._stock, self._stocked_at = 5.0, 0.0
        self.answered: list[float] = []
        self.refused: list[float] = []

    def run(self, until: float) -> None:
        for client in range(len(self._paces)):
            self._later(0.001 * client, "turn", client)
        while self._due and self._due[0][0] <= until:
            now, _, what, client = heapq.heappop(self._due)
            getattr(self, f"_{what}")(now, client)

    def share(self, since: float, until: float, limit: float) -> float:
        return sum(since <= moment < until for moment in self.answered) / (limit * (until - since))

    def refusals(self, since: float, until: float) -> float:
        refused = sum(since <= moment < until for moment in self.refused)
        return refused / max(1, refused + sum(since <= moment < until for moment in self.answered))

    def _later(self, moment: float, what: str, client: int) -> None:
        heapq.heappush(self._due, (moment, next(self._numbers), what, client))

    def _turn(self, now: float, client: int) -> None:
        if not self._waiting[client]:
            self._later(now + 0.002, "turn", client)
            return
        granted, wait = self._paces[client].take(now, 1)
        if granted:
            self._waiting[client].popleft()
            self._later(now + 0.01, "arrival", client)
        self._later(now + max(wait, 0.0), "turn", client)

    def _arrival(self, now: float, client: int) -> None:
        limit = self._limit(now)
        self._stock = min(max(5.0, limit * 0.1), self._stock + (now - self._stocked_at) * limit)
        self._stocked_at = now
        borne = self._stock >= 1.0
        self._stock -= borne
        self._later(now + 0.01, "answer" if borne else "refusal", client)

    def _answer(self, now: float, client: int) -> None:
        self.answered.append(now)
        self._paces[client].answered(now)
        self._waiting[client].append(0)

    def _refusal(self, now: float, client: int) -> None:
        self.refused.append(now)
        self._paces[client].refused(now, self._pause)
        self._waiting[client].append(0)


@pytest.mark.parametrize("pause", [None, 1.0])
@pytest.mark.parametrize("clients", [1, 4])
@pytest.mark.parametrize("limit", [20, 200])
def test_nine_tenths_of_a_hidden_limit_are_used_and_hardly_ever_passed(
    limit: int, clients: int, pause: float | None
) -> None:
    """By one client or by several independent ones, whether or not a refusal costs a pause."""
    world = World(lambda _: limit, [Pace() for _ in range(clients)], pause=pause)
    world.run(until=120)
    assert world.share(30, 120, limit) > 0.9
    # Each of four independent clients has to find out by its own refusals.
    assert world.refusals(30, 120) < (0.015 if (clients, limit) == (4, 20) else 0.01)


@pytest.mark.parametrize("pause", [None, 1.0])
def test_a_limit_that_is_halved_is_found_again_within_half_a_minute(pause: float | None) -> None:
    """What was learned before no longer counts."""
    world = World(lambda now: 200 if now < 60 else 100, [Pace() for _ in range(4)], pause=pause)
    world.run(until=150)
    assert world.share(90, 150, 100) > 0.9
    assert world.refusals(90, 150) < 0.01


def test_a_limit_that_is_raised_is_found_as_well() -> None:
    """The longer nothing is refused, the faster the pace grows."""
    world = World(lambda now: 50 if now < 40 else 400, [Pace()])
    world.run(until=140)
    assert world.share(120, 140, 400) > 0.8


def test_nothing_is_held_back_before_the_first_refusal() -> None:
    """There may be no limit at all."""
    pace = Pace()
    assert [pace.take(1.0, 7), pace.take(1.0, 7)] == [(7, 0.0), (7, 0.0)]
    assert pace.rate(1.0) is None
    assert not pace.limits


def test_a_pause_holds_all_requests_and_releases_them_one_by_one() -> None:
    """They do not all leave at its end."""
    pace = Pace()
    pace.refused(10.0, 5.0)
    assert pace.take(12.0, 1) == (0, 3.0)
    granted = [pace.take(15.0, 1)[0] for _ in range(10)]
    assert sum(granted) <= 1
    pace.pause(15.0, 14.0)
    assert pace.paused_until == 15.0


def test_a_client_that_hardly_asked_is_not_brought_to_a_halt() -> None:
    """After one refusal and no measurement."""
    pace = Pace()
    pace.refused(100.0)
    rate = pace.rate(101.0)
    assert rate is not None
    assert rate >= 4


async def test_a_known_rate_is_kept_to() -> None:
    """A tenth of a second's requests may leave at once, and refusals do not change the rate."""
    rate = FixedRate(100)
    assert await rate.take(1000.0) == 0.0
    rate.refused(1000.0, None)
    gone = 0
    for tick in range(2000):
        gone += await rate.take(1000.0 + tick / 1000) == 0.0
    assert 195 <= gone <= 215
    assert rate.per_second(1000.0) == 100.0


@pytest.mark.parametrize("given", [0, -1, True, float("nan"), float("inf"), 10**9, 10**10])
def test_a_rate_that_makes_no_sense_is_refused(given: Any) -> None:
    """When the client is made."""
    with pytest.raises(ConfigurationError) as caught:
        as_rate(given)
    assert str(caught.value) == f"a rate must be a positive number of requests a second, got {given!r}"


@pytest.mark.parametrize("given", [0.001, 1, 10**9 - 1])
def test_a_rate_is_any_positive_number_below_a_thousand_million(given: float) -> None:
    """Whole or not."""
    rate = FixedRate(given).per_second(0.0)
    assert (rate, type(rate)) == (float(given), float)


async def test_a_learned_rate_is_none_until_it_is_known() -> None:
    """Before, each permit comes at once; afterwards a caller waits for what is missing."""
    rate = AdaptiveRate()
    assert [await rate.take(1000.0) for _ in range(3)] == [0.0] * 3
    assert rate.per_second(1000.0) is None
    for _ in range(12):
        rate.answered(1000.0)
    rate.refused(1001.5, 2.0)
    assert rate.per_second(1001.5) == pytest.approx(5.0)
    assert await rate.take(1001.5) == 2.0
    assert [await rate.take(1003.5) for _ in range(2)] == [0.0, pytest.approx(0.2)]
    assert await rate.take(1003.7) == 0.0


def test_what_a_client_is_given_becomes_a_limit() -> None:
    """A number, a rate object of the user's own, or None."""
    own = AdaptiveRate()
    assert as_rate(own) is own
    assert isinstance(as_rate(5), FixedRate)
    assert isinstance(as_rate(0.5), FixedRate)
    assert type(as_rate(None)) is AdaptiveRate
