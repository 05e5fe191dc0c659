"""Resource objects to models: the class for each type, and how its slots are filled.

Which class and which attributes is decided here; what a value may become is decided in `values`.
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Final, NamedTuple, TypeVar

import attrs

from kajabi_async.errors import DecodeError
from kajabi_async.jsonapi.decoding import RawJson, ResourceObject, decode, json_object, kept_beside
from kajabi_async.models.base import CUSTOM_FIELDS, MODELS, Resource, UntypedResource, attribute_names, is_set
from kajabi_async.models.origin import Origin, Scope
from kajabi_async.models.shapes import Column, Shape, begun, slot
from kajabi_async.models.values import Refused, hook_for

__all__ = ["class_of", "to_model"]

R = TypeVar("R", bound=Resource)

_CUSTOM_FIELD: Final = re.compile(r"custom_[0-9]{1,9}")


def class_of(resource_type: str) -> type[Resource]:
    """Give the class for *resource_type*; types the SDK does not know have `UntypedResource`."""
    return MODELS.get(resource_type, UntypedResource)


def to_model(resource_object: ResourceObject, scope: Scope, *, cls: type[R], path: str, context: str) -> R:
    """Build the model of *resource_object*; DecodeError names the attribute that cannot be what it should be."""
    origin = Origin(scope, *kept_beside(resource_object))
    model: Any = cls
    plan = _plan(model)
    built: tuple[R, dict[str, Any] | None] | None = None
    if plan.shape is not None:
        built = plan.shape.build(resource_object.id, origin, resource_object.attributes)
    try:
        if built is None:
            attributes = _attributes(resource_object.attributes, path, context)
            built = _one_by_one(_begun(resource_object, origin, cls), plan, attributes)
        instance, leftover = built
        if leftover or plan.custom_fields is not None:
            _place(instance, plan, leftover or {})
    except Refused as refused:
        raise DecodeError(str(refused), path=f"{path}.attributes{refused.place}", context=context) from None
    return instance


class _Plan(NamedTuple):
    """How the attributes of one class are filled."""

    shape: Shape[Any] | None
    """None where nothing is known of the attributes."""
    columns: Mapping[str, Column]
    also_called: Mapping[str, str]
    custom_fields: Column | None


@cache
def _plan(cls: type[Any]) -> _Plan:
    columns = {name: _column(cls, getattr(attrs.fields(cls), name)) for name in attribute_names(cls) if name != "id"}
    aliases = {alias: name for name, others in attribute_names(cls).items() for alias in others}
    custom_fields = columns.pop(CUSTOM_FIELDS, None)
    return _Plan(Shape(cls, columns) if columns else None, columns, aliases, custom_fields)


def _column(cls: type[Resource], field: "attrs.Attribute[Any]") -> Column:
    hook, wanted = hook_for(field.type)
    return Column(slot(cls, field.name), wanted, hook)


_SET_EXTRA: Final = slot(Resource, "extra")
_SET_RESOURCE_TYPE: Final = slot(UntypedResource, "resource_type")


def _begun(resource_object: ResourceObject, origin: Origin, cls: type[R]) -> R:
    instance = begun(cls, resource_object.id, origin)
    if cls is UntypedResource:
        _SET_RESOURCE_TYPE(instance, resource_object.type)
    return instance


def _one_by_one(instance: R, plan: _Plan, attributes: Mapping[str, Any]) -> tuple[R, dict[str, Any]]:
    """Fill the slots that are called as on the wire, and give the instance with what has no slot."""
    leftover: dict[str, Any] = {}
    for name, value in attributes.items():
        column = plan.columns.get(name)
        if column is None:
            leftover[name] = value
        else:
            column.put(instance, value, called=name)
    if plan.shape is not None:
        plan.shape.learn(leftover)
    return instance, leftover


def _attributes(raw: RawJson, path: str, context: str) -> dict[str, Any]:
    value = decode(raw, context=context)
    attributes = {} if value is None else json_object(value)
    if attributes is None:
        raise DecodeError("attributes must be an object", path=f"{path}.attributes", context=context)
    return attributes


def _place(instance: Resource, plan: _Plan, leftover: dict[str, Any]) -> None:
    """Find a place for what came beside the attributes that are called as on the wire."""
    if leftover and plan.also_called:
        _place_aliases(instance, plan, leftover)
    if plan.custom_fields is not None:
        _place_custom_fields(instance, plan.custom_fields, leftover)
    if leftover:
        _SET_EXTRA(instance, leftover)


def _place_aliases(instance: Resource, plan: _Plan, leftover: dict[str, Any]) -> None:
    for alias in plan.also_called.keys() & leftover.keys():
        name = plan.also_called[alias]
        if not is_set(instance, name):
            plan.columns[name].put(instance, leftover.pop(alias), called=alias)


def _place_custom_fields(instance: Resource, column: Column, leftover: dict[str, Any]) -> None:
    custom = {name: leftover.pop(name) for name in tuple(leftover) if _CUSTOM_FIELD.fullmatch(name)} if leftover else {}
    if custom or _were_asked_for(instance):
        column.fill(instance, column.convert(custom, column.wanted))


def _were_asked_for(instance: Resource) -> bool:
    # A sparse fieldset without custom fields does not tell whether there are any.
    asked = instance.origin.scope.query.fields.get(instance.resource_type)
    return asked is None or any(map(_CUSTOM_FIELD.fullmatch, asked))
