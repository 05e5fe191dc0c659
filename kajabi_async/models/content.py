"""Podcasts, blog posts and pages."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import attrs

from kajabi_async.models.relations import ToOneRelation
from kajabi_async.models.resource import Part, Resource, UntypedResource, model

if TYPE_CHECKING:
    from kajabi_async.models.account import Site

__all__ = ["BlogPost", "LandingPage", "Podcast", "PodcastDirectory", "WebsitePage"]


@attrs.frozen
class PodcastDirectory(Part):
    """A directory that lists a podcast."""

    id: str | None = None
    url: str | None = None
    config: Mapping[str, Any] | None = None


@model("podcasts", distinguished_by=("title", "status"))
class Podcast(Resource):
    """A podcast of a site."""

    title: str | None
    description: str | None
    language: str | None
    owner_email: str | None
    owner_name: str | None
    """Only in the prose of the API document, which has no ``author``."""
    author: str | None
    status: str | None
    """``ready``, ``importing`` or ``failed``."""
    show_type: str | None
    """``episodic`` or ``serial``."""
    thumbnail_url: str | None
    cover_art_url: str | None
    categories: tuple[str, ...] | None
    directories: tuple[PodcastDirectory, ...] | None
    migrated_to_url: str | None
    migrated: bool | None
    public: bool | None
    ready: bool | None
    distribution_ready: bool | None
    url: str | None
    created_at: datetime | None
    updated_at: datetime | None

    site = ToOneRelation["Site"]("sites")


@model("blog_posts", distinguished_by=("title", "slug"))
class BlogPost(Resource):
    """A post of a site's blog."""

    title: str | None
    url: str | None
    content: str | None
    """HTML."""
    slug: str | None
    page_title: str | None
    page_description: str | None
    image_url: str | None
    image_alt_text: str | None
    tags: tuple[str, ...] | None
    published_at: datetime | None
    created_at: datetime | None
    updated_at: datetime | None

    blog = ToOneRelation[UntypedResource]("blogs")
    """The API has no path to blogs: only the id is known."""


@model("landing_pages", distinguished_by=("title", "url"))
class LandingPage(Resource):
    """A landing page of a site."""

    title: str | None
    url: str | None
    publish_at: datetime | None
    created_at: datetime | None
    updated_at: datetime | None

    site = ToOneRelation["Site"]("sites")


@model("website_pages", distinguished_by=("title", "url"))
class WebsitePage(Resource):
    """A page of a site."""

    title: str | None
    url: str | None
    created_at: datetime | None
    updated_at: datetime | None

    site = ToOneRelation["Site"]("sites")
