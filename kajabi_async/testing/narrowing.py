"""The seeded rows that can pass an exact filter, found without reading the others.

Ids and emails of the data set contain the number of their customer, so a filter that names one leaves a few positions.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from kajabi_async.testing.dataset.people import numbers_with
from kajabi_async.testing.state import Seed

__all__ = ["seeded_positions"]

_PEOPLE: Final = frozenset({"contacts", "customers"})
_OF_CUSTOMER: Final = frozenset({"orders", "purchases", "transactions"})
_SUFFIXES: Final = range(10)
"""The last digit of the id of what a customer owns; the digits before it are the customer's id."""


def seeded_positions(type_name: str, name: str, value: str, seed: Seed) -> Sequence[int] | None:
    """Return the ascending positions of the seeded rows that may pass a filter; None for all of them."""
    if type_name in _PEOPLE and name in {"email_contains", "search"}:
        return _with_email(value.casefold().split() if name == "search" else [value.casefold()], seed.size(type_name))
    if type_name in _OF_CUSTOMER and name == "customer_id":
        return _owned(type_name, value, seed)
    return None


def _with_email(texts: Iterable[str], count: int) -> range | None:
    # Only an email contains the sign.
    found = [numbers_with(text, count) for text in texts if "@" in text]
    if not found:
        return None
    fewest = min(found, key=len)
    return range(fewest.start - 1, fewest.stop - 1, fewest.step)


def _owned(type_name: str, value: str, seed: Seed) -> list[int]:
    ids = (f"{customer.strip()}{suffix}" for customer in value.split(",") for suffix in _SUFFIXES)
    return sorted({at for each in ids if (at := seed.position(type_name, each)) is not None})
