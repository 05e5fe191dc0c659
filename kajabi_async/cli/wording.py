"""Numbers and times in words: ``1 customer``, ``1,001 customers``, ``2024-01-10 12:00 UTC``."""

from datetime import UTC, date, datetime

__all__ = ["clock_time", "counted", "minute", "second"]


def counted(number: int, singular: str, plural: str = "") -> str:
    """Return *number* and the noun that fits it, in the plural by default with an ``s``."""
    return f"{number:,} {singular if number == 1 else plural or f'{singular}s'}"


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
