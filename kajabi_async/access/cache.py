"""Where answers are kept: the protocol, and the cache in memory."""

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final, Protocol

from kajabi_async.checks import function, whole_number
from kajabi_async.errors import ConfigurationError

__all__ = ["Cache", "MemoryCache"]

_MOST_ENTRIES: Final = 100_000


class Cache(Protocol):
    """Keeps texts by key for all gates that share it; implement it over any storage.

    A gate checks everything that it reads, and leaves a cache that raises, or takes too long, alone for a while: it
    then works with what this process remembers. Keys are ASCII of at most 400 characters. Values are JSON of ids and
    times, usually below 1 kB.
    """

    async def get(self, key: str) -> bytes | None:
        """Return the value of ``key``; None if there is none."""
        ...

    async def set(self, key: str, value: bytes, *, seconds: float) -> None:
        """Keep ``value``, in place of any other, for about ``seconds``; it may be dropped before."""
        ...

    async def delete(self, key: str) -> None:
        """Drop ``key``; do nothing if it is not there."""
        ...


class MemoryCache:
    """A cache in the memory of this process, for any number of gates."""

    def __init__(self, *, most_entries: int = _MOST_ENTRIES, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Keep at most ``most_entries``, dropping the least recently used first; ``monotonic`` returns seconds.

        A person takes two to five entries of about 500 bytes.
        """
        self._most = whole_number(most_entries, of="most_entries", at_most=None, error=ConfigurationError)
        self._monotonic: Callable[[], float] = function(monotonic, of="monotonic", error=ConfigurationError)
        self._entries: OrderedDict[str, tuple[bytes, float]] = OrderedDict()

    def __len__(self) -> int:
        """Return the number of entries, of which some may have expired."""
        return len(self._entries)

    def __repr__(self) -> str:
        return f"<MemoryCache of at most {self._most:,} entries>"

    async def get(self, key: str) -> bytes | None:
        """Return the value of ``key``; None if there is none."""
        return self.read(key)

    async def set(self, key: str, value: bytes, *, seconds: float) -> None:
        """Keep ``value`` for ``seconds``."""
        self.write(key, value, seconds)

    async def delete(self, key: str) -> None:
        """Drop ``key``."""
        self.drop(key)

    def read(self, key: str) -> bytes | None:
        """Return the value of ``key``, as `get` does, without a coroutine."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        if entry[1] <= self._monotonic():
            del self._entries[key]
            return None
        self._entries.move_to_end(key)
        return entry[0]

    def write(self, key: str, value: bytes, seconds: float) -> None:
        """Keep ``value``, as `set` does, without a coroutine."""
        self._entries[key] = (value, self._monotonic() + seconds)
        self._entries.move_to_end(key)
        while len(self._entries) > self._most:
            self._entries.popitem(last=False)

    def drop(self, key: str) -> None:
        """Drop ``key``, as `delete` does, without a coroutine."""
        self._entries.pop(key, None)
