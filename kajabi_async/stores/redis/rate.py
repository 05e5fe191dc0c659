"""One rate of requests for everybody who shares a Redis."""

import logging
import time
from typing import Final

from redis.asyncio import Redis

from kajabi_async.concurrency import SingleFlight
from kajabi_async.errors import ConfigurationError, StoreUnavailableError
from kajabi_async.session.limits.pace import Pace
from kajabi_async.session.limits.rate import AdaptiveRate, FixedRate
from kajabi_async.stores.redis.calls import OverRedis
from kajabi_async.stores.redis.shared_pace import read_pace, write_pace
from kajabi_async.tracebacks import hides_arguments

__all__ = ["RedisRate"]

_LOG: Final = logging.getLogger("kajabi_async")
_FREE_SECONDS: Final = 0.25
"""For how long one goes on without looking, while no limit is known."""
_SHARE_SECONDS: Final = 0.02
_TURNS_KEPT_SECONDS: Final = 0.2
"""How many turns are taken at once, as the time they are worth, and when those that nobody wanted are void."""
_TRIES: Final = 20
_ALONE_SECONDS: Final = (1.0, 60.0)
"""For how long a Redis that failed is left alone at first, and at most; twice as long after each further failure."""
_LONGEST_WAIT_SECONDS: Final = 0.25
"""The longest wait for a rate that may have grown by then."""
_KEPT_SECONDS: Final = 24 * 3600

# What no pace is written as is dropped by the script, before a client that decodes answers stumbles over it.
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
class RedisRate(OverRedis):
    """Learns and keeps one rate together with everybody who names the same *name* in the same Redis.

    *redis* is a URL, or a client of yours; *per_second* is the rate where you know it, for all of them together. A 429
    that one of them gets, and the pause it asks for, is everybody's. While Redis fails each process learns a rate by
    itself, with a warning, and looks for Redis again after a pause that grows up to a minute, without waiting for it.
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
        self._free_until = self._turns_until = self._alone_until = 0.0
        self._turns = 0
        self._answered = 0
        self._refusals: list[float | None] = []
        self._failures = 0

    async def take(self, now: float) -> float:
        """Take one turn: 0.0 where the request may go, else the seconds after which to ask again."""
        if self._is_alone(now):
            return await self._alone.take(now)
        if now < self._free_until:
            return 0.0
        if self._turns and now < self._turns_until:
            self._turns -= 1
            return 0.0
        wait = await self._flight.run(None, self._look)
        if self._turns:
            self._turns -= 1
            return 0.0
        # Who looked along finds the turns taken by those before it, and no wait, as there were some.
        return wait if wait or self._rate is None else min(1.0 / self._rate, _LONGEST_WAIT_SECONDS)

    def answered(self, now: float) -> None:
        """Note an answer that was no refusal."""
        self._alone.answered(now)
        if not self._failures:
            self._answered += 1

    def refused(self, now: float, pause_seconds: float | None) -> None:
        """Note an answer 429; the next one who wants to go tells everybody."""
        self._alone.refused(now, pause_seconds)
        if not self._failures:
            self._refusals.append(pause_seconds)
        self._free_until, self._turns = 0.0, 0

    def per_second(self, now: float) -> float | None:
        """Give the requests a second that all of them together may send; None where no limit is known."""
        return self._alone.per_second(now) if self._failures else self._rate

    async def aclose(self) -> None:
        """Stop looking, and close the connection, unless it was handed in."""
        await self._flight.aclose()
        await super().aclose()

    def _is_alone(self, now: float) -> bool:
        """Return whether Redis failed last; begin to look for it again if it is time, for nobody to wait for."""
        if self._failures and now >= self._alone_until:
            self._flight.begin(None, self._look)
        return self._failures > 0

    async def _look(self) -> float:
        answered, self._answered = self._answered, 0
        refusals, self._refusals = self._refusals, []
        try:
            return await self._step(answered, refusals)
        except StoreUnavailableError as failure:
            if not self._failures:
                _LOG.warning("the shared rate cannot be used, each process keeps one of its own: %s", failure)
            least, most = _ALONE_SECONDS
            self._alone_until = time.monotonic() + min(most, least * 2.0 ** min(self._failures, 10))
            self._failures += 1
            return 0.001

    async def _step(self, answered: int, refusals: list[float | None]) -> float:
        """Take the shared pace one step on; whoever was faster is let go first."""
        for _ in range(_TRIES):
            text, now = await self._read()
            pace = read_pace(text, self._fixed, now)
            pace.answered(now, answered)
            for pause in refusals:
                pace.refused(now, pause)
            granted, wait = pace.take(now, self._wanted(pace.rate(now)))
            replaced = await self._script(_REPLACE, (self._key,), text, write_pace(pace), _KEPT_SECONDS)
            if int(replaced):
                return self._noted(pace, now, granted, wait)
        raise StoreUnavailableError("too many change the shared rate at once")

    async def _read(self) -> tuple[bytes, float]:
        text, (seconds, microseconds) = await self._script(_READ, (self._key,))
        return text.encode() if isinstance(text, str) else text, int(seconds) + int(microseconds) / 1e6

    def _noted(self, pace: Pace, shared_now: float, granted: int, wait: float) -> float:
        self._failures = 0
        now = time.monotonic()
        self._rate = pace.rate(shared_now)
        if self._rate is None and granted:
            self._free_until = now + _FREE_SECONDS
        self._turns, self._turns_until = granted, now + _TURNS_KEPT_SECONDS
        return wait

    def _wanted(self, rate: float | None) -> int:
        return 1 if rate is None else max(1, int(rate * _SHARE_SECONDS))
