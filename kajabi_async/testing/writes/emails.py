"""The API's checks of an email address: well formed, deliverable, and unique on the site."""

import re
from typing import Any, Final

from kajabi_async.testing.answers import unprocessable
from kajabi_async.testing.ownership import contact_with_email
from kajabi_async.testing.world import World

__all__ = ["checked_email", "free_email"]

_ADDRESS: Final = re.compile(r"[^\s@,;<>]+@[^\s@,;<>.]+(\.[^\s@,;<>.]+)+")


def checked_email(given: Any) -> str:
    """Return the address in lower case; 422 if it is missing, malformed, or under ``.invalid``."""
    email = given.strip().casefold() if isinstance(given, str) else ""
    if not email:
        raise unprocessable("email", "can't be blank")
    if not _ADDRESS.fullmatch(email):
        raise unprocessable("email", "Please double check your email address.")
    if email.endswith(".invalid"):
        raise unprocessable("email", "Undeliverable address")
    return email


def free_email(world: World, given: Any, site_id: str | None, *, contact_id: str | None = None) -> str:
    """Return the address in lower case; 422 if a contact of the site other than *contact_id* has it."""
    email = checked_email(given)
    holder = contact_with_email(world.store, email, site_id)
    if holder is not None and holder.id != contact_id:
        raise unprocessable("email", "has already been taken")
    return email
