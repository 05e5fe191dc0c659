"""The times of the data set: always in the past, growing with the number of the resource.

The API has three formats of times (observed): seconds with ``Z``, milliseconds with ``Z``, and milliseconds with the
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
"""Above this number, resources are created too close together for whole seconds."""
_SITE_ZONE: Final = timezone(timedelta(hours=-5))


def instant(number: int) -> int:
    """Return the time of the *number*-th resource in milliseconds since the epoch, later than the previous one.

    The first 500 resources use half of the five years from 2019, so that a million still fit.
    """
    return _FIRST + _SPAN * number // (number + _HALF_WAY)


def written(milliseconds: int, number: int) -> str:
    """Return a time in the format that the API uses for the *number*-th resource."""
    form = number % 3 if number < _LAST_WHOLE_SECOND else 1
    seconds, rest = divmod(milliseconds, 1000)
    moment = datetime.fromtimestamp(seconds, _SITE_ZONE if form == 2 else UTC).replace(microsecond=rest * 1000)  # noqa: PLR2004 - the third form
    if form == 0:
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def written_now(now: datetime) -> str:
    """Return the time of a change in milliseconds and UTC."""
    return now.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
