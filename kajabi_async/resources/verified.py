"""Writes that look before they repeat, for what can be looked up: linkage, and contacts by email.

There are no idempotency keys, so a write whose answer was lost is never repeated blindly. With ``verify=True`` the
state is read instead: what has taken effect is given as the answer, and only what has not is sent again.
"""

from collections.abc import Awaitable, Callable, Collection
from typing import Final, TypeVar

import attrs

from kajabi_async.errors import ApiError, KajabiError, RequestTimeoutError

__all__ = ["LinkageChange", "verified"]

T = TypeVar("T")

_ATTEMPTS: Final = 3
_SETTLE_SECONDS: Final = 1.0
"""How long the server is given to end what it may still be at, before it is asked."""
_GATEWAY_TIMEOUT: Final = 504


async def verified(
    write: Callable[[], Awaitable[T]],
    look: Callable[[], Awaitable[T | None]],
    *,
    sleep: Callable[[float], Awaitable[object]],
    refused: tuple[type[KajabiError], ...] | type[KajabiError] = (),
) -> T:
    """Return what *write* returns or, if its answer was lost, what *look* finds to have taken effect.

    If it finds nothing the write is repeated, twice at most, unless the time ran out: the server may still be at it
    then, and the error is raised as it came. So it is if looking fails. After an error of *refused*, which says that
    nothing was done, perhaps because everything was done before, *look* decides whether it is raised.
    """
    attempt = 0
    while True:
        attempt += 1
        try:
            return await write()
        except refused as error:
            found = await _look_after(error, look)
            if found is None:
                raise
            return found
        except KajabiError as error:
            if not error.maybe_applied:
                raise
            lost = error
        await sleep(_SETTLE_SECONDS)
        found = await _look_after(lost, look)
        if found is not None:
            return found
        if attempt == _ATTEMPTS or _may_be_under_way(lost):
            raise lost


async def _look_after(failure: KajabiError, look: Callable[[], Awaitable[T | None]]) -> T | None:
    """Return what *look* finds; *failure* is raised if it fails itself."""
    try:
        return await look()
    except KajabiError:
        raise failure from None


@attrs.define
class LinkageChange:
    """A change of linkage by one verb (JSON:API, "Updating To-Many Relationships"), and what is left of it."""

    verb: str
    """POST adds, DELETE takes away, PATCH replaces."""
    ids: tuple[str, ...]
    """Those that the next request has to name."""

    def is_done(self, held: Collection[str]) -> bool:
        """Tell whether *held* is what the change leads to; otherwise the next request names what is left."""
        if self.verb == "PATCH":
            return set(held) == set(self.ids)
        adds = self.verb == "POST"
        self.ids = tuple(each for each in self.ids if (each in held) is not adds)
        return not self.ids


def _may_be_under_way(error: KajabiError) -> bool:
    return isinstance(error, RequestTimeoutError) or (isinstance(error, ApiError) and error.status == _GATEWAY_TIMEOUT)
