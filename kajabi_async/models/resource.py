"""The base of every resource, and how a class of resources is declared.

An attribute that the answer did not carry is an empty slot: it is neither null nor empty, and reading it raises
`FieldNotLoadedError`. So is one whose value cannot be read: reading it raises `UnreadableAttributeError`. Relations are
handles: looking at one never does I/O, awaiting it may.
"""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Final, NoReturn, TypeVar, dataclass_transform

import attrs

from kajabi_async.errors import FieldNotLoadedError, UnreadableAttributeError
from kajabi_async.hints import nearest_name
from kajabi_async.jsonapi.codec import json_object
from kajabi_async.jsonapi.linkage import Identifier
from kajabi_async.models.members import (
    Relations,
    json_schema_of,
    members_of,
    pydantic_schema_of,
    resource_html,
    short_repr,
)
from kajabi_async.models.misuse import AS_DICT, ResourceMisuse, cure_for
from kajabi_async.models.origin import Origin, Scope
from kajabi_async.models.relations import Relation
from kajabi_async.models.unreadable import PartlyRead, Unreadable

__all__ = [
    "CUSTOM_FIELD",
    "CUSTOM_FIELDS",
    "MODELS",
    "NO_EXTRA",
    "Part",
    "Resource",
    "UntypedResource",
    "also_called",
    "attribute_names",
    "custom_fields",
    "is_set",
    "model",
]

CUSTOM_FIELDS: Final = "custom_fields"
"""The attribute that collects the members ``custom_1`` and so on."""
CUSTOM_FIELD: Final = re.compile(r"custom_[1-9][0-9]{0,8}")
"""The name of one of them in answers, bodies and ``fields=``; the API document has ``custom_1`` to ``custom_150``."""
NO_EXTRA: Final[Mapping[str, Any]] = MappingProxyType({})
MODELS: Final[dict[str, type["Resource"]]] = {}
"""The class for each resource type; declaring one with `model` adds it."""

_ALSO_CALLED: Final = "also_called"
_BESIDE_ATTRIBUTES: Final = frozenset({AS_DICT, "extra", "origin", "resource_type"})

C = TypeVar("C")
R = TypeVar("R", bound="Resource")


def _refuse_assignment(instance: Any, attribute: "attrs.Attribute[Any]", _value: Any) -> NoReturn:
    raise AttributeError(
        f"{type(instance).__name__}.{attribute.name} is what the server said and cannot be set; "
        "write with the resource's update(), if it has one, and use what that returns"
    )


@dataclass_transform(frozen_default=True, eq_default=False, kw_only_default=True, field_specifiers=(attrs.field,))
def _slotted(cls: type[C]) -> type[C]:
    return attrs.define(
        init=False,
        eq=False,
        repr=False,
        getstate_setstate=False,
        on_setattr=_refuse_assignment,
        field_transformer=_without_init,
    )(cls)


def _without_init(_: type[Any], fields: "list[attrs.Attribute[Any]]") -> "list[attrs.Attribute[Any]]":
    # attrs.evolve would read every attribute, loaded or not, before it calls the class, which has the cure.
    return [field.evolve(init=False) for field in fields]


