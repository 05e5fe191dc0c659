"""Resource objects to models: the class for each type, and how its slots are filled.

Which class and which attributes is decided here; what a value may become is decided in `values`.
"""

from collections.abc import Mapping
from typing import Any, Final, Generic, TypeVar

import attrs

from kajabi_async.decoding.fast import Column, Shape, begun, slot, unread
from kajabi_async.decoding.values import Refused, hook_for
from kajabi_async.errors import DecodeError
from kajabi_async.jsonapi.codec import RawJson, ResourceObject, decode, json_object, kind_of_text, split_members
from kajabi_async.models.resource import (
    CUSTOM_FIELD,
    CUSTOM_FIELDS,
    MODELS,
    Origin,
    Resource,
    Scope,
    UntypedResource,
    attribute_names,
    custom_fields,
    is_set,
)
from kajabi_async.models.unreadable import Steps, Unreadable, dotted

__all__ = ["PLANS", "Plan", "class_of"]

R = TypeVar("R", bound=Resource)

_LARGE_ROW_BYTES: Final = 2**16
"""What is larger is read attribute by attribute, as trying the other way first would double the time it takes."""


def class_of(resource_type: str) -> type[Resource]:
    """Give the class for *resource_type*; types the SDK does not know have `UntypedResource`."""
    return MODELS.get(resource_type, UntypedResource)


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
        self.through = tuple(relation for relation in cls.relations.values() if relation.through)
        """The relations that lead along a path, by what is included along it."""
        self._build_at_once = None if self.shape is None else self.shape.build

    def build(
        self, row: ResourceObject, scope: Scope, context: str, within: tuple[str, ...], index: int | None = None
    ) -> R:
        """Build the model of *row*, which stands *within* that part of the document, at *index* if it is an array.

        An attribute that cannot be read is noted and left empty. DecodeError if the attributes as a whole cannot be
        read or, in a strict scope, if one of them cannot.
        """
        origin = Origin(scope, row.relationships.copy(), row.links.copy(), row.meta.copy())
        attributes: Any = row.attributes
        built = notes = None
        at_once = self._build_at_once
        if at_once is not None and not (type(attributes) is RawJson and len(attributes) > _LARGE_ROW_BYTES):
            built = at_once(row.id, origin, attributes)
        if built is None:
            notes = _Notes(origin, context, within, index)
            built = _one_by_one(_begun(row, origin, self.cls), self, unread(row), notes)
        instance, leftover = built
        if leftover or self.custom_fields is not None:
            leftover = leftover or {}
            try:
                _place(instance, self, leftover)
            except Refused:
                notes = notes or _Notes(origin, context, within, index)
                _place_readable(instance, self, leftover, notes)
            if leftover:
                _SET_EXTRA(instance, leftover)
        if notes is not None and self.custom_fields is not None and origin.unreadable:
            _show_unreadable(instance, self.custom_fields)
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


class _Notes:
    """Where what cannot be read of one resource object is noted, or raised if its scope is strict."""

    def __init__(self, origin: Origin, context: str, within: tuple[str, ...], index: int | None) -> None:
        self.origin = origin
        self.context = context
        self.is_strict = origin.scope.strict
        self._steps: Steps = (*within, "attributes") if index is None else (*within, index, "attributes")

    def note(self, name: str, refused: Refused) -> None:
        """Note that the attribute *name* was *refused*, or raise DecodeError in a strict scope."""
        if self.is_strict:
            raise self.error(str(refused), refused.steps) from None
        self.origin.note_unreadable(name, Unreadable(refused.expected, refused.kind, (*self._steps, *refused.steps)))

    def error(self, problem: str, steps: Steps = ()) -> DecodeError:
        return DecodeError(problem, path=dotted((*self._steps, *steps)), context=self.context)


