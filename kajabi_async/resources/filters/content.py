"""Filters of podcasts, blog posts and pages."""

from typing import TypedDict

from kajabi_async.resources.filters.encoding import SUFFIXES, SUFFIXES_WITH_RANGES, Day, Flag, Id, Text, accept_suffixes

__all__ = ["BlogPostFilters", "LandingPageFilters", "PodcastFilters", "WebsitePageFilters"]


class PodcastFilters(TypedDict, total=False):
    """Filters of podcasts."""

    site_id: Id
    title_eq: Text
    title_cont: Text
    status_eq: Text
    show_type_eq: Text


class BlogPostFilters(TypedDict, total=False):
    """Filters of blog posts."""

    site_id: Id
    title_eq: Text
    title_not_eq: Text
    title_cont: Text
    title_not_cont: Text
    title_start: Text
    title_end: Text
    content_eq: Text
    content_not_eq: Text
    content_cont: Text
    content_not_cont: Text
    content_start: Text
    content_end: Text
    slug_eq: Text
    slug_not_eq: Text
    slug_cont: Text
    slug_not_cont: Text
    slug_start: Text
    slug_end: Text
    page_title_eq: Text
    page_title_not_eq: Text
    page_title_cont: Text
    page_title_not_cont: Text
    page_title_start: Text
    page_title_end: Text
    page_description_eq: Text
    page_description_not_eq: Text
    page_description_cont: Text
    page_description_not_cont: Text
    page_description_start: Text
    page_description_end: Text
    published_at_eq: Day
    published_at_not_eq: Day
    published_at_start: Text
    published_at_end: Text
    created_at_eq: Day
    created_at_not_eq: Day
    created_at_start: Text
    created_at_end: Text
    updated_at_eq: Day
    updated_at_not_eq: Day
    updated_at_start: Text
    updated_at_end: Text
    image_url_eq: Text
    image_url_not_eq: Text
    image_url_cont: Text
    image_url_not_cont: Text
    image_url_start: Text
    image_url_end: Text
    image_alt_text_eq: Text
    image_alt_text_not_eq: Text
    image_alt_text_cont: Text
    image_alt_text_not_cont: Text
    image_alt_text_start: Text
    image_alt_text_end: Text
    tags_eq: Text
    tags_not_eq: Text
    tags_cont: Text
    tags_not_cont: Text
    tags_start: Text
    tags_end: Text


class LandingPageFilters(TypedDict, total=False):
    """Filters of landing pages.

    Compare with ``gteq`` and ``lteq``: the server's library has them, and an integrator uses them (observed). The API
    document has ``gte`` and ``lte``, which the server probably ignores.
    """

    site_id: Id
    published: Flag
    title_eq: Text
    title_not_eq: Text
    title_cont: Text
    title_not_cont: Text
    title_start: Text
    title_end: Text
    publish_at_eq: Day
    publish_at_not_eq: Day
    publish_at_gt: Day
    publish_at_gteq: Day
    publish_at_gte: Day
    publish_at_lt: Day
    publish_at_lteq: Day
    publish_at_lte: Day
    created_at_eq: Day
    created_at_not_eq: Day
    created_at_gt: Day
    created_at_gteq: Day
    created_at_gte: Day
    created_at_lt: Day
    created_at_lteq: Day
    created_at_lte: Day
    updated_at_eq: Day
    updated_at_not_eq: Day
    updated_at_gt: Day
    updated_at_gteq: Day
    updated_at_gte: Day
    updated_at_lt: Day
    updated_at_lteq: Day
    updated_at_lte: Day


class WebsitePageFilters(TypedDict, total=False):
    """Filters of website pages."""

    site_id: Id


accept_suffixes(BlogPostFilters, SUFFIXES)
accept_suffixes(LandingPageFilters, SUFFIXES_WITH_RANGES)
