"""Filters of offers, products and courses."""

from typing import TypedDict

from kajabi_async.resources.filters.encoding import Id, Repeated, Text

__all__ = ["CourseFilters", "OfferFilters", "ProductFilters"]


class OfferFilters(TypedDict, total=False):
    """Filters of offers."""

    site_id: Id
    title_cont: Text
    description_cont: Text


class ProductFilters(TypedDict, total=False):
    """Filters of products."""

    site_id: Id
    title_cont: Text
    description_cont: Text
    status_eq: Text
    exclude_product_types: Repeated
    """Names such as ``Courses::CohortCourse``."""


class CourseFilters(TypedDict, total=False):
    """Filters of courses."""

    site_id: Id
    title_cont: Text
    description_cont: Text
    publish_status_eq: Text
