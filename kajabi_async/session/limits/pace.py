"""How fast requests may go where the API limits them: arithmetic alone, without a clock or a network.

The API answers 429 and documents no rate, so the rate is learned, by CUBIC (RFC 9438) with rates in place of windows:
after a refusal the rate starts at a share of the one that was refused, returns to it along a cubic curve, stays near
it, and then looks for more. If no limit is known yet, or the one that was known has not shown for long, the rate
doubles as in slow start (RFC 5681), but never to more than twice what the server has just borne. A limit that has held
no request back for a while is forgotten (RFC 7661: what was not used is not known).
"""

import math
from typing import Final

import attrs

from kajabi_async.structs import ChangingValue

__all__ = ["Pace"]

_BETA: Final = 0.85
"""The share of the refused rate that a refusal leaves (RFC 9438, 4.6, has 0.7, for flows that need not yield)."""
_MARGIN: Final = 0.96
"""The share of a refused rate that is taken to be borne: the plateau is to lie below the limit, not on it."""
_MOST_GAIN: Final = 0.05
_GAIN_PER_RATE: Final = 0.01
"""By what share the plateau rises at most where a look for more was refused: less where a refusal weighs more."""
_RAISED: Final = 1.2
_RAISED_REQUESTS: Final = 3.0
_MOST_RAISED: Final = 1.9
"""From so many times the plateau on the limit is searched for again: that much is no longer a burst that was let
through. A burst of a few requests is a larger share of a slow rate."""
_MARGIN_OF_BURSTS: Final = 1.2
_BURST_FADES: Final = 0.97
"""How far beyond a burst that was let through the next search begins, and how that fades with each look for more."""
_PROBE_AT: Final = 1.7
"""After so many times K, which leads to the plateau (RFC 9438, 4.2), the rate begins to double."""
_REQUESTS_PER_REFUSAL: Final = 130.0
"""That many go until then for each refusal that the last look for more has cost, so that few are refused: under 1 %."""
_DEAREST: Final = 3
"""So many refusals count at most, of a look for more and of what was under way with it: more are of another kind."""
_PROBE_SECONDS: Final = (15.0, 90.0)
"""The least and the most that this may take. The constant C of RFC 9438 follows from it."""
_PAUSES_PER_PROBE: Final = 25.0
"""If a refusal costs all requests a pause, the limit is probed less often."""
_DOUBLING_SECONDS: Final = 0.5
_CAREFUL_SECONDS: Final = 2.0
"""In how long the rate doubles in slow start, and where a limit is near, as in RFC 9406, 4.2: a quarter as fast."""
_EVENT_SECONDS: Final = 0.5
"""Refusals within it are one event: most of the requests had left before the first refusal came."""
_WINDOW_SECONDS: Final = 1.0
"""How far back answers count for what the server currently bears."""
_OVERLOAD: Final = 0.25
"""From this share of refusals on the rate is not a little too high: what got through shows the limit."""
_BURST_IS_OVER: Final = 0.05
"""From this share on, refusals within seconds of a cut are no look for more: the plateau itself is above the limit."""
_UNDERRATED: Final = 1.2
"""So much more than was counted may have been borne while a limit was searched for: the rate rose, or was on hold."""
_EVIDENCE: Final = 20
"""This many answers and refusals show a limit; fewer may be an accident, or caused by another client."""
_FEW: Final = 5.0
"""Requests a second at most during an event that does not show the limit."""
_SLOWEST: Final = 0.5
"""Requests a second that always go."""
_MOST_CUT: Final = 0.25
"""A refusal leaves at least this share of the rate, whatever got through."""
_FORGET_SECONDS: Final = 60.0
_UNUSED_SECONDS: Final = 10.0
"""A limit is forgotten after this long without a refusal, if no request was held back for this long."""
_LOOK_SECONDS: Final = 0.25
"""The longest wait for a learned rate, which may have grown meanwhile."""
_ROUNDING: Final = 1e-6
"""Sums of shares never come to a whole exactly; a wait too short for the clock would never end."""
_BURST_SECONDS: Final = 0.1
"""How long a time's worth of requests may leave at once, if there were none before."""
_SPARED: Final = 0.25
"""The share of the largest stock that the lookups of runs leave for calls, so that these need not wait."""
_MOST_DOUBLINGS: Final = 60.0


