"""How far each kind of refusal cuts the pace and where it grows to, with each number worked out by hand.

An event of refusals at 10 s is over at 10.5 s, if there is no pause. Numbers of answers and refusals are those since
the evidence of a limit began; the refusal that the test adds counts too.
"""

import pytest

from kajabi_async.session.limits.pace import Pace

EARLIER = 500
"""Answers from before the evidence began, which must not count."""


def _pace(now: float, **fields: float) -> Pace:
    """Return a pace with an event at 10 s, that held a request back at *now*."""
    pace = Pace(cuts=3, refused_at=10.0, stocked_at=10.0, held_back_at=now, answers=EARLIER, event_answers=EARLIER)
    for name, value in fields.items():
        setattr(pace, name, value)
    return pace


def _found(now: float, **fields: float) -> Pace:
    """Return a pace that found that 100 a second are borne, and is at 85 at 10.5 s."""
    return _pace(now, **{"start": 85.0, "borne": 100.0, "cost": 1, **fields})


def _probing(per_second: int, **fields: float) -> Pace:
    """Return a pace that went twice *per_second* at 27.5 s, 2 s after the curve to 100 a second was over."""
    return _counted(_found(27.5, **fields), 27.5, per_second=per_second)


def _searching(now: float, start: float, **fields: float) -> Pace:
    """Return a pace that searches for a limit, doubling twice a second if nothing else is said."""
    return _pace(now, **{"start": start, "borne": start, "doubling_seconds": 0.5, **fields})


def _counted(pace: Pace, now: float, *, answers: int = 0, seconds: float = 0.0, per_second: int = 0) -> Pace:
    """Record answers within the last *seconds* before *now*, and what the server bore in the last second."""
    pace.answers += answers
    pace.event_since = now - seconds
    pace.window_since, pace.window_answers, pace.answers_before = now, pace.answers, per_second
    return pace


def _refused(pace: Pace, now: float, times: int) -> Pace:
    """Record *times* refusals, of which only the last comes after the event."""
    pace.event_refusals = times - 1
    pace.refused(now)
    return pace


def test_during_an_event_the_rate_stays_where_the_cut_left_it() -> None:
    """Only if the event does not show the limit, five a second go at most."""
    assert [_found(10.0).rate(moment) for moment in (10.0, 10.25, 10.5)] == pytest.approx([85.0] * 3)
    assert [_found(10.0, on_hold=True).rate(moment) for moment in (10.0, 10.25)] == [5.0, 5.0]
    assert _found(10.0, on_hold=True, start=2.0).rate(10.25) == 2.0


def test_a_deep_cut_is_made_up_for_by_doubling_before_the_curve_begins() -> None:
    """Twice a second up to 85 % of the plateau, which takes a second from a quarter of that."""
    pace = _counted(_found(10.0, start=21.25), 11.0, per_second=400)
    assert [pace.rate(10.5 + since) for since in (0.0, 0.5, 1.0)] == pytest.approx([21.25, 42.5, 85.0])
    assert [pace.rate(11.5 + since) for since in (15.0 / 1.7 / 2, 15.0 / 1.7)] == pytest.approx([98.125, 100.0])
    assert pace.rate(11.5 + 15.0) == pytest.approx(100.0 + 15.0 * 0.7**3)
    unused = _counted(_found(10.0, start=21.25), 10.0)
    assert [unused.rate(moment) for moment in (11.375, 11.5)] == pytest.approx([21.25, 85.0])


@pytest.mark.parametrize(("answers", "start"), [(2, 5.0), (3, 340.0)])
def test_a_first_refusal_was_an_accident_unless_more_than_a_quarter_was_refused(answers: int, start: float) -> None:
    """Of what was answered and refused since then, that refusal included."""
    pace = _counted(Pace(answers=EARLIER), 10.0, per_second=400)
    pace.refused(10.0)
    pace.answered(10.25, answers)
    assert pace.rate(10.5) == pytest.approx(start)


