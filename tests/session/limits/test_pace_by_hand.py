"""The arithmetic of the pace, with each number worked out by hand."""

import math
from functools import reduce
from operator import add

import pytest

from kajabi_async.session.limits.pace import Pace

# Every refused pace below was refused at 10 s, so it grows from 10.5 s on.


def _found(borne: float, **fields: float) -> Pace:
    """Return a pace that has found a limit, and that a caller has just waited for."""
    pace = Pace(start=borne * 0.85 / 0.96, borne=borne, cuts=3, cost=1, refused_at=10.0, stocked_at=10.0)
    for name, value in fields.items():
        setattr(pace, name, value)
    return pace


def _bearing(pace: Pace, per_second: int, now: float) -> Pace:
    """Record that the server accepted *per_second* requests in the last second before *now*."""
    pace.window_since, pace.window_answers, pace.answers_before = now, pace.answers, per_second
    return pace


def test_a_new_pace_limits_nothing() -> None:
    """Until the first refusal."""
    pace = Pace()
    assert (pace.limits, pace.rate(5.0), pace.take(5.0, 7)) == (False, None, (7, 0.0))


@pytest.mark.parametrize("now", [0.0, 10.0, 1000.0])
def test_a_known_rate_stays_what_it_is(now: float) -> None:
    """Whatever was refused, and at any time."""
    pace = Pace(fixed=3.0)
    pace.refused(10.0, 2.0)
    assert (pace.rate(now), pace.start, pace.cuts, pace.paused_until) == (3.0, None, 0, 12.0)


def test_the_first_refusal_lets_a_few_go_until_it_is_known_what_it_was_about() -> None:
    """Five a second for half a second, whatever was sent before."""
    pace = _bearing(Pace(), 400, 10.0)
    pace.refused(10.0)
    assert [pace.rate(moment) for moment in (10.0, 10.25, 10.49)] == [5.0] * 3


def test_one_refusal_among_many_answers_was_an_accident() -> None:
    """The pace continues at 85 % of what was accepted, and doubles each half second up to twice that."""
    pace = _bearing(Pace(), 400, 10.0)
    pace.refused(10.0)
    pace.answered(10.2, times=30)
    assert pace.rate(10.5) == pytest.approx(340.0)
    assert _bearing(pace, 330, 10.75).rate(10.75) == pytest.approx(340.0 * math.sqrt(2.0))
    assert _bearing(pace, 330, 11.5).rate(11.5) == pytest.approx(660.0)


def test_many_refusals_were_no_accident() -> None:
    """The pace starts low, and doubles as long as the server accepts it."""
    pace = _bearing(Pace(), 400, 10.0)
    for _ in range(20):
        pace.refused(10.0)
    pace.answered(10.2, times=30)
    assert pace.cuts == 1
    assert pace.rate(10.5) == pytest.approx(5.0)
    _bearing(pace, 4, 11.0)
    assert pace.rate(11.0) == pytest.approx(8.0)
    _bearing(pace, 40, 11.0)
    assert pace.rate(11.0) == pytest.approx(10.0)


@pytest.mark.parametrize(
    ("since", "rate"),
    [
        pytest.param(0.0, 85.0, id="85 % at first"),
        pytest.param(15.0 / 1.7 / 2, 100.0 - 15.0 / 8, id="halfway to K an eighth of that is missing"),
        pytest.param(15.0 / 1.7, 100.0, id="the plateau at K"),
        pytest.param(15.0, 100.0 + 15.0 * 0.7**3, id="as far beyond it"),
    ],
)
def test_a_rate_returns_to_its_plateau_along_a_cubic_curve(since: float, rate: float) -> None:
    """RFC 9438, 4.2, with K such that 1.7 K are fifteen seconds."""
    assert _found(100.0, start=85.0).rate(10.5 + since) == pytest.approx(rate)


def test_after_the_curve_the_rate_doubles_if_it_is_borne() -> None:
    """Every two seconds, up to twice what the server accepts."""
    top = 100.0 + 15.0 * 0.7**3
    pace = _bearing(_found(100.0, start=85.0), 100, 27.5)
    assert pace.rate(27.5) == pytest.approx(200.0)
    assert _bearing(pace, 400, 27.5).rate(27.5) == pytest.approx(2 * top)
    assert _bearing(pace, 0, 27.5).rate(27.5) == pytest.approx(top)


