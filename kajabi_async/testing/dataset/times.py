"""The times of the data set: always in the past, growing with the number of the resource.

The API has three formats of times (observed): seconds with ``Z``, milliseconds with ``Z``, and milliseconds with the
offset of the site's zone.
"""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final

__all__ = ["DAY", "instant", "times_of", "written", "written_now"]

DAY: Final = 86_400_000
"""One day in milliseconds."""

_FIRST: Final = 1_546_300_800_000
"""The start of 2019, in milliseconds since the epoch."""
_SPAN: Final = 5 * 365 * DAY
_HALF_WAY: Final = 500
_LAST_WHOLE_SECOND: Final = 100_000
"""Above this number, resources are created too close together for whole seconds."""
_ZONE_OFFSET: Final = 5 * DAY // 24
"""The time of the site is five hours behind UTC."""
_EPOCH: Final = date(1970, 1, 1)
_WHOLE_SECONDS: Final = len("2019-01-01T00:00:00")


def instant(number: int) -> int:
    """Return the time of the *number*-th resource in milliseconds since the epoch, later than the previous one.

    The first 500 resources use half of the five years from 2019, so that a million still fit.
    """
    return _FIRST + _SPAN * number // (number + _HALF_WAY)


def written(milliseconds: int, number: int) -> str:
    """Return a time in the format that the API uses for the *number*-th resource."""
    form = number % 3 if number < _LAST_WHOLE_SECOND else 1
    if form == 2:  # noqa: PLR2004 - the third form
        return f"{_text(milliseconds - _ZONE_OFFSET)}-05:00"
    return f"{_text(milliseconds)[:_WHOLE_SECONDS]}Z" if form == 0 else f"{_text(milliseconds)}Z"


def times_of(number: int, until_update: int) -> dict[str, str]:
    """Return when the *number*-th resource was created and, *until_update* milliseconds later, updated."""
    created = instant(number)
    return {"created_at": written(created, number), "updated_at": written(created + until_update, number)}


def _text(milliseconds: int) -> str:
    day, rest = divmod(milliseconds, DAY)
    seconds, thousandths = divmod(rest, 1000)
    minutes, second = divmod(seconds, 60)
    return f"{_date(day)}T{minutes // 60:02}:{minutes % 60:02}:{second:02}.{thousandths:03}"


@lru_cache(maxsize=4096)
def _date(days: int) -> str:
    return (_EPOCH + timedelta(days)).isoformat()


def written_now(now: datetime) -> str:
    """Return the time of a change in milliseconds and UTC."""
    return now.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
