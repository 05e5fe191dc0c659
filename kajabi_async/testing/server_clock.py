"""What the fake takes for the time: for the lives of tokens, for Date headers, for what writes create."""

from collections.abc import Callable
from datetime import datetime, timedelta
from email.utils import format_datetime

import attrs

__all__ = ["ServerClock"]


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
        """Give the time of day, jumps included."""
        return self.wall() + timedelta(seconds=self.offset)

    def http_date(self, after: float = 0.0) -> str:
        """Write the time in *after* seconds as HTTP does (RFC 9110, section 5.6.7)."""
        # A jump may lead out of the calendar's years; the header then says the last moment that can be written.
        try:
            return format_datetime(self.now() + timedelta(seconds=after), usegmt=True)
        except OverflowError:
            return "Fri, 31 Dec 9999 23:59:59 GMT"

    def jump(self, seconds: float) -> None:
        """Put both clocks forward, or back for a negative number."""
        self.offset += seconds