def test_the_evidence_of_the_first_event_does_not_count_after_it() -> None:
    """The very moment in which the event is over belongs to the next."""
    pace = _counted(Pace(), 10.0, per_second=400)
    pace.refused(10.0)
    pace.answered(10.25, 30)
    pace.held_back_at = 10.5
    pace.refused(10.5)
    # One refusal and no answer: an overload that leaves a quarter, and does not show the limit.
    assert (pace.cuts, pace.start, pace.doubling_seconds) == (2, 85.0, 0.5)
    assert (pace.hoped, pace.event_since, pace.event_answers, pace.event_refusals) == (0.0, 10.5, 30, 1)


def test_a_forgotten_limit_leaves_nothing_behind() -> None:
    """A new one is searched for from the start, and its pauses alone count."""
    pace = _counted(_found(10.0, pause_seconds=60.0), 100.0, per_second=40)
    assert pace.take(100.0, 3) == (3, 0.0)
    pace.refused(100.0)
    assert (pace.start, pace.borne, pace.doubling_seconds, pace.pause_seconds) == (5.0, 40.0, 0.5, 0.0)
    assert pace.rate(100.25) == 5.0
    pace.answered(100.25, 40)
    assert pace.rate(100.5) == pytest.approx(34.0)


@pytest.mark.parametrize(
    ("start", "held_back_at", "is_searched"),
    [
        pytest.param(85.0, 9.5, False, id="a second ago"),
        pytest.param(85.0, 9.25, True, id="longer ago"),
        pytest.param(0.5, 4.5, False, id="the time of three requests ago, if that is longer"),
        pytest.param(0.5, 4.25, True, id="longer ago than that"),
    ],
)
def test_a_rate_counts_as_used_if_it_held_a_request_back_lately(
    start: float, held_back_at: float, *, is_searched: bool
) -> None:
    """Otherwise a refusal says nothing about it, and the search begins at what the server bears."""
    pace = _found(held_back_at, start=start, borne=start / 0.85 if start > 1.0 else start)
    _refused(_counted(pace, 10.5, answers=30, per_second=8), 10.5, 1)
    assert (pace.doubling_seconds == 0.5) is is_searched
    if is_searched:
        assert pace.start == pytest.approx(max(0.5, 0.85 * min(start, 8.0)))
        assert pace.rate(10.75) == min(5.0, pace.start or 0.0)


@pytest.mark.parametrize(
    ("answers", "refusals", "is_known"),
    [
        pytest.param(18, 1, False, id="nineteen"),
        pytest.param(19, 1, True, id="twenty"),
        pytest.param(1, 18, False, id="nineteen, mostly refusals"),
        pytest.param(1, 19, True, id="twenty, mostly refusals"),
        pytest.param(1, 1, False, id="two"),
        pytest.param(0, 30, False, id="any number, if nothing got through"),
    ],
)
def test_twenty_answers_and_refusals_show_a_limit(answers: int, refusals: int, *, is_known: bool) -> None:
    """A few may be an accident: the search starts again, at the same speed, and evidence is gathered further."""
    pace = _searching(10.5, 40.0, doubling_seconds=2.0)
    _refused(_counted(pace, 10.5, answers=answers, seconds=1.0, per_second=40), 10.5, refusals)
    assert (pace.doubling_seconds == 0.0) is is_known
    assert pace.event_refusals == (0 if is_known else refusals)
    assert pace.event_since == (10.5 if is_known else 9.5)


def test_a_search_that_starts_again_lets_a_few_go_for_half_a_second() -> None:
    """Then it continues at 85 % of the refused rate, and doubles as it did before, with the same plateau."""
    pace = _searching(10.5, 40.0, doubling_seconds=2.0, borne=60.0)
    _refused(_counted(pace, 10.5, answers=10, seconds=1.0, per_second=40), 10.5, 1)
    assert (pace.cuts, pace.borne) == (4, 60.0)
    assert [pace.rate(moment) for moment in (10.5, 10.75, 11.0)] == pytest.approx([5.0, 5.0, 34.0])
    assert _counted(pace, 13.0, per_second=100).rate(13.0) == pytest.approx(68.0)
    # Still too few to show anything.
    _refused(_counted(pace, 11.0, seconds=1.0, per_second=34), 11.0, 2)
    assert (pace.start, pace.doubling_seconds) == pytest.approx((28.9, 2.0))


