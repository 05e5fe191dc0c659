"""An access token with what came along, read from the token endpoint's answer or from a store."""

from collections.abc import Mapping
from typing import Any, Final, Self

import attrs

from kajabi_async.errors import DecodeError
from kajabi_async.jsonapi.decoding import decode, json_object
from kajabi_async.session.clock import Clock
from kajabi_async.session.credentials import Secret
from kajabi_async.session.token_store import StoredToken

__all__ = ["Token"]

_LONGEST_AHEAD_SECONDS: Final = 300.0
_SHARE_AHEAD: Final = 0.1
_LONGEST_LIFE_SECONDS: Final = 10.0**9


@attrs.frozen
class Token:
    """An access token; moments are on the monotonic clock, None where no life was stated."""

    access: Secret
    refresh: Secret | None
    renew_at: float | None
    expires_at: float | None
    shared: bool = False
    """Whether another client asked for it, and it was taken from a store."""

    @classmethod
    def from_body(cls, body: bytes, *, asked_at: float) -> Self:
        """Read the token endpoint's answer; its life counts from before it was asked for."""
        members = json_object(decode(body, context="the token answer"))
        if members is None:
            raise DecodeError("an object was expected", context="the token answer")
        access = _secret(members, "access_token")
        if access is None:
            raise DecodeError("no usable access_token", path="access_token", context="the token answer")
        life = _life(members.get("expires_in"))
        if life is None:
            return cls(access, _secret(members, "refresh_token"), None, None)
        ahead = min(_LONGEST_AHEAD_SECONDS, life * _SHARE_AHEAD)
        return cls(access, _secret(members, "refresh_token"), asked_at + life - ahead, asked_at + life)

    @classmethod
    def from_store(cls, stored: StoredToken, clock: Clock) -> Self:
        """Take a token out of a store, its moments turned from wall time to this machine's monotonic time."""
        shift = clock.monotonic() - clock.time()
        moments = _shifted(stored.renew_at, shift), _shifted(stored.expires_at, shift)
        return cls(stored.access, stored.refresh, *moments, shared=True)

    def to_store(self, clock: Clock) -> StoredToken:
        """Give the token as it lies in a store."""
        shift = clock.time() - clock.monotonic()
        return StoredToken(self.access, self.refresh, _shifted(self.renew_at, shift), _shifted(self.expires_at, shift))


def _shifted(moment: float | None, seconds: float) -> float | None:
    return None if moment is None else moment + seconds


def _secret(members: Mapping[str, Any], name: str) -> Secret | None:
    value = members.get(name)
    if isinstance(value, str) and value.isascii() and value.isprintable() and value.strip() == value != "":
        return Secret(value)
    return None


def _life(expires_in: Any) -> float | None:
    if isinstance(expires_in, str) and expires_in.isascii() and expires_in.isdigit():
        expires_in = int(expires_in[:12])
    if isinstance(expires_in, bool) or not isinstance(expires_in, int | float) or expires_in <= 0:
        return None
    return min(float(expires_in), _LONGEST_LIFE_SECONDS)
