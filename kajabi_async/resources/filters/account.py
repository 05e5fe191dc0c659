"""Filters of sites and hooks."""

from typing import TypedDict

from kajabi_async.resources.filters.encoding import Id, Text

__all__ = ["HookFilters", "SiteFilters"]


class SiteFilters(TypedDict, total=False):
    """Filters of sites."""

    title_cont: Text
    subdomain_cont: Text


class HookFilters(TypedDict, total=False):
    """Filters of hooks."""

    site_id: Id
    event_eq: Text
