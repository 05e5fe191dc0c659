"""The arithmetic of the pace, each number worked out by hand."""

import math

import pytest

from kajabi_async.session.pace import Pace

# Every refused pace below was refused at 10 s; after the third cut it is taken for what it is.


def _settled(borne: float, *, pause_seconds: float = 0.0) -> Pace:
    return Pace(borne=borne, cuts=3, refused_at=10.0, stocked_at=10.0, counting_since=10.0, pause_seconds=pause_seconds)


def test_a_new_pace_has_one_request_in_stock_and_has_counted_nothing() -> None:
    """Until the first refusal the rest of it matters to nobody."""
    assert Pace() == Pace(
        fixed=None,
        borne=None,
        cuts=0,
        soon=0,
        refused_at=0.0,
        paused_until=0.0,
        pause_seconds=0.0,
        stock=1.0,
        stocked_at=0.0,
        counting_since=0.0,
        counted=0,
        counted_before=0,
    )


@pytest.mark.parametrize(
    ("pace", "limits"),
    [(Pace(), False), (Pace(fixed=3.0), True), (Pace(borne=3.0), True), (Pace(paused_until=9), False)],
)
def test_a_known_rate_and_a_learned_one_limit(pace: Pace, *, limits: bool) -> None:
    """A pause does not."""
    assert pace.limits is limits


@pytest.mark.parametrize("now", [0.0, 10.0, 1000.0])
def test_a_known_rate_stays_what_it_is(now: float) -> None:
    """Whatever was refused, and whenever."""
    assert Pace(fixed=3.0, borne=99.0, cuts=3, refused_at=10.0).rate(now) == 3.0


@pytest.mark.parametrize(
    ("borne", "now", "rate"),
    [
        pytest.param(100.0, 9.0, 80.0, id="a clock that seems to have gone back"),
        pytest.param(100.0, 10.0, 80.0, id="in the same moment"),
        pytest.param(100.0, 10.25, 80.0, id="within half a second"),
        pytest.param(100.0, 10.5, 100.0 * (1 + 0.04 * 0.5 / 15), id="after half a second"),
        pytest.param(0.5, 10.25, 0.5, id="never below one in two seconds"),
        pytest.param(0.75, 10.25, 0.6, id="four fifths of little"),
    ],
)
def test_right_after_a_refusal_the_rate_drops_by_a_fifth_for_half_a_second(
    borne: float, now: float, rate: float
) -> None:
    """To let what has piled up at the server drain."""
    assert _settled(borne).rate(now) == pytest.approx(rate)


@pytest.mark.parametrize(
    ("cuts", "since", "factor"),
    [
        (1, 0.5, math.sqrt(2.0)),
        (1, 1.0, 2.0),
        (1, 3.0, 8.0),
        (1, 15.0, 2.0**15),
        (1, 99.0, 2.0**15),
        (2, 1.0, 1.1),
        (2, 2.0, 1.21),
        (2, 15.0, 1.1**15),
        (2, 99.0, 1.1**15),
        (3, 1.0, 1 + 0.04 / 15),
    ],
)
def test_after_the_first_two_refusals_the_rate_grows_by_the_second(cuts: int, since: float, factor: float) -> None:
    """It doubles after the first and gains a tenth after the second, for a quarter of a minute at most."""
    pace = Pace(borne=100.0, cuts=cuts, refused_at=10.0)
    assert pace.rate(10.0 + since) == pytest.approx(100.0 * factor)


