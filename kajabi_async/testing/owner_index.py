"""The written rows of a type by their owner, so that none of them has to be searched for."""

from collections.abc import Callable, Iterator
from enum import Enum
from typing import TYPE_CHECKING, Final

from kajabi_async.testing.dataset.family import Readable

if TYPE_CHECKING:
    from kajabi_async.testing.state import Seed, Store

__all__ = ["Links", "Owned", "SeededLinks"]

_LATEST: Final = 16
"""The latest writes are read later: a row is still changed after it is written down."""


def _email(row: Readable) -> tuple[str, ...]:
    return (str(row.value("email")).casefold(),)


def _contact(row: Readable) -> tuple[str, ...]:
    return row.related("contact")


def _customer(row: Readable) -> tuple[str, ...]:
    return row.related("customer")


def _submitter(row: Readable) -> tuple[str, ...]:
    contact_id = row.value("contact_id")
    return () if contact_id is None else (str(contact_id),)


class Owned(Enum):
    """A way in which rows of a type belong to an owner, which is a text such as an id."""

    CONTACTS_OF_EMAIL = ("contacts", _email)
    CONTACTS_OF_CUSTOMER = ("contacts", _customer)
    CUSTOMERS_OF_CONTACT = ("customers", _contact)
    PURCHASES_OF_CUSTOMER = ("purchases", _customer)
    TRANSACTIONS_OF_CUSTOMER = ("transactions", _customer)
    SUBMISSIONS_OF_CONTACT = ("form_submissions", _submitter)

    def __init__(self, type_name: str, owners_of: Callable[[Readable], tuple[str, ...]]) -> None:
        """Say which type it is, and which owners a row has."""
        self.type = type_name
        self.owners_of = owners_of


class Links:
    """The written rows of one type by owner; a row stays with an owner that it has had."""

    def __init__(self, owned: Owned, store: "Store") -> None:
        """Follow the writes of *store*."""
        self.owned = owned
        self._store = store
        self._by_owner: dict[str, dict[str, None]] = {}
        self._owners: dict[str, dict[str, None]] = {}
        self._unread: dict[str, None] = {}

    def note(self, resource_id: str) -> None:
        """Note a write to a row; read rows that were written before."""
        self._unread.pop(resource_id, None)
        self._unread[resource_id] = None
        if len(self._unread) > _LATEST:
            self._read(next(iter(self._unread)))

    def of(self, owner: str) -> tuple[str, ...]:
        """Return the ids of written rows that belong to *owner*, or did."""
        self._read_all()
        return tuple(self._by_owner.get(owner, ()))

    def owners(self, resource_id: str) -> tuple[str, ...]:
        """Return the owners of a row: by the seed, and every one that a write gave it."""
        self._read_all()
        seeded = self._store.seed.get(self.owned.type, resource_id)
        given = self._owners.get(resource_id, {})
        return tuple({**(dict.fromkeys(self.owned.owners_of(seeded)) if seeded else {}), **given})

    def _read_all(self) -> None:
        while self._unread:
            self._read(next(iter(self._unread)))

    def _read(self, resource_id: str) -> None:
        del self._unread[resource_id]
        row = self._store.get(self.owned.type, resource_id)
        for owner in () if row is None else self.owned.owners_of(row):
            self._by_owner.setdefault(owner, {})[resource_id] = None
            self._owners.setdefault(resource_id, {})[owner] = None


class SeededLinks:
    """The seeded rows of one type by owner, read once all of them."""

    def __init__(self, owned: Owned, seed: "Seed") -> None:
        """Read nothing yet."""
        self._owned = owned
        self._seed = seed
        self._by_owner: dict[str, list[str]] = {}
        self._read = 0

    def reading(self) -> Iterator[None]:
        """Read the rows, and yield after each."""
        while self._read < self._seed.size(self._owned.type):
            row = self._seed.at(self._owned.type, self._read)
            self._read += 1
            for owner in self._owned.owners_of(row):
                self._by_owner.setdefault(owner, []).append(row.id)
            yield

    def of(self, owner: str) -> tuple[str, ...]:
        """Return the ids of the rows that belong to *owner*."""
        for _ in self.reading():
            pass
        return tuple(self._by_owner.get(owner, ()))
