"""Bodies of writes, and what is known after a write whose answer says nothing."""

import re
from collections.abc import Mapping
from typing import Any, Final, TypedDict, TypeVar

from kajabi_async.errors import InvalidArgumentError, UnknownAttributeError
from kajabi_async.jsonapi.decoding import decode, encode, json_object
from kajabi_async.jsonapi.ids import checked_id
from kajabi_async.models.base import Resource
from kajabi_async.models.origin import Scope
from kajabi_async.models.reading import read_resource

__all__ = [
    "ContactAttributes",
    "ContactAttributesBesideEmail",
    "SubmissionAttributes",
    "as_written",
    "carries_data",
    "identifier_of",
    "resource_body",
    "written_attributes",
]

_CUSTOM_FIELD: Final = re.compile(r"custom_[1-9][0-9]{0,2}")
_CUSTOM_FIELDS: Final = "custom_fields"
_NO_ID: Final = "0"
_TOP_LEVEL: Final = frozenset({"data", "meta", "links", "jsonapi"})

R = TypeVar("R", bound=Resource)


class SubmissionAttributes(TypedDict, total=False):
    """What a form takes; a key that is left out is not sent."""

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
    """What can be written of a contact, the email aside."""

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
    """Refused at creation: it is supported once the contact is a customer (API document)."""
    custom_fields: Mapping[str, str | None]
    """By their names on the wire, such as ``{"custom_1": "blue"}``."""


class ContactAttributes(ContactAttributesBesideEmail, total=False):
    """What can be written of a contact; a key that is left out is not sent, None is sent as null."""

    email: str | None


def written_attributes(declared: type, given: Mapping[str, Any], *, owner: str) -> dict[str, Any]:
    """Give *given* as the attributes of a body; UnknownAttributeError for a name that *declared* does not have."""
    attributes = dict(given)
    custom = attributes.pop(_CUSTOM_FIELDS, None)
    known = declared.__annotations__
    for name in attributes:
        if name not in known and not _CUSTOM_FIELD.fullmatch(name):
            raise UnknownAttributeError(name, owner=owner, known=known)
    return {**attributes, **_custom(custom, owner)}


def resource_body(
    resource_type: str,
    attributes: Mapping[str, Any],
    *,
    resource_id: str | None = None,
    relationships: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Give the document that creates or updates one resource (JSON:API, "Creating, Updating and Deleting")."""
    data: dict[str, Any] = {"type": resource_type, "attributes": attributes}
    if resource_id is not None:
        data["id"] = resource_id
    if relationships:
        data["relationships"] = {name: {"data": linkage} for name, linkage in relationships.items()}
    return {"data": data}


def carries_data(answered: bytes, *, context: str) -> bool:
    """Return whether the answer to a write carries primary data; a 204, an empty body or ``meta`` alone carry none.

    What is not a JSON:API document counts as data, to be refused by its reader. DecodeError if it is not JSON.
    """
    if not answered.strip():
        return False
    document = json_object(decode(answered, context=context))
    if document is None or document.keys().isdisjoint(_TOP_LEVEL):
        return True
    return document.get("data") not in (None, {})


def as_written(
    model: type[R], body: Mapping[str, Any] | None, resource_id: str | None, *, scope: Scope, context: str
) -> R:
    """Return a resource of what a write sent: its attributes, the others not loaded, nor the id if it was created."""
    attributes: dict[str, Any] = {} if body is None else body["data"]["attributes"]
    row: dict[str, Any] = {"type": model.resource_type, "id": resource_id or _NO_ID, "attributes": attributes}
    written = read_resource(encode({"data": row}), cls=model, scope=scope, context=context)
    if resource_id is None:
        del written.id
    return written


def identifier_of(resource_type: str, resource_id: object) -> dict[str, str]:
    """Give a resource identifier object."""
    return {"type": resource_type, "id": checked_id(resource_id, of=resource_type)}


def _custom(custom: Any, owner: str) -> Mapping[str, Any]:
    members = json_object({} if custom is None else custom)
    if members is None:
        raise InvalidArgumentError(f"{_CUSTOM_FIELDS} of {owner} must be a dict such as {{'custom_1': 'blue'}}")
    for name in members:
        if not _CUSTOM_FIELD.fullmatch(name):
            raise InvalidArgumentError(f"custom fields are called custom_1, custom_2, ..., not {name!r}")
    return members
