"""An access token with what came along, read from the token endpoint's answer or from a store."""

import re
from typing import TYPE_CHECKING, Any, Final, Self

from kajabi_async.clock import Clock
from kajabi_async.errors import DecodeError
from kajabi_async.jsonapi.codec import decode, json_object
from kajabi_async.session.credentials import Secret, token_text
from kajabi_async.structs import FrozenStruct

if TYPE_CHECKING:
    from kajabi_async.session.auth.store import StoredToken

__all__ = ["Token", "Unusable"]

_LONGEST_AHEAD_SECONDS: Final = 300.0
_SHARE_AHEAD: Final = 0.1
_LONGEST_LIFE_SECONDS: Final = 10.0**9
_NUMBER: Final = re.compile(r"[0-9]{1,12}(\.[0-9]{0,12})?", re.ASCII)
_MORE_DIGITS: Final = re.compile(r"[1-9][0-9]{12,}", re.ASCII)


class Token(FrozenStruct, frozen=True):
    """An access token; moments are on the monotonic clock, None if no lifetime was stated."""

    access: Secret
    refresh: Secret | None
    renew_at: float | None
    expires_at: float | None
    shared: bool = False
    """Whether another client requested it, and it was taken from a store."""

    @classmethod
    def from_body(cls, body: bytes, *, asked_at: float) -> Self:
        """Return the token in the token endpoint's answer; its lifetime counts from *asked_at*."""
        members = json_object(decode(body, context="the token answer"))
        if members is None:
            raise DecodeError("an object was expected", context="the token answer")
        access = token_text(members.get("access_token"))
        if access is None:
            raise DecodeError("no usable access_token", path="access_token", context="the token answer")
        refresh = token_text(members.get("refresh_token"))
        life = _life(members.get("expires_in"))
        if life is None:
            return cls(access, refresh, None, None)
        ahead = min(_LONGEST_AHEAD_SECONDS, life * _SHARE_AHEAD)
        return cls(access, refresh, asked_at + life - ahead, asked_at + life)

    @classmethod
    def from_store(cls, stored: "StoredToken", clock: Clock) -> Self:
        """Return the token of a store, its moments converted from wall time to this machine's monotonic time."""
        shift = clock.monotonic() - clock.time()
        moments = _shifted(stored.renew_at, shift), _shifted(stored.expires_at, shift)
        return cls(stored.access, stored.refresh, *moments, shared=True)

    def to_store(self, clock: Clock) -> "StoredToken":
        """Return the token for a store, its moments in wall time."""
        from kajabi_async.session.auth.store import StoredToken  # noqa: PLC0415 - only programs with a store have it

        shift = clock.time() - clock.monotonic()
        return StoredToken(self.access, self.refresh, _shifted(self.renew_at, shift), _shifted(self.expires_at, shift))


class Unusable(FrozenStruct, frozen=True):
    """The access tokens that a new one must differ from."""

    current: Secret | None
    """The one that is to be renewed."""
    rejected: Secret | None
    """The one that the API rejected before its time."""

    def holds(self, access: Secret) -> bool:
        """Return whether *access* is one of them."""
        return access in (self.current, self.rejected)


def _shifted(moment: float | None, seconds: float) -> float | None:
    return None if moment is None else moment + seconds


def _life(expires_in: Any) -> float | None:
    """Return the stated seconds; None for anything but a positive number or its text."""
    if isinstance(expires_in, str):
        expires_in = _number(expires_in)
    if isinstance(expires_in, bool) or not isinstance(expires_in, int | float) or not expires_in > 0:
        return None
    # Compared before it is converted: a number of 400 digits is no float.
    return float(expires_in) if expires_in < _LONGEST_LIFE_SECONDS else _LONGEST_LIFE_SECONDS


def _number(text: str) -> float | None:
    if _MORE_DIGITS.fullmatch(text):
        return _LONGEST_LIFE_SECONDS
    return float(text) if _NUMBER.fullmatch(text) else None
