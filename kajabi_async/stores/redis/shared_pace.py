"""The shared pace as text, validated when it is read, since other programs may have written it."""

import math
from typing import Any, Final

import attrs

from kajabi_async.errors import DecodeError
from kajabi_async.jsonapi.codec import decode, encode, json_object
from kajabi_async.session.limits.pace import Pace

__all__ = ["read_pace", "write_pace"]

_MAX_LENGTH: Final = 4096
_MAX_VALUE: Final = 1e9
"""The largest value of a field other than moments and counts."""
_MAX_AHEAD_SECONDS: Final = 600.0
"""The largest distance of a moment in the future: the longest pause."""
_MAX_COUNT: Final = 2**53
_MOMENTS: Final = frozenset({"refused_at", "paused_until", "held_back_at", "stocked_at", "window_since", "event_since"})
_COUNTS: Final = frozenset(
    {"cuts", "cost", "answers", "window_answers", "answers_before", "event_answers", "event_refusals"}
)


def write_pace(pace: Pace) -> bytes:
    """Return *pace* as text."""
    return encode(attrs.asdict(pace))


def read_pace(text: bytes, fixed: float | None, now: float) -> Pace:
    """Return the pace in *text*, with the rate *fixed* if that is known; a new one if *text* is empty or invalid."""
    members = _members(text)
    if members is None:
        return Pace(fixed=fixed)
    pace = Pace(fixed=fixed)
    for field in attrs.fields(Pace):
        if field.name == "fixed":
            continue
        value = members.get(field.name)
        if not _is_valid(field.name, value, now):
            return Pace(fixed=fixed)
        setattr(pace, field.name, value)
    is_valid = pace.start is None or min(pace.start, pace.borne) > 0.0
    counted = min(pace.answers - pace.window_answers, pace.answers - pace.event_answers)
    return pace if is_valid and counted >= 0 else Pace(fixed=fixed)


def _members(text: bytes) -> dict[str, Any] | None:
    try:
        return json_object(decode(text)) if text and len(text) <= _MAX_LENGTH else None
    except DecodeError:
        return None


def _is_valid(name: str, value: Any, now: float) -> bool:
    """Return whether *value* is possible for the field *name*."""
    if name == "on_hold" or isinstance(value, bool):
        return name == "on_hold" and isinstance(value, bool)
    if name == "start" and value is None:
        return True
    if not isinstance(value, int | float) or not math.isfinite(value):
        return False
    if name in _COUNTS:
        return isinstance(value, int) and 0 <= value <= _MAX_COUNT
    least, most = (
        (-_MAX_VALUE, _MAX_VALUE)
        if name == "stock"
        else (0.0, now + _MAX_AHEAD_SECONDS if name in _MOMENTS else _MAX_VALUE)
    )
    return least <= value <= most
