"""Telling a delivery that comes again from one that comes for the first time.

A guard keeps for each key one of two things: that somebody is handling it (for the length of a lease, so that a
process that dies does not keep it for ever), or that it was handled.
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
"""For how long a handled delivery is remembered; for how long Kajabi repeats one is not in its documents."""
LEASE_SECONDS: Final = 300.0
"""For how long a delivery counts as being handled when nothing more is heard of it."""


class Standing(Enum):
    """What a guard knows of a key."""

    NEW = "nobody handles it or has handled it; it is the asker's now"
    IN_PROGRESS = "another holder is handling it"
    HANDLED = "it was handled"


class ReplayGuard(Protocol):
    """Remembers deliveries by key; write one of your own over whatever all your processes share.

    ``claim`` must be atomic: of any number of holders that ask for a key at once, one is told NEW.
    """

    async def claim(self, key: str, holder: str) -> Standing:
        """Tell how *key* stands, and where it is NEW keep it for *holder* for the length of the lease.

        ReplayGuardUnavailableError where that cannot be told.
        """
        ...

    async def confirm(self, key: str, holder: str) -> None:
        """Remember that *key* was handled."""
        ...

    async def release(self, key: str, holder: str) -> None:
        """Forget *key* if *holder* still holds it, so that the next delivery is handled."""
        ...


class MemoryReplayGuard:
    """Remembers in the memory of this process.

    What this does not protect from: a repetition that reaches another process, comes after a restart, after the time
    to live, or after *most_keys* others. Use `RedisReplayGuard` where there is more than one process.
    """

    def __init__(
        self,
        *,
        ttl_seconds: float = TTL_SECONDS,
        lease_seconds: float = LEASE_SECONDS,
        most_keys: int = 10_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Remember at most *most_keys*, the oldest handled ones being forgotten first; *clock* gives seconds."""
        self._ttl = positive_seconds(ttl_seconds, of="ttl_seconds", error=ConfigurationError)
        self._lease = positive_seconds(lease_seconds, of="lease_seconds", error=ConfigurationError)
        self._most_keys = whole_number(most_keys, of="most_keys", at_most=None, error=ConfigurationError)
        self._clock = clock
        # Each in the order in which it ends, as every entry of one lives equally long.
        self._held: OrderedDict[str, tuple[float, str]] = OrderedDict()
        self._handled: OrderedDict[str, float] = OrderedDict()

    def __len__(self) -> int:
        """Give how many keys are remembered."""
        self._forget_ended()
        return len(self._held) + len(self._handled)

    async def claim(self, key: str, holder: str) -> Standing:
        """Tell how *key* stands, and where it is NEW keep it for *holder*."""
        self._forget_ended()
        if key in self._handled:
            return Standing.HANDLED
        if key in self._held:
            return Standing.IN_PROGRESS
        self._held[key] = (self._clock() + self._lease, holder)
        self._keep_bounded()
        return Standing.NEW

    async def confirm(self, key: str, holder: str) -> None:  # noqa: ARG002 - handled is handled, whoever holds it by now
        """Remember that *key* was handled."""
        self._held.pop(key, None)
        self._handled.pop(key, None)
        self._handled[key] = self._clock() + self._ttl
        self._keep_bounded()

    async def release(self, key: str, holder: str) -> None:
        """Forget *key* if *holder* still holds it."""
        if self._held.get(key, (0.0, None))[1] == holder:
            del self._held[key]

    def _forget_ended(self) -> None:
        now = self._clock()
        while self._held and next(iter(self._held.values()))[0] <= now:
            self._held.popitem(last=False)
        while self._handled and next(iter(self._handled.values())) <= now:
            self._handled.popitem(last=False)

    def _keep_bounded(self) -> None:
        while len(self._held) + len(self._handled) > self._most_keys:
            oldest = self._handled or self._held
            oldest.popitem(last=False)
