"""Values to text: JSON values unchanged, others by the name of their class, each resource once."""

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
    """Return JSON text for ``value``, from which `loads` creates an equal one in any process.

    Takes JSON values, tuples, decimals, dates and times, resources with their included ones, `Found`, `Failed`,
    `Progress`, `Report`, `GetOrCreated`, deliveries of webhooks and every error of the SDK, in any nesting. A resource
    is written as in a pickle: absent attributes stay absent, and its client is left out. The cause of an error is left
    out too. InvalidArgumentError for anything else.
    """
    dumper = _Dumper()
    try:
        written = dumper.value(value)
        return encode({FORMAT: VERSION, "value": written, "resources": dumper.resources()}).decode()
    except RecursionError:
        raise InvalidArgumentError("the value is nested too deeply to be written as JSON, or contains itself") from None


class _Dumper:
    """A writer of one text; resources are written as references to a list, so cycles end."""

    def __init__(self) -> None:
        self._resources: list[Resource] = []
        self._indices: dict[int, int] = {}

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
        """Return every resource referred to so far, and those that these refer to."""
        # The list grows during the iteration.
        return [self._resource(resource) for resource in self._resources]

    def _all(self, values: Any) -> list[Any]:
        return [self.value(each) for each in values]

    def _mapping(self, mapping: Mapping[Any, Any]) -> dict[str, Any]:
        invalid = next((name for name in mapping if not isinstance(name, str)), None)
        if invalid is not None:
            raise InvalidArgumentError(f"the names in an object must be text, not {type(invalid).__name__}")
        names = {str.__str__(name): name for name in mapping}
        if KIND not in names and all(map(_is_writable, names)):
            return {name: self.value(mapping[key]) for name, key in names.items()}
        return {KIND: "object", "members": [[_text(name), self.value(mapping[key])] for name, key in names.items()]}

    def _named(self, value: Any) -> dict[str, Any]:
        if isinstance(value, Resource):
            return {KIND: "resource", "at": self._index(value)}
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
            raise _unsupported(error)
        # The same as in a pickle: arguments and attributes.
        _, (_, arguments, state) = error.__reduce__()[:2]
        return {KIND: cls.__name__, "arguments": self._all(arguments), "state": self._mapping(state)}

    def _index(self, resource: Resource) -> int:
        index = self._indices.setdefault(id(resource), len(self._resources))
        if index == len(self._resources):
            self._resources.append(resource)
        return index

    def _resource(self, resource: Resource) -> dict[str, Any]:
        untyped = type(resource) is UntypedResource
        if not untyped and class_of(resource.resource_type) is not type(resource):
            raise _unsupported(resource)
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
            "related": [[_text(kind), _text(of), self._index(each)] for (kind, of), each in state["related"].items()],
        }


def _fields_of(value: Any) -> dict[str, Any] | None:
    """Return the fields of a record, or None if *value* is not one."""
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
    raise _unsupported(value)


def _linkage(relationship: Relationship) -> dict[str, Any]:
    return {
        "state": relationship.state.name,
        "identifiers": [[identifier.type, identifier.id] for identifier in relationship.identifiers],
        "self": relationship.self_link,
        "related": relationship.related_link,
    }


def _text(text: str) -> Any:
    # A lone surrogate, such as in a rejected id, cannot be encoded in UTF-8.
    return text if _is_writable(text) else {KIND: "text", "text": text.encode("utf-8", "surrogatepass").hex()}


def _is_writable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_mapping(value: object) -> TypeGuard[Mapping[Any, Any]]:
    return isinstance(value, Mapping)


def _unsupported(value: object) -> InvalidArgumentError:
    name = f"{type(value).__module__}.{type(value).__qualname__}"
    return InvalidArgumentError(
        f"{name} cannot be written as JSON: dumps() takes JSON values, and resources, outcomes, reports, webhook "
        "events and errors of kajabi_async"
    )
