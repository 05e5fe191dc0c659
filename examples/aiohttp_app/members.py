"""The page of a member and the products of the site. Authentication is left to your sign-in: see README.md."""

from aiohttp import web

from .access import PAGE, PRODUCT
from .keys import API
from .pages import member_page

__all__ = ["routes"]


async def show_member(request: web.Request) -> web.Response:
    """Show a member with offers and products, all from one request."""
    customer_id = request.match_info["customer_id"]
    customer = await request.app[API].customers.get(customer_id, include=["offers", "products"])
    page = member_page(customer, await customer.offers, await customer.products)
    return web.Response(text=page, content_type="text/html", headers={"Cache-Control": "private, no-store"})


async def show_profile(request: web.Request) -> web.Response:
    """Return name, email and avatar of the customer."""
    customers = request.app[API].customers
    customer_id = request.match_info["customer_id"]
    customer = await customers.get(customer_id, fields={"customers": ["name", "email", "avatar"]})
    return web.json_response(customer.to_dict())


async def show_product(request: web.Request) -> web.Response:
    """Return a product to a member who has access to it."""
    product = await request.app[API].products.get(request.match_info["product_id"])
    return web.json_response({"id": product.id, "title": product.title, "description": product.description})


# `members_only` stands before the first and the last.
routes = [
    web.get(PAGE, show_member),
    web.get("/members/{customer_id}/profile", show_profile),
    web.get(PRODUCT, show_product),
]
