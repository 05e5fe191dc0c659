"""The catalogue of a site: offers, the products in them, and courses."""

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from kajabi_async.models.relations import ToManyRelation, ToOneRelation
from kajabi_async.models.resource import Resource, also_called, model

if TYPE_CHECKING:
    from kajabi_async.models.account import Site
    from kajabi_async.models.forms import Form

__all__ = ["Course", "Lesson", "Media", "Module", "Offer", "Product"]


@model("offers", distinguished_by=("title", "price_in_cents", "currency"))
class Offer(Resource):
    """A price and the products that it buys."""

    title: str | None = also_called("name")
    """The title; offers that are included in other answers carry it as ``name`` (API document)."""
    description: str | None
    internal_title: str | None
    currency: str | None
    price_in_cents: int | None
    """In hundredths of the currency."""
    payment_type: str | None
    """Such as ``free``, ``single`` or ``subscription``."""
    token: str | None
    payment_method: str | None
    price_description: str | None
    checkout_url: str | None
    recurring_offer: bool | None
    subscription: bool | None
    one_time: bool | None
    single: bool | None
    free: bool | None
    image_url: str | None
    status: str | None
    """Only in examples of the API document."""
    price: Decimal | None
    """In whole units of the currency; only in examples of the API document."""

    site = ToOneRelation["Site"]("sites")
    forms = ToManyRelation["Form"]("forms")
    """Seen only in hook samples."""
    products = ToManyRelation["Product"]("products", includable=True)


@model("products", distinguished_by=("title", "product_type_name"))
class Product(Resource):
    """Something that customers have access to: a course, a community, a download."""

    created_at: datetime | None
    title: str | None
    description: str | None
    status: str | None
    members_aggregate_count: int | None
    product_type_name: str | None
    """Such as ``Course``."""
    product_type_id: int | None
    publish_status: str | None
    thumbnail_url: str | None
    url: str | None
    image_url: str | None
    """Only in examples of the API document."""

    site = ToOneRelation["Site"]("sites")


@model("courses", distinguished_by=("title",))
class Course(Resource):
    """A course of modules, which consist of lessons."""

    created_at: datetime | None
    title: str | None
    description: str | None
    thumbnail_url: str | None
    status: str | None
    """Only in examples of the API document."""
    publish_status: str | None
    """A filter of lists; the API document does not say that answers carry it."""

    site = ToOneRelation["Site"]("sites")
    offers = ToManyRelation["Offer"]("offers", includable=True)
    modules = ToManyRelation["Module"]("modules", includable=True)
    lessons = ToManyRelation["Lesson"]("lessons", includable=True)
    media = ToManyRelation["Media"]("media", through="lessons.media")
    """The media of its lessons, loaded with ``include="lessons.media"``; answers seldom say which lesson has which."""


@model("modules", distinguished_by=("title", "position"))
class Module(Resource):
    """A part of a course; it only comes included."""

    title: str | None
    description: str | None
    position: int | None
    """The position in the course; from 1 in the API document, 0 was observed."""
    poster_image_url: str | None
    publishing_option: str | None
    """``published`` or ``draft``."""


@model("lessons", distinguished_by=("title", "position"))
class Lesson(Resource):
    """A lesson of a course; it only comes included, and without its text."""

    title: str | None
    position: int | None
    """The position in the module; from 1 in the API document, 0 was observed."""
    status: str | None
    """``ready``, ``duplicating`` or ``failed``."""
    publishing_option: str | None
    """``draft``, ``published``, ``drip`` or ``locked``."""

    media = ToManyRelation["Media"]("media", includable=True)


@model("media", distinguished_by=("duration_in_minutes",))
class Media(Resource):
    """A video or recording of a lesson; it only comes included."""

    duration_in_minutes: float | None
