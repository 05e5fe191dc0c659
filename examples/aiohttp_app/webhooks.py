"""Receives the deliveries of Kajabi. The secret in the address is the only proof of origin."""

import logging
from functools import partial

from aiohttp import web

from kajabi_async import Kajabi
from kajabi_async.access import AccessGate
from kajabi_async.escaping.text import escape_line
from kajabi_async.webhooks import AnyEvent, PurchaseEvent, TagAddedEvent, UnreadDelivery

from .keys import API, GATE, RECEIVER

__all__ = ["routes"]

logger = logging.getLogger(__name__)


async def receive(request: web.Request) -> web.Response:
    """Handle each delivery once, however often it comes; after an error status Kajabi delivers it again."""
    secret, body = request.match_info["secret"], request.content.iter_any()
    handle = partial(_handle, request.app[API], request.app[GATE])
    receipt = await request.app[RECEIVER].receive(secret, body, handle)
    return web.Response(status=receipt.http_status)


async def answer_probe(request: web.Request) -> web.Response:
    """Answer the probe with which Kajabi checks the address; a 405 would disable the hook."""
    return web.Response(status=request.app[RECEIVER].probe(request.match_info["secret"]))


async def _handle(api: Kajabi, gate: AccessGate, event: AnyEvent) -> None:
    # Who has just paid is not refused by what was known before.
    await gate.notice(event)
    match event:
        case PurchaseEvent():
            # A delivery does not prove its contents: read them from the API.
            purchase = await api.purchases.get(event.purchase.id)
            logger.info("customer %s bought offer %s", purchase.customer.id, purchase.offer.id)
        case TagAddedEvent():
            # A sender can choose these ids: a line break in one would forge a log line.
            logger.info("contact %s got tag %s", escape_line(event.contact.id), escape_line(event.tag.id))
        case UnreadDelivery():
            # It is acknowledged, or Kajabi would retry for hours: store event.body if you may need it.
            logger.warning("a delivery of %s bytes was not understood: %s", len(event.body), event.error)
        case _:
            logger.info("nothing is done about %s", event.name)


routes = [web.get("/webhooks/{secret}", answer_probe), web.post("/webhooks/{secret}", receive)]
