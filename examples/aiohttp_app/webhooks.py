"""Receives what Kajabi posts. The secret in the address is the only proof of origin that there can be."""

import logging
from functools import partial

from aiohttp import web

from kajabi_async import Kajabi
from kajabi_async.webhooks import AnyEvent, PurchaseEvent, TagAddedEvent

from .keys import API, RECEIVER

__all__ = ["routes"]

logger = logging.getLogger(__name__)


async def receive(request: web.Request) -> web.Response:
    """Handle a delivery once, however often it comes; an error asks for it to be delivered again."""
    secret, body = request.match_info["secret"], request.content.iter_any()
    receipt = await request.app[RECEIVER].receive(secret, body, partial(_handle, request.app[API]))
    return web.Response(status=receipt.http_status)


async def _handle(api: Kajabi, event: AnyEvent) -> None:
    match event:
        case PurchaseEvent():
            # A delivery proves nothing about its contents: what counts is what the API says.
            purchase = await api.purchases.get(event.purchase.id)
            logger.info("customer %s bought offer %s", purchase.customer.id, purchase.offer.id)
        case TagAddedEvent():
            logger.info("contact %s got tag %s", event.contact.id, event.tag.id)
        case _:
            logger.info("nothing is done about %s", event.name)


routes = [web.post("/webhooks/{secret}", receive)]
