"""Filters of forms and submissions."""

from typing import TypedDict

from kajabi_async.resources.filters.encoding import Id, Text

__all__ = ["FormFilters", "FormSubmissionFilters"]


class FormFilters(TypedDict, total=False):
    """Filters of forms."""

    site_id: Id
    title_cont: Text


class FormSubmissionFilters(TypedDict, total=False):
    """Filters of form submissions."""

    site_id: Id
    form_id: Id