@pytest.mark.parametrize(
    ("answers", "per_second", "start"),
    [
        pytest.param(80, 30, 34.0, id="85 % of what got through since the search began"),
        pytest.param(80, 60, 51.0, id="or of what got through in the last second"),
        pytest.param(200, 90, 68.0, id="but no more than 85 % of the refused rate"),
    ],
)
def test_a_limit_that_is_near_is_searched_for_more_slowly(answers: int, per_second: int, start: float) -> None:
    """Doubling takes two seconds from now on: twice a second would pass the limit by far."""
    pace = _searching(10.5, 80.0)
    _refused(_counted(pace, 10.5, answers=answers, seconds=2.0, per_second=per_second), 10.5, 10)
    assert [pace.start, pace.doubling_seconds] == pytest.approx([start, 2.0])
    assert (pace.refused_at, pace.rate(10.75), pace.event_refusals) == (10.5, 5.0, 0)
    assert _counted(pace, 13.0, per_second=400).rate(13.0) == pytest.approx(2 * start)


@pytest.mark.parametrize(
    ("seconds", "answers", "refusals", "borne", "start"),
    [
        pytest.param(2.5, 50, 1, 69.12, 85.0, id="up to 1.2 times what was borne in the last second"),
        pytest.param(0.25, 20, 1, 92.16, 85.0, id="or since the search began"),
        pytest.param(0.25, 90, 1, 96.0, 85.0, id="but no more than the refused rate"),
        pytest.param(2.0, 50, 50, 69.12, 25.0, id="also in an overload, if it was short"),
        pytest.param(2.5, 50, 50, 23.04, 25.0, id="in a longer one of what got through on the whole"),
        pytest.param(0.0, 1, 30, 69.12, 25.0, id="at least a quarter of the rate is left"),
        pytest.param(0.0, 9, 30, 96.0, 76.5, id="what got through is counted over a tenth of a second"),
    ],
)
def test_what_is_refused_in_a_careful_search_is_the_limit(
    seconds: float, answers: int, refusals: int, borne: float, start: float
) -> None:
    """The plateau is 96 % of what was borne; more than was counted may have been, since the rate was rising."""
    pace = _searching(10.5, 100.0, doubling_seconds=2.0, burst=2.0, cost=3)
    _refused(_counted(pace, 10.5, answers=answers, seconds=seconds, per_second=60), 10.5, refusals)
    assert [pace.doubling_seconds, pace.borne, pace.start] == pytest.approx([0.0, borne, start])
    assert (pace.burst, pace.cost, pace.event_refusals) == (0.0, 1, 0)
    assert pace.rate(10.75) == pytest.approx(5.0 if refusals > 1 else start)


def test_an_overload_in_a_fast_search_shows_the_limit_at_once() -> None:
    """No careful search follows: what got through is known."""
    pace = _searching(10.5, 100.0)
    _refused(_counted(pace, 10.5, answers=50, seconds=2.5, per_second=20), 10.5, 50)
    assert [pace.doubling_seconds, pace.borne, pace.start] == pytest.approx([0.0, 23.04, 25.0])


def test_a_rate_that_passed_a_known_burst_is_no_reason_for_a_search() -> None:
    """With a burst of 1.5 times the plateau, 150 are within it, and 152 are not."""
    pace = _refused(_counted(_probing(75, burst=1.5), 27.5, answers=900, seconds=17.0, per_second=75), 27.5, 1)
    assert [pace.doubling_seconds, pace.borne, pace.start] == pytest.approx([0.0, 105.0, 127.5])
    # With each look for more the burst fades.
    assert pace.burst == pytest.approx(1.5 * 0.97)
    pace = _refused(_counted(_probing(76, burst=1.5), 27.5, answers=900, seconds=17.0, per_second=76), 27.5, 1)
    assert [pace.doubling_seconds, pace.borne, pace.start] == pytest.approx([2.0, 100.0, 100.0])
    # It continues at the plateau at once.
    assert (pace.rate(27.75), pace.on_hold) == (100.0, False)
    assert pace.suspicion == pytest.approx(1.52)


