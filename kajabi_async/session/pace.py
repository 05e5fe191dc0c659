"""How fast requests may go where the API limits them: arithmetic alone, without a clock or a network.

The API answers 429 and documents no rate. So the rate is learned: what was let through in the last second before a 429
is what the server bears. The pace drops below it at once, returns close to it within a second, and creeps past it to
find out whether more is borne by now, the faster the longer no refusal came.
"""

import math
from typing import Final

import attrs

__all__ = ["Pace"]

_EVENT_SECONDS: Final = 1.0
"""Refusals within it are one event: most of them had left before the first one came back."""
_WINDOW_SECONDS: Final = 1.0
_WINDOW_ANSWERS: Final = 40.0
"""How far back the answers count that tell what the server bears: a second, or as long as so many of them take."""
_SLOWEST: Final = 0.5
"""Requests a second that go in any case: less would take minutes to find out that more is borne."""
_FEW: Final = 5.0
"""What a client that had hardly asked for anything takes to be borne at first."""
_DROP: Final = 0.8
"""Right after a refusal, to let what has piled up at the server drain."""
_DROP_SECONDS: Final = 0.5
_SOON_SECONDS: Final = 3.0
_CUT: Final = 0.97
_CUT_SOON: Final = 0.85
"""To at least this share a refusal takes the pace down: the pace was a little too fast, or, so soon, far too fast."""
_MOST_CUT: Final = 0.5
_CREEP: Final = 0.04
"""How much of the pace is gained while it is steady."""
_STEADY_SECONDS: Final = 15.0
_STEADY_REQUESTS: Final = 300.0
"""For how long the limit is taken to be what it was; from then on the pace grows faster and faster."""
_PAUSES_PER_PROBE: Final = 25.0
"""Where a refusal costs everyone a pause, the limit is probed so much more seldom."""
_LEAST_GROWTH: Final = 1.0
_GROWTH: Final = 0.1
_SEARCH: Final = (2.0, 1.1)
"""By how much the pace grows a second after the first refusal, and after the second: what was measured until then may
be far too low. From the third on it is taken for what it is."""
_ROUNDING: Final = 1e-6
"""Sums of shares never come to a whole exactly; a wait too short for a clock to tell would never end."""
_BURST_SECONDS: Final = 0.1
"""How long a time's worth of requests may leave at once, after nobody wanted to go."""