@attrs.define(eq=False, repr=False)
class Pace(ChangingValue):
    """The state of the rate; moments are in seconds on one clock of the caller."""

    fixed: float | None = None
    """Requests a second that the caller knows to be allowed; None if it is to be learned."""
    start: float | None = None
    """Requests a second that may go right after the latest event of refusals; None if no limit is known."""
    borne: float = 0.0
    """Requests a second that the server was found to bear: the plateau of the curve, unless it is searched for."""
    doubling_seconds: float = 0.0
    """In how long the rate doubles while a limit is searched for; 0.0 once it is found."""
    on_hold: bool = False
    """Whether only a few go until the latest event is over."""
    hoped: float = 0.0
    """What `start` becomes if that event turns out to be an accident; 0.0 if that is not asked."""
    suspicion: float = 0.0
    """How many times the plateau went before a refusal that made the limit searched for again; 0.0 if none did."""
    burst: float = 0.0
    """How many times the plateau may go without that: so much turned out to be a burst."""
    cuts: int = 0
    """How many events of refusals there were."""
    refused_at: float = 0.0
    paused_until: float = 0.0
    pause_seconds: float = 0.0
    """How long a pause the server asked for last."""
    cost: int = 0
    """How many refusals the look for more has cost that led to the latest plateau."""
    held_back_at: float = 0.0
    """When a request last had to wait for the rate."""
    stock: float = 1.0
    """Requests that may go at `stocked_at`."""
    stocked_at: float = 0.0
    answers: int = 0
    """Answers other than refusals, since the beginning."""
    window_since: float = 0.0
    window_answers: int = 0
    """`answers` at that moment."""
    answers_before: int = 0
    """Answers in the window before it."""
    event_since: float = 0.0
    """When the evidence of a limit begins."""
    event_answers: int = 0
    """`answers` at that moment."""
    event_refusals: int = 0
    """Refusals since then."""

    @property
    def limits(self) -> bool:
        """Whether anything holds requests back, a pause left aside."""
        return self.fixed is not None or self.start is not None

    def rate(self, now: float) -> float | None:
        """Return the requests a second that may go at *now*; None if no limit is known."""
        if self.fixed is not None or self.start is None:
            return self.fixed
        if self._is_forgotten(now):
            return None
        return max(_SLOWEST, self._grown(now, self.start))

    def take(self, now: float, wanted: int, spares: bool = False) -> tuple[int, float]:
        """Take up to *wanted* requests out of stock: return how many may go, and how many seconds to wait for none.

        If it *spares* some, a part of the stock of a fixed rate is left for requests that do not.
        """
        if now < self.paused_until:
            return 0, self.paused_until - now
        rate = self._restocked(now)
        if rate is None:
            return wanted, 0.0
        # A rate that is learned is not to be learned from runs that go in another rhythm than calls.
        spared = _spared(rate) if spares and self.fixed is not None else 0.0
        granted = max(0, min(wanted, int(self.stock - spared + _ROUNDING)))
        self.stock -= granted
        if granted < wanted:
            self.held_back_at = now
        if granted:
            return granted, 0.0
        # What is spared may be taken meanwhile: the wait is for the next request, so that stock is looked at then.
        missing = max(1.0 - self.stock, min(1.0, 1.0 + spared - self.stock))
        wait = max(_ROUNDING, missing / rate)
        return 0, wait if self.fixed is not None else min(wait, _LOOK_SECONDS)

    def take_one(self, now: float, spares: bool = False) -> float:
        """Take one request out of stock, as `take` does: return 0.0, or the seconds to wait for it."""
        if self.fixed is None and self.start is None and now >= self.paused_until:
            return 0.0
        return self.take(now, 1, spares)[1]

    def answered(self, now: float, times: int = 1) -> None:
        """Count answers that were no refusals."""
        if now - self.window_since >= _WINDOW_SECONDS:
            self._roll(now)
        self.answers += times

    def refused(self, now: float, retry_after: float | None = None) -> None:
        """Note a refusal, with the seconds of the pause that it asks for."""
        if now - self.window_since >= _WINDOW_SECONDS:
            self._roll(now)
        if self.fixed is None:
            self._end_hope(now)
            rate = self.rate(now)
            self.event_refusals += 1
            if rate is None:
                self._limit(now)
            elif now >= self._event_ends or self._is_flood(now):
                self._cut(now, rate)
        if retry_after:
            self.pause_seconds = retry_after
            self.pause(now, now + retry_after)
            # The first request shows whether the pause was enough.
            self.stock = 1.0 if self.fixed is None else self.stock

    def pause(self, now: float, until: float) -> None:
        """Let no request go before *until*; an earlier pause is never shortened."""
        start = max(now, self.paused_until)
        if until > start:
            # What is counted is counted over the time that requests may go.
            self.window_since += until - start
            self.event_since += until - start
            self.paused_until = until

    @property
    def _event_ends(self) -> float:
        """When the latest event of refusals is over: not before a request has left after it."""
        return max(self.refused_at + _EVENT_SECONDS, self.paused_until)

    def _is_forgotten(self, now: float) -> bool:
        quiet = now - max(self.refused_at, self.paused_until)
        return quiet > _FORGET_SECONDS and now - self.held_back_at >= _UNUSED_SECONDS

    def _grown(self, now: float, start: float) -> float:
        """Return to what the rate has grown since the latest event of refusals."""
        since = now - self._event_ends
        if since < 0.0:
            return min(_FEW, start) if self.on_hold else start
        if self.doubling_seconds:
            return self._doubled(now, self._judged(start), since, self.doubling_seconds)
        lowest = self.borne * _BETA
        if start < lowest:
            returning = _DOUBLING_SECONDS * math.log2(lowest / start)
            if since < returning:
                return self._doubled(now, start, since, _DOUBLING_SECONDS)
            since -= returning
        probe = self._probe_seconds
        curve = self.borne * (1.0 + (1.0 - _BETA) * (min(since, probe) * _PROBE_AT / probe - 1.0) ** 3)
        return curve if since <= probe else self._doubled(now, curve, since - probe, _CAREFUL_SECONDS)

    def _doubled(self, now: float, rate: float, seconds: float, doubling_seconds: float) -> float:
        """Return *rate* after *seconds* of doubling, unless that is more than twice what the server bears just now."""
        grown = rate * math.exp2(min(seconds / doubling_seconds, _MOST_DOUBLINGS))
        return min(grown, max(rate, 2.0 * self._per_second(now)))

    @property
    def _probe_seconds(self) -> float:
        """How long after a refusal the limit is taken to be what it was."""
        least, most = _PROBE_SECONDS
        refusals = max(1, min(self.cost, _DEAREST) + min(self.event_refusals, _DEAREST))
        return min(
            most, max(least, _PAUSES_PER_PROBE * self.pause_seconds, _REQUESTS_PER_REFUSAL * refusals / self.borne)
        )

    def _restocked(self, now: float) -> float | None:
        """Add to the stock what the rate allows by *now*, and return the rate; None once the limit is forgotten."""
        self._end_hope(now)
        rate = self.rate(now)
        if rate is None:
            self.start = None
        elif now > self.stocked_at:
            most = _most_stock(rate)
            # Nothing comes into stock during a pause: all requests would leave at its end at once.
            since = max(self.stocked_at, min(now, self.paused_until))
            self.stock = min(most, self.stock + (now - since) * rate)
            self.stocked_at = now
        return rate

    def _judged(self, start: float) -> float:
        """Return where the growth starts after the very first refusals, which may be an accident."""
        if not self.hoped:
            return start
        answers = self.answers - self.event_answers
        return start if self._is_overload(answers, self.event_refusals) else self.hoped

    def _end_hope(self, now: float) -> None:
        if self.hoped and now >= self._event_ends:
            self.start, self.hoped = self._judged(self.start or _SLOWEST), 0.0
            self._gather(now)

    def _is_flood(self, now: float) -> bool:
        """Return whether so much is refused after the latest cut that it cannot have left before it."""
        if self.on_hold or now < max(self.refused_at + _BURST_SECONDS, self.paused_until):
            return False
        if self.event_refusals < _EVIDENCE:
            return False
        return self._is_overload(self.answers - self.event_answers, self.event_refusals)

    def _is_overload(self, answers: int, refusals: int) -> bool:
        return refusals > _OVERLOAD * (answers + refusals)

    def _limit(self, now: float) -> None:
        """Start the search: nothing measured before the first refusal shows the limit."""
        measured = max(_FEW, self._per_second(now))
        self.borne, self.pause_seconds = measured, 0.0
        self.hoped = _BETA * measured
        self._search(now, _FEW)
        self._gather(now)
        self.event_refusals = 1

    def _search(self, now: float, start: float, doubling_seconds: float = _DOUBLING_SECONDS) -> None:
        self.doubling_seconds, self.suspicion = doubling_seconds, 0.0
        self._begin(now, start, on_hold=True)

    def _cut(self, now: float, rate: float) -> None:
        answers, refusals = self.answers - self.event_answers, self.event_refusals
        through = answers / max(now - self.event_since, _BURST_SECONDS)
        passing = min(rate, max(through, self._per_second(now)))
        overload, is_known = self._is_overload(answers, refusals), answers > 0 and answers + refusals >= _EVIDENCE
        start = max(_MOST_CUT * rate, _BETA * min(rate, through)) if overload else _BETA * rate
        if now - self.held_back_at > max(_WINDOW_SECONDS, 3.0 / rate):
            # The rate held no request back, so the refusal says nothing about it.
            self._search(now, _BETA * min(rate, self._per_second(now)))
        elif self.doubling_seconds and not is_known and not self.suspicion:
            self._search(now, start, self.doubling_seconds)
            return
        elif self.doubling_seconds == _DOUBLING_SECONDS and not overload:
            self._search(now, _BETA * passing, _CAREFUL_SECONDS)
        elif self.suspicion and rate <= self._raised * self.borne:
            # Not that much more is borne: it was a burst that had been let through.
            self.burst, self.cost = _MARGIN_OF_BURSTS * self.suspicion, 2
            self._found(now, min(_MARGIN * rate, self._gained), start, on_hold=overload)
        elif self.doubling_seconds:
            self.burst, self.cost = 0.0, 1
            # Over seconds what got through in spite of an overload is the limit.
            is_limit = overload and now - self.event_since > 2 * _WINDOW_SECONDS
            most = _UNDERRATED * (through if is_limit else passing)
            self._found(now, _MARGIN * min(rate, most), start, on_hold=overload)
        elif not overload and rate > max(self._raised, self.burst) * self.borne:
            self.doubling_seconds, self.suspicion = _CAREFUL_SECONDS, rate / self.borne
            self._begin(now, self.borne, on_hold=False)
        else:
            # An overload is not what a look for more has cost: the limit has changed.
            self.cost = 1 if overload or rate >= self.borne else self.cost + refusals
            self.burst *= _BURST_FADES
            lowest = self.borne / 2.0
            if overload:
                borne = max(lowest, _MARGIN * passing)
            elif refusals > max(_EVIDENCE, _BURST_IS_OVER * answers):
                # What the server had saved up let the plateau through, and is spent.
                borne, start = max(lowest, _MARGIN * min(rate, through)), _BETA * min(rate, through)
            else:
                borne = min(_MARGIN * rate, self._gained)
            self._found(now, borne, start, on_hold=overload)
        self._gather(now)

    @property
    def _raised(self) -> float:
        """From how many times the plateau on the limit cannot be what it was."""
        return min(_MOST_RAISED, _RAISED + _RAISED_REQUESTS / self.borne)

    @property
    def _gained(self) -> float:
        """The most that a look for more may raise the plateau to, if it was refused."""
        return self.borne * (1.0 + min(_MOST_GAIN, _GAIN_PER_RATE * self.borne))

    def _found(self, now: float, borne: float, start: float, *, on_hold: bool) -> None:
        self.borne, self.doubling_seconds, self.suspicion = max(_SLOWEST, borne), 0.0, 0.0
        self._begin(now, start, on_hold=on_hold)

    def _begin(self, now: float, start: float, *, on_hold: bool) -> None:
        """Start to grow from *start*."""
        self.start, self.on_hold = max(_SLOWEST, start), on_hold
        self.cuts += 1
        self.refused_at = now
        self.stock, self.stocked_at = min(self.stock, 0.0), max(now, self.stocked_at)

    def _gather(self, now: float) -> None:
        """Start to gather evidence of a limit."""
        self.event_since, self.event_answers, self.event_refusals = now, self.answers, 0

    def _per_second(self, now: float) -> float:
        """Return how many requests the server has borne in the last second."""
        passed = min(1.0, max(0.0, now - self.window_since) / _WINDOW_SECONDS)
        counted = self.answers - self.window_answers
        if now - self.window_since >= 2 * _WINDOW_SECONDS:
            return 0.0
        return (counted + self.answers_before * (1.0 - passed)) / _WINDOW_SECONDS

    def _roll(self, now: float) -> None:
        is_next = now - self.window_since < 2 * _WINDOW_SECONDS
        self.answers_before = self.answers - self.window_answers if is_next else 0
        self.window_since, self.window_answers = now, self.answers


def _most_stock(rate: float) -> float:
    return max(1.0, rate * _BURST_SECONDS)


def _spared(rate: float) -> float:
    """Return how much of the stock is spared: less than leaves one request of a full stock."""
    most = _most_stock(rate)
    return min(_SPARED * most, most - 1.0)
