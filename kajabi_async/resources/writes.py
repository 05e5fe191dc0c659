"""Bodies of writes, and what is known after a write whose answer says nothing."""

import re
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any, Final, TypedDict, TypeVar

import attrs

from kajabi_async.decoding.answers import read_resource
from kajabi_async.errors import ApiError, InvalidArgumentError, KajabiError, RequestTimeoutError, UnknownAttributeError
from kajabi_async.jsonapi.codec import decode, encode, json_object
from kajabi_async.jsonapi.ids import checked_id
from kajabi_async.models.resource import Resource, Scope

__all__ = [
    "ContactAttributes",
    "ContactAttributesBesideEmail",
    "LinkageChange",
    "SubmissionAttributes",
    "as_written",
    "carries_data",
    "identifier_of",
    "resource_body",
    "verified",
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


T = TypeVar("T")

_ATTEMPTS: Final = 3
_SETTLE_SECONDS: Final = 1.0
"""How long the server is given to end what it may still be at, before it is asked."""
_GATEWAY_TIMEOUT: Final = 504


async def verified(
    write: Callable[[], Awaitable[T]],
    look: Callable[[], Awaitable[T | None]],
    *,
    sleep: Callable[[float], Awaitable[object]],
    refused: tuple[type[KajabiError], ...] | type[KajabiError] = (),
) -> T:
    """Return what *write* returns or, if its answer was lost, what *look* finds to have taken effect.

    If it finds nothing the write is repeated, twice at most, unless the time ran out: the server may still be at it
    then, and the error is raised as it came. So it is if looking fails. After an error of *refused*, which says that
    nothing was done, perhaps because everything was done before, *look* decides whether it is raised.
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
        if attempt == _ATTEMPTS or _may_be_under_way(lost):
            raise lost


async def _look_after(failure: KajabiError, look: Callable[[], Awaitable[T | None]]) -> T | None:
    """Return what *look* finds; *failure* is raised if it fails itself."""
    try:
        return await look()
    except KajabiError:
        raise failure from None


@attrs.define
class LinkageChange:
    """A change of linkage by one verb (JSON:API, "Updating To-Many Relationships"), and what is left of it."""

    verb: str
    """POST adds, DELETE takes away, PATCH replaces."""
    ids: tuple[str, ...]
    """Those that the next request has to name."""

    def is_done(self, held: Collection[str]) -> bool:
        """Tell whether *held* is what the change leads to; otherwise the next request names what is left."""
        if self.verb == "PATCH":
            return set(held) == set(self.ids)
        adds = self.verb == "POST"
        self.ids = tuple(each for each in self.ids if (each in held) is not adds)
        return not self.ids


def _may_be_under_way(error: KajabiError) -> bool:
    return isinstance(error, RequestTimeoutError) or (isinstance(error, ApiError) and error.status == _GATEWAY_TIMEOUT)
