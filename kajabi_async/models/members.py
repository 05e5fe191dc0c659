"""A resource as plain data, for JSON and for programs, and in a few words, for people; the JSON Schema of that data.

pydantic, which asks for the schema, is no dependency: it calls the two hooks of `Resource` itself if a resource is the
type of a field or a response.
"""

import inspect
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, Literal, get_args, get_origin
from urllib.parse import urlsplit

import attrs

from kajabi_async.checks import shown
from kajabi_async.errors import InvalidArgumentError
from kajabi_async.escaping.text import escape_json, html_table
from kajabi_async.jsonapi.codec import json_object
from kajabi_async.models.relations import Relation
from kajabi_async.plain import plain

if TYPE_CHECKING:
    from kajabi_async.models.resource import Resource

__all__ = [
    "Relations",
    "cell_of",
    "id_name",
    "json_schema_of",
    "members_of",
    "pydantic_schema_of",
    "resource_html",
    "short_repr",
]

Relations = bool | Literal["loaded"]
"""Whether `to_dict` has the ids of related resources, or with "loaded" also the resources themselves."""

_MOST_RELATED: Final = 10_000
"""Related resources in one dict; beyond it only their ids. A server could link each resource to every other."""
_LONGEST_VALUE: Final = 60
_LONGEST_CELL: Final = 200
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


def members_of(resource: "Resource", relations: Relations = True) -> dict[str, Any]:
    """Return the members of ``resource``; see `Resource.to_dict`."""
    if relations not in (True, False, "loaded"):
        raise InvalidArgumentError(f"relations must be True, False or 'loaded', got {shown(relations)}")
    return _MemberWriter(relations).members(resource, frozenset())


class _MemberWriter:
    """A writer of one dict."""

    def __init__(self, relations: Relations) -> None:
        self._relations = relations
        self._left = _MOST_RELATED

    def members(self, resource: "Resource", owners: frozenset[str]) -> dict[str, Any]:
        """Return the members of ``resource``, which is nested in resources of the types ``owners``."""
        own = {name: plain(value) for name, value in {**resource.loaded_attributes(), **resource.extra}.items()}
        members = {**_identity(resource), **_beside(_reserved(type(resource)), own)}
        if self._relations is not False:
            members |= self._related(resource, owners | {resource.resource_type})
        unreadable = {name: each.problem for name, each in resource.unreadable_attributes().items()}
        return {**members, "unreadable": unreadable} if unreadable else members

    def _related(self, resource: "Resource", owners: frozenset[str]) -> dict[str, Any]:
        members: dict[str, Any] = {}
        for name, relation in resource.relations.items():
            handle = getattr(resource, name)
            if handle.ids is None:
                continue
            nested = self._nested(resource, relation, owners)
            if nested is not None:
                members[name] = nested if relation.to_many else next(iter(nested), None)
            else:
                members[id_name(relation)] = list(handle.ids) if relation.to_many else handle.id
        return members

    def _nested(self, owner: "Resource", relation: Relation, owners: frozenset[str]) -> list[dict[str, Any]] | None:
        # By type: no resource is written inside itself, and the names of the members depend on no data.
        if self._relations != "loaded" or relation.resource_type in owners:
            return None
        loaded: tuple[Resource, ...] | None = getattr(owner, relation.name).at_hand
        if loaded is None or len(loaded) > self._left:
            return None
        # An empty relation is loaded even if it was not included; its name must not depend on whether it is empty.
        if not loaded and not owner.origin.scope.includes(relation.name):
            return None
        self._left -= len(loaded)
        return [self.members(each, owners) for each in loaded]


def _identity(resource: "Resource") -> dict[str, Any]:
    # What a write created may have no id: the answer did not carry one.
    resource_id = getattr(resource, "id", None)
    return {"type": resource.resource_type, **({} if resource_id is None else {"id": resource_id})}


