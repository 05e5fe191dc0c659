"""Offers, products and courses: read only through the API."""

from typing import Literal, Never, Unpack

from kajabi_async.fetching.pages import Pages
from kajabi_async.models.catalog import Course, Offer, Product
from kajabi_async.models.names import Fieldsets
from kajabi_async.models.names.catalog import CourseInclude, OfferInclude
from kajabi_async.resources.base import Gettable, Listable, ListOptions, sort_keys_of
from kajabi_async.resources.filters import CourseFilters, OfferFilters, ProductFilters
from kajabi_async.resources.linkable import Linkable

__all__ = ["Courses", "Offers", "Products"]

OfferSort = Literal["title", "-title", "price_in_cents", "-price_in_cents"]
ProductSort = Literal["title", "-title", "description", "-description", "status", "-status"]
CourseSort = Literal["title", "-title"]


class OfferListOptions(ListOptions[OfferInclude, OfferSort, Fieldsets], OfferFilters):
    """What the list of offers takes."""


class Offers(Gettable[Offer, OfferInclude, Fieldsets], Listable[Offer], Linkable[Offer]):
    """``api.offers``: offers, which sell products; read only."""

    name = "offers"
    model = Offer
    filters = OfferFilters
    sort_keys = sort_keys_of(OfferSort)

    def list(self, **options: Unpack[OfferListOptions]) -> Pages[Offer]:
        """List offers; filters are those of `OfferFilters`."""
        return self._pages(options)

    async def product_ids(self, id: str | int, *, timeout: float | None = None) -> tuple[str, ...]:
        """Return the ids of the products that come with the offer, without the products.

        ``timeout`` is in seconds for the whole operation. NotFoundError if the offer does not exist.
        """
        return await self._read_linkage("products", id, timeout)


class ProductListOptions(ListOptions[Never, ProductSort, Fieldsets], ProductFilters):
    """What the list of products takes."""


class Products(Gettable[Product, Never, Fieldsets], Listable[Product]):
    """``api.products``: products, such as courses, podcasts and communities; read only."""

    name = "products"
    model = Product
    filters = ProductFilters
    sort_keys = sort_keys_of(ProductSort)

    def list(self, **options: Unpack[ProductListOptions]) -> Pages[Product]:
        """List products; filters are those of `ProductFilters`."""
        return self._pages(options)


class CourseListOptions(ListOptions[CourseInclude, CourseSort, Fieldsets], CourseFilters):
    """What the list of courses takes."""


class Courses(Gettable[Course, CourseInclude, Fieldsets], Listable[Course]):
    """``api.courses``: modules, lessons and media come only with ``include``.

    Some courses are answered with 500 if several are included at once, mostly with ``lessons.media`` (observed): then
    send one include per call.
    """

    name = "courses"
    model = Course
    filters = CourseFilters
    sort_keys = sort_keys_of(CourseSort)

    def list(self, **options: Unpack[CourseListOptions]) -> Pages[Course]:
        """List courses; filters are those of `CourseFilters`."""
        return self._pages(options)
