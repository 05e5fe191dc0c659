"""What a check is about: a person, and the offers and products of which one is enough."""

from collections.abc import Iterable
from typing import Any, Final

import attrs

from kajabi_async.errors import InvalidArgumentError
from kajabi_async.fetching.email_address import checked_email
from kajabi_async.hints import nearest_name
from kajabi_async.jsonapi.ids import checked_id
from kajabi_async.resources.arguments import checked_ids

__all__ = ["Person", "Question", "refuse_unknown_arguments"]

_MOST_NAMED: Final = 5


@attrs.frozen
class Question:
    """Any one of these is enough; without any, every access counts."""

    offers: tuple[str, ...]
    products: tuple[str, ...]

    @classmethod
    def of(cls, offers: Iterable[str | int], products: Iterable[str | int]) -> "Question":
        """Return the question; InvalidArgumentError for values that are no ids, or one id by itself."""
        return cls(checked_ids(offers, of="offers"), checked_ids(products, of="products"))

    @property
    def is_any(self) -> bool:
        """Whether every access counts."""
        return not self.offers and not self.products

    def __str__(self) -> str:
        if self.is_any:
            return "any offer, product or active purchase"
        parts = (_named("offer", self.offers), _named("product", self.products))
        return ", ".join(filter(None, parts))


def _named(kind: str, ids: tuple[str, ...]) -> str:
    if not ids:
        return ""
    more = f" and {len(ids) - _MOST_NAMED} more" if len(ids) > _MOST_NAMED else ""
    return f"{kind} {' or '.join(ids[:_MOST_NAMED])}{more}"


@attrs.frozen
class Person:
    """Whom a check is about: exactly one of the two is set."""

    email: str | None = attrs.field(default=None, repr=False)
    """The key of the email, which is compared; never stored."""
    customer_id: str | None = None

    @classmethod
    def of(cls, email: Any, customer_id: Any) -> "Person":
        """Return the person; InvalidArgumentError unless exactly one argument is set, and well formed."""
        if (email is None) == (customer_id is None):
            raise InvalidArgumentError("check() takes either email= or customer_id=")
        if email is None:
            return cls(customer_id=checked_id(customer_id, of="customers"))
        return cls(email=checked_email(email))


def refuse_unknown_arguments(unknown: dict[str, Any], *, of: str, known: list[str]) -> None:
    """InvalidArgumentError for the first of the arguments that the method *of* does not have."""
    for name in unknown:
        near = nearest_name(name, known) or f"; its arguments are {', '.join(known)}"
        raise InvalidArgumentError(f"{of}() has no argument {name!r}{near}")
