"""The clock of the fake: for token lifetimes, Date headers and the times of writes."""

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
    """A monotonic clock and a wall clock that can be moved forward and back together."""

    steady: Callable[[], float]
    """A monotonic clock in seconds, unaffected by jumps."""
    wall: Callable[[], datetime]
    offset: float = 0.0
    """The seconds by which the clocks were moved forward so far; negative for back."""

    def __call__(self) -> float:
        """Return the monotonic time in seconds for token lifetimes, jumps included."""
        return self.steady() + self.offset

    def now(self) -> datetime:
        """Return the wall-clock time, jumps included, limited to the range of datetime."""
        return self._in(0.0)

    def http_date(self, after: float = 0.0) -> str:
        """Return the time in ``after`` seconds as an HTTP date (RFC 9110, section 5.6.7)."""
        return format_datetime(self._in(after), usegmt=True)

    def jump(self, seconds: float) -> None:
        """Move both clocks forward, or back for a negative number; ValueError for a number that is not finite."""
        if not math.isfinite(self.offset + seconds):
            raise ValueError(f"a clock jumps by a finite number of seconds, not {seconds}")
        self.offset += seconds

    def _in(self, seconds: float) -> datetime:
        try:
            return self.wall().astimezone(UTC) + timedelta(seconds=self.offset + seconds)
        except OverflowError:
            return _LAST if self.offset > 0 else _FIRST
