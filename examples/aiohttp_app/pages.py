"""The member page as HTML. All text from Kajabi was typed by people, so all of it is escaped."""

from collections.abc import Iterable
from html import escape

from kajabi_async import Customer, Offer, Product

__all__ = ["member_page"]


def member_page(customer: Customer, offers: Iterable[Offer], products: Iterable[Product]) -> str:
    """Return the page of one customer."""
    name = escape(customer.name or "Member")
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{name}</title></head><body>'
        f"<h1>{name}</h1>"
        f"<h2>Offers</h2><ul>{_items(_offer_line(offer) for offer in offers)}</ul>"
        f"<h2>Products</h2><ul>{_items(product.title or 'Untitled' for product in products)}</ul>"
        "</body></html>"
    )


def _items(lines: Iterable[str]) -> str:
    return "".join(f"<li>{escape(line)}</li>" for line in lines)


def _offer_line(offer: Offer) -> str:
    title = offer.title or "Untitled"
    if offer.price_in_cents is None:
        return title
    return f"{title}: {offer.price_in_cents / 100:.2f} {offer.currency or ''}".rstrip()
