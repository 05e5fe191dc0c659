"""What a member sees, and what a member may see. Who the visitor is, is for your sign-in to tell: see README.md."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException
from fastapi.responses import HTMLResponse

from kajabi_async import Product

from .client import Api
from .pages import member_page

__all__ = ["router", "visible_product"]

router = APIRouter(prefix="/members/{customer_id}")


async def visible_product(customer_id: str, product_id: str, api: Api) -> Product:
    """Give the product if the customer has access to it; 403 if not, whether there is such a product or not."""
    customer = await api.customers.get(customer_id, include=["products"])
    for product in await customer.products:
        if product.id == product_id:
            return product
    raise HTTPException(403, "This product is not yours.")


@router.get("", response_class=HTMLResponse)
async def show_member(customer_id: str, api: Api) -> HTMLResponse:
    """Show the customer with offers and products, which all come with one request."""
    customer = await api.customers.get(customer_id, include=["offers", "products"])
    page = member_page(customer, await customer.offers, await customer.products)
    return HTMLResponse(page, headers={"Cache-Control": "private, no-store"})


@router.get("/products/{product_id}")
async def show_product(product: Annotated[Product, Depends(visible_product)]) -> dict[str, Any]:
    """Give a product to a member who has access to it."""
    return {"id": product.id, "title": product.title, "description": product.description}
