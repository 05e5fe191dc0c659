"""One resource object to its model, attribute by attribute, in every form that the API has been seen to use.

Which class and which slots is decided here; what a value may become is decided in `values`.
"""

from collections.abc import Mapping
from itertools import filterfalse
from typing import Any, Final, Generic, TypeVar

import attrs

from kajabi_async.decoding.fast import FastReader, Slot, setter, unfilled
from kajabi_async.decoding.values import Refused, conversions_in, hook_for
from kajabi_async.errors import DecodeError
from kajabi_async.jsonapi.codec import (
    RawJson,
    ResourceObject,
    decode,
    has_many_members,
    json_array,
    json_object,
    kind_of_text,
    split_members,
)
from kajabi_async.jsonapi.limits import MOST_MEMBERS
from kajabi_async.models.origin import Origin, Scope
from kajabi_async.models.resource import (
    CUSTOM_FIELD,
    CUSTOM_FIELDS,
    MODELS,
    Resource,
    UntypedResource,
    attribute_names,
    custom_fields,
    is_set,
)
from kajabi_async.models.unreadable import Steps, Unreadable, dotted

__all__ = ["DECODERS", "Decoder", "class_of"]

R = TypeVar("R", bound=Resource)

_OF_A_MEMBER_BY_ITSELF: Final = 4
"""How many values that are converted take as long as one member that is decoded by itself."""
_OF_A_REFUSAL: Final = 40
"""How many take as long as one value that cannot be read."""
_ROWS_TO_LEARN_FROM: Final = 10
"""Learning names takes as long as reading several rows, and those that follow mostly carry the same."""
_IS_USUAL: Final = frozenset(f"custom_{number}" for number in range(1, 151)).__contains__
"""Whether a name is that of a custom field of the API document, which is quicker than to match it."""


def class_of(resource_type: str) -> type[Resource]:
    """Return the class for *resource_type*; `UntypedResource` for a type that the SDK does not know."""
    return MODELS.get(resource_type, UntypedResource)


class Decoder(Generic[R]):
    """Reads resource objects of one class."""

    def __init__(self, cls: type[R]) -> None:
        self.cls = cls
        model: Any = cls
        fields = attrs.fields_dict(model)
        slots = {name: _slot(cls, fields[name]) for name in attribute_names(cls) if name != "id"}
        self.also_called = {alias: name for name, others in attribute_names(cls).items() for alias in others}
        self.custom_fields = slots.pop(CUSTOM_FIELDS, None)
        self.slots = slots
        self._has_more = bool(self.also_called) or self.custom_fields is not None
        self.fast = FastReader(cls, slots, self._place_rest if self._has_more else None) if slots else None
        """Reads whole answers; None if no attribute is known."""
        self.through = tuple(relation for relation in cls.relations.values() if relation.through)
        """The relations that lead along a path, to what is included along it."""

    def read(
        self, row: ResourceObject, scope: Scope, context: str, within: tuple[str, ...], index: int | None = None
    ) -> R:
        """Return the model of *row*, which is at the path *within* in the document, at *index* if that is an array.

        An attribute that cannot be read is recorded and left empty. DecodeError if the attributes as a whole cannot be
        read or, in a strict scope, if one of them cannot.
        """
        path: Steps = (*within, "attributes") if index is None else (*within, index, "attributes")
        origin = Origin(scope, row.relationships.copy(), row.links.copy(), row.meta.copy())
        resource = unfilled(self.cls, row.id, origin)
        if self.cls is UntypedResource:
            _SET_RESOURCE_TYPE(resource, row.type)
        refused: dict[str, Refused] = {}
        attributes = self._attributes(row.attributes, refused, path, context, scope)
        rest = self._place(resource, attributes, refused)
        if rest:
            scope.count_conversions(len(rest))
            if self.fast is not None and (index or 0) < _ROWS_TO_LEARN_FROM:
                self.fast.learn(rest)
        if self._has_more:
            self._place_rest(resource, rest, refused)
        if refused:
            try:
                scope.count_conversions(_OF_A_REFUSAL * len(refused))
                _note(refused, origin, path, context)
            finally:
                # Each leads to this frame by its traceback: only a pass of the garbage collector would free them.
                refused.clear()
            if self.custom_fields is not None:
                _show_unreadable(resource, self.custom_fields)
        if rest:
            _SET_EXTRA(resource, rest)
        return resource

    def _attributes(
        self, raw: RawJson, refused: dict[str, Refused], path: Steps, context: str, scope: Scope
    ) -> dict[str, Any]:
        if has_many_members(raw):
            raise DecodeError(f"more than {MOST_MEMBERS} attributes", path=dotted(path), context=context)
        try:
            value = decode(raw, context=context)
        except DecodeError:
            if scope.strict or kind_of_text(raw) != "an object":
                raise
            members = split_members(bytes(raw), context=context)
            scope.count_conversions(_OF_A_MEMBER_BY_ITSELF * len(members))
            return self._each_by_itself(members, refused)
        attributes = {} if value is None else json_object(value)
        if attributes is None:
            raise DecodeError("attributes must be an object", path=dotted(path), context=context)
        return attributes

    def _each_by_itself(self, members: Mapping[str, RawJson], refused: dict[str, Refused]) -> dict[str, Any]:
        """Decode *members* one by one, and refuse those that cannot be decoded."""
        attributes: dict[str, Any] = {}
        for name, text in members.items():
            try:
                attributes[name] = decode(text)
            except DecodeError:
                error = Refused("a value that can be decoded", None)
                error.kind = kind_of_text(text)
                refused[self.also_called.get(name, name)] = error.inside(name)
        return attributes

    def _place(self, resource: R, attributes: Mapping[str, Any], refused: dict[str, Refused]) -> dict[str, Any]:
        """Set the slots that are called as on the wire, add to *refused*, and return the other members."""
        rest: dict[str, Any] = {}
        slots = self.slots
        for name, value in attributes.items():
            slot = slots.get(name)
            if slot is None:
                rest[name] = value
            elif value is None or type(value) is slot.type:
                slot.fill(resource, value)
            else:
                if (array := json_array(value)) is not None:
                    resource.origin.scope.count_conversions(conversions_in(array))
                try:
                    slot.fill(resource, slot.convert(value, slot.type))
                except Refused as error:
                    refused[name] = error.inside(name)
                    rest[name] = value
        return rest

    def _place_rest(self, resource: R, rest: dict[str, Any], refused: dict[str, Refused]) -> None:
        """Set the slots from members with other names, delete those that were used from *rest*, add to *refused*."""
        for alias in self.also_called.keys() & rest.keys():
            name = self.also_called[alias]
            if not is_set(resource, name) and name not in refused:
                try:
                    self.slots[name].put(resource, rest[alias])
                except Refused as error:
                    refused[name] = error.inside(alias)
                else:
                    del rest[alias]
        if self.custom_fields is not None:
            _place_custom_fields(resource, self.custom_fields, rest, refused)


