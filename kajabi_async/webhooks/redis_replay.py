"""A replay guard that all processes share through Redis; it needs the extra ``redis``."""

import asyncio
import logging
from collections.abc import Awaitable
from typing import Any, Final, Literal, TypeVar, cast, get_args

from kajabi_async.checks import positive_seconds
from kajabi_async.errors import ConfigurationError
from kajabi_async.webhooks.errors import ReplayGuardUnavailableError
from kajabi_async.webhooks.replay import LEASE_SECONDS, TTL_SECONDS, Standing

try:
    from redis.asyncio import Redis
    from redis.exceptions import RedisError
except ImportError as missing:
    raise ImportError("RedisReplayGuard needs redis: pip install 'kajabi-async[redis]'") from missing

__all__ = ["RedisReplayGuard", "WhenUnavailable"]

T = TypeVar("T")

WhenUnavailable = Literal["refuse", "accept"]
"""What to do with a delivery while Redis cannot be asked: refuse it with 503, or handle it, be it a repetition."""

_LOG: Final = logging.getLogger("kajabi_async")
_HANDLED: Final = "handled"
_TOO_LONG_SECONDS: Final = 10.0**12
"""Redis counts milliseconds in 64 bits."""
_RELEASE: Final = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0"
"""Compare and delete in one step: between two, the lease may end and another holder begin."""


class RedisReplayGuard:
    """Remembers deliveries in Redis, with SET NX and an expiry for each.

    What this does not protect from: repetitions after the time to live; those after Redis lost its memory (a restart
    without persistence, a failover before the write was copied, an eviction policy that drops keys early); and with
    ``when_unavailable="accept"`` those that come while it cannot be asked. A handler that runs longer than the lease
    may be joined by a second one. Handlers that may run twice without harm need no guard at all.
    """

    def __init__(
        self,
        redis: Redis,
        *,
        when_unavailable: WhenUnavailable,
        ttl_seconds: float = TTL_SECONDS,
        lease_seconds: float = LEASE_SECONDS,
        timeout_seconds: float = 2.0,
        prefix: str = "kajabi:webhook:",
    ) -> None:
        """Ask *redis*, which stays yours to close, for at most *timeout_seconds* each time.

        *when_unavailable* must be said: "refuse" loses nothing if Kajabi delivers again, which it does not promise;
        "accept" may handle a delivery twice. Keys begin with *prefix* and hold no data of the delivery.
        """
        if when_unavailable not in get_args(WhenUnavailable):
            raise ConfigurationError(f"when_unavailable is 'refuse' or 'accept', got {when_unavailable!r}")
        self._redis = redis
        self._accepts = when_unavailable == "accept"
        self._ttl_ms = _milliseconds(ttl_seconds, "ttl_seconds")
        self._lease_ms = _milliseconds(lease_seconds, "lease_seconds")
        self._timeout = positive_seconds(timeout_seconds, of="timeout_seconds", error=ConfigurationError)
        self._prefix = prefix

    async def claim(self, key: str, holder: str) -> Standing:
        """Tell how *key* stands, and where it is NEW keep it for *holder*.

        While Redis cannot be asked: ReplayGuardUnavailableError, or NEW with a warning in the log, as was chosen.
        """
        try:
            return await self._asked(self._claim(self._prefix + key, holder))
        except ReplayGuardUnavailableError as error:
            if not self._accepts:
                raise
            _LOG.warning("a delivery is handled without knowing whether it came before: %s", error)
            return Standing.NEW

    async def confirm(self, key: str, holder: str) -> None:  # noqa: ARG002 - handled is handled, whoever holds it by now
        """Remember that *key* was handled; ReplayGuardUnavailableError while Redis cannot be asked."""
        await self._asked(self._redis.set(self._prefix + key, _HANDLED, px=self._ttl_ms))

    async def release(self, key: str, holder: str) -> None:
        """Forget *key* if *holder* still holds it; ReplayGuardUnavailableError while Redis cannot be asked."""
        running = self._redis.eval(_RELEASE, 1, self._prefix + key, _held_by(holder))
        await self._asked(cast("Awaitable[Any]", running))

    async def _claim(self, key: str, holder: str) -> Standing:
        # Twice, as what stood in the way of the first SET may have ended before it could be read.
        for _ in range(2):
            if await self._redis.set(key, _held_by(holder), nx=True, px=self._lease_ms):
                return Standing.NEW
            found = await self._redis.get(key)
            if found is not None:
                return Standing.HANDLED if found in (_HANDLED, _HANDLED.encode()) else Standing.IN_PROGRESS
        return Standing.IN_PROGRESS

    async def _asked(self, asking: Awaitable[T]) -> T:
        try:
            async with asyncio.timeout(self._timeout):
                return await asking
        except (RedisError, OSError) as error:
            problem = f"Redis gave no answer to the replay guard ({type(error).__name__})"
        # Outside the handler: the error of the driver may name the server and its user.
        raise ReplayGuardUnavailableError(problem)


def _held_by(holder: str) -> str:
    return f"held:{holder}"


def _milliseconds(given: float, name: str) -> int:
    return max(1, round(positive_seconds(given, of=name, below=_TOO_LONG_SECONDS, error=ConfigurationError) * 1000))
