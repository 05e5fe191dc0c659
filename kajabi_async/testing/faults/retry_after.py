"""Retry-After in every valid form (RFC 9110, section 10.2.3) and in some invalid ones."""

import math
from typing import Final, Literal, get_args

from kajabi_async.testing.server_clock import ServerClock

__all__ = ["RETRY_AFTER_FORMS", "RetryAfter", "retry_after_headers"]

RetryAfter = Literal["seconds", "float", "date", "past_date", "negative", "huge", "garbage", "absent"]
"""The form of the Retry-After header of a 429.

``seconds`` is the wait in whole seconds, rounded up; ``float`` has a fraction; ``date`` is an HTTP date by the fake's
clock, and ``past_date`` one an hour in the past; ``negative`` is a wait below zero; ``huge`` one of more than thirty
years; ``garbage`` is neither a number nor a date; ``absent`` sends no header.
"""

RETRY_AFTER_FORMS: Final[tuple[RetryAfter, ...]] = get_args(RetryAfter)
"""All forms."""

_HUGE: Final = "999999999"
_AN_HOUR: Final = 3600.0


def retry_after_headers(form: RetryAfter, wait: float, clock: ServerClock) -> dict[str, str]:
    """Return the header that requests a wait of *wait* seconds in *form*; an empty mapping for ``absent``."""
    if form == "absent":
        return {}
    values: dict[RetryAfter, str] = {
        "seconds": str(math.ceil(wait)),
        "float": f"{wait:.3f}",
        # A date has whole seconds only, so a shorter wait is rounded up as well.
        "date": clock.http_date(math.ceil(wait)),
        "past_date": clock.http_date(-_AN_HOUR),
        "negative": str(-max(1, math.ceil(wait))),
        "huge": _HUGE,
        "garbage": "soon, maybe",
    }
    return {"Retry-After": values[form]}
