"""The rows of the fake: one for each resource, with attributes, relations and values that the API never shows."""

from collections.abc import Mapping
from typing import Any, Self

import attrs

from kajabi_async.testing.json_shapes import is_array, is_object

__all__ = ["LinkToMany", "LinkToOne", "Linkage", "Row"]


@attrs.frozen
class LinkToOne:
    """A relation to one resource or none."""

    type: str
    id: str | None

    @property
    def ids(self) -> tuple[str, ...]:
        """The related id as a tuple of one element or none."""
        return () if self.id is None else (self.id,)


@attrs.frozen
class LinkToMany:
    """A relation to any number of resources, in order."""

    type: str
    ids: tuple[str, ...] = ()


Linkage = LinkToOne | LinkToMany


@attrs.define
class Row:
    """One resource of the fake."""

    type: str
    id: str
    attributes: dict[str, Any]
    relations: dict[str, Linkage] = attrs.field(factory=dict[str, Linkage])
    hidden: dict[str, Any] = attrs.field(factory=dict[str, Any])
    """Values that filters and writes use but no answer shows, such as the site."""
    verbatim: Mapping[str, Any] | None = None
    """The resource object to answer with unchanged, for rows added by a test."""

    def copy(self) -> Self:
        """Return a row to modify, without ``verbatim``; attribute values are shared."""
        attributes, relations, hidden = dict(self.attributes), dict(self.relations), dict(self.hidden)
        return attrs.evolve(self, attributes=attributes, relations=relations, hidden=hidden, verbatim=None)

    def value(self, name: str) -> Any:
        """Return an attribute, or else a hidden value; None without either."""
        return self.attributes.get(name, self.hidden.get(name))

    def related(self, relation: str) -> tuple[str, ...]:
        """Return the ids of *relation*; empty if the row has no such relation."""
        linkage = self.relations.get(relation)
        return () if linkage is None else linkage.ids

    @property
    def site_id(self) -> str | None:
        """The id of the resource's site, shown or hidden."""
        site = self.relations.get("site")
        return site.ids[0] if site and site.ids else self.hidden.get("site_id")

    @classmethod
    def from_resource_object(cls, resource_object: Mapping[str, Any]) -> Self:
        """Return a row that is answered verbatim as *resource_object*; ValueError without type and id."""
        type_name, resource_id = resource_object.get("type"), resource_object.get("id")
        if not (isinstance(type_name, str) and isinstance(resource_id, str) and type_name and resource_id):
            raise ValueError("a resource object needs a type and an id, both strings")
        attributes: Mapping[str, Any] = resource_object.get("attributes") or {}
        relationships: Mapping[str, Any] = resource_object.get("relationships") or {}
        linkages = {name: _linkage(member) for name, member in relationships.items()}
        relations = {name: linkage for name, linkage in linkages.items() if linkage is not None}
        return cls(type_name, resource_id, dict(attributes), relations, verbatim=dict(resource_object))


def _linkage(member: Any) -> Linkage | None:
    data = member.get("data") if is_object(member) else None
    if is_object(data):
        return LinkToOne(str(data.get("type")), str(data.get("id")))
    if is_array(data):
        ids = tuple(str(identifier.get("id")) for identifier in data)
        return LinkToMany(str(data[0].get("type")) if data else "", ids)
    return None
