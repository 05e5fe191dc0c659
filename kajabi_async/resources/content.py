"""Podcasts, blog posts and pages: read only."""

from typing import Unpack

from kajabi_async.fetching.pages import Pages
from kajabi_async.models.content import BlogPost, LandingPage, Podcast, WebsitePage
from kajabi_async.resources.base import Gettable, Listable, ListOptions
from kajabi_async.resources.filters import BlogPostFilters, LandingPageFilters, PodcastFilters, WebsitePageFilters

__all__ = ["BlogPosts", "LandingPages", "Podcasts", "WebsitePages"]


class PodcastListOptions(ListOptions, PodcastFilters):
    """What the list of podcasts takes."""


class Podcasts(Gettable[Podcast], Listable[Podcast]):
    """``api.podcasts``."""

    name = "podcasts"
    model = Podcast
    filters = PodcastFilters
    sort_keys = frozenset({"title"})

    def list(self, **options: Unpack[PodcastListOptions]) -> Pages[Podcast]:
        """List podcasts; filters are those of `PodcastFilters`."""
        return self._pages(options)


class BlogPostListOptions(ListOptions, BlogPostFilters):
    """What the list of blog posts takes."""


class BlogPosts(Gettable[BlogPost], Listable[BlogPost]):
    """``api.blog_posts``."""

    name = "blog_posts"
    model = BlogPost
    filters = BlogPostFilters
    sort_keys = frozenset({"title", "published_at"})

    def list(self, **options: Unpack[BlogPostListOptions]) -> Pages[BlogPost]:
        """List blog posts; filters are those of `BlogPostFilters`."""
        return self._pages(options)


class LandingPageListOptions(ListOptions, LandingPageFilters):
    """What the list of landing pages takes."""


class LandingPages(Gettable[LandingPage], Listable[LandingPage]):
    """``api.landing_pages``."""

    name = "landing_pages"
    model = LandingPage
    filters = LandingPageFilters
    sort_keys = frozenset({"title", "publish_at"})

    def list(self, **options: Unpack[LandingPageListOptions]) -> Pages[LandingPage]:
        """List landing pages; filters are those of `LandingPageFilters`."""
        return self._pages(options)


class WebsitePageListOptions(ListOptions, WebsitePageFilters):
    """What the list of website pages takes."""


class WebsitePages(Gettable[WebsitePage], Listable[WebsitePage]):
    """``api.website_pages``."""

    name = "website_pages"
    model = WebsitePage
    filters = WebsitePageFilters
    sort_keys = frozenset({"created_at"})

    def list(self, **options: Unpack[WebsitePageListOptions]) -> Pages[WebsitePage]:
        """List website pages; filters are those of `WebsitePageFilters`."""
        return self._pages(options)