@pytest.mark.parametrize(
    ("rate", "borne", "burst"),
    [
        pytest.param(105.0, 100.8, 1.8, id="96 % of the refused rate"),
        pytest.param(120.0, 105.0, 1.8, id="but 5 % more than it was at most"),
        pytest.param(123.0, 105.0, 1.8, id="up to 1.23 times the plateau"),
        pytest.param(124.0, 119.04, 0.0, id="beyond that it is a limit that was raised"),
    ],
)
def test_a_search_that_finds_the_old_plateau_had_been_started_by_a_burst(
    rate: float, borne: float, burst: float
) -> None:
    """The next search begins only 20 % beyond that burst, and the search has cost two refusals."""
    pace = _searching(10.5, rate, borne=100.0, doubling_seconds=2.0, suspicion=1.5)
    _refused(_counted(pace, 10.5, answers=60, seconds=0.5, per_second=200), 10.5, 1)
    assert [pace.borne, pace.burst, pace.start] == pytest.approx([borne, burst, 0.85 * rate])
    assert (pace.doubling_seconds, pace.cost) == (0.0, 2 if burst else 1)
    assert pace.rate(10.75) == pytest.approx(0.85 * rate)
    # The burst is known now, so the next refusal is one of a look for more.
    pace.held_back_at = 11.0
    _refused(_counted(pace, 11.0, answers=40, seconds=0.5, per_second=200), 11.0, 1)
    assert pace.cost == (3 if burst else 2)


def test_a_few_answers_are_enough_to_know_that_it_was_a_burst() -> None:
    """The limit was known before. An overload meanwhile lets a few go for half a second."""
    pace = _searching(10.5, 105.0, borne=100.0, doubling_seconds=2.0, suspicion=1.5)
    _refused(_counted(pace, 10.5, answers=5, seconds=0.5, per_second=105), 10.5, 5)
    assert [pace.doubling_seconds, pace.borne, pace.start] == pytest.approx([0.0, 100.8, 26.25])
    assert pace.rate(10.75) == 5.0


@pytest.mark.parametrize(
    ("seconds", "answers", "refusals", "borne", "start"),
    [
        pytest.param(5.0, 400, 20, 81.6, 72.25, id="twenty are a look for more"),
        pytest.param(5.0, 400, 21, 76.8, 68.0, id="more than twenty are not, and 80 a second got through"),
        pytest.param(12.5, 1000, 50, 81.6, 72.25, id="unless they are one in twenty or less"),
        pytest.param(12.5, 1000, 51, 76.8, 68.0, id="more than one in twenty"),
        pytest.param(5.0, 1000, 51, 81.6, 72.25, id="more got through than the current rate"),
        pytest.param(5.0, 200, 30, 50.0, 34.0, id="the plateau is halved at most"),
    ],
)
def test_many_refusals_since_a_cut_show_that_the_plateau_is_above_the_limit(
    seconds: float, answers: int, refusals: int, borne: float, start: float
) -> None:
    """A burst that the server had let through is spent: what got through since the cut is the limit."""
    pace = _refused(_counted(_found(10.5), 10.5, answers=answers, seconds=seconds, per_second=100), 10.5, refusals)
    assert [pace.borne, pace.start] == pytest.approx([borne, start])
    assert pace.rate(10.75) == pytest.approx(start)


@pytest.mark.parametrize(
    ("answers", "refusals", "per_second", "borne", "start"),
    [
        pytest.param(0, 30, 0, 50.0, 21.25, id="half of the plateau and a quarter of the rate are left"),
        pytest.param(120, 60, 70, 67.2, 51.0, id="the plateau is what got through in the last second"),
        pytest.param(140, 60, 10, 67.2, 59.5, id="or since the latest event"),
        pytest.param(400, 200, 10, 81.6, 72.25, id="but no more than the rate"),
    ],
)
def test_an_overload_shows_what_the_limit_has_become(
    answers: int, refusals: int, per_second: int, borne: float, start: float
) -> None:
    """The refusals are not what a look for more has cost, so the next one is not put off."""
    pace = _found(10.5, cost=2)
    _refused(_counted(pace, 10.5, answers=answers, seconds=2.0, per_second=per_second), 10.5, refusals)
    assert [pace.borne, pace.start] == pytest.approx([borne, start])
    assert (pace.cost, pace.rate(10.75)) == (1, 5.0)


