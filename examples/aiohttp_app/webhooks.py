"""Receives what Kajabi posts. The secret in the address is the only proof of origin that there can be."""

import logging
from functools import partial

from aiohttp import web

from kajabi_async import Kajabi
from kajabi_async.escaping.text import escape_line
from kajabi_async.webhooks import AnyEvent, PurchaseEvent, TagAddedEvent, UnreadDelivery

from .keys import API, RECEIVER

__all__ = ["routes"]

logger = logging.getLogger(__name__)


async def receive(request: web.Request) -> web.Response:
    """Handle a delivery once, however often it comes; an error asks for it to be delivered again."""
    secret, body = request.match_info["secret"], request.content.iter_any()
    receipt = await request.app[RECEIVER].receive(secret, body, partial(_handle, request.app[API]))
    return web.Response(status=receipt.http_status)


async def answer_probe(request: web.Request) -> web.Response:
    """Answer Kajabi's question whether the address is there; a hook that is answered 405 counts as dead."""
    return web.Response(status=request.app[RECEIVER].probe(request.match_info["secret"]))


async def _handle(api: Kajabi, event: AnyEvent) -> None:
    match event:
        case PurchaseEvent():
            # A delivery proves nothing about its contents: what counts is what the API says.
            purchase = await api.purchases.get(event.purchase.id)
            logger.info("customer %s bought offer %s", purchase.customer.id, purchase.offer.id)
        case TagAddedEvent():
            # Whoever knows the address chooses these ids: a line break in one would begin a line of the log.
            logger.info("contact %s got tag %s", escape_line(event.contact.id), escape_line(event.tag.id))
        case UnreadDelivery():
            # Acknowledged all the same, or it would come again for hours: keep event.body if you may need it.
            logger.warning("a delivery of %s bytes was not understood: %s", len(event.body), event.error)
        case _:
            logger.info("nothing is done about %s", event.name)


routes = [web.get("/webhooks/{secret}", answer_probe), web.post("/webhooks/{secret}", receive)]
