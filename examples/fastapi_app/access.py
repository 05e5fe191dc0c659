"""Who has access, as dependencies of routes: a yes goes on, a no is 403, and what is not known is 503."""

import logging
from typing import Annotated, Final

from fastapi import Depends, HTTPException, Request

from kajabi_async.access import Access, AccessGate

__all__ = ["Gate", "may_enter", "may_see_product"]

logger = logging.getLogger(__name__)

NOT_KNOWN: Final = (
    "We cannot check your membership right now. You have not lost anything, and you need not pay or sign up again: "
    "please try again in a minute."
)
RETRY_AFTER_SECONDS: Final = 30


async def _gate(request: Request) -> AccessGate:
    gate: AccessGate = request.state.gate
    return gate


Gate = Annotated[AccessGate, Depends(_gate)]


async def may_enter(customer_id: str, gate: Gate) -> Access:
    """Let a customer in who has access to anything."""
    return _allowed(await gate.check(customer_id=customer_id), otherwise="This page is for members.")


async def may_see_product(customer_id: str, product_id: str, gate: Gate) -> Access:
    """Let a customer in who has access to the product; the answer is the same if there is no such product."""
    access = await gate.check(customer_id=customer_id, products=[product_id])
    return _allowed(access, otherwise="This product is not yours.")


def _allowed(access: Access, *, otherwise: str) -> Access:
    if access.allowed:
        return access
    if access.denied:
        raise HTTPException(403, otherwise)
    logger.error("answered 503: %r", access)
    raise HTTPException(503, NOT_KNOWN, {"Retry-After": str(RETRY_AFTER_SECONDS)})
