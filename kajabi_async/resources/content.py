"""Podcasts, blog posts and pages: read only."""

from typing import Literal, Never, Unpack

from kajabi_async.fetching.pages import Pages
from kajabi_async.models.content import BlogPost, LandingPage, Podcast, WebsitePage
from kajabi_async.models.names import Fieldsets
from kajabi_async.resources.base import Gettable, Listable, ListOptions, sort_keys_of
from kajabi_async.resources.filters import BlogPostFilters, LandingPageFilters, PodcastFilters, WebsitePageFilters

__all__ = ["BlogPosts", "LandingPages", "Podcasts", "WebsitePages"]

PodcastSort = Literal["title", "-title"]
BlogPostSort = Literal["title", "-title", "published_at", "-published_at"]
LandingPageSort = Literal["title", "-title", "publish_at", "-publish_at"]
WebsitePageSort = Literal["created_at", "-created_at"]


class PodcastListOptions(ListOptions[Never, PodcastSort, Fieldsets], PodcastFilters):
    """What the list of podcasts takes."""


class Podcasts(Gettable[Podcast, Never, Fieldsets], Listable[Podcast]):
    """``api.podcasts``: podcasts; read only."""

    name = "podcasts"
    model = Podcast
    filters = PodcastFilters
    sort_keys = sort_keys_of(PodcastSort)

    def list(self, **options: Unpack[PodcastListOptions]) -> Pages[Podcast]:
        """List podcasts; filters are those of `PodcastFilters`."""
        return self._pages(options)


class BlogPostListOptions(ListOptions[Never, BlogPostSort, Fieldsets], BlogPostFilters):
    """What the list of blog posts takes."""


class BlogPosts(Gettable[BlogPost, Never, Fieldsets], Listable[BlogPost]):
    """``api.blog_posts``: blog posts; read only."""

    name = "blog_posts"
    model = BlogPost
    filters = BlogPostFilters
    sort_keys = sort_keys_of(BlogPostSort)

    def list(self, **options: Unpack[BlogPostListOptions]) -> Pages[BlogPost]:
        """List blog posts; filters are those of `BlogPostFilters`."""
        return self._pages(options)


class LandingPageListOptions(ListOptions[Never, LandingPageSort, Fieldsets], LandingPageFilters):
    """What the list of landing pages takes."""


class LandingPages(Gettable[LandingPage, Never, Fieldsets], Listable[LandingPage]):
    """``api.landing_pages``: landing pages; read only."""

    name = "landing_pages"
    model = LandingPage
    filters = LandingPageFilters
    sort_keys = sort_keys_of(LandingPageSort)

    def list(self, **options: Unpack[LandingPageListOptions]) -> Pages[LandingPage]:
        """List landing pages; filters are those of `LandingPageFilters`."""
        return self._pages(options)


class WebsitePageListOptions(ListOptions[Never, WebsitePageSort, Fieldsets], WebsitePageFilters):
    """What the list of website pages takes."""


class WebsitePages(Gettable[WebsitePage, Never, Fieldsets], Listable[WebsitePage]):
    """``api.website_pages``: website pages; read only."""

    name = "website_pages"
    model = WebsitePage
    filters = WebsitePageFilters
    sort_keys = sort_keys_of(WebsitePageSort)

    def list(self, **options: Unpack[WebsitePageListOptions]) -> Pages[WebsitePage]:
        """List website pages; filters are those of `WebsitePageFilters`."""
        return self._pages(options)
