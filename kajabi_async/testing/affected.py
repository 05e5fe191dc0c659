"""The rows of a list whose filters may turn out otherwise after a write: written rows, and those that read them."""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Final

from kajabi_async.testing.owner_index import Owned
from kajabi_async.testing.state import Store

__all__ = ["affected_by"]

_ReadBy = Callable[[Store, str], Iterable[str]]
"""Returns the ids of the rows that may read the row with an id."""

_SUFFIXES: Final = range(10)


def affected_by(store: Store, type_name: str, version: int) -> dict[str, None]:
    """Return the ids of the type that writes after *version* may have moved into or out of a list."""
    found = dict.fromkeys(store.written_since(type_name, version))
    for written, read_by in _READERS.get(type_name, {}).items():
        found |= dict.fromkeys(_readers(store, store.written_since(written, version), read_by))
    return found


def _readers(store: Store, ids: Iterable[str], read_by: _ReadBy) -> Iterator[str]:
    return chain.from_iterable(read_by(store, resource_id) for resource_id in ids)


def _contacts_of(store: Store, customer_id: str) -> Iterable[str]:
    seeded = store.seed.get("customers", customer_id)
    return *(seeded.related("contact") if seeded else ()), *store.written_of(Owned.CONTACTS_OF_CUSTOMER, customer_id)


def _customers_of(store: Store, contact_id: str) -> Iterable[str]:
    seeded = store.seed.get("contacts", contact_id)
    return *(seeded.related("customer") if seeded else ()), *store.written_of(Owned.CUSTOMERS_OF_CONTACT, contact_id)


def _buyers(store: Store, purchase_id: str) -> Iterable[str]:
    return store.owners(Owned.PURCHASES_OF_CUSTOMER, purchase_id)


def _submitters(store: Store, submission_id: str) -> Iterable[str]:
    return store.owners(Owned.SUBMISSIONS_OF_CONTACT, submission_id)


def _transactions_of(store: Store, customer_id: str) -> Iterable[str]:
    seeded = (f"{customer_id}{suffix}" for suffix in _SUFFIXES)
    return *seeded, *store.written_of(Owned.TRANSACTIONS_OF_CUSTOMER, customer_id)


_READERS: Final[dict[str, dict[str, _ReadBy]]] = {
    "contacts": {
        "customers": _contacts_of,
        "purchases": lambda store, key: _readers(store, _buyers(store, key), _contacts_of),
        "form_submissions": _submitters,
    },
    "customers": {
        "contacts": _customers_of,
        "purchases": _buyers,
        "form_submissions": lambda store, key: _readers(store, _submitters(store, key), _customers_of),
    },
    "transactions": {"customers": _transactions_of},
}
"""By type of a list and type of a written row, who reads it."""
