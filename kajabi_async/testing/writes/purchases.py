"""Deactivating and reactivating purchases, and cancelling their subscriptions."""

from kajabi_async.testing.answers import ApiProblem, Reply
from kajabi_async.testing.ownership import is_active, is_subscribed, purchases_of, set_offers
from kajabi_async.testing.query import Query
from kajabi_async.testing.reads import required_row
from kajabi_async.testing.rows import Row
from kajabi_async.testing.world import Call, World

__all__ = ["cancel_subscription", "deactivate", "reactivate"]


def deactivate(world: World, call: Call) -> Reply:
    """Remove the access; the billing of a subscription continues."""
    purchase = required_row(world, "purchases", call.resource_id)
    if is_active(purchase, world.now()):
        _end(world, purchase, "deactivated")
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
    return Reply.of(world.printer(Query()).one(required_row(world, "purchases", call.resource_id)))
