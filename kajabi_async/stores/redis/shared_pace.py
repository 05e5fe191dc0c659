"""A pace as text that processes share: read with care, as somebody else may have written it."""

import math
from typing import Any, Final

import attrs

from kajabi_async.errors import DecodeError
from kajabi_async.jsonapi.codec import decode, encode, json_object
from kajabi_async.session.limits.pace import Pace

__all__ = ["read_pace", "write_pace"]

_LONGEST_TEXT: Final = 4096
_MOST: Final = 1e9
"""Of requests a second, and of whatever is counted in requests or seconds, but moments."""
_MOST_AHEAD_SECONDS: Final = 600.0
"""How far in the future a moment may be: as far as the longest pause."""
_MOST_COUNTED: Final = 2**53
_MOMENTS: Final = frozenset({"refused_at", "paused_until", "held_back_at", "stocked_at", "window_since", "event_since"})
_COUNTS: Final = frozenset(
    {"cuts", "cost", "answers", "window_answers", "answers_before", "event_answers", "event_refusals"}
)


def write_pace(pace: Pace) -> bytes:
    """Return *pace* as text."""
    return encode(attrs.asdict(pace))


def read_pace(text: bytes, fixed: float | None, now: float) -> Pace:
    """Return the pace in *text*, kept to *fixed* if that is known; a fresh one if there is none, or anything else."""
    members = _members(text)
    if members is None:
        return Pace(fixed=fixed)
    pace = Pace(fixed=fixed)
    for field in attrs.fields(Pace):
        if field.name == "fixed":
            continue
        value = members.get(field.name)
        if not _is_sound(field.name, value, now):
            return Pace(fixed=fixed)
        setattr(pace, field.name, value)
    is_sound = pace.start is None or min(pace.start, pace.borne) > 0.0
    counted = min(pace.answers - pace.window_answers, pace.answers - pace.event_answers)
    return pace if is_sound and counted >= 0 else Pace(fixed=fixed)


def _members(text: bytes) -> dict[str, Any] | None:
    try:
        return json_object(decode(text)) if text and len(text) <= _LONGEST_TEXT else None
    except DecodeError:
        return None


def _is_sound(name: str, value: Any, now: float) -> bool:
    """Return whether *value* can be that of the field *name*."""
    if name == "on_hold" or isinstance(value, bool):
        return name == "on_hold" and isinstance(value, bool)
    if name == "start" and value is None:
        return True
    if not isinstance(value, int | float) or not math.isfinite(value):
        return False
    if name in _COUNTS:
        return isinstance(value, int) and 0 <= value <= _MOST_COUNTED
    least, most = (
        (-_MOST, _MOST) if name == "stock" else (0.0, now + _MOST_AHEAD_SECONDS if name in _MOMENTS else _MOST)
    )
    return least <= value <= most
