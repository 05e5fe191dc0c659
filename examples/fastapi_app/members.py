"""The page of a member and access to products. Authentication is left to your sign-in: see README.md."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException
from fastapi.responses import HTMLResponse

from kajabi_async import Customer, Product

from .client import Api
from .pages import member_page

__all__ = ["router", "visible_product"]

router = APIRouter(prefix="/members/{customer_id}")


async def visible_product(customer_id: str, product_id: str, api: Api) -> Product:
    """Return the product if the customer has access to it; otherwise answer 403, even if it does not exist."""
    customer = await api.customers.get(customer_id, include=["products"])
    for product in await customer.products:
        if product.id == product_id:
            return product
    raise HTTPException(403, "This product is not yours.")


@router.get("", response_class=HTMLResponse)
async def show_member(customer_id: str, api: Api) -> HTMLResponse:
    """Show the customer with offers and products, all from one request."""
    customer = await api.customers.get(customer_id, include=["offers", "products"])
    page = member_page(customer, await customer.offers, await customer.products)
    return HTMLResponse(page, headers={"Cache-Control": "private, no-store"})


@router.get("/profile")
async def show_profile(customer_id: str, api: Api) -> Customer:
    """Return name, email and avatar of the customer; the type of the response is in the schema of the application."""
    return await api.customers.get(customer_id, fields={"customers": ["name", "email", "avatar"]})


@router.get("/products/{product_id}")
async def show_product(product: Annotated[Product, Depends(visible_product)]) -> dict[str, Any]:
    """Return a product to a member who has access to it."""
    return {"id": product.id, "title": product.title, "description": product.description}
