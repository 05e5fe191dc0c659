"""The page of a member and the products of the site. Authentication is left to your sign-in: see README.md."""

from typing import Any

from fastapi import APIRouter, Depends
from fastapi.responses import HTMLResponse

from kajabi_async import Customer

from .access import may_enter, may_see_product
from .client import Api
from .pages import member_page

__all__ = ["router"]

router = APIRouter(prefix="/members/{customer_id}")


@router.get("", response_class=HTMLResponse, dependencies=[Depends(may_enter)])
async def show_member(customer_id: str, api: Api) -> HTMLResponse:
    """Show a member with offers and products, all from one request."""
    customer = await api.customers.get(customer_id, include=["offers", "products"])
    page = member_page(customer, await customer.offers, await customer.products)
    return HTMLResponse(page, headers={"Cache-Control": "private, no-store"})


@router.get("/profile")
async def show_profile(customer_id: str, api: Api) -> Customer:
    """Return name, email and avatar of the customer; the type of the response is in the schema of the application."""
    return await api.customers.get(customer_id, fields={"customers": ["name", "email", "avatar"]})


@router.get("/products/{product_id}", dependencies=[Depends(may_see_product)])
async def show_product(product_id: str, api: Api) -> dict[str, Any]:
    """Return a product to a member who has access to it."""
    product = await api.products.get(product_id)
    return {"id": product.id, "title": product.title, "description": product.description}
