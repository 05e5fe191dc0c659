"""Replay guards: detection of deliveries that were handled before.

A guard keeps one of two states for each key: being handled, for the length of a lease, so that a process that dies
does not block the key for ever; or handled.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from enum import Enum
from typing import Final, Protocol

from kajabi_async.checks import positive_seconds, whole_number
from kajabi_async.errors import ConfigurationError

__all__ = ["LEASE_SECONDS", "TTL_SECONDS", "MemoryReplayGuard", "ReplayGuard", "Standing"]

TTL_SECONDS: Final = 7 * 86_400.0
"""Seconds for which a handled delivery is remembered; Kajabi does not document for how long it repeats one."""
LEASE_SECONDS: Final = 300.0
"""Seconds for which a claimed delivery counts as being handled if it is neither confirmed nor released."""


class Standing(Enum):
    """The state of a key in a guard."""

    NEW = "not handled and not being handled; the caller has claimed it now"
    IN_PROGRESS = "another holder is handling it"
    HANDLED = "it was handled"


class ReplayGuard(Protocol):
    """A memory of deliveries by key; implement it over any storage that all your processes share.

    ``claim`` must be atomic: of any number of holders that claim a key at once, exactly one gets NEW.
    """

    async def claim(self, key: str, holder: str) -> Standing:
        """Return the state of ``key``, and if it is NEW claim it for ``holder`` for the length of the lease.

        ReplayGuardUnavailableError if the state is unknown.
        """
        ...

    async def confirm(self, key: str, holder: str) -> None:
        """Remember that ``key`` was handled."""
        ...

    async def release(self, key: str, holder: str) -> None:
        """Forget ``key`` if ``holder`` still has it claimed, so that the next delivery is handled."""
        ...


class MemoryReplayGuard:
    """A guard in the memory of this process.

    It does not detect a duplicate that reaches another process, or comes after a restart, after the time to live or
    after ``most_keys`` others. With more than one process, use `RedisReplayGuard`.
    """

    def __init__(
        self,
        *,
        ttl_seconds: float = TTL_SECONDS,
        lease_seconds: float = LEASE_SECONDS,
        most_keys: int = 10_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Remember at most ``most_keys`` keys, forgetting the oldest handled ones first; ``clock`` returns seconds."""
        self._ttl = positive_seconds(ttl_seconds, of="ttl_seconds", error=ConfigurationError)
        self._lease = positive_seconds(lease_seconds, of="lease_seconds", error=ConfigurationError)
        self._most_keys = whole_number(most_keys, of="most_keys", at_most=None, error=ConfigurationError)
        self._clock = clock
        # Both are in the order of expiry, as all entries of one live equally long.
        self._claimed: OrderedDict[str, tuple[float, str]] = OrderedDict()
        self._handled: OrderedDict[str, float] = OrderedDict()

    def __len__(self) -> int:
        """Return the number of remembered keys."""
        self._remove_expired()
        return len(self._claimed) + len(self._handled)

    async def claim(self, key: str, holder: str) -> Standing:
        """Return the state of ``key``, and if it is NEW claim it for ``holder``."""
        self._remove_expired()
        if key in self._handled:
            return Standing.HANDLED
        if key in self._claimed:
            return Standing.IN_PROGRESS
        self._claimed[key] = (self._clock() + self._lease, holder)
        self._evict()
        return Standing.NEW

    async def confirm(self, key: str, holder: str) -> None:  # noqa: ARG002 - handled, even if another has the claim now
        """Remember that ``key`` was handled."""
        self._claimed.pop(key, None)
        self._handled.pop(key, None)
        self._handled[key] = self._clock() + self._ttl
        self._evict()

    async def release(self, key: str, holder: str) -> None:
        """Forget ``key`` if ``holder`` still has it claimed."""
        if self._claimed.get(key, (0.0, None))[1] == holder:
            del self._claimed[key]

    def _remove_expired(self) -> None:
        now = self._clock()
        while self._claimed and next(iter(self._claimed.values()))[0] <= now:
            self._claimed.popitem(last=False)
        while self._handled and next(iter(self._handled.values())) <= now:
            self._handled.popitem(last=False)

    def _evict(self) -> None:
        while len(self._claimed) + len(self._handled) > self._most_keys:
            oldest = self._handled or self._claimed
            oldest.popitem(last=False)
