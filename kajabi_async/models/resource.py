"""The base of every resource object, and how a class of them is declared.

An attribute the answer did not carry is an empty slot: it is neither null nor empty, and reading it raises
`FieldNotLoadedError`. So is one whose value cannot be read: reading it raises `UnreadableAttributeError`. Relations are
handles: looking at one never does I/O, awaiting it does where it must.
"""

import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Final, NoReturn, TypeVar

import attrs

from kajabi_async.errors import FieldNotLoadedError, UnreadableAttributeError
from kajabi_async.jsonapi.codec import json_object
from kajabi_async.jsonapi.linkage import Identifier
from kajabi_async.models.origin import Origin, Scope
from kajabi_async.models.relations import Relation
from kajabi_async.models.unreadable import PartlyRead, Unreadable

__all__ = [
    "CUSTOM_FIELD",
    "CUSTOM_FIELDS",
    "MODELS",
    "NO_EXTRA",
    "Resource",
    "UntypedResource",
    "also_called",
    "attribute_names",
    "custom_fields",
    "is_set",
    "model",
]

CUSTOM_FIELDS: Final = "custom_fields"
"""The attribute that gathers what the wire carries as ``custom_1`` and so on."""
CUSTOM_FIELD: Final = re.compile(r"custom_[1-9][0-9]{0,8}")
"""The name of one of them in answers, bodies and ``fields=``; the API document has ``custom_1`` to ``custom_150``."""
NO_EXTRA: Final[Mapping[str, Any]] = MappingProxyType({})
MODELS: Final[dict[str, type["Resource"]]] = {}
"""The class for each resource type; declaring one with `model` enters it."""

_ALSO_CALLED: Final = "also_called"
_BESIDE_ATTRIBUTES: Final = frozenset({"extra", "origin", "resource_type"})

C = TypeVar("C")
R = TypeVar("R", bound="Resource")


def _refuse_assignment(instance: Any, attribute: "attrs.Attribute[Any]", _value: Any) -> NoReturn:
    raise AttributeError(
        f"{type(instance).__name__}.{attribute.name} is what the server said and cannot be set; "
        "write with the resource's update(), where it has one, and use what that returns"
    )


def _slotted(cls: type[C]) -> type[C]:
    return attrs.define(
        init=False,
        eq=False,
        repr=False,
        getstate_setstate=False,
        on_setattr=_refuse_assignment,
    )(cls)