def _one_by_one(instance: R, plan: Plan[Any], raw: RawJson, notes: _Notes) -> tuple[R, dict[str, Any]]:
    """Fill the slots that are called as on the wire, and return the instance with what remains."""
    leftover = _attributes(raw, plan, notes)
    for name in [name for name in leftover if name in plan.columns]:
        try:
            plan.columns[name].put(instance, leftover[name])
        except Refused as refused:
            notes.note(name, refused.inside(name))
        else:
            del leftover[name]
    if plan.shape is not None:
        plan.shape.learn(leftover)
    return instance, leftover


def _attributes(raw: RawJson, plan: Plan[Any], notes: _Notes) -> dict[str, Any]:
    try:
        value = decode(raw, context=notes.context)
    except DecodeError:
        if notes.is_strict or kind_of_text(raw) != "an object":
            raise
        return _each_by_itself(raw, plan, notes)
    attributes = {} if value is None else json_object(value)
    if attributes is None:
        raise notes.error("attributes must be an object")
    return attributes


def _each_by_itself(raw: RawJson, plan: Plan[Any], notes: _Notes) -> dict[str, Any]:
    """Decode the members of *raw* one by one, and note those that cannot be decoded."""
    attributes: dict[str, Any] = {}
    for name, text in split_members(bytes(raw), context=notes.context).items():
        try:
            attributes[name] = decode(text)
        except DecodeError:
            refused = Refused("a value that can be decoded", None)
            refused.kind = kind_of_text(text)
            notes.note(plan.also_called.get(name, name), refused.inside(name))
    return attributes


def _place(instance: Resource, plan: Plan[Any], leftover: dict[str, Any]) -> None:
    """Find a place for what came beside the attributes that are called as on the wire, and take it out of *leftover*.

    What is `Refused` is still in there.
    """
    if leftover and plan.also_called:
        for alias in plan.also_called.keys() & leftover.keys():
            _place_alias(instance, plan, leftover, alias)
    if plan.custom_fields is not None:
        called = [name for name in leftover if name.startswith("custom_") and CUSTOM_FIELD.fullmatch(name)]
        custom = {name: leftover[name] for name in called}
        if custom or _were_asked_for(instance):
            plan.custom_fields.put(instance, custom)
            for name in called:
                del leftover[name]


def _place_readable(instance: Resource, plan: Plan[Any], leftover: dict[str, Any], notes: _Notes) -> None:
    """Do as `_place`, and note what cannot be read."""
    for alias in plan.also_called.keys() & leftover.keys():
        try:
            _place_alias(instance, plan, leftover, alias)
        except Refused as refused:
            notes.note(plan.also_called[alias], refused.inside(alias))
    if plan.custom_fields is not None:
        _place_readable_custom_fields(instance, plan.custom_fields, leftover, notes)


def _place_alias(instance: Resource, plan: Plan[Any], leftover: dict[str, Any], alias: str) -> None:
    name = plan.also_called[alias]
    if not is_set(instance, name) and name not in instance.origin.unreadable:
        plan.columns[name].put(instance, leftover[alias])
        del leftover[alias]


def _place_readable_custom_fields(instance: Any, column: Column, leftover: dict[str, Any], notes: _Notes) -> None:
    readable: dict[str, Any] = {}
    for name in [name for name in leftover if CUSTOM_FIELD.fullmatch(name)]:
        try:
            readable |= column.converted({name: leftover[name]})
        except Refused as refused:
            notes.note(name, refused)
        else:
            del leftover[name]
    column.fill(instance, readable)


def _show_unreadable(instance: Any, column: Column) -> None:
    """Let the custom fields have the names of those that cannot be read."""
    readable: Mapping[str, Any] = instance.custom_fields if is_set(instance, CUSTOM_FIELDS) else {}
    shown = custom_fields(instance, readable)
    if shown is not readable:
        column.fill(instance, shown)


def _were_asked_for(instance: Resource) -> bool:
    # A sparse fieldset without custom fields does not tell whether there are any.
    asked = instance.origin.scope.fields_of(instance.resource_type)
    return asked is None or any(map(CUSTOM_FIELD.fullmatch, asked))