@pytest.mark.parametrize(
    ("borne", "cost", "pause_seconds", "probe"),
    [
        pytest.param(100.0, 1, 0.0, 15.0, id="fifteen seconds at least"),
        pytest.param(5.0, 1, 0.0, 26.0, id="a hundred and thirty requests"),
        pytest.param(5.0, 2, 0.0, 52.0, id="for each refusal that the last look has cost"),
        pytest.param(0.5, 1, 0.0, 90.0, id="no more than a minute and a half in any case"),
        pytest.param(100.0, 1, 2.0, 50.0, id="twenty-five pauses"),
        pytest.param(100.0, 1, 60.0, 90.0, id="but no longer than that"),
    ],
)
def test_how_long_a_limit_is_taken_to_be_what_it_was(
    borne: float, cost: int, pause_seconds: float, probe: float
) -> None:
    """So refusals stay below one in a hundred, and the pace recovers from what it learned."""
    pace = _found(borne, cost=cost, pause_seconds=pause_seconds)
    assert pace._probe_seconds == pytest.approx(probe)


def test_a_limit_is_forgotten_if_it_delayed_no_request() -> None:
    """After a minute without a refusal and ten seconds without a wait."""
    pace = _found(50.0)
    assert [pace.rate(moment) is None for moment in (70.0, 70.1)] == [False, True]
    pace.held_back_at = 65.0
    assert [pace.rate(moment) is None for moment in (74.9, 75.0)] == [False, True]
    assert pace.take(75.0, 3) == (3, 0.0)
    assert not pace.limits


def test_a_later_refusal_leaves_85_per_cent_and_a_plateau_below_what_was_refused() -> None:
    """The permits in stock are dropped."""
    pace = _found(100.0, start=85.0, stock=7.0, held_back_at=19.0)
    pace.answered(19.0, times=900)
    pace.refused(10.5 + 15.0 / 1.7)
    assert [pace.borne, pace.start, pace.stock] == pytest.approx([96.0, 85.0, 0.0])


def test_a_look_for_more_that_is_refused_gains_little() -> None:
    """By five per cent, as a burst may have been let through."""
    pace = _bearing(_found(100.0, start=85.0, held_back_at=25.8), 200, 25.8)
    pace.answered(25.8, times=1500)
    refused = pace.rate(25.8)
    assert refused is not None
    assert 105.0 < refused < 123.0
    pace.refused(25.8)
    assert [pace.borne, pace.start] == pytest.approx([min(105.0, 0.96 * refused), 0.85 * refused])


def test_a_rate_far_beyond_the_plateau_makes_the_limit_searched_for_again() -> None:
    """From the plateau on, as the limit may have been raised. What is refused next is the limit."""
    pace = _bearing(_found(100.0, start=85.0, held_back_at=28.0), 200, 28.0)
    pace.answered(28.0, times=2000)
    pace.refused(28.0)
    assert (pace.doubling_seconds, pace.start) == (2.0, 100.0)
    _bearing(pace, 190, 30.0).held_back_at = 30.0
    pace.answered(30.0, times=300)
    rate = pace.rate(30.0)
    pace.refused(30.0)
    assert rate is not None
    assert [pace.doubling_seconds, pace.borne] == pytest.approx([0.0, 0.96 * rate])


def test_an_overload_takes_the_rate_to_what_gets_through() -> None:
    """Small cuts would be too slow for a limit that was halved."""
    pace = _found(200.0, start=170.0, event_since=10.0, held_back_at=11.0)
    for _ in range(40):
        pace.event_refusals += 1
    pace.answered(10.9, times=100)
    pace.refused(11.0)
    assert pace.start == pytest.approx(0.85 * 100.0)
    assert pace.on_hold
    assert pace.rate(11.0) == 5.0


def test_a_refusal_of_a_rate_that_delayed_no_request_says_nothing_about_it() -> None:
    """Another client caused it: the search starts from what this one sends."""
    pace = _bearing(_found(100.0, held_back_at=10.0), 1, 30.0)
    pace.refused(30.0)
    assert [pace.doubling_seconds, pace.start] == pytest.approx([0.5, 0.85])


def test_refusals_within_half_a_second_or_a_pause_are_one_event() -> None:
    """Most requests had left before the first refusal arrived."""
    pace = _found(100.0, held_back_at=20.0)
    pace.refused(20.0, 3.0)
    for moment in (20.25, 20.6, 22.9):
        pace.refused(moment)
    assert pace.cuts == 4
    pace.refused(23.0)
    assert pace.cuts == 5


def test_after_a_pause_one_may_go_at_once() -> None:
    """It finds out whether the pause was long enough."""
    pace = Pace()
    pace.refused(10.0, 5.0)
    assert (pace.take(12.0, 1), pace.take(15.0, 2)) == ((0, 3.0), (1, 0.0))


