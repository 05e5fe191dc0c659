"""Stores in which processes and machines share one token: the protocol, and the store in memory.

The stores over a file and over Redis are in `kajabi_async.stores`.
"""

import threading
import time
import uuid
from collections.abc import Callable
from typing import Final, Protocol, Self

import attrs

from kajabi_async.checks import number
from kajabi_async.errors import ConfigurationError, DecodeError
from kajabi_async.jsonapi.codec import decode, encode, json_object
from kajabi_async.session.credentials import Secret, token_text
from kajabi_async.structs import Value

__all__ = ["Lease", "MemoryTokenStore", "StoredToken", "TokenStore", "checked_lease_seconds", "checked_version"]

_SHORTEST_LEASE_SECONDS: Final = 1.0
_MOST_VERSIONS: Final = 2**53
"""Up to which integers are exact in every store, also in the scripts of Redis."""
_LATEST_MOMENT: Final = 10.0**11
_MOST_BYTES: Final = 2**17
"""Two tokens of the greatest length have less: a foreign value costs little."""


@attrs.frozen(eq=False, repr=False)
class StoredToken(Value):
    """A token in a store; moments are in seconds since the epoch, None if no lifetime was stated."""

    access: Secret
    refresh: Secret | None
    renew_at: float | None
    expires_at: float | None
    version: int = 0
    """The number of tokens saved for this key so far; set by the store."""

    def to_bytes(self) -> bytes:
        """Return the token as JSON text with readable secrets, for use inside a store only."""
        return encode(
            {
                "access": self.access.reveal(),
                "refresh": None if self.refresh is None else self.refresh.reveal(),
                "renew_at": self.renew_at,
                "expires_at": self.expires_at,
                "version": self.version,
            }
        )

    @classmethod
    def from_bytes(cls, body: bytes) -> Self | None:
        """Return the token that `to_bytes` wrote; None for anything else, which the next token may overwrite."""
        if len(body) > _MOST_BYTES:
            return None
        try:
            members = json_object(decode(body)) or {}
        except DecodeError:
            return None
        access, version = token_text(members.get("access")), checked_version(members.get("version"))
        if access is None or version is None:
            return None
        refresh = token_text(members.get("refresh"))
        return cls(access, refresh, _moment(members.get("renew_at")), _moment(members.get("expires_at")), version)

    def checked(self) -> Self:
        """Return the token without its unusable parts, as a store of another author may contain anything.

        An access token that cannot be sent becomes an empty text, an invalid version becomes 0.
        """
        return attrs.evolve(
            self,
            access=_checked_secret(self.access) or Secret(""),
            refresh=_checked_secret(self.refresh),
            renew_at=_moment(self.renew_at),
            expires_at=_moment(self.expires_at),
            version=checked_version(self.version) or 0,
        )


@attrs.frozen(eq=False, repr=False)
class Lease(Value):
    """The right to request a token, until it is released or expires."""

    holder: str
    fence: int
    """Grows with every lease of a key, so that a late write of an earlier holder can be recognized."""


class TokenStore(Protocol):
    """Keeps one token for each key, for all clients that share the store.

    Every method may raise StoreUnavailableError; the client then requests a token of its own and continues. It does the
    same if a method raises anything else, returns a value of another type, or takes longer than three seconds. A store
    that fails is left alone for a while.
    """

    lease_seconds: float
    """How long a lease lasts if its holder dies; a token request must end within four fifths of it."""

    async def load(self, key: str) -> StoredToken | None:
        """Return the token of ``key``; None if there is none."""
        ...

    async def acquire(self, key: str) -> Lease | None:
        """Return the lease of ``key``, or None if another client holds it."""
        ...

    async def release(self, key: str, lease: Lease) -> None:
        """Release ``lease``; do nothing if another client holds it by now."""
        ...

    async def save(self, key: str, token: StoredToken, *, lease: Lease, replaces: int) -> bool:
        """Replace version ``replaces`` (0 for none) by ``token``, increment the version, and return True.

        False, with nothing changed, if the store holds another version or a later lease has written: a slow holder
        never overwrites a newer token.
        """
        ...

    async def discard(self, key: str, *, version: int) -> None:
        """Drop the token of ``key`` if it still has ``version``."""
        ...


class MemoryTokenStore:
    """Shares tokens among the clients of one process, across event loops and threads."""

    def __init__(self, *, lease_seconds: float = 20.0, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.lease_seconds = checked_lease_seconds(lease_seconds)
        self._monotonic = monotonic
        self._tokens: dict[str, StoredToken] = {}
        self._leases: dict[str, tuple[Lease, float]] = {}
        self._written: dict[str, int] = {}
        self._fence = 0
        # Held for a few dictionary operations and never over an await.
        self._lock = threading.Lock()

    async def load(self, key: str) -> StoredToken | None:
        """Return the token of ``key``; None if there is none."""
        return self._tokens.get(key)

    async def acquire(self, key: str) -> Lease | None:
        """Return the lease of ``key``, or None if another client holds it."""
        with self._lock:
            now = self._monotonic()
            _, until = self._leases.get(key, (None, 0.0))
            if now < until:
                return None
            self._fence += 1
            lease = Lease(uuid.uuid4().hex, self._fence)
            self._leases[key] = (lease, now + self.lease_seconds)
            return lease

    async def release(self, key: str, lease: Lease) -> None:
        """Release ``lease``; do nothing if another client holds it by now."""
        with self._lock:
            if self._leases.get(key, (None, 0.0))[0] == lease:
                del self._leases[key]

    async def save(self, key: str, token: StoredToken, *, lease: Lease, replaces: int) -> bool:
        """Replace version ``replaces`` by ``token``; False if the store holds another version."""
        with self._lock:
            there = self._tokens.get(key)
            if (0 if there is None else there.version) != replaces or lease.fence < self._written.get(key, 0):
                return False
            self._tokens[key] = attrs.evolve(token, version=replaces + 1)
            self._written[key] = lease.fence
            return True

    async def discard(self, key: str, *, version: int) -> None:
        """Drop the token of ``key`` if it still has ``version``."""
        with self._lock:
            there = self._tokens.get(key)
            if there is not None and there.version == version:
                del self._tokens[key]


def checked_lease_seconds(seconds: float) -> float:
    """Return ``seconds`` if a token request can end within four fifths of it; ConfigurationError otherwise."""
    return number(
        seconds,
        of="lease_seconds",
        expected=f"a number of at least {_SHORTEST_LEASE_SECONDS}",
        fits=lambda it: _SHORTEST_LEASE_SECONDS <= it < 10**6,
        error=ConfigurationError,
    )


def checked_version(value: object) -> int | None:
    """Return ``value`` if it can be the version of a token that was saved, else None."""
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 <= value < _MOST_VERSIONS else None


def _checked_secret(value: object) -> Secret | None:
    return token_text(value.reveal()) if isinstance(value, Secret) else None


def _moment(value: object) -> float | None:
    """Return *value* as seconds since the epoch; None if it is no moment of the next three thousand years."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _LATEST_MOMENT:
        return None
    return float(value)