@pytest.mark.parametrize(
    ("borne", "pause_seconds", "since", "rate"),
    [
        pytest.param(100.0, 0.0, 7.5, 102.0, id="half of four per cent"),
        pytest.param(100.0, 0.0, 15.0, 104.0, id="four per cent"),
        pytest.param(100.0, 0.0, 30.0, 108.0 + 10.0, id="and a tenth, once overdue"),
        pytest.param(100.0, 0.0, 45.0, 112.0 + 80.0, id="by the cube of it"),
        pytest.param(4.0, 0.0, 75.0, 4.16, id="three hundred requests take longer"),
        pytest.param(4.0, 0.0, 150.0, 4.32 + 1.0, id="growing by one at least"),
        pytest.param(100.0, 2.0, 50.0, 104.0, id="twenty-five pauses take longer"),
        pytest.param(100.0, 2.0, 100.0, 118.0, id="and then a tenth"),
        pytest.param(100.0, 0.5, 15.0, 104.0, id="but for short ones"),
        pytest.param(0.25, 0.0, 600.0, 0.5, id="never below one in two seconds"),
    ],
)
def test_a_steady_rate_creeps_up_and_then_grows_ever_faster(
    borne: float, pause_seconds: float, since: float, rate: float
) -> None:
    """The longer no refusal came, the less is what was learned worth."""
    assert _settled(borne, pause_seconds=pause_seconds).rate(10.0 + since) == pytest.approx(rate)


def test_the_time_without_a_refusal_counts_from_the_end_of_the_pause() -> None:
    """Nothing could be refused while nobody went."""
    pace = _settled(100.0)
    pace.paused_until = 20.0
    assert pace.rate(20.25) == pytest.approx(80.0)
    assert pace.rate(27.5) == pytest.approx(102.0)


def test_as_many_go_as_are_in_stock() -> None:
    """Whole ones; the next has to wait for what is missing."""
    pace = Pace(fixed=4.0, stock=2.5, stocked_at=10.0)
    assert pace.take(10.0, 1) == (1, 0.0)
    assert pace.stock == 1.5
    assert pace.take(10.0, 7) == (1, 0.0)
    assert pace.take(10.0, 7) == (0, 0.125)
    assert pace.stock == 0.5
    assert pace.take(10.125, 7) == (1, 0.0)
    assert pace.stock == 0.0
    assert pace.take(10.125, 1) == (0, 0.25)


def test_nobody_waits_for_the_rest_of_a_rounding() -> None:
    """Ten tenths are one, and no wait is too short for a clock."""
    pace = Pace(fixed=10.0, stock=sum([0.1] * 10), stocked_at=10.0)
    assert pace.stock < 1.0
    assert pace.take(10.0, 1) == (1, 0.0)
    assert Pace(fixed=1e6, stock=1.0 - 2e-6, stocked_at=10.0).take(10.0, 1) == (0, 1e-6)
    assert Pace(fixed=1.0, stock=1.0 - 5e-7, stocked_at=10.0).take(10.0, 1) == (1, 0.0)


def test_a_debt_lets_nobody_go() -> None:
    """And takes longer to make up for."""
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
    """Up to what may leave at once after nobody wanted to go."""
    pace = Pace(fixed=fixed, stock=0.0, stocked_at=10.0)
    pace.take(10.0 + seconds, 0)
    assert pace.stock == stock
    assert pace.stocked_at == 10.0 + max(0.0, seconds)


def test_nothing_comes_into_stock_during_a_pause() -> None:
    """Everybody would leave at its end at once."""
    pace = Pace(fixed=4.0, stock=0.0, stocked_at=10.0)
    pace.pause(10.0, 15.0)
    assert pace.take(14.0, 1) == (0, 1.0)
    assert pace.take(15.0, 1) == (0, 0.25)
    assert pace.take(15.125, 1) == (0, 0.125)
    assert pace.stock == 0.5
    late = Pace(fixed=4.0, stock=0.0, stocked_at=10.0, paused_until=15.0)
    assert late.take(15.125, 1) == (0, 0.125)


def test_a_pause_ends_in_the_moment_it_ends() -> None:
    """Not one later."""
    assert Pace(paused_until=15.0).take(15.0, 3) == (3, 0.0)
    assert Pace(paused_until=15.0).take(14.5, 3) == (0, 0.5)