def test_answers_are_counted_by_the_second() -> None:
    """The second before counts for its part within the last second."""
    pace = Pace(window_since=10.0)
    pace.answered(10.5, 30)
    pace.answered(11.25, 10)
    assert pace._per_second(11.75) == pytest.approx(10 + 30 * 0.5)
    assert pace._per_second(12.75) == 10.0
    assert pace._per_second(13.25) == 0.0


@pytest.mark.parametrize(
    ("moments", "borne"),
    [
        pytest.param([10.25, 10.75], 80.0, id="within the same second"),
        pytest.param([10.25, 11.0], 40.0 + 40.0 * 0.5, id="in the next second, which begins after exactly one"),
        pytest.param([10.25, 11.0, 12.0], 40.0 + 40.0 * 0.5, id="and in the next, which has its own count"),
        pytest.param([10.25, 12.0], 40.0, id="after a second without any"),
        pytest.param([10.25, 12.5], 40.0, id="after longer"),
    ],
)
def test_the_last_second_is_counted_from_the_latest_two(moments: list[float], borne: float) -> None:
    """Forty answers at each moment, looked at half a second after the last second began."""
    pace = Pace(window_since=10.0)
    for moment in moments:
        pace.answered(moment, 40)
    assert pace._per_second(pace.window_since + (0.5 if pace.window_since > 10.0 else 1.0)) == borne


def test_a_refusal_begins_a_new_second_as_an_answer_does() -> None:
    """After exactly one; it is no answer itself, and each answer is one if nothing else is said."""
    pace = Pace(window_since=10.0)
    for _ in range(40):
        pace.answered(10.5)
    pace.refused(11.0)
    assert (pace.answers, pace._per_second(11.0), pace._per_second(11.5)) == (40, 40.0, 20.0)


def test_a_learned_rate_is_waited_for_a_quarter_of_a_second_at_most() -> None:
    """A learned rate may have grown by then; a known one does not."""
    assert _found(0.5, stock=0.0).take(10.0, 1)[1] == 0.25
    assert Pace(fixed=0.5, stock=0.0, stocked_at=10.0).take(10.0, 1)[1] == 2.0


def test_a_pause_moves_on_what_is_counted_and_is_never_shortened() -> None:
    """Requests are counted over the time in which they may leave."""
    pace = Pace(window_since=9.5, event_since=9.0)
    pace.pause(10.0, 15.0)
    assert (pace.window_since, pace.event_since, pace.paused_until) == (14.5, 14.0, 15.0)
    pace.pause(12.0, 14.0)
    assert (pace.window_since, pace.paused_until) == (14.5, 15.0)
    unpaused = Pace()
    unpaused.pause(12.0, 12.0)
    assert unpaused.paused_until == 0.0


@pytest.mark.parametrize(
    ("pace", "granted"),
    [
        pytest.param(_found(100.0, stock=8.0), 1, id="of a learned rate, to find out whether it was enough"),
        pytest.param(Pace(fixed=100.0, stock=8.0, stocked_at=10.0), 8, id="of a known rate, as many as before it"),
    ],
)
def test_what_may_go_right_after_a_pause(pace: Pace, granted: int) -> None:
    """The length of the pause is kept: the next look for more waits for 25 of them."""
    pace.held_back_at = 10.5
    pace.refused(10.5, 2.0)
    assert pace.pause_seconds == 2.0
    assert pace.take(12.25, 9) == (0, 0.25)
    assert pace.take(12.5, 9) == (granted, 0.0)


def test_a_request_was_held_back_if_one_of_those_wanted_may_not_go() -> None:
    """A learned rate that holds no request back is not known to be right."""
    pace = _found(50.0, stock=3.0)
    assert pace.take(10.0, 2) == (2, 0.0)
    assert pace.take(10.0, 1) == (1, 0.0)
    assert pace.held_back_at == 0.0
    pace.stock = 1.0
    assert pace.take(10.0, 2) == (1, 0.0)
    assert pace.held_back_at == 10.0


