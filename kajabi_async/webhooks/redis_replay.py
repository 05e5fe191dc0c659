"""A replay guard in Redis, shared by all processes; it needs the extra ``redis``."""

import asyncio
import logging
from collections.abc import Awaitable
from typing import Any, Final, Literal, TypeVar, cast, get_args

from kajabi_async.checks import positive_seconds
from kajabi_async.errors import ConfigurationError
from kajabi_async.webhooks.delivery_errors import ReplayGuardUnavailableError
from kajabi_async.webhooks.replay import LEASE_SECONDS, TTL_SECONDS, Standing

try:
    from redis.asyncio import Redis
    from redis.exceptions import RedisError
except ImportError as missing:
    raise ImportError("RedisReplayGuard needs redis: pip install 'kajabi-async[redis]'") from missing

__all__ = ["RedisReplayGuard", "WhenUnavailable"]

T = TypeVar("T")

WhenUnavailable = Literal["refuse", "accept"]
"""What to do with a delivery while Redis is unreachable: reject it with 503, or handle it, even if a duplicate."""

_LOG: Final = logging.getLogger("kajabi_async")
_HANDLED: Final = "handled"
_TOO_LONG_SECONDS: Final = 10.0**12
"""Redis counts milliseconds in 64 bits."""
_RELEASE: Final = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0"
"""Compare and delete atomically: between two steps the lease may expire and another holder claim the key."""


class RedisReplayGuard:
    """A guard in Redis, with SET NX and an expiry for each key.

    It does not detect duplicates after the time to live, after Redis lost its data (a restart without persistence, a
    failover before replication, an eviction policy that drops keys early), or, with ``when_unavailable="accept"``,
    while Redis is unreachable. If a handler runs longer than the lease, a second one may start. Handlers that may
    safely run twice need no guard.
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
        """Use ``redis``, which the caller closes, for at most ``timeout_seconds`` per operation.

        ``when_unavailable`` is required: "refuse" loses nothing if Kajabi delivers again, which it does not promise;
        "accept" may handle a delivery twice. Keys start with ``prefix`` and hold no data of the delivery.
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
        """Return the state of ``key``, and if it is NEW claim it for ``holder``.

        While Redis is unreachable: ReplayGuardUnavailableError, or NEW and a warning in the log if
        ``when_unavailable="accept"``.
        """
        try:
            return await self._run(self._claim(self._prefix + key, holder))
        except ReplayGuardUnavailableError as error:
            if not self._accepts:
                raise
            _LOG.warning("a delivery is handled that may be a duplicate: %s", error)
            return Standing.NEW

    async def confirm(self, key: str, holder: str) -> None:  # noqa: ARG002 - handled, even if another has the claim now
        """Remember that ``key`` was handled; ReplayGuardUnavailableError while Redis is unreachable."""
        await self._run(self._redis.set(self._prefix + key, _HANDLED, px=self._ttl_ms))

    async def release(self, key: str, holder: str) -> None:
        """Forget ``key`` if ``holder`` still has it claimed; ReplayGuardUnavailableError while Redis is unreachable."""
        reply = self._redis.eval(_RELEASE, 1, self._prefix + key, _claimed_by(holder))
        await self._run(cast("Awaitable[Any]", reply))

    async def _claim(self, key: str, holder: str) -> Standing:
        # Twice: the key that blocked the first SET may expire before the GET.
        for _ in range(2):
            if await self._redis.set(key, _claimed_by(holder), nx=True, px=self._lease_ms):
                return Standing.NEW
            found = await self._redis.get(key)
            if found is not None:
                return Standing.HANDLED if found in (_HANDLED, _HANDLED.encode()) else Standing.IN_PROGRESS
        return Standing.IN_PROGRESS

    async def _run(self, operation: Awaitable[T]) -> T:
        try:
            async with asyncio.timeout(self._timeout):
                return await operation
        except (RedisError, OSError) as error:
            problem = f"the replay guard got no answer from Redis ({type(error).__name__})"
        # Raised outside the handler: the driver's error may name the server and its user.
        raise ReplayGuardUnavailableError(problem)


def _claimed_by(holder: str) -> str:
    return f"held:{holder}"


def _milliseconds(given: float, name: str) -> int:
    return max(1, round(positive_seconds(given, of=name, below=_TOO_LONG_SECONDS, error=ConfigurationError) * 1000))
