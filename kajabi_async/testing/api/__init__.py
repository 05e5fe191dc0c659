"""The writing operations, by their names in ``kajabi_async.operations``.

Imports `testing.world`: what an operation works on. Read `shows` first, then `people`.
"""

from typing import Final

from kajabi_async.testing.api.account import create_hook, delete_hook
from kajabi_async.testing.api.commerce import cancel_subscription, change_offers, deactivate, reactivate
from kajabi_async.testing.api.forms import submit_form
from kajabi_async.testing.api.people import (
    change_tags,
    create_contact,
    create_note,
    delete_contact,
    delete_note,
    update_contact,
    update_note,
)
from kajabi_async.testing.world import Handler

__all__ = ["WRITE_HANDLERS"]

WRITE_HANDLERS: Final[dict[str, Handler]] = {
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
"""The handlers of all writing operations except the two of OAuth."""
