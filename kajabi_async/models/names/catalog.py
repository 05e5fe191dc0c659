"""Names of offers, products and courses: relations to include, paths to prefetch, fields."""

from typing import Literal

__all__ = [
    "CourseField",
    "CourseInclude",
    "CoursePath",
    "LessonField",
    "LessonPath",
    "MediaField",
    "ModuleField",
    "OfferField",
    "OfferInclude",
    "OfferPath",
    "ProductField",
    "ProductPath",
]

OfferInclude = Literal["products",]

OfferPath = Literal[
    "site",
    "forms",
    "forms.site",
    "forms.offer",
    "forms.fields",
    "forms.contact_tags",
    "products",
    "products.site",
]

OfferField = Literal[
    "title",
    "name",
    "description",
    "internal_title",
    "currency",
    "price_in_cents",
    "payment_type",
    "token",
    "payment_method",
    "price_description",
    "checkout_url",
    "recurring_offer",
    "subscription",
    "one_time",
    "single",
    "free",
    "image_url",
    "status",
    "price",
    "site",
    "forms",
    "products",
]

ProductPath = Literal["site",]

ProductField = Literal[
    "created_at",
    "title",
    "description",
    "status",
    "members_aggregate_count",
    "product_type_name",
    "product_type_id",
    "publish_status",
    "thumbnail_url",
    "url",
    "image_url",
    "site",
]

CourseInclude = Literal[
    "offers",
    "offers.products",
    "modules",
    "lessons",
    "lessons.media",
]

CoursePath = Literal[
    CourseInclude,
    "site",
    "offers.site",
    "offers.forms",
    "media",
]

CourseField = Literal[
    "created_at",
    "title",
    "description",
    "thumbnail_url",
    "status",
    "publish_status",
    "site",
    "offers",
    "modules",
    "lessons",
    "media",
]

ModuleField = Literal[
    "title",
    "description",
    "position",
    "poster_image_url",
    "publishing_option",
]

LessonPath = Literal["media",]

LessonField = Literal[
    "title",
    "position",
    "status",
    "publishing_option",
    "media",
]

MediaField = Literal["duration_in_minutes",]
