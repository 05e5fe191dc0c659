"""What a site sells: offers, the products in them, and courses."""

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from kajabi_async.models.relations import ToManyRelation, ToOneRelation
from kajabi_async.models.resource import Resource, also_called, model

if TYPE_CHECKING:
    from kajabi_async.models.account import Site
    from kajabi_async.models.forms import Form

__all__ = ["Course", "Lesson", "Media", "Module", "Offer", "Product"]


@model("offers")
class Offer(Resource):
    """What is sold: a price and the products that come with it."""

    title: str | None = also_called("name")
    """The title; offers included in other answers carry it as ``name`` (API document)."""
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
    """In examples of the API document only."""
    price: Decimal | None
    """In whole units of the currency; in examples of the API document only."""

    site = ToOneRelation["Site"]("sites")
    forms = ToManyRelation["Form"]("forms")
    """Seen in hook samples only."""
    products = ToManyRelation["Product"]("products", includable=True)


@model("products")
class Product(Resource):
    """What a customer has access to: a course, a community, a download."""

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
    """In examples of the API document only."""

    site = ToOneRelation["Site"]("sites")


@model("courses")
class Course(Resource):
    """A course: modules, and lessons in them."""

    created_at: datetime | None
    title: str | None
    description: str | None
    thumbnail_url: str | None
    status: str | None
    """In examples of the API document only."""
    publish_status: str | None
    """Lists can be filtered by it; the API document does not say that it is answered."""

    site = ToOneRelation["Site"]("sites")
    offers = ToManyRelation["Offer"]("offers", includable=True)
    modules = ToManyRelation["Module"]("modules", includable=True)
    lessons = ToManyRelation["Lesson"]("lessons", includable=True)
    media = ToManyRelation["Media"]("media", through="lessons.media")
    """What is played in its lessons, of which answers seldom say in which: come with ``include="lessons.media"``."""


@model("modules")
class Module(Resource):
    """A part of a course; it only ever comes included."""

    title: str | None
    description: str | None
    position: int | None
    """Where in the course it stands; the document says from 1, 0 was observed."""
    poster_image_url: str | None
    publishing_option: str | None
    """``published`` or ``draft``."""


@model("lessons")
class Lesson(Resource):
    """A lesson of a course; it only ever comes included, and without its text."""

    title: str | None
    position: int | None
    """Where in the module it stands; the document says from 1, 0 was observed."""
    status: str | None
    """``ready``, ``duplicating`` or ``failed``."""
    publishing_option: str | None
    """``draft``, ``published``, ``drip`` or ``locked``."""

    media = ToManyRelation["Media"]("media", includable=True)


@model("media")
class Media(Resource):
    """What is played in a lesson; it only ever comes included."""

    duration_in_minutes: float | None
