"""Names of podcasts, blog posts and pages: paths to prefetch, fields."""

from typing import Literal

__all__ = [
    "BlogPostField",
    "BlogPostPath",
    "LandingPageField",
    "LandingPagePath",
    "PodcastField",
    "PodcastPath",
    "WebsitePageField",
    "WebsitePagePath",
]

PodcastPath = Literal["site",]

PodcastField = Literal[
    "title",
    "description",
    "language",
    "owner_email",
    "owner_name",
    "author",
    "status",
    "show_type",
    "thumbnail_url",
    "cover_art_url",
    "categories",
    "directories",
    "migrated_to_url",
    "migrated",
    "public",
    "ready",
    "distribution_ready",
    "url",
    "created_at",
    "updated_at",
    "site",
]

BlogPostPath = Literal["blog",]

BlogPostField = Literal[
    "title",
    "url",
    "content",
    "slug",
    "page_title",
    "page_description",
    "image_url",
    "image_alt_text",
    "tags",
    "published_at",
    "created_at",
    "updated_at",
    "blog",
]

LandingPagePath = Literal["site",]

LandingPageField = Literal[
    "title",
    "url",
    "publish_at",
    "created_at",
    "updated_at",
    "site",
]

WebsitePagePath = Literal["site",]

WebsitePageField = Literal[
    "title",
    "url",
    "created_at",
    "updated_at",
    "site",
]
