"""The JSON Schema of what `Resource.to_dict` returns, and the two hooks by which pydantic and FastAPI find it.

pydantic is no dependency: it calls the hooks itself if a resource is the type of a field or a response.
"""

import inspect
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, get_args, get_origin

import attrs

from kajabi_async.jsonapi.codec import json_object
from kajabi_async.models.members import id_name, own_name

if TYPE_CHECKING:
    from kajabi_async.models.resource import Resource

__all__ = ["json_schema_of", "pydantic_schema_of"]

_SCHEMAS: Final[Mapping[Any, dict[str, Any]]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    Decimal: {"type": "string", "format": "decimal"},
    datetime: {"type": "string", "format": "date-time"},
    date: {"type": "string", "format": "date"},
}
_NULL: Final = {"type": "null"}
_ID: Final = {"type": "string"}


def json_schema_of(cls: "type[Resource]", attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the JSON Schema of the dicts of ``cls``, whose ``attributes`` are types by name.

    Only ``type`` and ``id`` are required: an answer may leave out any attribute, and have others.
    """
    properties: dict[str, Any] = {"type": {"type": "string", "const": cls.resource_type}, "id": _ID}
    properties |= {own_name(cls, name): _schema_of(kind) for name, kind in attributes.items() if name != "id"}
    for relation in cls.relations.values():
        one = {"anyOf": [_ID, _NULL]}
        properties[id_name(relation)] = {"type": "array", "items": _ID} if relation.to_many else one
    properties["unreadable"] = {"type": "object", "additionalProperties": {"type": "string"}}
    summary = (inspect.getdoc(cls) or "").partition("\n\n")[0]
    return {
        "title": cls.__name__,
        "description": " ".join(summary.split()),
        "type": "object",
        "properties": properties,
        "required": ["type", "id"],
    }


def _schema_of(annotation: Any) -> dict[str, Any]:
    arms = get_args(annotation)
    if type(None) in arms:
        (arm,) = (each for each in arms if each is not type(None))
        inner = _schema_of(arm)
        return {"anyOf": [inner, _NULL]} if inner else {}
    if get_origin(annotation) is tuple:
        return {"type": "array", "items": _schema_of(arms[0])}
    if get_origin(annotation) is Mapping:
        return {"type": "object", "additionalProperties": _schema_of(arms[1]) or True}
    if attrs.has(annotation):
        fields = {field.name: _schema_of(field.type) for field in attrs.fields(annotation) if field.name != "extra"}
        return {"type": "object", "properties": fields}
    return dict(_SCHEMAS.get(annotation, {}))


def pydantic_schema_of(cls: "type[Resource]") -> Any:
    """Return the pydantic-core schema: takes a resource of ``cls``, or a dict of one, and writes its dict as JSON."""
    # Only pydantic calls this.
    from pydantic_core import core_schema  # noqa: PLC0415

    def check(value: Any) -> Any:
        if isinstance(value, cls) or _is_dict_of(cls, value):
            return value
        raise ValueError(f"expected a {cls.__name__} or its to_dict()")

    return core_schema.no_info_plain_validator_function(
        check,
        ref=f"{cls.__module__}.{cls.__qualname__}",
        serialization=core_schema.plain_serializer_function_ser_schema(_as_dict),
    )


def _is_dict_of(cls: "type[Resource]", value: Any) -> bool:
    members = json_object(value)
    return members is not None and members.get("type") == cls.resource_type


def _as_dict(value: Any) -> Any:
    return value.to_dict() if hasattr(value, "to_dict") else value