def test_refusals_below_the_plateau_put_the_next_look_for_more_off() -> None:
    """They add up to what the last one has cost; a refusal at the plateau or beyond it is of a new one."""
    assert _refused(_counted(_found(10.5, cost=2), 10.5, answers=90, seconds=1.0), 10.5, 3).cost == 5
    assert _refused(_counted(_probing(60, cost=2), 27.5, answers=90, seconds=1.0, per_second=60), 27.5, 3).cost == 1
    slowest = _found(10.5, start=0.5, borne=0.5, cost=2)
    _refused(_counted(slowest, 10.5, answers=9, seconds=20.0), 10.5, 3)
    assert (slowest.cost, slowest.start, slowest.borne) == (1, 0.5, 0.5)


@pytest.mark.parametrize(
    ("moment", "answers", "refusals", "paused_until", "is_flood"),
    [
        pytest.param(10.125, 0, 19, 0.0, False, id="nineteen"),
        pytest.param(10.125, 0, 20, 0.0, True, id="twenty"),
        pytest.param(10.125, 59, 20, 0.0, True, id="more than a quarter"),
        pytest.param(10.125, 60, 20, 0.0, False, id="a quarter"),
        pytest.param(10.1, 0, 20, 0.0, True, id="a tenth of a second after the cut"),
        pytest.param(10.0625, 0, 20, 0.0, False, id="less, as they had left before the cut"),
        pytest.param(10.25, 0, 20, 10.375, False, id="in a pause, which the cut may have caused"),
        pytest.param(10.375, 0, 20, 10.375, True, id="after it"),
    ],
)
def test_a_flood_of_refusals_right_after_a_cut_is_an_event_of_its_own(
    moment: float, answers: int, refusals: int, paused_until: float, *, is_flood: bool
) -> None:
    """So much cannot have been in flight: the cut was far too small."""
    pace = _counted(_found(10.0, paused_until=paused_until), 10.0, answers=answers)
    for _ in range(refusals):
        pace.refused(moment)
    assert pace.cuts == (4 if is_flood else 3)
    assert (pace.start == 85.0) is not is_flood
    if is_flood:
        assert pace.rate(moment) == 5.0
        # While a few go, the rest of the flood is that same event.
        for _ in range(100):
            pace.refused(moment + 0.125)
        assert pace.cuts == 4


def test_a_cut_starts_new_evidence() -> None:
    """What was refused before it makes no flood of what is refused after it."""
    pace = _refused(_counted(_found(10.5), 10.5, answers=90, seconds=1.0), 10.5, 10)
    assert (pace.cuts, pace.event_since, pace.event_answers) == (4, 10.5, EARLIER + 90)
    for _ in range(19):
        pace.refused(10.625)
    assert pace.cuts == 4
    pace.refused(10.625)
    assert pace.cuts == 5


@pytest.mark.parametrize("refusals", [1, 30])
def test_the_slowest_rate_is_one_request_in_two_seconds(refusals: int) -> None:
    """However often it is refused: without requests there would be no way back."""
    pace = _found(10.5, start=1.0, borne=1.0)
    moment = 10.5
    for _ in range(50):
        pace.held_back_at = moment
        _refused(_counted(pace, moment, answers=0, seconds=0.5), moment, refusals)
        moment += 0.5
    assert (pace.start, pace.borne, pace.rate(moment)) == (0.5, 0.5, 0.5)


def test_the_highest_rate_is_what_the_server_bears_twice() -> None:
    """For any time without a refusal: doubling ends there, and at a number."""
    pace = _searching(1e9, 5.0, held_back_at=1e9)
    assert _counted(pace, 1e9, per_second=30_000).rate(1e9) == 60_000.0
    assert _counted(pace, 1e9, per_second=10**300).rate(1e9) == 5.0 * 2.0**60