def _reserved(cls: "type[Resource]") -> frozenset[str]:
    names = _RESERVED.get(cls)
    if names is None:
        relations = cls.relations.values()
        names = frozenset({"type", "id", "unreadable", *cls.relations, *map(id_name, relations)})
        _RESERVED[cls] = names
    return names


_RESERVED: Final[dict[type, frozenset[str]]] = {}


def _beside(reserved: frozenset[str], own: dict[str, Any]) -> dict[str, Any]:
    """Return ``own`` with an underscore after each name that is ``reserved``, as in ``type_`` of a custom field."""
    if reserved.isdisjoint(own):
        return own
    return {_free_name(name, reserved, own): value for name, value in own.items()}


def _free_name(name: str, reserved: frozenset[str], own: dict[str, Any]) -> str:
    if name in reserved:
        name += "_"
        while name in reserved or name in own:
            name += "_"
    return name


def id_name(relation: Relation) -> str:
    """Return the name of the member with the ids of ``relation``, such as ``contact_id`` or ``offer_ids``."""
    return f"{relation.name.removesuffix('s')}_ids" if relation.to_many else f"{relation.name}_id"


def json_schema_of(cls: "type[Resource]", attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the JSON Schema of the dicts of ``cls``, whose ``attributes`` are types by name.

    Only ``type`` and ``id`` are required: an answer may leave out any attribute, and have others.
    """
    properties: dict[str, Any] = {"type": {"type": "string", "const": cls.resource_type}, "id": _ID}
    properties |= {_own_name(cls, name): _schema_of(kind) for name, kind in attributes.items() if name != "id"}
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


def _own_name(cls: "type[Resource]", attribute: str) -> str:
    """Return the name of the member with ``attribute`` of ``cls``: the same, unless a member of ours has it."""
    return _free_name(attribute, _reserved(cls), {})


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


def short_repr(resource: "Resource") -> str:
    """Return class, id and the attributes that distinguish the resource, and the names of unreadable ones."""
    cls: Any = type(resource)
    shown_names = cls.distinguished_by
    names = [field.name for field in attrs.fields(cls) if field.repr] if shown_names is None else ["id", *shown_names]
    parts = [f"{name}={_short(resource, name)}" for name in names]
    unreadable = resource.unreadable_attributes() if hasattr(resource, "origin") else {}
    parts += [f"{name}=<unreadable: {each.kind}>" for name, each in unreadable.items() if name not in names]
    return f"{cls.__name__}({', '.join(parts)})"


def _short(resource: "Resource", name: str) -> str:
    try:
        text = repr(getattr(resource, name))
    except AttributeError as error:
        kind = getattr(error, "kind", None)
        return repr(attrs.NOTHING) if kind is None else f"<unreadable: {kind}>"
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 4]}...{text[-1]}"


def resource_html(resource: "Resource") -> str:
    """Return the loaded attributes and the ids of known relations as a table, all of it escaped."""
    members = members_of(resource)
    rows = [[name, cell_of(type(resource), name, value)] for name, value in members.items() if name != "type"]
    return html_table(type(resource).__name__, rows)


def cell_of(cls: "type[Resource]", name: str, value: Any) -> str:
    """Return the member called ``name`` of a resource for a table: cut if it is long, of a secret URL only the host."""
    text = "" if value is None else ", ".join(map(str, _parts_of(value)))
    if name in cls.secret_urls and value is not None:
        return _host_of(text)
    return text if len(text) <= _LONGEST_CELL else f"{text[:_LONGEST_CELL]}..."


def _parts_of(value: Any) -> Iterator[Any]:
    for each in _as_list(value):
        yield escape_json(each) if isinstance(each, dict | list) else each


def _as_list(value: Any) -> list[Any]:
    return list(value) if hasattr(value, "append") else [value]


def _host_of(url: str) -> str:
    try:
        return f"{urlsplit(url).scheme}://{urlsplit(url).hostname}/..."
    except ValueError:
        return "..."
