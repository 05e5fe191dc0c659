"""Who holds what now: the purchases of a customer, the offers that follow from them, the person behind an email."""

from datetime import datetime
from typing import Final

from kajabi_async.testing.comparing import moment
from kajabi_async.testing.dataset.graph import CONTACT_IDS_FROM
from kajabi_async.testing.dataset.people import contact_number
from kajabi_async.testing.rows import Row, ToMany
from kajabi_async.testing.store import Store

__all__ = ["contact_with_email", "is_active", "is_subscribed", "purchases_of", "set_offers"]

_MOST_PURCHASES: Final = 3


def purchases_of(store: Store, customer_id: str) -> list[Row]:
    """Give the purchases of a customer, ended ones too."""
    seeded = [store.get("purchases", f"{customer_id}{slot}") for slot in range(_MOST_PURCHASES)]
    found = {row.id: row for row in seeded if row}
    found |= {row.id: row for row in store.changed_rows("purchases")}
    return [row for row in found.values() if row.related("customer") == (customer_id,)]


def is_active(purchase: Row, now: datetime) -> bool:
    """Return whether the purchase gives access at *now*; its end may lie ahead."""
    ended = moment(purchase.attributes.get("deactivated_at"))
    return ended is None or ended > now


def is_subscribed(purchase: Row, now: datetime) -> bool:
    """Return whether somebody still pays: access off does not stop the billing (API document)."""
    if "is_subscribed" in purchase.hidden:
        return bool(purchase.hidden["is_subscribed"])
    return is_active(purchase, now) and purchase.attributes.get("payment_type") in {"subscription", "multipay"}


def set_offers(store: Store, customer_id: str, offer_ids: tuple[str, ...]) -> None:
    """Let the customer hold just these offers, with the products in them; the contact shows the same."""
    held = ToMany("offers", tuple(dict.fromkeys(offer_ids)))
    offers = [offer for offer_id in held.ids if (offer := store.get("offers", offer_id))]
    products = dict.fromkeys(product for offer in offers for product in offer.related("products"))
    customer = store.edit("customers", customer_id)
    customer.relations["offers"] = held
    customer.relations["products"] = ToMany("products", tuple(products))
    for contact_id in customer.related("contact"):
        if store.get("contacts", contact_id):
            store.edit("contacts", contact_id).relations["offers"] = held


def contact_with_email(store: Store, email: str, site_id: str | None) -> Row | None:
    """Find the contact of the site with that address, without looking at every contact."""
    number = contact_number(email)
    seeded = None if number is None else store.get("contacts", str(CONTACT_IDS_FROM + number))
    candidates = [seeded] if seeded else []
    candidates += store.changed_rows("contacts")
    matches = (row for row in candidates if str(row.attributes.get("email")).casefold() == email)
    return next((row for row in matches if site_id is None or row.site_id == site_id), None)
