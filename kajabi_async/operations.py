"""The operations of the Kajabi Public API v1, each once, as a table of rows.

Coroutines, the relationship resolver, the fake server and the conformance check read these rows; nothing else in
the package spells a path. The names are ``<attribute of the client>.<verb>``.
"""

from collections.abc import Iterator
from enum import Enum
from typing import Final

import attrs

__all__ = ["OPERATIONS", "AnswerKind", "BodyKind", "Operation", "operation"]


class AnswerKind(Enum):
    """What a successful answer holds."""

    RESOURCE = "one resource object"
    COLLECTION = "a page of resource objects"
    LINKAGE = "resource identifiers"
    NOTHING = "nothing worth reading"
    SAMPLES = "a bare array of resource objects"
    META = "top-level meta only"
    TOKEN = "an OAuth token"  # noqa: S105 - the name of a kind of answer


class BodyKind(Enum):
    """What a request carries."""

    NONE = "no body"
    RESOURCE = "one resource object"
    LINKAGE = "resource identifiers"
    FORM = "form fields"


@attrs.frozen
class Operation:
    """One row: what is called how, by which verb on which path, and what comes back."""

    name: str
    method: str
    path: str
    answer: AnswerKind
    body: BodyKind = BodyKind.NONE

    def path_for(self, resource_id: str = "") -> str:
        """Give the path with its one parameter filled in; *resource_id* is already a legal, encoded segment."""
        before, brace, rest = self.path.partition("{")
        return f"{before}{resource_id}{rest.partition('}')[2]}" if brace else before


def _reads(name: str, type_name: str | None = None) -> Iterator[Operation]:
    path = f"/v1/{type_name or name}"
    yield Operation(f"{name}.list", "GET", path, AnswerKind.COLLECTION)
    yield Operation(f"{name}.get", "GET", f"{path}/{{id}}", AnswerKind.RESOURCE)


def _linkage(name: str, relation: str, verbs: str) -> Iterator[Operation]:
    path = f"/v1/{name}/{{{name.removesuffix('s')}_id}}/relationships/{relation}"
    for verb in verbs.split():
        body = BodyKind.NONE if verb == "GET" else BodyKind.LINKAGE
        yield Operation(f"{name}.{verb}.{relation}", verb, path, AnswerKind.LINKAGE, body)


def _rows() -> Iterator[Operation]:
    resource, nothing = AnswerKind.RESOURCE, AnswerKind.NOTHING
    # OAuth
    yield Operation("oauth.token", "POST", "/v1/oauth/token", AnswerKind.TOKEN, BodyKind.FORM)
    yield Operation("oauth.revoke", "POST", "/v1/oauth/revoke", nothing, BodyKind.FORM)
    # Account
    yield Operation("me", "GET", "/v1/me", resource)
    yield Operation("version", "GET", "/v1/version", AnswerKind.META)
    yield from _reads("sites")
    yield from _reads("hooks")
    yield Operation("hooks.create", "POST", "/v1/hooks", resource, BodyKind.RESOURCE)
    yield Operation("hooks.delete", "DELETE", "/v1/hooks/{id}", nothing)
    for event in ("purchase", "payment_succeeded", "order_created", "form_submission", "tag_added", "tag_removed"):
        yield Operation(f"hooks.sample.{event}", "GET", f"/v1/hooks/{event}_sample", AnswerKind.SAMPLES)
    # People
    yield from _reads("contacts")
    yield Operation("contacts.create", "POST", "/v1/contacts", resource, BodyKind.RESOURCE)
    yield Operation("contacts.update", "PATCH", "/v1/contacts/{id}", resource, BodyKind.RESOURCE)
    yield Operation("contacts.delete", "DELETE", "/v1/contacts/{id}", nothing)
    yield from _linkage("contacts", "tags", "GET POST PATCH DELETE")
    yield from _linkage("contacts", "offers", "GET POST PATCH DELETE")
    yield from _reads("customers")
    yield from _linkage("customers", "offers", "GET POST PATCH DELETE")
    yield from _reads("contact_tags")
    yield from _reads("contact_notes")
    yield Operation("contact_notes.create", "POST", "/v1/contact_notes", resource, BodyKind.RESOURCE)
    yield Operation("contact_notes.update", "PATCH", "/v1/contact_notes/{id}", resource, BodyKind.RESOURCE)
    yield Operation("contact_notes.delete", "DELETE", "/v1/contact_notes/{id}", nothing)
    yield from _reads("custom_fields")
    # Catalog
    yield from _reads("offers")
    yield from _linkage("offers", "products", "GET")
    yield from _reads("products")
    yield from _reads("courses")
    # Commerce
    yield from _reads("orders")
    yield from _reads("order_items")
    yield from _reads("purchases")
    for verb in ("deactivate", "reactivate", "cancel_subscription"):
        yield Operation(f"purchases.{verb}", "POST", f"/v1/purchases/{{id}}/{verb}", resource)
    yield from _reads("transactions")
    yield from _reads("payouts", "kajabi_payments_payouts")
    # Content
    yield from _reads("podcasts")
    yield from _reads("blog_posts")
    yield from _reads("landing_pages")
    yield from _reads("website_pages")
    # Forms
    yield from _reads("forms")
    yield Operation("forms.submit", "POST", "/v1/forms/{id}/submit", resource, BodyKind.RESOURCE)
    yield from _reads("form_submissions")


OPERATIONS: Final = {row.name: row for row in _rows()}
"""Every operation by its name."""


def operation(name: str) -> Operation:
    """Give the row called *name*."""
    return OPERATIONS[name]
