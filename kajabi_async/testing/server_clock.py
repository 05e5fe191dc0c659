"""What the fake takes for the time: for the lives of tokens, for Date headers, for what writes create."""

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Final

import attrs

__all__ = ["ServerClock"]

_FIRST: Final = datetime.min.replace(tzinfo=UTC)
_LAST: Final = datetime.max.replace(tzinfo=UTC)


@attrs.define
class ServerClock:
    """A monotonic clock and a wall clock that can be put forward and back together."""

    steady: Callable[[], float]
    """Seconds from anywhere, never moved by a jump."""
    wall: Callable[[], datetime]
    offset: float = 0.0
    """By how many seconds the clocks have been put forward so far; negative for back."""

    def __call__(self) -> float:
        """Give the seconds that the lives of tokens are counted in, jumps included."""
        return self.steady() + self.offset

    def now(self) -> datetime:
        """Give the time of day, jumps included; the first or last of the calendar for a jump out of it."""
        return self._in(0.0)

    def http_date(self, after: float = 0.0) -> str:
        """Write the time in *after* seconds as HTTP does (RFC 9110, section 5.6.7)."""
        return format_datetime(self._in(after), usegmt=True)

    def jump(self, seconds: float) -> None:
        """Put both clocks forward, or back for a negative number; ValueError for one that is not finite."""
        if not math.isfinite(self.offset + seconds):
            raise ValueError(f"a clock jumps by a finite number of seconds, not {seconds}")
        self.offset += seconds

    def _in(self, seconds: float) -> datetime:
        try:
            return self.wall().astimezone(UTC) + timedelta(seconds=self.offset + seconds)
        except OverflowError:
            return _LAST if self.offset > 0 else _FIRST
