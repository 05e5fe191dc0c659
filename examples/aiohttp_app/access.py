"""Who has access, as a middleware: a yes goes on, a no is 403, and what is not known is 503."""

import logging
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler

from kajabi_async.access import Access

from .keys import GATE

__all__ = ["PAGE", "PRODUCT", "members_only"]

logger = logging.getLogger(__name__)

PAGE: Final = "/members/{customer_id}"
PRODUCT: Final = "/members/{customer_id}/products/{product_id}"
DENIED: Final = {PAGE: "This page is for members.", PRODUCT: "This product is not yours."}
NOT_KNOWN: Final = (
    "We cannot check your membership right now. You have not lost anything, and you need not pay or sign up again: "
    "please try again in a minute."
)
RETRY_AFTER_SECONDS: Final = 30


@web.middleware
async def members_only(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let customers in who have access to anything, or to the product; the answer is the same if there is none."""
    resource = request.match_info.route.resource
    guarded = None if resource is None else resource.canonical
    if guarded not in DENIED:
        return await handler(request)
    products = [request.match_info["product_id"]] if guarded == PRODUCT else []
    access = await request.app[GATE].check(customer_id=request.match_info["customer_id"], products=products)
    return await handler(request) if access.allowed else _turned_away(access, DENIED[guarded])


def _turned_away(access: Access, otherwise: str) -> web.Response:
    if access.denied:
        return web.json_response({"detail": otherwise}, status=403)
    logger.error("answered 503: %r", access)
    headers = {"Retry-After": str(RETRY_AFTER_SECONDS)}
    return web.json_response({"detail": NOT_KNOWN}, status=503, headers=headers)
