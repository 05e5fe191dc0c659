"""Current ownership: the purchases of a customer, the offers they grant, the contact with an email."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final, TypeVar

from kajabi_async.testing.comparing import moment
from kajabi_async.testing.dataset.family import Readable
from kajabi_async.testing.dataset.graph import CONTACT_IDS_FROM
from kajabi_async.testing.dataset.people import contact_number
from kajabi_async.testing.owner_index import Owned
from kajabi_async.testing.rows import LinkToMany, Row
from kajabi_async.testing.state import Source, Store

__all__ = ["contact_with_email", "is_active", "is_subscribed", "purchases_of", "set_offers", "submissions_of"]

R = TypeVar("R", bound=Readable)

_MOST_PURCHASES: Final = 3


def purchases_of(store: Source[R], customer_id: str) -> list[R]:
    """Return the purchases of a customer, including ended ones."""
    seeded = (f"{customer_id}{slot}" for slot in range(_MOST_PURCHASES))
    found = _existing(store, Owned.PURCHASES_OF_CUSTOMER, seeded, customer_id)
    return [row for row in found if row.related("customer") == (customer_id,)]


def submissions_of(store: Source[R], contact_id: str) -> list[R]:
    """Return the form submissions of a contact."""
    found = _existing(store, Owned.SUBMISSIONS_OF_CONTACT, store.seed.submissions.of(contact_id), contact_id)
    return [row for row in found if row.value("contact_id") == contact_id]


def _existing(store: Source[R], owned: Owned, seeded: Iterable[str], owner: str) -> list[R]:
    """Return the existing rows of *seeded* ids and those written for *owner*; each may belong to another by now."""
    ids = dict.fromkeys((*seeded, *store.written_of(owned, owner)))
    return [row for key in ids if (row := store.get(owned.type, key)) is not None]


def is_active(purchase: Row, now: datetime) -> bool:
    """Return whether the purchase grants access at *now*; its end may lie in the future."""
    ended = moment(purchase.attributes.get("deactivated_at"))
    return ended is None or ended > now


def is_subscribed(purchase: Row, now: datetime) -> bool:
    """Return whether the subscription is still billed: removing access does not stop the billing (API document)."""
    if "is_subscribed" in purchase.hidden:
        return bool(purchase.hidden["is_subscribed"])
    return is_active(purchase, now) and purchase.attributes.get("payment_type") in {"subscription", "multipay"}


def set_offers(store: Store, customer_id: str, offer_ids: tuple[str, ...]) -> None:
    """Set the customer's offers to exactly these, with their products, and the contact's offers likewise."""
    linkage = LinkToMany("offers", tuple(dict.fromkeys(offer_ids)))
    offers = [offer for offer_id in linkage.ids if (offer := store.get("offers", offer_id))]
    products = dict.fromkeys(product for offer in offers for product in offer.related("products"))
    customer = store.edit("customers", customer_id)
    customer.relations["offers"] = linkage
    customer.relations["products"] = LinkToMany("products", tuple(products))
    for contact_id in customer.related("contact"):
        if store.get("contacts", contact_id):
            store.edit("contacts", contact_id).relations["offers"] = linkage


def contact_with_email(store: Store, email: str, site_id: str | None) -> Row | None:
    """Return the contact of the site with that address, without a scan of all contacts; None if there is none."""
    number = contact_number(email)
    seeded = () if number is None else (str(CONTACT_IDS_FROM + number),)
    candidates = _existing(store, Owned.CONTACTS_OF_EMAIL, seeded, email)
    matches = (row for row in candidates if str(row.attributes.get("email")).casefold() == email)
    return next((row for row in matches if site_id is None or row.site_id == site_id), None)
