"""Resource objects to models: the class for each type, and how its slots are filled.

Which class and which attributes is decided here; what a value may become is decided in `values`.
"""

import re
from typing import Any, Final, Generic, TypeVar

import attrs

from kajabi_async.errors import DecodeError
from kajabi_async.jsonapi.decoding import RawJson, ResourceObject, decode, json_object
from kajabi_async.jsonapi.typed import unread
from kajabi_async.models.base import CUSTOM_FIELDS, MODELS, Resource, UntypedResource, attribute_names, is_set
from kajabi_async.models.origin import Origin, Scope
from kajabi_async.models.shapes import Column, Shape, begun, slot
from kajabi_async.models.values import Refused, hook_for

__all__ = ["PLANS", "Plan", "class_of", "unfit"]

R = TypeVar("R", bound=Resource)

_LARGE_ROW_BYTES: Final = 2**16
"""What is larger is read attribute by attribute, as trying the other way first would double the time it takes."""
_CUSTOM_FIELD: Final = re.compile(r"custom_[0-9]{1,9}")


def class_of(resource_type: str) -> type[Resource]:
    """Give the class for *resource_type*; types the SDK does not know have `UntypedResource`."""
    return MODELS.get(resource_type, UntypedResource)


def unfit(refused: Refused, path: str, context: str) -> DecodeError:
    """Give the error for an attribute that was *refused*, of the resource object at *path*."""
    return DecodeError(str(refused), path=f"{path}.attributes{refused.place}", context=context)


class Plan(Generic[R]):
    """How the attributes of one class are filled."""

    def __init__(self, cls: type[R]) -> None:
        self.cls = cls
        model: Any = cls
        fields = attrs.fields_dict(model)
        columns = {name: _column(cls, fields[name]) for name in attribute_names(cls) if name != "id"}
        self.also_called = {alias: name for name, others in attribute_names(cls).items() for alias in others}
        self.custom_fields = columns.pop(CUSTOM_FIELDS, None)
        self.columns = columns
        self.shape = Shape(cls, columns) if columns else None
        """None where nothing is known of the attributes."""
        self.typed_document = None if self.shape is None else self.shape.read_document
        """Reads a document along with the attributes in it, where they are known and as documented."""
        self._build_at_once = None if self.shape is None else self.shape.build

    def model(self, row: ResourceObject, scope: Scope, path: str, context: str) -> R:
        """Give the model of *row*; DecodeError names the attribute that cannot be what it should be."""
        try:
            return self.build(row, scope, context)
        except Refused as refused:
            raise unfit(refused, path, context) from None

    def build(self, row: ResourceObject, scope: Scope, context: str) -> R:
        """Build the model of *row*; `Refused`, with the place, or DecodeError where an attribute stands in the way."""
        origin = Origin(scope, row.relationships.copy(), row.links.copy(), row.meta.copy())
        attributes: Any = row.attributes
        built = None
        at_once = self._build_at_once
        if at_once is not None and not (type(attributes) is RawJson and len(attributes) > _LARGE_ROW_BYTES):
            built = at_once(row.id, origin, attributes)
        if built is None:
            built = _one_by_one(_begun(row, origin, self.cls), self, _attributes(unread(row), context))
        instance, leftover = built
        if leftover or self.custom_fields is not None:
            _place(instance, self, leftover or {})
        return instance


class _Plans(dict[type[Resource], Plan[Any]]):
    def __missing__(self, cls: type[Resource]) -> Plan[Any]:
        plan = self[cls] = Plan(cls)
        return plan


PLANS: Final = _Plans()
"""The plan of each class, made when it is first needed."""


def _column(cls: type[Resource], field: "attrs.Attribute[Any]") -> Column:
    hook, wanted = hook_for(field.type)
    return Column(slot(cls, field.name), wanted, hook)


_SET_EXTRA: Final = slot(Resource, "extra")
_SET_RESOURCE_TYPE: Final = slot(UntypedResource, "resource_type")


def _begun(row: ResourceObject, origin: Origin, cls: type[R]) -> R:
    instance = begun(cls, row.id, origin)
    if cls is UntypedResource:
        _SET_RESOURCE_TYPE(instance, row.type)
    return instance


def _one_by_one(instance: R, plan: Plan[Any], leftover: dict[str, Any]) -> tuple[R, dict[str, Any]]:
    """Fill the slots that are called as on the wire out of *leftover*, and return the instance with what remains."""
    for name in [name for name in leftover if name in plan.columns]:
        plan.columns[name].put(instance, leftover.pop(name), called=name)
    if plan.shape is not None:
        plan.shape.learn(leftover)
    return instance, leftover


class _NoObject(Refused):
    def __init__(self) -> None:
        ValueError.__init__(self, "attributes must be an object")
        self.place = ""


def _attributes(raw: RawJson, context: str) -> dict[str, Any]:
    value = decode(raw, context=context)
    attributes = {} if value is None else json_object(value)
    if attributes is None:
        raise _NoObject
    return attributes


def _place(instance: Resource, plan: Plan[Any], leftover: dict[str, Any]) -> None:
    """Find a place for what came beside the attributes that are called as on the wire."""
    if leftover and plan.also_called:
        _place_aliases(instance, plan, leftover)
    if plan.custom_fields is not None:
        _place_custom_fields(instance, plan.custom_fields, leftover)
    if leftover:
        _SET_EXTRA(instance, leftover)


def _place_aliases(instance: Resource, plan: Plan[Any], leftover: dict[str, Any]) -> None:
    for alias in plan.also_called.keys() & leftover.keys():
        name = plan.also_called[alias]
        if not is_set(instance, name):
            plan.columns[name].put(instance, leftover.pop(alias), called=alias)


def _place_custom_fields(instance: Resource, column: Column, leftover: dict[str, Any]) -> None:
    called = [name for name in leftover if name.startswith("custom_") and _CUSTOM_FIELD.fullmatch(name)]
    custom = {name: leftover.pop(name) for name in called}
    if custom or _were_asked_for(instance):
        column.fill(instance, column.convert(custom, column.wanted))


def _were_asked_for(instance: Resource) -> bool:
    # A sparse fieldset without custom fields does not tell whether there are any.
    asked = instance.origin.scope.fields_of(instance.resource_type)
    return asked is None or any(map(_CUSTOM_FIELD.fullmatch, asked))
