"""The lists that are watched: how each is sorted, and the stamp by which its rows are known.

The API document names these sort keys: ``updated_at`` for purchases and contact notes, ``created_at`` for orders,
contacts, customers and form submissions. Submissions carry no time, so their ids, which the server counts up, stand
for it.
"""

import json
import zlib
from collections.abc import Mapping
from typing import Any, Final, Literal, get_args

import attrs

from kajabi_async.changes.kinds import Change, ContactAdded, CustomerAdded, FormSubmitted, NoteWritten, OrderPlaced
from kajabi_async.changes.window import Version, stamp_in
from kajabi_async.checks import names_in
from kajabi_async.errors import InvalidArgumentError
from kajabi_async.fetching.context import Context
from kajabi_async.fetching.page import ListRequest
from kajabi_async.hints import nearest_name
from kajabi_async.models.resource import Resource
from kajabi_async.resources.base import Listable
from kajabi_async.resources.commerce import Orders, Purchases
from kajabi_async.resources.forms import FormSubmissions
from kajabi_async.resources.people import ContactNotes, Contacts, Customers

__all__ = ["PAGE_SIZE", "WATCHED", "WatchName", "Watched", "checked_watch", "digest_of"]

WatchName = Literal["purchases", "orders", "form_submissions", "contact_notes", "customers", "contacts"]
"""The lists that can be watched."""

PAGE_SIZE: Final = 100
"""The rows of a page: what contact notes allow (API document), and what integrators use for the others."""

_MOST_DIGITS: Final = 18


@attrs.frozen
class Watched:
    """One list, and how its rows become changes."""

    name: WatchName
    operations: type[Listable[Any]]
    sort_key: str
    noticed_as: type[Change] | None
    """The kind of change that a row is; None for purchases, which are several."""
    is_timed: bool = True
    """Whether the rows carry the time that the list is sorted by."""
    is_versioned: bool = False
    """Whether a row comes to the front again when it is written."""

    def request(self, context: Context, **options: Any) -> ListRequest[Any]:
        """Return the request of the list, of the client's site if it has one."""
        operations: Any = self.operations(context)
        request: ListRequest[Any] = operations.list(page_size=PAGE_SIZE, **options).lister
        return request

    def version_of(self, row: Resource) -> Version | None:
        """Return the version of *row*; None if it carries no stamp, or one that cannot be read."""
        stamp = self._stamp(row)
        if stamp is None:
            return None
        return Version(stamp, row.id, digest_of(row) if self.is_versioned else 0)

    def _stamp(self, row: Resource) -> int | None:
        if not self.is_timed:
            return int(row.id) if row.id.isascii() and row.id.isdecimal() and len(row.id) <= _MOST_DIGITS else None
        return stamp_in(row, self.sort_key)


def digest_of(row: Resource, *, without: frozenset[str] = frozenset(), relations: bool = False) -> int:
    """Return 32 bits of what *row* says, *without* some of its members."""
    members = {name: value for name, value in row.to_dict(relations=relations).items() if name not in without}
    return zlib.crc32(json.dumps(members, sort_keys=True, default=str).encode("utf-8", "surrogatepass"))


WATCHED: Final[Mapping[str, Watched]] = {
    each.name: each
    for each in (
        Watched("purchases", Purchases, "updated_at", None, is_versioned=True),
        Watched("orders", Orders, "created_at", OrderPlaced),
        Watched("form_submissions", FormSubmissions, "created_at", FormSubmitted, is_timed=False),
        Watched("contact_notes", ContactNotes, "updated_at", NoteWritten, is_versioned=True),
        Watched("customers", Customers, "created_at", CustomerAdded),
        Watched("contacts", Contacts, "created_at", ContactAdded),
    )
}
"""The lists in the order in which a poll reads them: what follows from something else before that."""


def checked_watch(names: Any) -> tuple[Watched, ...]:
    """Return the lists called *names*, one or several, all for None; InvalidArgumentError with the nearest name."""
    if names is None:
        return tuple(WATCHED.values())
    chosen = dict.fromkeys(names_in(names, of="watch"))
    for name in chosen:
        if name not in WATCHED:
            near = nearest_name(name, [*get_args(WatchName)]) or f"; known are {', '.join(WATCHED)}"
            raise InvalidArgumentError(f"no list {name!r} can be watched{near}")
    if not chosen:
        raise InvalidArgumentError(f"watch= names no list; known are {', '.join(WATCHED)}")
    return tuple(each for each in WATCHED.values() if each.name in chosen)
