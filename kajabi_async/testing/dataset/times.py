"""The times of the data set: always in the past, always growing with the number of the thing.

The API writes times in three forms (observed): to the second with ``Z``, to the millisecond with ``Z``, and with the
offset of the site's zone.
"""

from datetime import UTC, datetime, timedelta, timezone
from typing import Final

__all__ = ["DAY", "instant", "written", "written_now"]

DAY: Final = 86_400_000
"""One day in milliseconds."""

_FIRST: Final = 1_546_300_800_000
"""The start of 2019, in milliseconds since the epoch."""
_SPAN: Final = 5 * 365 * DAY
_HALF_WAY: Final = 500
_LAST_WHOLE_SECOND: Final = 100_000
"""Beyond this number things happen less than some seconds apart."""
_SITE_ZONE: Final = timezone(timedelta(hours=-5))


def instant(number: int) -> int:
    """Give when the *number*-th thing happened, in milliseconds since the epoch: strictly later than the one before.

    Half of the five years from 2019 on belongs to the first 500 things, so that a million of them still fit.
    """
    return _FIRST + _SPAN * number // (number + _HALF_WAY)


def written(milliseconds: int, number: int) -> str:
    """Write a time the way the API writes it for the *number*-th thing."""
    form = number % 3 if number < _LAST_WHOLE_SECOND else 1
    seconds, rest = divmod(milliseconds, 1000)
    moment = datetime.fromtimestamp(seconds, _SITE_ZONE if form == 2 else UTC).replace(microsecond=rest * 1000)  # noqa: PLR2004 - the third form
    if form == 0:
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def written_now(now: datetime) -> str:
    """Write the time of a change, to the millisecond in UTC."""
    return now.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
