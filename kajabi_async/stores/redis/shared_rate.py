"""One rate of requests for all clients that share a Redis, which holds its pace as text.

The text is validated when it is read, since other programs may have written it.
"""

import logging
import math
import time
from typing import Any, Final

import attrs
from redis.asyncio import Redis

from kajabi_async.concurrency import SingleFlight
from kajabi_async.errors import ConfigurationError, DecodeError, StoreUnavailableError
from kajabi_async.jsonapi.codec import decode, encode, json_object
from kajabi_async.session.limits.pace import Pace
from kajabi_async.session.limits.rate import AdaptiveRate, FixedRate
from kajabi_async.stores.redis.calls import RedisBacked, as_bytes
from kajabi_async.tracebacks import hides_arguments

__all__ = ["RedisRate", "read_pace", "write_pace"]

_LOG: Final = logging.getLogger("kajabi_async")
_FREE_SECONDS: Final = 0.25
"""Seconds between two reads of the shared rate while no limit is known."""
_BATCH_SECONDS: Final = 0.02
"""The permits taken in one step, as the time that they span at the rate."""
_PERMITS_VALID_SECONDS: Final = 0.2
"""Seconds after which unused permits expire."""
_TRIES: Final = 20
_RETRY_SECONDS: Final = (1.0, 60.0)
"""The first and the longest pause before a failed Redis is tried again; doubled after each failure."""
_MAX_WAIT_SECONDS: Final = 0.25
"""The longest wait before the rate is read again, as it may have grown."""
_KEPT_SECONDS: Final = 24 * 3600
_MAX_LENGTH: Final = 4096
_MAX_VALUE: Final = 1e9
"""The largest value of a field other than moments and counts."""
_MAX_AHEAD_SECONDS: Final = 600.0
"""The largest distance of a moment in the future: the longest pause."""
_MAX_COUNT: Final = 2**53
_MOMENTS: Final = frozenset({"refused_at", "paused_until", "held_back_at", "stocked_at", "window_since", "event_since"})
_COUNTS: Final = frozenset(
    {"cuts", "cost", "answers", "window_answers", "answers_before", "event_answers", "event_refusals"}
)

# The script deletes a value that cannot be a pace, since a client that decodes replies could fail on it.
_READ: Final = """
local found = redis.pcall('GET', KEYS[1])
if type(found) == 'table' or (found and (#found > 4096 or string.find(found, '[^\\32-\\126]'))) then
  redis.call('DEL', KEYS[1])
  found = false
end
return {found or '', redis.call('TIME')}
"""
_REPLACE: Final = """
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then
  return 0
end
redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
return 1
"""


