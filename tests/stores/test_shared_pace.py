"""The shared pace as text: what is read back, and which values of other programs are not."""

from typing import Any

import attrs

from kajabi_async.jsonapi.codec import encode
from kajabi_async.session.limits.pace import Pace
from kajabi_async.stores.redis.shared_rate import read_pace, write_pace

NOW = 1000.0
LEARNED = Pace(start=5.0, borne=5.0, answers=7)
MOMENTS = ("refused_at", "paused_until", "held_back_at", "stocked_at", "window_since", "event_since")
COUNTS = ("cuts", "cost", "answers_before", "event_refusals")
NUMBERS = ("borne", "doubling_seconds", "hoped", "suspicion", "burst", "pause_seconds")


def _text(**changed: Any) -> bytes:
    return encode(attrs.asdict(LEARNED) | changed)


def _is_read(**changed: Any) -> bool:
    return read_pace(_text(**changed), None, NOW).start is not None


def test_a_pace_is_read_as_it_was_written() -> None:
    """Each field, at the edge of what is possible."""
    least: dict[str, Any] = dict.fromkeys((*MOMENTS, *NUMBERS, *COUNTS, "window_answers", "event_answers"), 0)
    least |= {"borne": 0.5, "start": 0.5, "stock": -1e9}
    most: dict[str, Any] = dict.fromkeys(MOMENTS, NOW + 600.0)
    most |= dict.fromkeys((*NUMBERS, "stock", "start"), 1e9)
    most |= dict.fromkeys((*COUNTS, "answers", "window_answers", "event_answers"), 2**53) | {"on_hold": True}
    for values in (least, most, {"start": None, "borne": 0.0}):
        pace = attrs.evolve(LEARNED, **values)
        assert read_pace(write_pace(pace), None, NOW) == pace


def test_a_pace_with_one_impossible_value_is_not_read() -> None:
    """Of the wrong type, or beyond the least and the most."""
    odd: dict[str, list[Any]] = {"on_hold": [0, 1, None, "x"], "start": [True, "x", -1.0, 1e9 + 1]}
    odd |= {name: [None, True, False, "x", [], {}, -0.5, 1e9 + 1] for name in NUMBERS}
    odd |= {name: [None, True, False, "x", 1.5, -1, 2**53 + 1] for name in COUNTS}
    odd |= {name: [None, True, False, "x", -0.5, NOW + 600.5] for name in MOMENTS}
    odd["stock"] = [None, True, False, "x", -1e9 - 1, 1e9 + 1]
    assert [(name, value) for name, values in odd.items() for value in values if _is_read(**{name: value})] == []
    assert _is_read()


def test_a_pace_whose_values_contradict_each_other_is_not_read() -> None:
    """A known limit without a rate, and more answers in a part of the time than in all of it."""
    assert [_is_read(start=start, borne=borne) for start, borne in ((0.5, 0.0), (0.0, 0.5), (0.5, 0.5))] == [
        False,
        False,
        True,
    ]
    for name in ("window_answers", "event_answers"):
        assert [_is_read(**{name: value}) for value in (6, 7, 8)] == [True, True, False]


def test_a_text_of_more_than_4096_bytes_is_not_read() -> None:
    """A pace is a tenth of that."""
    texts = [_text().ljust(length) for length in (4096, 4097)]
    assert [read_pace(text, None, NOW).start for text in texts] == [5.0, None]


def test_a_rate_that_is_known_holds_whatever_is_stored() -> None:
    """Nothing, an invalid text, a value out of range, a contradiction, or another rate."""
    for text in (b"", b"x", _text(cuts=-1), _text(borne=0.0), _text(event_answers=8)):
        assert read_pace(text, 10.0, NOW) == Pace(fixed=10.0)
    assert read_pace(_text(fixed=99.0), 10.0, NOW) == attrs.evolve(LEARNED, fixed=10.0)