@_slotted  # pyright: ignore[reportGeneralTypeIssues]  # it holds no field
class Resource(ResourceMisuse):
    """A resource as Kajabi sent it; two are equal if they have the same type and id."""

    id: str
    """The id; always a string."""
    extra: Mapping[str, Any] = attrs.field(repr=False)
    """Attributes that the SDK does not know, as they came, and the values of those that it cannot read."""
    origin: Origin = attrs.field(repr=False)
    """The answer that this came in, with its links and meta."""

    resource_type: ClassVar[str] = ""
    """The JSON:API type, such as ``customers``."""
    relations: ClassVar[Mapping[str, Relation]] = {}
    """The relations of the class, by name."""
    distinguished_by: ClassVar[tuple[str, ...] | None] = None
    """The attributes in the ``repr`` beside the id; None for all."""
    secret_urls: ClassVar[frozenset[str]] = frozenset()
    """The attributes with a URL that may hold a secret; notebooks show its host alone."""

    def to_dict(self, *, relations: Relations = True) -> dict[str, Any]:
        """Return the resource as plain data, which every JSON library takes.

        ``type``, ``id`` and the loaded attributes, those in ``extra`` included: decimals as text, times as RFC 3339
        in UTC. Of each known relation the ids, as ``contact_id`` or ``offer_ids``; none if ``relations`` is False. With
        ``"loaded"``, a loaded relation is there by its name instead, as dicts that have their own loaded relations,
        except those that lead back to a type they are nested in.

        Attributes that are not loaded are left out; ``unreadable`` has the problem of each that cannot be read. An
        attribute with one of these names has an underscore after it, as ``type_`` of a custom field. Nothing is
        requested.
        """
        return members_of(self, relations)

    def loaded_attributes(self) -> dict[str, Any]:
        """Return the attributes that the answer carried, by name.

        ``id``, the members of ``extra`` and `unreadable_attributes` are not among them.
        """
        names = attribute_names(type(self))
        return {name: getattr(self, name) for name in names if name != "id" and is_set(self, name)}

    def unreadable_attributes(self) -> dict[str, UnreadableAttributeError]:
        """Return the attributes that cannot be read, by name, each with the error that reading it raises.

        Custom fields are listed one by one, such as ``custom_2``. Empty for nearly every resource, and always if the
        client is ``strict``.
        """
        return {name: _unreadable_error(self, name, each) for name, each in self.origin.unreadable.items()}

    @property
    def identifier(self) -> Identifier:
        """Type and id."""
        return Identifier(self.resource_type, self.id)

    # One for all classes: generating one for each takes most of the time of importing this package.
    def __repr__(self) -> str:
        return short_repr(self)

    def _repr_html_(self) -> str:
        return resource_html(self)

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: Any) -> Any:
        """Let pydantic and FastAPI take a resource as the type of a response: they write its `to_dict`."""
        return pydantic_schema_of(cls)

    @classmethod
    def __get_pydantic_json_schema__(cls, _schema: Any, _handler: Any) -> dict[str, Any]:
        types = {field.name: field.type for field in attrs.fields(cls)}
        return json_schema_of(cls, {name: types[name] for name in attribute_names(cls)})

    def __eq__(self, other: object) -> bool:
        return self.identifier == other.identifier if isinstance(other, Resource) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.identifier)

    if not TYPE_CHECKING:  # With it, type checkers would take any misspelt attribute for a real one.

        def __getattr__(self, name: str) -> NoReturn:
            # Only called if a slot is empty or there is no such attribute.
            if name == AS_DICT:
                raise TypeError(f"a {type(self).__name__} is turned into a dict by .to_dict()")
            unreadable = _unreadable(self, name)
            if unreadable is not None:
                raise _unreadable_error(self, name, unreadable)
            if name in attribute_names(type(self)):
                raise FieldNotLoadedError(_why_not_loaded(self, name), name=name)
            declared = getattr(type(self), name, None)
            if isinstance(declared, property):
                # It reads an attribute that is not loaded: called again, it raises the error that names it.
                declared.__get__(self)
            raise AttributeError(_no_such_attribute(self, name))

    def __getstate__(self) -> dict[str, Any]:
        """Return attributes, linkage and the related resources that are loaded, without the client."""
        return {
            "attributes": {"id": self.id, **_readable(self.loaded_attributes())},
            "unreadable": {name: tuple(each) for name, each in self.origin.unreadable.items()},
            "extra": dict(self.extra),
            "relationships": self.origin.relationships,
            "links": self.origin.links,
            "meta": self.origin.meta,
            "related": _loaded_related(self),
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state["attributes"].items():
            object.__setattr__(self, name, value)
        origin = Origin(Scope(loaded=state["related"]), state["relationships"], state["links"], state["meta"])
        object.__setattr__(self, "origin", origin)
        object.__setattr__(self, "extra", state["extra"] or NO_EXTRA)
        # Pickles of older versions have none.
        for name, (expected, kind, steps) in state.get("unreadable", {}).items():
            origin.note_unreadable(name, Unreadable(expected, kind, steps))
        readable = json_object(state["attributes"].get(CUSTOM_FIELDS))
        if origin.unreadable and readable is not None:
            object.__setattr__(self, CUSTOM_FIELDS, custom_fields(self, readable))


@_slotted
class UntypedResource(Resource):
    """A resource of a type that the SDK does not know; all its attributes are in ``extra``."""

    resource_type: str = attrs.field()  # type: ignore[misc]  # pyright: ignore[reportIncompatibleVariableOverride] # it is not of the class here

    def __getstate__(self) -> dict[str, Any]:
        return {**Resource.__getstate__(self), "resource_type": self.resource_type}

    def __setstate__(self, state: dict[str, Any]) -> None:
        object.__setattr__(self, "resource_type", state["resource_type"])
        Resource.__setstate__(self, state)


@attrs.frozen
class Part:
    """An object inside an attribute; members that the SDK does not know are in ``extra``."""

    extra: Mapping[str, Any] = attrs.field(factory=dict[str, Any], kw_only=True)


@dataclass_transform(frozen_default=True, eq_default=False, kw_only_default=True, field_specifiers=(attrs.field,))
def model(
    resource_type: str, *, distinguished_by: tuple[str, ...] | None = None, secret_urls: tuple[str, ...] = ()
) -> Callable[[type[R]], type[R]]:
    """Declare a class of resources: annotated names are attributes, descriptors are relations.

    ``distinguished_by`` names the attributes that its ``repr`` shows, ``secret_urls`` those with a URL that may be
    secret.
    """

    def declare(cls: type[R]) -> type[R]:
        declared = _slotted(cls)
        declared.resource_type = resource_type
        declared.distinguished_by = distinguished_by
        declared.secret_urls = frozenset(secret_urls)
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
    """Declare an attribute that some answers carry under other ``names``."""
    return attrs.field(metadata={_ALSO_CALLED: names})


def attribute_names(cls: type[Any]) -> Mapping[str, tuple[str, ...]]:
    """Return the attributes of ``cls``, ``id`` included, each with its other names on the wire."""
    names = _ATTRIBUTE_NAMES.get(cls)
    if names is None:
        own = (field for field in attrs.fields(cls) if field.name not in _BESIDE_ATTRIBUTES)
        names = {field.name: field.metadata.get(_ALSO_CALLED, ()) for field in own}
        _ATTRIBUTE_NAMES[cls] = names
    return names


_ATTRIBUTE_NAMES: Final[dict[type, Mapping[str, tuple[str, ...]]]] = {}


def is_set(instance: Resource, name: str) -> bool:
    """Return whether the answer carried the attribute called ``name``."""
    try:
        object.__getattribute__(instance, name)
    except AttributeError:
        return False
    return True


def custom_fields(owner: Resource, readable: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the custom fields of ``owner``: those that are ``readable`` and those recorded as unreadable."""
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


def _loaded_related(owner: Resource) -> dict[Identifier, Resource]:
    # By identifier: in a cycle of relations the related resource is not filled yet when its owner is.
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
    requested = instance.origin.scope.fields_of(instance.resource_type)
    if requested is not None and name not in requested:
        missing = "'custom_1' or its like" if name == CUSTOM_FIELDS else repr(name)
        return (
            f"{label}: it was asked for with fields[{instance.resource_type}]={','.join(requested)}; "
            f"add {missing} to fields=, or leave fields= out"
        )
    return f"{label}: the server did not send it with this answer"


def _no_such_attribute(instance: Resource, name: str) -> str:
    message = f"{type(instance).__name__!r} object has no attribute {name!r}"
    if name.startswith("__") or name in _BESIDE_ATTRIBUTES:
        return message
    if name in instance.extra:
        return f"{message}; the server sent it all the same: read .extra[{name!r}]"
    cure = cure_for(name)
    return f"{message}{cure or nearest_name(name, [*attribute_names(type(instance)), *instance.relations])}"
