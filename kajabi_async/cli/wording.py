"""Times in words: ``2024-01-10 12:00 UTC``."""

from datetime import UTC, date, datetime

__all__ = ["clock_time", "minute", "second"]


def clock_time(timestamp: float) -> str:
    """Return a time as of ``time.time`` as hours, minutes and seconds in UTC."""
    return f"{datetime.fromtimestamp(timestamp, UTC):%H:%M:%S} UTC"


def second(value: datetime) -> str:
    """Return a time to the second in UTC."""
    return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def minute(value: date) -> str:
    """Return a time to the minute in UTC, a date alone as it is."""
    if not isinstance(value, datetime):
        return value.isoformat()
    return f"{value.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