def test_answers_are_counted_by_the_second() -> None:
    """And those of the second before kept for a while."""
    pace = Pace(counting_since=10.0)
    pace.answered(10.0)
    pace.answered(10.5, 4)
    assert (pace.counting_since, pace.counted, pace.counted_before) == (10.0, 5, 0)
    pace.answered(11.0)
    assert (pace.counting_since, pace.counted, pace.counted_before) == (11.0, 1, 5)
    pace.answered(12.75)
    assert (pace.counting_since, pace.counted, pace.counted_before) == (12.75, 1, 1)
    pace.answered(14.75)
    assert (pace.counting_since, pace.counted, pace.counted_before) == (14.75, 1, 0)


def test_at_a_slow_pace_forty_answers_are_counted() -> None:
    """However long they take."""
    pace = Pace(borne=20.0, cuts=3, counting_since=10.0)
    pace.answered(11.75)
    assert (pace.counting_since, pace.counted, pace.counted_before) == (10.0, 1, 0)
    pace.answered(12.0)
    assert (pace.counting_since, pace.counted, pace.counted_before) == (12.0, 1, 1)
    quick = Pace(borne=400.0, cuts=3, counting_since=10.0)
    quick.answered(10.5)
    assert quick.counting_since == 10.0


def test_a_refusal_begins_a_new_second_as_an_answer_does() -> None:
    """Which it is not counted in."""
    pace = Pace(fixed=3.0, counting_since=10.0, counted=5)
    pace.refused(10.5)
    assert (pace.counting_since, pace.counted, pace.counted_before) == (10.0, 5, 0)
    pace.refused(11.0)
    assert (pace.counting_since, pace.counted, pace.counted_before) == (11.0, 0, 5)


@pytest.mark.parametrize(
    ("before", "counted", "now", "borne"),
    [
        pytest.param(0, 20, 10.5, 40.0, id="twenty in half a second"),
        pytest.param(0, 20, 10.0, 200.0, id="twenty at once, counted for a tenth of a second"),
        pytest.param(0, 20, 9.0, 200.0, id="on a clock that seems to have gone back"),
        pytest.param(0, 1, 10.5, 5.0, id="hardly any"),
        pytest.param(30, 20, 10.25, 42.5, id="and three quarters of those before"),
        pytest.param(30, 20, 11.0, 20.0, id="a whole window later"),
        pytest.param(30, 20, 12.0, 5.0, id="long before"),
    ],
)
def test_the_first_refusal_tells_what_is_borne(before: int, counted: int, now: float, borne: float) -> None:
    """What was let through in the last second."""
    pace = Pace(counting_since=10.0, counted=counted, counted_before=before)
    pace.refused(now)
    assert pace.borne == pytest.approx(borne)
    assert (pace.cuts, pace.soon, pace.refused_at) == (1, 0, now)


@pytest.mark.parametrize(
    ("counted", "before", "measured"), [(30, 0, 60.0), (15, 40, 15 / 1.25 + 40 / 1.25 * 0.6), (0, 40, 24 / 1.25)]
)
def test_a_slow_pace_is_measured_over_a_longer_time(counted: int, before: int, measured: float) -> None:
    """Forty answers at thirty-two a second take a second and a quarter."""
    pace = Pace(borne=32.0, counting_since=10.0, counted=counted, counted_before=before)
    assert pace._per_second(10.5) == pytest.approx(measured)


@pytest.mark.parametrize(
    ("counted", "borne"),
    [
        pytest.param(500, 102.0 * 0.97, id="a little, where more was let through"),
        pytest.param(40, 80.0, id="to what was let through"),
        pytest.param(1, 51.0, id="by half at most"),
    ],
)
def test_a_later_refusal_takes_the_pace_down(counted: int, borne: float) -> None:
    """From the 102 a second where it stood; what is in stock is gone."""
    pace = _settled(100.0)
    pace.stock, pace.counting_since, pace.counted, pace.soon = 7.0, 17.0, counted, 4
    pace.refused(17.5)
    assert pace.borne == pytest.approx(borne)
    assert (pace.cuts, pace.soon, pace.refused_at, pace.stock, pace.stocked_at) == (4, 0, 17.5, 0.0, 17.5)