class _Decoders(dict[type[Resource], Decoder[Any]]):
    def __missing__(self, cls: type[Resource]) -> Decoder[Any]:
        decoder = self[cls] = Decoder(cls)
        return decoder


DECODERS: Final = _Decoders()
"""The decoder of each class, made when it is first needed."""

_SET_EXTRA: Final = setter(Resource, "extra")
_SET_RESOURCE_TYPE: Final = setter(UntypedResource, "resource_type")


def _slot(cls: type[Resource], field: "attrs.Attribute[Any]") -> Slot:
    hook, value_type = hook_for(field.type)
    return Slot(setter(cls, field.name), value_type, hook)


def _note(refused: Mapping[str, Refused], origin: Origin, path: Steps, context: str) -> None:
    """Record which attributes were *refused*; in a strict scope raise DecodeError for the first."""
    for name, error in refused.items():
        if origin.scope.strict:
            raise DecodeError(str(error), path=dotted((*path, *error.steps)), context=context)
        origin.note_unreadable(name, Unreadable(error.expected, error.kind, (*path, *error.steps)))


def _place_custom_fields(resource: Resource, slot: Slot, rest: dict[str, Any], refused: dict[str, Refused]) -> None:
    others = [*filterfalse(_IS_USUAL, rest)]
    if others:
        resource.origin.scope.count_conversions(len(others))
    names = [*filter(_IS_USUAL, rest), *filter(CUSTOM_FIELD.fullmatch, others)]
    if not names and not _may_have_custom_fields(resource):
        return
    try:
        readable = slot.converted({name: rest[name] for name in names})
    except Refused:
        readable = _readable_custom_fields(slot, names, rest, refused)
    slot.fill(resource, readable)
    for name in readable:
        del rest[name]


def _readable_custom_fields(
    slot: Slot, names: list[str], rest: Mapping[str, Any], refused: dict[str, Refused]
) -> dict[str, Any]:
    readable: dict[str, Any] = {}
    for name in names:
        try:
            readable |= slot.converted({name: rest[name]})
        except Refused as error:
            # Without the frames that it passed: there may be a thousand of them.
            refused[name] = error.with_traceback(None)
    return readable


def _show_unreadable(resource: Any, slot: Slot) -> None:
    """Add the names of the custom fields that cannot be read to the custom fields."""
    readable: Mapping[str, Any] = resource.custom_fields if is_set(resource, CUSTOM_FIELDS) else {}
    shown = custom_fields(resource, readable)
    if shown is not readable:
        slot.fill(resource, shown)


def _may_have_custom_fields(resource: Resource) -> bool:
    # A sparse fieldset without custom fields does not say whether there are any.
    requested = resource.origin.scope.fields_of(resource.resource_type)
    return requested is None or any(map(CUSTOM_FIELD.fullmatch, requested))
