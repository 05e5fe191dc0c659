"""Every kind of fault by name, and groups of kinds for mixes."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

from kajabi_async.testing.faults.compression import Bomb, BrokenCompression
from kajabi_async.testing.faults.connections import CutBody, LostAnswer, Reset
from kajabi_async.testing.faults.incident import Fault
from kajabi_async.testing.faults.json_bodies import OddJson
from kajabi_async.testing.faults.paging import OddNext, RepeatedRows, RowsMove
from kajabi_async.testing.faults.server_state import ClockJump, ExpiredToken, RefusedToken
from kajabi_async.testing.faults.statuses import Failure, HtmlAnswer, TooManyRequests
from kajabi_async.testing.faults.timing import Delay, Dribble, Hang

__all__ = ["GROUPS", "KINDS", "faults_named"]

_AN_HOUR: Final = 3600.0

_SLOW: Final = (Delay(), Delay(0.0, up_to=0.2), Dribble())
_THROTTLED: Final = tuple(TooManyRequests(form) for form in ("seconds", "float", "date", "absent"))
_THROTTLED_ODDLY: Final = tuple(TooManyRequests(form) for form in ("past_date", "negative", "huge", "garbage"))
_REFUSED: Final = (Failure(), HtmlAnswer())
_BROKEN: Final = (
    CutBody("length"),
    CutBody("chunked"),
    Reset("before_answer"),
    Reset("mid_body"),
    Reset(reused_only=True),
    LostAnswer(),
)
_TOKENS: Final = (ExpiredToken(), RefusedToken())
_WRONG: Final = (
    HtmlAnswer(200),
    BrokenCompression("gzip"),
    BrokenCompression("deflate", "truncated"),
    *(OddJson(oddity) for oddity in ("malformed", "not_utf8", "nan", "infinity", "negative_infinity")),
    *(OddJson(oddity) for oddity in ("deep_nesting", "big_int", "big_float")),
)
_HUGE: Final = (Bomb("gzip"), Bomb("deflate"))
_PAGES: Final = (
    RepeatedRows(),
    RowsMove("inserted"),
    RowsMove("removed"),
    OddNext("repeated"),
    OddNext("cyclic"),
    OddNext("empty_page"),
    OddNext("hostile"),
)
_CLOCK: Final = (ClockJump(_AN_HOUR), ClockJump(-_AN_HOUR))
_ENDLESS: Final = (Hang(), Hang(after_headers=True))

_GROUPS: Final[dict[str, tuple[Fault, ...]]] = {
    "slow": _SLOW,
    "throttled": (*_THROTTLED, *_THROTTLED_ODDLY),
    "refused": _REFUSED,
    "broken": _BROKEN,
    "tokens": _TOKENS,
    "wrong": _WRONG,
    "huge": _HUGE,
    "pages": _PAGES,
    "clock": _CLOCK,
    "endless": _ENDLESS,
}

KINDS: Final[dict[str, Fault]] = {fault.name: fault for group in _GROUPS.values() for fault in group}
"""One fault of every kind, with its default settings, by name."""

GROUPS: Final[dict[str, tuple[str, ...]]] = {
    **{name: tuple(fault.name for fault in group) for name, group in _GROUPS.items()},
    "transient": tuple(fault.name for fault in (*_SLOW, *_THROTTLED, *_REFUSED, *_BROKEN, *_TOKENS)),
    "all": tuple(KINDS),
}
"""The names of the kinds in each group.

After a ``transient`` fault a retry of the same request succeeds, with waits of at most a second: a client with retries
completes every request under a mix of these. ``slow``, ``throttled``, ``refused`` (5xx), ``broken`` (connections),
``tokens``, ``wrong`` (unreadable or dangerous answers), ``huge``, ``pages``, ``clock`` and ``endless`` divide all kinds
by what goes wrong.
"""


def faults_named(kinds: Iterable[str | Fault] | str) -> tuple[Fault, ...]:
    """Return the faults for names of kinds and groups; faults are returned unchanged.

    An unknown name raises ValueError with the nearest known name.
    """
    found: list[Fault] = []
    for kind in (kinds,) if isinstance(kinds, str) else kinds:
        if isinstance(kind, Fault):
            found.append(kind)
        elif kind in KINDS:
            found.append(KINDS[kind])
        else:
            found += _group(kind)
    return tuple(found)


def _group(name: str) -> list[Fault]:
    if name not in GROUPS:
        nearest = get_close_matches(name, [*KINDS, *GROUPS], n=1)
        hint = f"did you mean {nearest[0]!r}?" if nearest else f"known are {', '.join([*KINDS, *GROUPS])}"
        raise ValueError(f"no such kind of fault: {name!r}; {hint}")
    return [KINDS[kind] for kind in GROUPS[name]]