def test_a_debt_is_not_forgiven_by_a_refusal() -> None:
    """Nor does time go back."""
    pace = Pace(stock=-2.0, stocked_at=19.0)
    pace.refused(17.5)
    assert (pace.stock, pace.stocked_at) == (-2.0, 19.0)


def test_the_pace_is_never_below_one_in_two_seconds() -> None:
    """Less would take minutes to find out that more is borne."""
    pace = _settled(0.5)
    pace.refused(17.5)
    assert pace.borne == 0.5


def test_refusals_within_a_second_are_one() -> None:
    """Most had left before the first one came back."""
    pace = _settled(100.0)
    pace.refused(10.75)
    assert (pace.cuts, pace.borne, pace.refused_at) == (3, 100.0, 10.0)
    pace.refused(11.0)
    assert (pace.cuts, pace.refused_at) == (4, 11.0)


def test_the_very_first_refusal_counts_however_early_it_comes() -> None:
    """The clock may have begun just now."""
    pace = Pace()
    pace.refused(0.25)
    assert (pace.cuts, pace.borne) == (1, 5.0)


@pytest.mark.parametrize(
    ("soon", "now", "after", "least"),
    [
        pytest.param(0, 12.75, 1, 0.97, id="a straggler"),
        pytest.param(1, 12.75, 2, 0.85, id="a second one in a row"),
        pytest.param(2, 12.75, 3, 0.85, id="a third one"),
        pytest.param(2, 13.0, 0, 0.97, id="three seconds later"),
    ],
)
def test_a_pace_that_was_far_too_fast_is_taken_down_further(soon: int, now: float, after: int, least: float) -> None:
    """Which is so where refusals come soon one after another."""
    pace = _settled(100.0)
    pace.soon, pace.counting_since, pace.counted = soon, now - 0.5, 10_000
    stood = pace.rate(now)
    assert stood is not None
    pace.refused(now)
    assert pace.soon == after
    assert pace.borne == pytest.approx(least * stood)


def test_how_soon_a_refusal_comes_is_counted_from_the_end_of_the_pause() -> None:
    """Nobody went before."""
    pace = _settled(100.0)
    pace.paused_until = 20.0
    pace.refused(22.0)
    assert pace.soon == 1


def test_a_known_rate_is_not_changed_by_a_refusal() -> None:
    """But a pause is kept to."""
    pace = Pace(fixed=3.0)
    pace.refused(10.0, 2.0)
    assert (pace.fixed, pace.borne, pace.cuts, pace.paused_until, pace.pause_seconds) == (3.0, None, 0, 12.0, 2.0)


@pytest.mark.parametrize("retry_after", [None, 0.0])
def test_a_refusal_without_a_pause_leaves_the_last_one(retry_after: float | None) -> None:
    """It tells how much a refusal costs."""
    pace = Pace(pause_seconds=4.0)
    pace.refused(10.0, retry_after)
    assert (pace.paused_until, pace.pause_seconds) == (0.0, 4.0)


def test_a_pause_moves_on_what_is_counted_and_is_never_shortened() -> None:
    """What is counted is counted over the time that requests may go."""
    pace = Pace(counting_since=9.5)
    pace.pause(10.0, 15.0)
    assert (pace.counting_since, pace.paused_until) == (14.5, 15.0)
    pace.pause(12.0, 18.0)
    assert (pace.counting_since, pace.paused_until) == (17.5, 18.0)
    for until in (14.0, 18.0):
        pace.pause(12.0, until)
        assert (pace.counting_since, pace.paused_until) == (17.5, 18.0)
    for until in (19.0, 20.0):
        pace.pause(20.0, until)
        assert (pace.counting_since, pace.paused_until) == (17.5, 18.0)
