"""Writes: their bodies, answers without a resource, and answers that were lost."""

from collections.abc import Awaitable, Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Any, Final, TypedDict, TypeVar

from kajabi_async.decoding.answers import read_resource
from kajabi_async.errors import (
    ApiError,
    DecodeError,
    InvalidArgumentError,
    KajabiError,
    RequestTimeoutError,
    UnknownAttributeError,
)
from kajabi_async.fetching.context import Context
from kajabi_async.jsonapi.codec import decode, encode, json_object
from kajabi_async.jsonapi.ids import checked_id
from kajabi_async.models.origin import Scope
from kajabi_async.models.resource import CUSTOM_FIELD, CUSTOM_FIELDS, Resource
from kajabi_async.resources.arguments import needed_site

__all__ = [
    "ContactAttributes",
    "ContactAttributesBesideEmail",
    "SubmissionAttributes",
    "answered_write",
    "as_written",
    "carries_data",
    "identifier_of",
    "resource_body",
    "site_linkage",
    "verified",
    "written_attributes",
]

_NO_ID: Final = "0"
_TOP_LEVEL: Final = frozenset({"data", "meta", "links", "jsonapi"})
_ATTEMPTS: Final = 3
_SETTLE_SECONDS: Final = 1.0
"""The wait before a write is verified: the server may still be applying it."""
_GATEWAY_TIMEOUT: Final = 504

R = TypeVar("R", bound=Resource)
T = TypeVar("T")


class SubmissionAttributes(TypedDict, total=False):
    """Attributes of a form submission; a key that is left out is not sent."""

    name: str | None
    email: str | None
    phone_number: str | None
    mobile_phone_number: str | None
    business_number: str | None
    address_line_1: str | None
    address_line_2: str | None
    address_city: str | None
    address_state: str | None
    address_country: str | None
    address_zip: str | None
    custom_fields: Mapping[str, str | None]
    """By their names on the wire, such as ``{"custom_1": "blue"}``."""


class ContactAttributesBesideEmail(TypedDict, total=False):
    """Attributes that a contact can be created or updated with, except the email."""

    name: str | None
    phone_number: str | None
    business_number: str | None
    subscribed: bool
    address_line_1: str | None
    address_line_2: str | None
    address_city: str | None
    address_state: str | None
    address_country: str | None
    address_zip: str | None
    external_user_id: str | None
    """Refused at creation: supported once the contact is a customer (API document)."""
    custom_fields: Mapping[str, str | None]
    """By their names on the wire, such as ``{"custom_1": "blue"}``."""


class ContactAttributes(ContactAttributesBesideEmail, total=False):
    """Attributes that a contact can be created or updated with.

    A key that is left out is not sent, None is sent as null.
    """

    email: str | None


def written_attributes(declared: type, arguments: Mapping[str, Any], *, owner: str) -> dict[str, Any]:
    """Return ``arguments`` as attributes of a body; UnknownAttributeError for a name not in ``declared``."""
    attributes = dict(arguments)
    custom = attributes.pop(CUSTOM_FIELDS, None)
    known = declared.__annotations__
    for name in attributes:
        if name not in known and not CUSTOM_FIELD.fullmatch(name):
            raise UnknownAttributeError(name, owner=owner, known=known)
    return {**attributes, **_custom(custom, owner)}


