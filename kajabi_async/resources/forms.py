"""Forms and their submissions."""

from typing import Literal, Unpack

from kajabi_async.fetching.pages import Pages
from kajabi_async.models.forms import Form, FormSubmission
from kajabi_async.models.names import Fieldsets
from kajabi_async.models.names.forms import FormInclude, FormSubmissionInclude
from kajabi_async.resources.base import Gettable, Listable, ListOptions, sort_keys_of
from kajabi_async.resources.filters import FormFilters, FormSubmissionFilters
from kajabi_async.resources.writes import SubmissionAttributes, resource_body, written_attributes

__all__ = ["FormSubmissions", "Forms"]

FormSort = Literal["title", "-title"]
FormSubmissionSort = Literal["name", "-name", "email", "-email", "created_at", "-created_at"]


class FormListOptions(ListOptions[FormInclude, FormSort, Fieldsets], FormFilters):
    """What the list of forms takes."""


class Forms(Gettable[Form, FormInclude, Fieldsets], Listable[Form]):
    """``api.forms``; the id ``default`` stands for a site's default form."""

    name = "forms"
    model = Form
    filters = FormFilters
    sort_keys = sort_keys_of(FormSort)
    id_aliases = frozenset({"default"})

    def list(self, **options: Unpack[FormListOptions]) -> Pages[Form]:
        """List forms; filters are those of `FormFilters`."""
        return self._pages(options)

    async def submit(
        self, id: str | int, *, timeout: float | None = None, **attributes: Unpack[SubmissionAttributes]
    ) -> FormSubmission:
        """Submit a form as a visitor does and return the submission.

        Creates or updates the contact, may subscribe it, sends the opt-in email, grants the form's offer, sets its tags
        and fires sequences, webhooks and automations (API document). Sent once: sending it again submits again.
        ``timeout`` is in seconds for the whole operation. UnprocessableEntityError says what the API refused;
        UnknownAttributeError, before anything is sent, for an attribute that no form takes.
        """
        body = resource_body(
            "form_submissions", written_attributes(SubmissionAttributes, attributes, owner="forms.submit")
        )
        row = self._operation("submit")
        answer = await self._send(row, id, body=body, timeout=timeout)
        return self._written(answer.body, FormSubmission, body, None, context=f"POST {row.path}")


class FormSubmissionListOptions(
    ListOptions[FormSubmissionInclude, FormSubmissionSort, Fieldsets], FormSubmissionFilters
):
    """What the list of form submissions takes."""


class FormSubmissions(Gettable[FormSubmission, FormSubmissionInclude, Fieldsets], Listable[FormSubmission]):
    """``api.form_submissions``: read only, and without times, although ``created_at`` sorts them (API document)."""

    name = "form_submissions"
    model = FormSubmission
    filters = FormSubmissionFilters
    sort_keys = sort_keys_of(FormSubmissionSort)

    def list(self, **options: Unpack[FormSubmissionListOptions]) -> Pages[FormSubmission]:
        """List form submissions; filters are those of `FormSubmissionFilters`."""
        return self._pages(options)
