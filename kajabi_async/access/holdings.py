"""What is stored of people: ids and times, as JSON, and checked like an answer when it is read again."""

import math
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final, TypeVar

import attrs

from kajabi_async.errors import DecodeError, InvalidIdError
from kajabi_async.jsonapi.codec import decode, encode, json_array, json_object
from kajabi_async.jsonapi.ids import checked_id
from kajabi_async.jsonapi.limits import MAX_ELEMENTS, excess_in

__all__ = ["ActivePurchase", "Contents", "CustomerIds", "Holdings", "Identity", "Mark", "read_record", "written_record"]

_VERSION: Final = 1
_LATEST_MOMENT: Final = 10.0**11
_LONGEST: Final = 2**20
"""Bytes of a record: far more than any person's, so that a foreign value costs little."""
_MOST_READ: Final = 4096
_HEX: Final = frozenset("0123456789abcdef")

R = TypeVar("R")


class _InvalidError(Exception):
    """A value that no record of this package has."""


@attrs.frozen
class ActivePurchase:
    """A purchase that was not over when it was read."""

    id: str
    offer: str | None
    products: tuple[str, ...]
    ends_at: float | None
    """The planned end, in seconds since the epoch."""

    def is_over(self, now: float) -> bool:
        """Return whether its planned end has come."""
        return self.ends_at is not None and self.ends_at <= now


@attrs.frozen
class Holdings:
    """What one customer holds."""

    customer: str
    as_of: float
    """When the reading started, in seconds since the epoch."""
    mark: str
    """The mark of the customer that was valid then; a later one makes this record worthless."""
    email: str
    """The keyed hash of the email; empty if the customer has none."""
    offers: tuple[str, ...] = ()
    products: tuple[str, ...] = ()
    purchases: tuple[ActivePurchase, ...] = ()
    exists: bool = True
    is_complete: bool = True
    """Whether everything was read: otherwise it can prove a yes, and no no."""


@attrs.frozen
class Identity:
    """The customers that have an email."""

    as_of: float
    mark: str
    customers: tuple[str, ...]
    is_proven: bool
    """Whether it is certain that there are no others."""


@attrs.frozen
class Contents:
    """The products that come with an offer."""

    as_of: float
    offer: str
    products: tuple[str, ...]


@attrs.frozen
class CustomerIds:
    """The customers to forget with an email or a contact."""

    ids: tuple[str, ...]


@attrs.frozen
class Mark:
    """Left by `forget`: what was read before it is worthless."""

    token: str
    at: float


def written_record(record: Any) -> bytes:
    """Return *record* as JSON, with its kind and the version of this layout."""
    return encode({"v": _VERSION, "kind": type(record).__name__, **attrs.asdict(record)})


def read_record(raw: object, kind: type[R]) -> R | None:
    """Return the record of *kind* in *raw*; None for everything else, which is read and written again."""
    if type(raw) is not bytes or len(raw) > _LONGEST or excess_in(raw, MAX_ELEMENTS, ""):
        return None
    found = _record(raw)
    return found if isinstance(found, kind) else None


@lru_cache(maxsize=_MOST_READ)
def _record(raw: bytes) -> Any:
    try:
        members = json_object(decode(raw)) or {}
        kind = _KINDS.get(members.get("kind", ""))
        if members.get("v") != _VERSION or isinstance(members["v"], bool) or kind is None:
            return None
        return kind(**{field.name: _CHECKS[field.name](members.get(field.name)) for field in attrs.fields(kind)})
    except (DecodeError, InvalidIdError, _InvalidError, TypeError):
        return None


def _purchase(value: Any) -> ActivePurchase:
    members = json_object(value) or {}
    offer, ends_at = members.get("offer"), members.get("ends_at")
    return ActivePurchase(
        id=_id(members.get("id")),
        offer=None if offer is None else _id(offer),
        products=_ids(members.get("products")),
        ends_at=None if ends_at is None else _moment(ends_at),
    )


def _array(value: Any) -> list[Any]:
    elements = json_array(value)
    if elements is None:
        raise _InvalidError
    return elements


def _ids(value: Any) -> tuple[str, ...]:
    return tuple(map(_id, _array(value)))


def _id(value: Any) -> str:
    if not isinstance(value, str):
        raise _InvalidError
    return checked_id(value)


def _token(value: Any) -> str:
    if not isinstance(value, str) or not _HEX.issuperset(value):
        raise _InvalidError
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _InvalidError
    return value


def _moment(value: Any) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    # Written so that NaN is rejected, too.
    if not is_number or not 0 <= value < _LATEST_MOMENT or math.isnan(value):
        raise _InvalidError
    return float(value)


def _purchases(value: Any) -> tuple[ActivePurchase, ...]:
    return tuple(map(_purchase, _array(value)))


_KINDS: Final[Mapping[str, type[Any]]] = {
    kind.__name__: kind for kind in (Holdings, Identity, Contents, CustomerIds, Mark)
}
_CHECKS: Final[Mapping[str, Callable[[Any], Any]]] = {
    **dict.fromkeys(("customer", "offer"), _id),
    **dict.fromkeys(("customers", "ids", "offers", "products"), _ids),
    **dict.fromkeys(("as_of", "at"), _moment),
    **dict.fromkeys(("email", "mark", "token"), _token),
    **dict.fromkeys(("exists", "is_complete", "is_proven"), _flag),
    "purchases": _purchases,
}
"""What each member of a record must be, whatever its kind."""
