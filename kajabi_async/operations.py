"""The operations of the Kajabi Public API v1, each once, as a table of rows.

Coroutines, the relationship resolver, the fake server and the conformance check read these rows; no other module
spells a path. The names are ``<attribute of the client>.<verb>``.
"""

from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from functools import cached_property
from typing import Final

from kajabi_async.structs import FrozenStruct

__all__ = [
    "LINKAGE",
    "OPERATIONS",
    "READABLE",
    "AnswerKind",
    "BodyKind",
    "Operation",
    "enter",
    "name_and_template",
    "operation",
    "operation_at",
    "reads",
]


class AnswerKind(Enum):
    """The content of a successful answer."""

    RESOURCE = "one resource object"
    COLLECTION = "a page of resource objects"
    LINKAGE = "resource identifiers"
    NOTHING = "nothing worth reading"
    SAMPLES = "a bare array of resource objects"
    META = "top-level meta only"
    TOKEN = "an OAuth token"  # noqa: S105 - the name of a kind of answer


class BodyKind(Enum):
    """The content of a request."""

    NONE = "no body"
    RESOURCE = "one resource object"
    LINKAGE = "resource identifiers"
    FORM = "form fields"


class Operation(FrozenStruct, frozen=True, dict=True):
    """One row: name, verb, path, and the kinds of body and answer."""

    name: str
    method: str
    path: str
    answer: AnswerKind
    body: BodyKind = BodyKind.NONE

    def path_for(self, resource_id: str) -> str:
        """Return the path with its parameter filled in; *resource_id* is already a legal, encoded segment."""
        before, after = self.around_id
        return f"{before}{resource_id}{after}" if "{" in self.path else self.path

    @cached_property
    def around_id(self) -> tuple[str, str]:
        """The parts of the path before and after its parameter; the whole path and "" if it has none."""
        before, _, rest = self.path.partition("{")
        return before, rest.partition("}")[2]


def reads(name: str, type_name: str | None = None) -> Iterator[Operation]:
    """Yield the two rows that nearly every resource has; *type_name* if the path is not called *name*."""
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
    yield from reads("sites")
    yield from reads("hooks")
    yield Operation("hooks.create", "POST", "/v1/hooks", resource, BodyKind.RESOURCE)
    yield Operation("hooks.delete", "DELETE", "/v1/hooks/{id}", nothing)
    for event in ("purchase", "payment_succeeded", "order_created", "form_submission", "tag_added", "tag_removed"):
        yield Operation(f"hooks.sample.{event}", "GET", f"/v1/hooks/{event}_sample", AnswerKind.SAMPLES)
    # People
    yield from reads("contacts")
    yield Operation("contacts.create", "POST", "/v1/contacts", resource, BodyKind.RESOURCE)
    yield Operation("contacts.update", "PATCH", "/v1/contacts/{id}", resource, BodyKind.RESOURCE)
    yield Operation("contacts.delete", "DELETE", "/v1/contacts/{id}", nothing)
    yield from _linkage("contacts", "tags", "GET POST PATCH DELETE")
    yield from _linkage("contacts", "offers", "GET POST PATCH DELETE")
    yield from reads("customers")
    yield from _linkage("customers", "offers", "GET POST PATCH DELETE")
    yield from reads("contact_tags")
    yield from reads("contact_notes")
    yield Operation("contact_notes.create", "POST", "/v1/contact_notes", resource, BodyKind.RESOURCE)
    yield Operation("contact_notes.update", "PATCH", "/v1/contact_notes/{id}", resource, BodyKind.RESOURCE)
    yield Operation("contact_notes.delete", "DELETE", "/v1/contact_notes/{id}", nothing)
    yield from reads("custom_fields")
    # Catalog
    yield from reads("offers")
    yield from _linkage("offers", "products", "GET")
    yield from reads("products")
    yield from reads("courses")
    # Commerce
    yield from reads("orders")
    yield from reads("order_items")
    yield from reads("purchases")
    for verb in ("deactivate", "reactivate", "cancel_subscription"):
        yield Operation(f"purchases.{verb}", "POST", f"/v1/purchases/{{id}}/{verb}", resource)
    yield from reads("transactions")
    yield from reads("payouts", "kajabi_payments_payouts")
    # Content
    yield from reads("podcasts")
    yield from reads("blog_posts")
    yield from reads("landing_pages")
    yield from reads("website_pages")
    # Forms
    yield from reads("forms")
    yield Operation("forms.submit", "POST", "/v1/forms/{id}/submit", resource, BodyKind.RESOURCE)
    yield from reads("form_submissions")


OPERATIONS: Final[dict[str, Operation]] = {}
"""Every operation by its name."""
READABLE: Final[dict[str, Operation]] = {}
"""The operation that reads one resource of a type; types without one only come included."""
LINKAGE: Final[dict[tuple[str, str], Operation]] = {}
"""The operation that reads the identifiers of a relation, by owner type and relation."""
_ANY_ID: Final = "{}"
_INDEX: Final[dict[tuple[str, str], Operation]] = {}
"""Every operation by its method and its path, with one name for all parameters."""
_ID_POSITIONS: Final[set[int]] = set()
"""The segments of paths that are a parameter: only the third, unless a row is entered that differs."""


def enter(rows: Iterable[Operation]) -> None:
    """Enter *rows* into the table, such as those of a resource that it does not have yet."""
    for row in rows:
        OPERATIONS[row.name] = row
        segments = row.path.split("/")
        type_name = segments[2]
        for position, segment in enumerate(segments):
            if segment.startswith("{"):
                _ID_POSITIONS.add(position)
                segments[position] = _ANY_ID
        _INDEX[row.method, "/".join(segments)] = row
        if row.name.endswith(".get"):
            READABLE[type_name] = row
        elif row.answer is AnswerKind.LINKAGE and row.method == "GET":
            LINKAGE[type_name, row.path.rsplit("/", 1)[1]] = row


def operation(name: str) -> Operation:
    """Return the row called *name*; KeyError if there is none."""
    return OPERATIONS[name]


def operation_at(method: str, path: str) -> tuple[Operation, str] | None:
    """Return the row of a request and the id in its *path*, encoded as it came; None if no row fits."""
    row = _INDEX.get((method, path))
    if row is not None and "{" not in row.path:
        return row, ""
    segments = path.split("/")
    for position in _ID_POSITIONS:
        if position < len(segments) and segments[position]:
            row = _INDEX.get((method, _with_id(segments, position)))
            if row is not None:
                return row, segments[position]
    return None


def name_and_template(method: str, path: str) -> tuple[str, str]:
    """Return the name of a request's row and its path without ids; the method and "" if no row fits."""
    found = operation_at(method, path)
    return (method, "") if found is None else (found[0].name, found[0].path)


def _with_id(segments: Sequence[str], position: int) -> str:
    return "/".join((*segments[:position], _ANY_ID, *segments[position + 1 :]))


enter(_rows())