def resource_body(
    resource_type: str,
    attributes: Mapping[str, Any],
    *,
    resource_id: str | None = None,
    relationships: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the document that creates or updates a resource (JSON:API, "Creating, Updating and Deleting")."""
    data: dict[str, Any] = {"type": resource_type, "attributes": attributes}
    if resource_id is not None:
        data["id"] = resource_id
    if relationships:
        data["relationships"] = {name: {"data": linkage} for name, linkage in relationships.items()}
    return {"data": data}


def carries_data(answered: bytes, *, context: str) -> bool:
    """Return whether the answer to a write carries primary data; a 204, an empty body or ``meta`` alone carry none.

    What is no JSON:API document counts as data, for its reader to refuse. DecodeError if it is no JSON.
    """
    if not answered.strip():
        return False
    document = json_object(decode(answered, context=context))
    if document is None or document.keys().isdisjoint(_TOP_LEVEL):
        return True
    return document.get("data") not in (None, {})


@contextmanager
def answered_write(method: str = "POST") -> Generator[None]:
    """Note on a DecodeError that the write was answered with success, and so was probably applied."""
    try:
        yield
    except DecodeError as error:
        raise error.sent(attempts=1, maybe_applied=method != "GET") from None


def as_written(
    model: type[R], body: Mapping[str, Any] | None, resource_id: str | None, *, scope: Scope, context: str
) -> R:
    """Return a resource with the attributes that a write sent; others are not loaded, nor is the id of a new one."""
    attributes: dict[str, Any] = {} if body is None else body["data"]["attributes"]
    row: dict[str, Any] = {"type": model.resource_type, "id": resource_id or _NO_ID, "attributes": attributes}
    written = read_resource(encode({"data": row}), cls=model, scope=scope, context=context)
    if resource_id is None:
        object.__delattr__(written, "id")
    return written


def identifier_of(resource_type: str, resource_id: object) -> dict[str, str]:
    """Return a resource identifier object; InvalidIdError if ``resource_id`` is none."""
    return {"type": resource_type, "id": checked_id(resource_id, of=resource_type)}


def site_linkage(site_id: str | int | None, context: Context, *, owner: str) -> dict[str, Any]:
    """Return the ``site`` relationship that a creation needs; InvalidArgumentError if no site is known."""
    return {"site": identifier_of("sites", needed_site(site_id, context, owner=owner))}


def _custom(custom: Any, owner: str) -> Mapping[str, Any]:
    members = json_object({} if custom is None else custom)
    if members is None:
        raise InvalidArgumentError(f"{CUSTOM_FIELDS} of {owner} must be a dict such as {{'custom_1': 'blue'}}")
    for name in members:
        # str() as keys may be anything: type checkers know only of text.
        if not CUSTOM_FIELD.fullmatch(str(name)):
            raise InvalidArgumentError(f"custom fields are called custom_1, custom_2, ..., not {name!r}")
    return members


async def verified(
    write: Callable[[], Awaitable[T]],
    look: Callable[[], Awaitable[T | None]],
    *,
    sleep: Callable[[float], Awaitable[object]],
    refused: tuple[type[KajabiError], ...] | type[KajabiError] = (),
) -> T:
    """Return what ``write`` returns or, if its answer was lost, what ``look`` finds applied.

    If ``look`` returns None the write is retried, twice at most. The error is raised unchanged if it was a timeout, as
    the server may still be applying the write, or if ``look`` fails. After an error of ``refused``, which says that
    nothing was applied, perhaps because everything had been before, the error is raised only if ``look`` returns None.
    """
    attempt = 0
    while True:
        attempt += 1
        try:
            return await write()
        except refused as error:
            found = await _look_after(error, look)
            if found is None:
                raise
            return found
        except KajabiError as error:
            if not error.maybe_applied:
                raise
            lost = error
        await sleep(_SETTLE_SECONDS)
        found = await _look_after(lost, look)
        if found is not None:
            return found
        if attempt == _ATTEMPTS or _may_be_in_progress(lost):
            raise lost


async def _look_after(failure: KajabiError, look: Callable[[], Awaitable[T | None]]) -> T | None:
    """Return what *look* returns; if it fails, raise *failure*."""
    try:
        return await look()
    except KajabiError:
        raise failure from None


def _may_be_in_progress(error: KajabiError) -> bool:
    return isinstance(error, RequestTimeoutError) or (isinstance(error, ApiError) and error.status == _GATEWAY_TIMEOUT)
