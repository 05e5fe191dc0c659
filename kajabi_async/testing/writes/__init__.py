"""The writing operations, by their names in ``kajabi_async.operations``."""

from typing import Final

from kajabi_async.testing.world import Handler
from kajabi_async.testing.writes.contacts import create_contact, delete_contact, update_contact
from kajabi_async.testing.writes.forms import submit_form
from kajabi_async.testing.writes.grants import change_offers
from kajabi_async.testing.writes.hooks import create_hook, delete_hook
from kajabi_async.testing.writes.notes import create_note, delete_note, update_note
from kajabi_async.testing.writes.purchases import cancel_subscription, deactivate, reactivate
from kajabi_async.testing.writes.tags import change_tags

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
