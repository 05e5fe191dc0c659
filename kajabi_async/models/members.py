"""A resource as plain data, for JSON and for programs, and in a few words, for people."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import urlsplit

import attrs

from kajabi_async.checks import shown
from kajabi_async.errors import InvalidArgumentError
from kajabi_async.escaping.text import escape_json, html_table
from kajabi_async.models.relations import Relation
from kajabi_async.plain import plain

if TYPE_CHECKING:
    from kajabi_async.models.resource import Resource

__all__ = ["Relations", "cell_of", "id_name", "members_of", "own_name", "resource_html", "short_repr"]

Relations = bool | Literal["loaded"]
"""Whether `to_dict` has the ids of related resources, or with "loaded" also the resources themselves."""

_MOST_RELATED: Final = 10_000
"""Related resources in one dict; beyond it only their ids. A server could link each resource to every other."""
_LONGEST_VALUE: Final = 60
_LONGEST_CELL: Final = 200


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
        own = {name: plain(value) for name, value in _attributes(resource).items()}
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


def _attributes(resource: "Resource") -> dict[str, Any]:
    return {**resource.loaded_attributes(), **resource.extra}


def _reserved(cls: "type[Resource]") -> frozenset[str]:
    names = _RESERVED.get(cls)
    if names is None:
        relations = cls.relations.values()
        names = frozenset({"type", "id", "unreadable", *cls.relations, *map(id_name, relations)})
        _RESERVED[cls] = names
    return names


_RESERVED: Final[dict[type, frozenset[str]]] = {}


def own_name(cls: "type[Resource]", attribute: str) -> str:
    """Return the name of the member with ``attribute`` of ``cls``: the same, unless a member of ours has it."""
    return _free_name(attribute, _reserved(cls), {})


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
