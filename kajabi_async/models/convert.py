"""Resource objects to models: the class for each type, and how its slots are filled.

Which class and which attributes is decided here; what a value may become is decided in `values`.
"""

import re
from collections.abc import Callable, Mapping
from functools import cache
from inspect import getattr_static
from typing import Any, Final, NamedTuple, TypeVar

import attrs

from kajabi_async.errors import DecodeError
from kajabi_async.jsonapi.decoding import ResourceObject, json_object, kept
from kajabi_async.models.base import CUSTOM_FIELDS, MODELS, NO_EXTRA, Resource, UntypedResource, attribute_names
from kajabi_async.models.origin import Origin, Scope
from kajabi_async.models.values import Refused, hook_for, plain_type_of

__all__ = ["class_of", "to_model"]

R = TypeVar("R", bound=Resource)

_CUSTOM_FIELD: Final = re.compile(r"custom_[0-9]{1,9}")


def class_of(resource_type: str) -> type[Resource]:
    """Give the class for *resource_type*; types the SDK does not know have `UntypedResource`."""
    return MODELS.get(resource_type, UntypedResource)


def to_model(resource_object: ResourceObject, scope: Scope, *, cls: type[R], path: str, context: str) -> R:
    """Build the model of *resource_object*; DecodeError names the attribute that cannot be what it should be."""
    instance = cls.__new__(cls)
    _SET_ID(instance, resource_object.id)
    if cls is UntypedResource:
        _SET_RESOURCE_TYPE(instance, resource_object.type)
    origin = Origin(scope, kept(resource_object.relationships), kept(resource_object.links), kept(resource_object.meta))
    _SET_ORIGIN(instance, origin)
    _fill(instance, _attributes(resource_object, path, context), path, context)
    return instance


def _attributes(resource_object: ResourceObject, path: str, context: str) -> dict[str, Any]:
    if resource_object.attributes is None:
        return {}
    attributes = json_object(resource_object.attributes)
    if attributes is None:
        raise DecodeError("attributes must be an object", path=f"{path}.attributes", context=context)
    return attributes


class _Column(NamedTuple):
    """How one attribute gets into its slot."""

    fill: Callable[[Any, Any], None]
    plain: type | None
    """Values of exactly this type go in as they are."""
    convert: Callable[[Any, Any], Any]
    annotation: Any

    def put(self, instance: Resource, value: Any, *, called: str) -> None:
        try:
            self.fill(instance, None if value is None else self.convert(value, self.annotation))
        except Refused as refused:
            raise refused.inside(f".{called}") from None


class _Columns(NamedTuple):
    by_name: Mapping[str, _Column]
    also_called: Mapping[str, str]
    custom_fields: _Column | None


@cache
def _columns(cls: type[Any]) -> _Columns:
    columns = {name: _column(cls, getattr(attrs.fields(cls), name)) for name in attribute_names(cls) if name != "id"}
    aliases = {alias: name for name, others in attribute_names(cls).items() for alias in others}
    return _Columns(columns, aliases, columns.pop(CUSTOM_FIELDS, None))


def _column(cls: type[Resource], field: "attrs.Attribute[Any]") -> _Column:
    hook, annotation = hook_for(field.type)
    return _Column(_slot(cls, field.name), plain_type_of(field.type), hook, annotation)


def _slot(cls: type[Resource], name: str) -> Callable[[Any, Any], None]:
    # The slot itself: assignment through the class is refused, as users must not do it.
    fill: Callable[[Any, Any], None] = getattr_static(cls, name).__set__
    return fill


_SET_ID: Final = _slot(Resource, "id")
_SET_EXTRA: Final = _slot(Resource, "extra")
_SET_ORIGIN: Final = _slot(Resource, "origin")
_SET_RESOURCE_TYPE: Final = _slot(UntypedResource, "resource_type")


def _fill(instance: Resource, attributes: Mapping[str, Any], path: str, context: str) -> None:
    cls: Any = type(instance)
    columns = _columns(cls)
    try:
        leftover = _fill_known(instance, columns.by_name, attributes)
        if leftover and columns.also_called:
            _place_aliases(instance, columns, leftover, attributes)
        if columns.custom_fields is not None:
            _place_custom_fields(instance, columns.custom_fields, leftover)
    except Refused as refused:
        raise DecodeError(str(refused), path=f"{path}.attributes{refused.place}", context=context) from None
    _SET_EXTRA(instance, leftover or NO_EXTRA)


def _fill_known(
    instance: Resource, by_name: Mapping[str, _Column], attributes: Mapping[str, Any]
) -> dict[str, Any] | None:
    """Fill the slots that are called as on the wire, and give what has none."""
    leftover: dict[str, Any] | None = None
    name = ""
    try:
        for name, value in attributes.items():
            column = by_name.get(name)
            if column is None:
                leftover = leftover or {}
                leftover[name] = value
                continue
            # Unpacked, not read by name: this loop is where a page of rows spends its time.
            fill, plain, convert, annotation = column
            if value is None or type(value) is plain:
                fill(instance, value)
            else:
                fill(instance, convert(value, annotation))
    except Refused as refused:
        raise refused.inside(f".{name}") from None
    return leftover


def _place_aliases(
    instance: Resource, columns: _Columns, leftover: dict[str, Any], attributes: Mapping[str, Any]
) -> None:
    for alias in columns.also_called.keys() & leftover.keys():
        name = columns.also_called[alias]
        if name not in attributes:
            columns.by_name[name].put(instance, leftover.pop(alias), called=alias)


def _place_custom_fields(instance: Resource, column: _Column, leftover: dict[str, Any] | None) -> None:
    custom = {name: leftover.pop(name) for name in tuple(leftover) if _CUSTOM_FIELD.fullmatch(name)} if leftover else {}
    if custom or _were_asked_for(instance):
        column.fill(instance, column.convert(custom, column.annotation))


def _were_asked_for(instance: Resource) -> bool:
    # A sparse fieldset without custom fields does not tell whether there are any.
    asked = instance.origin.scope.query.fields.get(instance.resource_type)
    return asked is None or any(map(_CUSTOM_FIELD.fullmatch, asked))