@hides_arguments
class RedisRate(RedisBacked):
    """A rate learned and kept by all clients that use the same ``name`` in the same Redis.

    ``redis`` is a URL or a client of yours; ``per_second`` is the total rate of all clients, if known. A 429 that one
    of them gets, and the pause it asks for, apply to all. While Redis fails, each process logs a warning, learns a rate
    of its own, and tries Redis again in the background after a pause that grows up to a minute.
    """

    def __init__(self, redis: "str | Redis", *, name: str, per_second: float | None = None) -> None:
        super().__init__(redis)
        if not name:
            raise ConfigurationError("a shared rate needs a name: clients of one API key use one name")
        self._key = f"kajabi_async:{{{name}}}:pace"
        self._alone = AdaptiveRate() if per_second is None else FixedRate(per_second)
        self._fixed = None if per_second is None else float(per_second)
        self._flight: SingleFlight[None, float] = SingleFlight(abandon=False)
        self._rate: float | None = self._fixed
        self._free_until = self._permits_until = self._retry_at = 0.0
        self._permits = 0
        self._answered = 0
        self._refusals: list[float | None] = []
        self._failures = 0

    async def take(self, now: float) -> float:
        """Take one permit: return 0.0 if the request may go, else the seconds after which to try again."""
        if self._is_alone(now):
            return await self._alone.take(now)
        if now < self._free_until:
            return 0.0
        if self._permits and now < self._permits_until:
            self._permits -= 1
            return 0.0
        wait = await self._flight.run(None, self._update)
        if self._permits:
            self._permits -= 1
            return 0.0
        # Other callers of the same update may have used all of its permits; its wait is 0.0 then.
        return wait if wait or self._rate is None else min(1.0 / self._rate, _MAX_WAIT_SECONDS)

    def answered(self, now: float) -> None:
        """Record an answer other than 429."""
        self._alone.answered(now)
        if not self._failures:
            self._answered += 1

    def refused(self, now: float, pause_seconds: float | None) -> None:
        """Record an answer 429; the next request shares it with the other clients."""
        self._alone.refused(now, pause_seconds)
        if not self._failures:
            self._refusals.append(pause_seconds)
        self._free_until, self._permits = 0.0, 0

    def per_second(self, now: float) -> float | None:
        """Return the requests per second that all clients together may send, or None if no limit is known."""
        return self._alone.per_second(now) if self._failures else self._rate

    async def aclose(self) -> None:
        """Stop updates, and close the connection unless it was given."""
        await self._flight.aclose()
        await super().aclose()

    def _is_alone(self, now: float) -> bool:
        """Return whether the last update failed; if it is time to try Redis again, start that in the background."""
        if self._failures and now >= self._retry_at:
            self._flight.begin(None, self._update)
        return self._failures > 0

    async def _update(self) -> float:
        answered, self._answered = self._answered, 0
        refusals, self._refusals = self._refusals, []
        try:
            return await self._step(answered, refusals)
        except StoreUnavailableError as failure:
            if not self._failures:
                _LOG.warning("the shared rate cannot be used, each process keeps one of its own: %s", failure)
            shortest, longest = _RETRY_SECONDS
            self._retry_at = time.monotonic() + min(longest, shortest * 2.0 ** min(self._failures, 10))
            self._failures += 1
            return 0.001

    async def _step(self, answered: int, refusals: list[float | None]) -> float:
        """Update the shared pace and take permits; try again if another client was faster."""
        for _ in range(_TRIES):
            text, now = await self._read()
            pace = read_pace(text, self._fixed, now)
            pace.answered(now, answered)
            for pause in refusals:
                pace.refused(now, pause)
            granted, wait = pace.take(now, self._batch_size(pace.rate(now)))
            replaced = await self._script(_REPLACE, (self._key,), text, write_pace(pace), _KEPT_SECONDS)
            if int(replaced):
                return self._keep(pace, now, granted, wait)
        raise StoreUnavailableError("too many clients change the shared rate at once")

    async def _read(self) -> tuple[bytes, float]:
        text, (seconds, microseconds) = await self._script(_READ, (self._key,))
        return as_bytes(text) or b"", int(seconds) + int(microseconds) / 1e6

    def _keep(self, pace: Pace, shared_now: float, granted: int, wait: float) -> float:
        self._failures = 0
        now = time.monotonic()
        self._rate = pace.rate(shared_now)
        if self._rate is None and granted:
            self._free_until = now + _FREE_SECONDS
        self._permits, self._permits_until = granted, now + _PERMITS_VALID_SECONDS
        return wait

    def _batch_size(self, rate: float | None) -> int:
        return 1 if rate is None else max(1, int(rate * _BATCH_SECONDS))


def write_pace(pace: Pace) -> bytes:
    """Return *pace* as text."""
    return encode(attrs.asdict(pace))


def read_pace(text: bytes, fixed: float | None, now: float) -> Pace:
    """Return the pace in *text*, with the rate *fixed* if that is known; a new one if *text* is empty or invalid."""
    new = Pace(fixed=fixed)
    members = _members(text) or {}
    values: dict[str, Any] = {name: members.get(name) for name in attrs.asdict(new) if name != "fixed"}
    if not all(_is_valid(name, value, now) for name, value in values.items()):
        return new
    pace = attrs.evolve(new, **values)
    is_valid = pace.start is None or min(pace.start, pace.borne) > 0.0
    counted = min(pace.answers - pace.window_answers, pace.answers - pace.event_answers)
    return pace if is_valid and counted >= 0 else new


def _members(text: bytes) -> dict[str, Any] | None:
    try:
        return json_object(decode(text)) if text and len(text) <= _MAX_LENGTH else None
    except DecodeError:
        return None


def _is_valid(name: str, value: Any, now: float) -> bool:
    """Return whether *value* is possible for the field *name*."""
    if name == "on_hold" or isinstance(value, bool):
        return name == "on_hold" and isinstance(value, bool)
    if name == "start" and value is None:
        return True
    if not isinstance(value, int | float) or not math.isfinite(value):
        return False
    if name in _COUNTS:
        return isinstance(value, int) and 0 <= value <= _MAX_COUNT
    least, most = (
        (-_MAX_VALUE, _MAX_VALUE)
        if name == "stock"
        else (0.0, now + _MAX_AHEAD_SECONDS if name in _MOMENTS else _MAX_VALUE)
    )
    return least <= value <= most
