"""The page of a member and access to products. Authentication is left to your sign-in: see README.md."""

import json

from aiohttp import web

from kajabi_async import Product

from .keys import API
from .pages import member_page

__all__ = ["routes", "visible_product"]


async def visible_product(request: web.Request) -> Product:
    """Return the product if the customer has access to it; otherwise answer 403, even if it does not exist."""
    customer = await request.app[API].customers.get(request.match_info["customer_id"], include=["products"])
    for product in await customer.products:
        if product.id == request.match_info["product_id"]:
            return product
    raise web.HTTPForbidden(text=json.dumps({"detail": "This product is not yours."}), content_type="application/json")


async def show_member(request: web.Request) -> web.Response:
    """Show the customer with offers and products, all from one request."""
    customer_id = request.match_info["customer_id"]
    customer = await request.app[API].customers.get(customer_id, include=["offers", "products"])
    page = member_page(customer, await customer.offers, await customer.products)
    return web.Response(text=page, content_type="text/html", headers={"Cache-Control": "private, no-store"})


async def show_product(request: web.Request) -> web.Response:
    """Return a product to a member who has access to it."""
    product = await visible_product(request)
    return web.json_response({"id": product.id, "title": product.title, "description": product.description})


routes = [
    web.get("/members/{customer_id}", show_member),
    web.get("/members/{customer_id}/products/{product_id}", show_product),
]