@attrs.define
class Pace:
    """Where the pace stands; moments are in seconds on one clock of the caller's."""

    fixed: float | None = None
    """Requests a second that the caller knows to be allowed; None where it is to be learned."""
    borne: float | None = None
    """Requests a second that the server was found to bear; None before the first refusal."""
    cuts: int = 0
    """How many refusals have taken the pace down."""
    soon: int = 0
    """How many of them in a row came soon after the one before."""
    refused_at: float = 0.0
    paused_until: float = 0.0
    pause_seconds: float = 0.0
    """How long a pause the server asked for last."""
    stock: float = 1.0
    """Requests that may go at `stocked_at`."""
    stocked_at: float = 0.0
    counting_since: float = 0.0
    counted: int = 0
    """Answers other than refusals since then."""
    counted_before: int = 0
    """The same for the window before it."""

    @property
    def limits(self) -> bool:
        """Whether anything holds requests back, a pause left aside."""
        return self.fixed is not None or self.borne is not None

    def rate(self, now: float) -> float | None:
        """Give the requests a second that may go at *now*; None where no limit is known."""
        if self.fixed is not None or self.borne is None:
            return self.fixed
        since = max(0.0, now - max(self.refused_at, self.paused_until))
        if since < _DROP_SECONDS:
            return max(_SLOWEST, self.borne * _DROP)
        if self.cuts <= len(_SEARCH):
            return self.borne * math.pow(_SEARCH[self.cuts - 1], min(since, _STEADY_SECONDS))
        steady = max(_STEADY_SECONDS, _STEADY_REQUESTS / self.borne, _PAUSES_PER_PROBE * self.pause_seconds)
        overdue = max(0.0, since / steady - 1.0)
        growth = max(_LEAST_GROWTH, self.borne * _GROWTH) * overdue**3
        return max(_SLOWEST, self.borne * (1.0 + _CREEP * since / steady)) + growth

    def take(self, now: float, wanted: int) -> tuple[int, float]:
        """Take up to *wanted* requests out of stock: give how many may go, and how many seconds to wait for none."""
        if now < self.paused_until:
            return 0, self.paused_until - now
        rate = None if self.fixed is None and self.borne is None else self._restocked(now)
        if rate is None:
            return wanted, 0.0
        granted = max(0, min(wanted, int(self.stock + _ROUNDING)))
        self.stock -= granted
        return granted, 0.0 if granted else max(_ROUNDING, (1.0 - self.stock) / rate)

    def take_one(self, now: float) -> float:
        """Take one request out of stock: give 0.0, or the seconds to wait for it."""
        if self.fixed is None and self.borne is None and now >= self.paused_until:
            return 0.0
        granted, wait = self.take(now, 1)
        return 0.0 if granted else wait

    def answered(self, now: float, times: int = 1) -> None:
        """Count answers that were no refusals."""
        # No window is shorter, and this comes with every answer.
        if now - self.counting_since >= _WINDOW_SECONDS and now - self.counting_since >= self._window:
            self._roll(now)
        self.counted += times

    def refused(self, now: float, retry_after: float | None = None) -> None:
        """Note a refusal, with the seconds of the pause it asks for."""
        if now - self.counting_since >= self._window:
            self._roll(now)
        if self.fixed is None and (self.borne is None or now - self.refused_at >= _EVENT_SECONDS):
            self._cut(now)
        if retry_after:
            self.pause_seconds = retry_after
            self.pause(now, now + retry_after)

    def pause(self, now: float, until: float) -> None:
        """Let nobody go before *until*; an earlier pause is never shortened."""
        start = max(now, self.paused_until)
        if until > start:
            # What is counted is counted over the time that requests may go.
            self.counting_since += until - start
            self.paused_until = until

    def _restocked(self, now: float) -> float | None:
        """Put into stock what has become due by *now*, and give the rate."""
        rate = self.rate(now)
        if rate is not None and now > self.stocked_at:
            most = max(1.0, rate * _BURST_SECONDS)
            # Nothing comes into stock during a pause: everybody would leave at its end at once.
            since = max(self.stocked_at, min(now, self.paused_until))
            self.stock = min(most, self.stock + (now - since) * rate)
            self.stocked_at = now
        return rate

    def _cut(self, now: float) -> None:
        measured, rate = self._per_second(now), self.rate(now)
        if rate is None:
            self.borne = max(_FEW, measured)
        else:
            soon = now - max(self.refused_at, self.paused_until) < _SOON_SECONDS
            self.soon = self.soon + 1 if soon else 0
            # One that comes soon after another may be a straggler; a second one in a row is not.
            least = _CUT_SOON if self.soon > 1 else _CUT
            self.borne = max(_SLOWEST, _MOST_CUT * rate, min(least * rate, measured))
        self.cuts += 1
        self.refused_at = now
        self.stock, self.stocked_at = min(self.stock, 0.0), max(now, self.stocked_at)

    @property
    def _window(self) -> float:
        return _WINDOW_SECONDS if self.borne is None else max(_WINDOW_SECONDS, _WINDOW_ANSWERS / self.borne)

    def _per_second(self, now: float) -> float:
        window = self._window
        elapsed = max(0.0, now - self.counting_since)
        if self.counted_before == 0:
            # Nothing is known of before: what came has come within this time.
            return self.counted / max(elapsed, _BURST_SECONDS)
        # What the window before contributes, by how much of it still lies within reach.
        return (self.counted + self.counted_before * max(0.0, 1.0 - elapsed / window)) / window

    def _roll(self, now: float) -> None:
        elapsed = now - self.counting_since
        self.counted_before = self.counted if elapsed < 2 * self._window else 0
        self.counting_since, self.counted = now, 0
