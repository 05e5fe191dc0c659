"""Values to text: what JSON has goes as it is, the rest under the name of its class, resources once each."""

import math
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeGuard

import attrs

from kajabi_async.decoding.decoder import class_of
from kajabi_async.errors import InvalidArgumentError, KajabiError
from kajabi_async.jsonapi.codec import encode
from kajabi_async.jsonapi.linkage import Relationship
from kajabi_async.models.resource import Resource, UntypedResource
from kajabi_async.resources.people import GetOrCreated
from kajabi_async.serialization.registry import ERRORS, FORMAT, KIND, RECORDS, VERSION

__all__ = ["dumps"]


def dumps(value: Any) -> str:
    """Give JSON text for *value*, from which `loads` makes an equal one, here or in another process.

    Takes JSON values, tuples, decimals, dates and times, resources with whatever was included with them, `Found`,
    `Failed`, `Progress`, `Report`, `GetOrCreated`, deliveries of webhooks and every error of the SDK, in any nesting.
    A resource travels as it would in a pickle: what the answer did not carry stays absent, and no way leads back to
    its client. Of an error its cause does not travel. InvalidArgumentError for anything else.
    """
    writer = _Writer()
    try:
        written = writer.value(value)
        return encode({FORMAT: VERSION, "value": written, "resources": writer.resources()}).decode()
    except RecursionError:
        raise InvalidArgumentError("this is nested too deeply to be written as JSON, or holds itself") from None


class _Writer:
    """Writes one text; a resource that is met again is written as a reference, so cycles end."""

    def __init__(self) -> None:
        self._met: list[Resource] = []
        self._places: dict[int, int] = {}

    def value(self, value: Any) -> Any:
        if value is None or isinstance(value, bool | int):
            return value
        if isinstance(value, float):
            return value if math.isfinite(value) else {KIND: "float", "text": repr(value)}
        if isinstance(value, str):
            return _text(str.__str__(value))
        if _is_mapping(value):
            return self._mapping(value)
        if isinstance(value, list):
            return self._all(value)
        return self._named(value)

    def resources(self) -> list[dict[str, Any]]:
        """Give every resource that was met, and those that are met on the way."""
        # The list grows while it is gone through.
        return [self._resource(resource) for resource in self._met]

    def _all(self, values: Any) -> list[Any]:
        return [self.value(each) for each in values]

    def _mapping(self, mapping: Mapping[Any, Any]) -> dict[str, Any]:
        strange = next((name for name in mapping if not isinstance(name, str)), None)
        if strange is not None:
            raise InvalidArgumentError(f"the names in an object must be text, not {type(strange).__name__}")
        names = {str.__str__(name): name for name in mapping}
        if KIND not in names and all(map(_is_writable, names)):
            return {name: self.value(mapping[given]) for name, given in names.items()}
        return {KIND: "object", "members": [[_text(name), self.value(mapping[given])] for name, given in names.items()]}

    def _named(self, value: Any) -> dict[str, Any]:
        if isinstance(value, Resource):
            return {KIND: "resource", "at": self._place(value)}
        if isinstance(value, KajabiError):
            return self._error(value)
        fields = _fields_of(value)
        if fields is not None:
            return {KIND: type(value).__name__, "fields": self._mapping(fields)}
        if type(value) is tuple:
            return {KIND: "tuple", "elements": self._all(value)}
        return _one_text(value)

    def _error(self, error: KajabiError) -> dict[str, Any]:
        cls = type(error)
        if ERRORS.get(cls.__name__) is not cls:
            raise _refused(error)
        # What a pickle of it holds: arguments and attributes.
        _, (_, arguments, state) = error.__reduce__()[:2]
        return {KIND: cls.__name__, "arguments": self._all(arguments), "state": self._mapping(state)}

    def _place(self, resource: Resource) -> int:
        place = self._places.setdefault(id(resource), len(self._met))
        if place == len(self._met):
            self._met.append(resource)
        return place

    def _resource(self, resource: Resource) -> dict[str, Any]:
        untyped = type(resource) is UntypedResource
        if not untyped and class_of(resource.resource_type) is not type(resource):
            raise _refused(resource)
        state = resource.__getstate__()
        return {
            "type": _text(resource.resource_type),
            "untyped": untyped,
            "attributes": self._mapping(state["attributes"]),
            **({"unreadable": self._mapping(state["unreadable"])} if state["unreadable"] else {}),
            "extra": self._mapping(state["extra"]),
            "relationships": self._mapping({name: _linkage(each) for name, each in state["relationships"].items()}),
            "links": self._mapping(state["links"]),
            "meta": self._mapping(state["meta"]),
            "related": [[_text(kind), _text(of), self._place(each)] for (kind, of), each in state["related"].items()],
        }


def _fields_of(value: Any) -> dict[str, Any] | None:
    """Give the fields of a record, None where *value* is none."""
    if type(value) is GetOrCreated:
        return value._asdict()
    cls = RECORDS.get(type(value).__name__)
    if cls is None or type(value) is not cls:
        return None
    return {field.name: getattr(value, field.name) for field in attrs.fields(cls) if field.init}


def _one_text(value: Any) -> dict[str, Any]:
    if isinstance(value, Decimal):
        if value.is_snan():
            raise InvalidArgumentError("a signaling NaN cannot be written as JSON: comparing one is an error")
        return {KIND: "decimal", "text": str(value)}
    if isinstance(value, datetime):
        return {KIND: "datetime", "text": value.isoformat()}
    if isinstance(value, date):
        return {KIND: "date", "text": value.isoformat()}
    raise _refused(value)


def _linkage(relationship: Relationship) -> dict[str, Any]:
    return {
        "state": relationship.state.name,
        "identifiers": [[identifier.type, identifier.id] for identifier in relationship.identifiers],
        "self": relationship.self_link,
        "related": relationship.related_link,
    }


def _text(text: str) -> Any:
    # A lone surrogate, as an id that was refused may hold, has no form in UTF-8.
    return text if _is_writable(text) else {KIND: "text", "text": text.encode("utf-8", "surrogatepass").hex()}


def _is_writable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_mapping(value: object) -> TypeGuard[Mapping[Any, Any]]:
    return isinstance(value, Mapping)


def _refused(value: object) -> InvalidArgumentError:
    name = f"{type(value).__module__}.{type(value).__qualname__}"
    return InvalidArgumentError(
        f"{name} cannot be written as JSON: dumps() takes JSON values, and resources, outcomes, reports, webhook "
        "events and errors of kajabi_async"
    )
