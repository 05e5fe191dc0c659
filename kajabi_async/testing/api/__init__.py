"""The operations of the fake, each with its handler.

Imports `testing.world`: what an operation works on. Read `shows` first, then `people`.
"""

from typing import Final
from urllib.parse import unquote

from kajabi_async.operations import OPERATIONS, AnswerKind, Operation, operation_at
from kajabi_async.testing.api.account import create_hook, delete_hook
from kajabi_async.testing.api.commerce import cancel_subscription, change_offers, deactivate, reactivate
from kajabi_async.testing.api.forms import submit_form
from kajabi_async.testing.api.people import (
    change_tags,
    create_contact,
    create_note,
    delete_contact,
    delete_note,
    find_notes,
    update_contact,
    update_note,
)
from kajabi_async.testing.api.samples import SAMPLE_HANDLERS
from kajabi_async.testing.api.shows import find_page, list_page, read_linkage, read_me, read_version, show
from kajabi_async.testing.world import Handler, LongWork

__all__ = ["HANDLERS", "LONG_WORK", "matched"]

_READ_HANDLERS: Final[dict[AnswerKind, Handler]] = {
    AnswerKind.RESOURCE: show,
    AnswerKind.COLLECTION: list_page,
    AnswerKind.LINKAGE: read_linkage,
}
_OTHER_HANDLERS: Final[dict[str, Handler]] = {
    "me": read_me,
    "version": read_version,
    **SAMPLE_HANDLERS,
    "contacts.create": create_contact,
    "contacts.update": update_contact,
    "contacts.delete": delete_contact,
    "contact_notes.create": create_note,
    "contact_notes.update": update_note,
    "contact_notes.delete": delete_note,
    "forms.submit": submit_form,
    "hooks.create": create_hook,
    "hooks.delete": delete_hook,
    "purchases.deactivate": deactivate,
    "purchases.reactivate": reactivate,
    "purchases.cancel_subscription": cancel_subscription,
    **{f"contacts.{verb}.tags": change_tags for verb in ("POST", "PATCH", "DELETE")},
    **{
        f"{owner}.{verb}.offers": change_offers
        for owner in ("contacts", "customers")
        for verb in ("POST", "PATCH", "DELETE")
    },
}

HANDLERS: Final[dict[str, Handler]] = {
    name: _OTHER_HANDLERS.get(name) or _READ_HANDLERS[row.answer]
    for name, row in OPERATIONS.items()
    if not name.startswith("oauth.")
}
"""The handler of each operation except the two of OAuth, which need no world."""

LONG_WORK: Final[dict[str, LongWork]] = {
    "contacts.delete": find_notes,
    **{name: find_page for name, handler in HANDLERS.items() if handler is list_page},
}
"""What is done before a handler by name of the operation; without it, the handler would do the same at once."""

_SERVED: Final = frozenset(OPERATIONS)
"""Rows that are added later belong to resources that the fake does not know."""


def matched(method: str, raw_path: str) -> tuple[Operation, str] | None:
    """Return the operation for a percent-encoded path, with the decoded id; None if no operation matches."""
    found = operation_at(method, raw_path)
    if found is None or found[0].name not in _SERVED:
        return None
    row, encoded_id = found
    return row, unquote(encoded_id)
