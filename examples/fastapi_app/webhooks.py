"""Receives the deliveries of Kajabi. The secret in the address is the only proof of origin."""

import logging
import re
from functools import partial
from typing import Final

from fastapi import APIRouter, Request, Response

from kajabi_async import Kajabi
from kajabi_async.access import AccessGate
from kajabi_async.escaping.text import escape_line
from kajabi_async.webhooks import AnyEvent, PurchaseEvent, Receiver, TagAddedEvent, UnreadDelivery

from .access import Gate
from .client import Api

__all__ = ["keep_secret_out_of_access_log", "router"]

logger = logging.getLogger(__name__)
router = APIRouter(prefix="/webhooks")
_SECRET: Final = re.compile(r"(?<=/webhooks/)[^/?]+")


@router.post("/{secret}", include_in_schema=False)
async def receive(secret: str, request: Request, api: Api, gate: Gate) -> Response:
    """Handle each delivery once, however often it comes; after an error status Kajabi delivers it again."""
    receiver: Receiver = request.state.receiver
    receipt = await receiver.receive(secret, request.stream(), partial(_handle, api, gate))
    return Response(status_code=receipt.http_status)


@router.api_route("/{secret}", methods=["GET", "HEAD"], include_in_schema=False)
async def answer_probe(secret: str, request: Request) -> Response:
    """Answer the probe with which Kajabi checks the address; a 405 would disable the hook."""
    receiver: Receiver = request.state.receiver
    return Response(status_code=receiver.probe(secret))


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


def keep_secret_out_of_access_log() -> None:
    """Mask the secret in the addresses that uvicorn logs."""
    logging.getLogger("uvicorn.access").addFilter(_without_secret)


def _without_secret(record: logging.LogRecord) -> bool:
    if isinstance(record.args, tuple):
        record.args = tuple(_SECRET.sub("***", each) if isinstance(each, str) else each for each in record.args)
    return True