@pytest.mark.parametrize(
    ("fixed", "stock", "to_a_call", "to_a_run"),
    [
        pytest.param(100.0, 10.0, 10, 7, id="a quarter of the largest stock is spared"),
        pytest.param(40.0, 4.0, 4, 3, id="which is one of four"),
        pytest.param(40.0, 1.875, 1, 0, id="and is there for a call"),
        pytest.param(12.0, 1.2, 1, 1, id="but less if a run would never get one"),
        pytest.param(12.0, 1.125, 1, 0, id="as long as the stock is not full"),
        pytest.param(4.0, 1.0, 1, 1, id="nothing if one is the largest stock"),
        pytest.param(4.0, 0.5, 0, 0, id="and nothing goes that is not in stock"),
    ],
)
def test_a_run_leaves_a_part_of_the_stock_of_a_known_rate(
    fixed: float, stock: float, to_a_call: int, to_a_run: int
) -> None:
    """For calls, so that these need not wait."""
    assert Pace(fixed=fixed, stock=stock, stocked_at=10.0).take(10.0, 10)[0] == to_a_call
    assert Pace(fixed=fixed, stock=stock, stocked_at=10.0).take(10.0, 10, True)[0] == to_a_run


def test_a_run_looks_again_when_the_next_permit_comes() -> None:
    """That may be sooner than its own: a call may take it meanwhile. Of a learned rate nothing is spared."""
    pace = Pace(fixed=40.0, stock=0.0, stocked_at=10.0)
    assert pace.take(10.0, 1, True) == (0, 0.025)
    pace.stock = 1.5
    assert pace.take(10.0, 1, True) == (0, 0.0125)
    assert _found(100.0, stock=8.0).take(10.0, 9, True) == (8, 0.0)


def test_as_many_go_as_are_in_stock() -> None:
    """Whole permits; the next caller waits for what is missing."""
    pace = Pace(fixed=4.0, stock=2.5, stocked_at=10.0)
    assert pace.take(10.0, 1) == (1, 0.0)
    assert pace.stock == 1.5
    assert pace.take(10.0, 7) == (1, 0.0)
    assert pace.take(10.0, 7) == (0, 0.125)
    assert pace.stock == 0.5
    assert pace.take(10.125, 7) == (1, 0.0)
    assert pace.stock == 0.0
    assert pace.take(10.125, 1) == (0, 0.25)


def test_no_request_waits_for_a_rounding_error() -> None:
    """Ten tenths make one, and no wait is too short for a clock."""
    # Not by sum(), which is exact from Python 3.12 on.
    pace = Pace(fixed=10.0, stock=reduce(add, [0.1] * 10), stocked_at=10.0)
    assert pace.stock < 1.0
    assert pace.take(10.0, 1) == (1, 0.0)
    assert Pace(fixed=1e6, stock=1.0 - 2e-6, stocked_at=10.0).take(10.0, 1) == (0, 1e-6)
    assert Pace(fixed=1.0, stock=1.0 - 5e-7, stocked_at=10.0).take(10.0, 1) == (1, 0.0)


def test_a_debt_lets_no_request_go() -> None:
    """It takes longer to make up for."""
    pace = Pace(fixed=2.0, stock=-3.0, stocked_at=10.0)
    assert pace.take(10.0, 5) == (0, 2.0)
    assert pace.stock == -3.0


@pytest.mark.parametrize(
    ("fixed", "seconds", "stock"),
    [
        pytest.param(4.0, 0.125, 0.5, id="by the time that went"),
        pytest.param(4.0, 5.0, 1.0, id="one at most, where a tenth of a second is less"),
        pytest.param(40.0, 5.0, 4.0, id="a tenth of a second's worth at most"),
        pytest.param(4.0, 0.0, 0.0, id="nothing in no time"),
        pytest.param(4.0, -1.0, 0.0, id="nothing for a clock that seems to have gone back"),
    ],
)
def test_the_stock_fills_at_the_rate(fixed: float, seconds: float, stock: float) -> None:
    """Up to what may leave at once after a time without requests."""
    pace = Pace(fixed=fixed, stock=0.0, stocked_at=10.0)
    pace.take(10.0 + seconds, 0)
    assert pace.stock == stock
    assert pace.stocked_at == 10.0 + max(0.0, seconds)


def test_nothing_comes_into_stock_during_a_pause() -> None:
    """Otherwise all would leave together at its end."""
    pace = Pace(fixed=4.0, stock=0.0, stocked_at=10.0)
    pace.pause(10.0, 15.0)
    assert pace.take(14.0, 1) == (0, 1.0)
    assert pace.take(15.0, 1) == (0, 0.25)
    assert pace.take(15.125, 1) == (0, 0.125)
    assert pace.stock == 0.5
    late = Pace(fixed=4.0, stock=0.0, stocked_at=10.0, paused_until=15.0)
    assert late.take(15.125, 1) == (0, 0.125)


def test_a_pause_ends_in_the_moment_it_ends() -> None:
    """Not a moment later."""
    assert Pace(paused_until=15.0).take(15.0, 3) == (3, 0.0)
    assert Pace(paused_until=15.0).take(14.5, 3) == (0, 0.5)