@_slotted
class Resource:
    """A resource object as Kajabi told it; two are equal when they are of one type and have the same id."""

    id: str
    """The id; always a string."""
    extra: Mapping[str, Any] = attrs.field(repr=False)
    """Attributes the SDK does not know, as they came; so is the value of one that it cannot read."""
    origin: Origin = attrs.field(repr=False)
    """The answer this came in, and the links and meta beside the attributes."""

    resource_type: ClassVar[str] = ""
    """The JSON:API type, such as ``customers``."""
    relations: ClassVar[Mapping[str, Relation]] = {}
    """The relations of the class, by name."""

    def loaded_attributes(self) -> dict[str, Any]:
        """Return the attributes the answer carried, by name.

        ``id``, what is in ``extra`` and those of `unreadable_attributes` are not among them.
        """
        names = attribute_names(type(self))
        return {name: getattr(self, name) for name in names if name != "id" and is_set(self, name)}

    def unreadable_attributes(self) -> dict[str, UnreadableAttributeError]:
        """Return the attributes that cannot be read, by name, each with the error that reading it raises.

        Of custom fields each stands by itself, such as ``custom_2``. Empty for nearly every resource; always if the
        client is ``strict``.
        """
        return {name: _unreadable_error(self, name, each) for name, each in self.origin.unreadable.items()}

    @property
    def identifier(self) -> Identifier:
        """Type and id."""
        return Identifier(self.resource_type, self.id)

    # One for all: generating one for each class takes most of the time of importing this package.
    def __repr__(self) -> str:
        cls: Any = type(self)
        shown = (f"{field.name}={_shown(self, field.name)}" for field in attrs.fields(cls) if field.repr)
        return f"{cls.__name__}({', '.join(shown)})"

    def __eq__(self, other: object) -> bool:
        return self.identifier == other.identifier if isinstance(other, Resource) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.identifier)

    if not TYPE_CHECKING:  # With it, type checkers would take any misspelt attribute for a real one.

        def __getattr__(self, name: str) -> NoReturn:
            # Only reached where a slot is empty or there is no such attribute at all.
            unreadable = _unreadable(self, name)
            if unreadable is not None:
                raise _unreadable_error(self, name, unreadable)
            if name in attribute_names(type(self)):
                raise FieldNotLoadedError(_why_not_loaded(self, name), name=name)
            declared = getattr(type(self), name, None)
            if isinstance(declared, property):
                # It stands on an attribute that is not loaded: asked again, it says which.
                declared.__get__(self)
            raise AttributeError(_no_such_attribute(self, name))

    def __getstate__(self) -> dict[str, Any]:
        """Give what travels: attributes, linkage and the related resources at hand, but no way back to a client."""
        return {
            "attributes": {"id": self.id, **_readable(self.loaded_attributes())},
            "unreadable": {name: tuple(each) for name, each in self.origin.unreadable.items()},
            "extra": dict(self.extra),
            "relationships": self.origin.relationships,
            "links": self.origin.links,
            "meta": self.origin.meta,
            "related": _related_at_hand(self),
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state["attributes"].items():
            object.__setattr__(self, name, value)
        origin = Origin(Scope(at_hand=state["related"]), state["relationships"], state["links"], state["meta"])
        object.__setattr__(self, "origin", origin)
        object.__setattr__(self, "extra", state["extra"] or NO_EXTRA)
        # Resources that older versions pickled have none.
        for name, (expected, kind, steps) in state.get("unreadable", {}).items():
            origin.note_unreadable(name, Unreadable(expected, kind, steps))
        readable = json_object(state["attributes"].get(CUSTOM_FIELDS))
        if origin.unreadable and readable is not None:
            object.__setattr__(self, CUSTOM_FIELDS, custom_fields(self, readable))


@_slotted
class UntypedResource(Resource):
    """A resource object of a type the SDK does not know; all its attributes are in ``extra``."""

    resource_type: str = attrs.field()  # type: ignore[misc]  # pyright: ignore[reportIncompatibleVariableOverride] # no class says it here

    def __getstate__(self) -> dict[str, Any]:
        return {**Resource.__getstate__(self), "resource_type": self.resource_type}

    def __setstate__(self, state: dict[str, Any]) -> None:
        object.__setattr__(self, "resource_type", state["resource_type"])
        Resource.__setstate__(self, state)


def model(resource_type: str) -> Callable[[type[R]], type[R]]:
    """Declare a class of resources: annotated names are attributes, descriptors relations."""

    def declare(cls: type[R]) -> type[R]:
        declared = _slotted(cls)
        declared.resource_type = resource_type
        declared.relations = {
            name: value
            for base in declared.__mro__
            for name, value in vars(base).items()
            if isinstance(value, Relation)
        }
        MODELS[resource_type] = declared
        return declared

    return declare


def also_called(*names: str) -> Any:
    """Declare an attribute that some answers carry under other *names*."""
    return attrs.field(metadata={_ALSO_CALLED: names})


def attribute_names(cls: type[Any]) -> Mapping[str, tuple[str, ...]]:
    """Give the attributes of *cls*, ``id`` among them, each with the other names it goes by on the wire."""
    names = _ATTRIBUTE_NAMES.get(cls)
    if names is None:
        own = (field for field in attrs.fields(cls) if field.name not in _BESIDE_ATTRIBUTES)
        names = {field.name: field.metadata.get(_ALSO_CALLED, ()) for field in own}
        _ATTRIBUTE_NAMES[cls] = names
    return names


_ATTRIBUTE_NAMES: Final[dict[type, Mapping[str, tuple[str, ...]]]] = {}


def is_set(instance: Resource, name: str) -> bool:
    """Tell whether the answer carried the attribute called *name*."""
    try:
        object.__getattribute__(instance, name)
    except AttributeError:
        return False
    return True


def custom_fields(owner: Resource, readable: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the custom fields of *owner*: those that are *readable*, and those it has noted as unreadable."""
    noted = owner.origin.unreadable
    unreadable = {name: each for name, each in noted.items() if CUSTOM_FIELD.fullmatch(name)}
    return PartlyRead(readable, unreadable, owner=owner.identifier) if unreadable else readable


def _readable(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: each.readable if isinstance(each, PartlyRead) else each for name, each in attributes.items()}


def _unreadable(instance: Resource, name: str) -> Unreadable | None:
    return instance.origin.unreadable.get(name) if is_set(instance, "origin") else None


def _unreadable_error(instance: Resource, name: str, unreadable: Unreadable) -> UnreadableAttributeError:
    resource_id = instance.id if is_set(instance, "id") else ""
    return unreadable.error(name, instance.resource_type, resource_id)


def _shown(instance: Resource, name: str) -> str:
    if is_set(instance, name):
        return repr(getattr(instance, name))
    unreadable = _unreadable(instance, name)
    return repr(attrs.NOTHING) if unreadable is None else f"<unreadable: {unreadable.kind}>"


def _related_at_hand(owner: Resource) -> dict[Identifier, Resource]:
    # By identifier, as in a cycle the related resource itself is not filled yet when its owner is.
    known = owner.origin.scope.known
    linked = (each for relationship in owner.origin.relationships.values() for each in relationship.identifiers)
    return {identifier: known[identifier] for identifier in linked if identifier in known}


def _why_not_loaded(instance: Resource, name: str) -> str:
    if name == "id" and not is_set(instance, "origin"):
        return f"this {type(instance).__name__} was never filled"
    if name == "id":
        return (
            f"this {type(instance).__name__} has no id: the answer to the write that made it did not carry one; "
            "look it up to have it"
        )
    label = f"{instance.resource_type} {instance.id} came without {name!r}"
    asked = instance.origin.scope.fields_of(instance.resource_type)
    if asked is not None and name not in asked:
        wanted = "'custom_1' or its like" if name == CUSTOM_FIELDS else repr(name)
        return (
            f"{label}: it was asked for with fields[{instance.resource_type}]={','.join(asked)}; "
            f"add {wanted} to fields=, or leave fields= out"
        )
    return f"{label}: the server did not send it with this answer"


def _no_such_attribute(instance: Resource, name: str) -> str:
    message = f"{type(instance).__name__!r} object has no attribute {name!r}"
    if name.startswith("__") or name in _BESIDE_ATTRIBUTES:
        return message
    if name in instance.extra:
        return f"{message}; the server sent it all the same: read .extra[{name!r}]"
    nearest = get_close_matches(name, [*attribute_names(type(instance)), *instance.relations], n=1)
    return f"{message}; did you mean {nearest[0]!r}?" if nearest else message
