"""Granting and revoking offers, and what can be done to a purchase (API document, "Grant offer to contact")."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from kajabi_async.testing.api.bodies import document_of, linkage_ids
from kajabi_async.testing.api.shows import required_row, written_linkage, written_row
from kajabi_async.testing.dataset.people import attributes_of_new_customer
from kajabi_async.testing.json_shapes import is_object
from kajabi_async.testing.ownership import is_active, is_subscribed, purchases_of, set_offers
from kajabi_async.testing.replies import ApiProblem, Reply
from kajabi_async.testing.rows import Linkage, LinkToMany, LinkToOne, Row
from kajabi_async.testing.world import Call, World

__all__ = ["cancel_subscription", "change_offers", "deactivate", "grant", "reactivate", "revoke"]

_DEACTIVATED: Final = "deactivated"
_REVOKED: Final = "offer_revoked"


def change_offers(world: World, call: Call) -> Reply:
    """Add, remove or replace the offers of a contact or a customer; answer with the new linkage."""
    row = required_row(world, call.type, call.resource_id)
    document = document_of(call)
    offers = [required_row(world, "offers", offer_id) for offer_id in linkage_ids(document, "offers")]
    current = set(row.related("offers"))
    if call.operation.method == "POST" and world.quirks.already == "refused" and current & {each.id for each in offers}:
        raise ApiProblem(422, "Offer has already been granted")
    named = {offer.id for offer in offers}
    if call.operation.method == "DELETE":
        revoke(world, row, named)
    if call.operation.method == "PATCH":
        revoke(world, row, current - named)
    if call.operation.method in {"POST", "PATCH"}:
        # A welcome email is documented for contacts only.
        grant(world, row, offers, sends_welcome_email=row.type == "contacts" and _sends_welcome_email(document))
    return written_linkage(world, call)


def _sends_welcome_email(document: Mapping[str, Any]) -> bool:
    meta = document.get("meta", {})
    if not is_object(meta):
        raise ApiProblem(400, "meta has to be an object", {"pointer": "/meta"})
    return meta.get("send_customer_welcome_email") not in {False, "false"}


def grant(world: World, row: Row, offers: Iterable[Row], *, sends_welcome_email: bool) -> None:
    """Grant *offers* to a contact or a customer; an offer that it already has takes no effect."""
    customer = row if row.type == "customers" else _customer_of(world, row, create=True)
    current = customer.related("offers") if customer else ()
    new = [offer for offer in offers if offer.id not in current]
    if customer is not None and world.quirks.regrant == "no effect":
        new = [offer for offer in new if not _was_ended(world, customer, offer)]
    if customer is None or not new:
        return
    set_offers(world.store, customer.id, (*current, *(offer.id for offer in new)))
    for offer in new:
        _note_grant(world, customer, offer, sends_welcome_email=sends_welcome_email)


def _was_ended(world: World, customer: Row, offer: Row) -> bool:
    """Return whether a purchase of the offer was deactivated, other than by revoking the offer."""
    ended = (each for each in purchases_of(world.store, customer.id) if not is_active(each, world.now()))
    return any(
        offer.id in each.related("offer")
        and each.attributes.get("deactivation_reason") == _DEACTIVATED
        and not each.hidden.get("may_be_granted_again")
        for each in ended
    )


def _note_grant(world: World, customer: Row, offer: Row, *, sends_welcome_email: bool) -> None:
    email = customer.attributes.get("email")
    world.note("offer_granted", customer, offer)
    if sends_welcome_email:
        world.note("welcome_email", customer, offer, email)
    if offer.hidden.get("is_gift"):
        world.note("gift_email", customer, offer, email)
    world.note("automation", customer, offer)


def revoke(world: World, row: Row, offer_ids: Iterable[str]) -> None:
    """Revoke active offers, bought or granted; billing continues."""
    customer = row if row.type == "customers" else _customer_of(world, row, create=False)
    named = set(offer_ids)
    if customer is not None:
        _allow_regrant(world, customer, named)
    removed = named & set(customer.related("offers")) if customer else set[str]()
    if customer is None or not removed:
        return
    set_offers(world.store, customer.id, tuple(key for key in customer.related("offers") if key not in removed))
    for purchase in purchases_of(world.store, customer.id):
        if is_active(purchase, world.now()) and not removed.isdisjoint(purchase.related("offer")):
            ended = world.store.edit("purchases", purchase.id)
            ended.attributes |= {"deactivated_at": world.time(), "deactivation_reason": _REVOKED}
    for offer_id in sorted(removed):
        world.note("offer_revoked", customer, world.store.get("offers", offer_id))


def _allow_regrant(world: World, customer: Row, offer_ids: set[str]) -> None:
    """Allow offers with deactivated purchases to be granted again."""
    for purchase in purchases_of(world.store, customer.id):
        if offer_ids & set(purchase.related("offer")):
            world.store.edit("purchases", purchase.id).hidden["may_be_granted_again"] = True


def _customer_of(world: World, contact: Row, *, create: bool) -> Row | None:
    related = contact.related("customer")
    customer = world.store.get("customers", related[0]) if related else None
    return _new_customer(world, contact) if customer is None and create else customer


def _new_customer(world: World, contact: Row) -> Row:
    identity = {name: contact.attributes.get(name) for name in ("name", "email")}
    attributes = attributes_of_new_customer(identity, world.time())
    relations: dict[str, Linkage] = {
        "contact": LinkToOne("contacts", contact.id),
        "site": LinkToOne("sites", contact.site_id),
        "offers": LinkToMany("offers"),
        "products": LinkToMany("products"),
    }
    customer = world.store.put(Row("customers", world.store.new_id("customers"), attributes, relations))
    world.store.edit("contacts", contact.id).relations["customer"] = LinkToOne("customers", customer.id)
    return customer


def deactivate(world: World, call: Call) -> Reply:
    """Remove the access; the billing of a subscription continues."""
    purchase = required_row(world, "purchases", call.resource_id)
    if is_active(purchase, world.now()):
        _end(world, purchase, _DEACTIVATED)
    return _shown(world, call)


def reactivate(world: World, call: Call) -> Reply:
    """Restore the access; a cancelled subscription stays cancelled."""
    purchase = required_row(world, "purchases", call.resource_id)
    if not is_active(purchase, world.now()):
        _change(world, purchase, None, None)
        for customer in _customers(world, purchase):
            set_offers(world.store, customer.id, (*customer.related("offers"), *purchase.related("offer")))
    return _shown(world, call)


def cancel_subscription(world: World, call: Call) -> Reply:
    """End the billing and the access at once; 422 without an active subscription."""
    purchase = required_row(world, "purchases", call.resource_id)
    if not is_subscribed(purchase, world.now()):
        raise ApiProblem(422, "The purchase has no active subscription", {"pointer": "/data"})
    if is_active(purchase, world.now()):
        _end(world, purchase, "subscription_cancelled")
    cancelled = world.store.edit("purchases", purchase.id)
    cancelled.hidden["is_subscribed"] = False
    world.note("subscription_cancelled", next(iter(_customers(world, purchase)), None), cancelled)
    return _shown(world, call)


def _end(world: World, purchase: Row, reason: str) -> None:
    _change(world, purchase, world.time(), reason)
    for customer in _customers(world, purchase):
        others = [other for other in purchases_of(world.store, customer.id) if is_active(other, world.now())]
        remaining = {offer for other in others for offer in other.related("offer")}
        removed = set(purchase.related("offer")) - remaining
        set_offers(world.store, customer.id, tuple(key for key in customer.related("offers") if key not in removed))


def _change(world: World, purchase: Row, ended: str | None, reason: str | None) -> None:
    was_subscribed = is_subscribed(purchase, world.now())
    changed = world.store.edit("purchases", purchase.id)
    changed.hidden["is_subscribed"] = was_subscribed
    changed.attributes |= {"deactivated_at": ended, "deactivation_reason": reason, "updated_at": world.time()}


def _customers(world: World, purchase: Row) -> list[Row]:
    return [row for key in purchase.related("customer") if (row := world.store.get("customers", key))]


def _shown(world: World, call: Call) -> Reply:
    return written_row(world, required_row(world, "purchases", call.resource_id))
