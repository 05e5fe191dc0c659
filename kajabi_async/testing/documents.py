"""Serialization of rows as resource objects and documents: linkage, inclusion, sparse fields, included pages.

The relations of each type, and how the API prints them, are those of the API document, its examples and schemas.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import attrs

from kajabi_async.testing.replies import ApiProblem
from kajabi_async.testing.request_query import RequestQuery, positive
from kajabi_async.testing.rows import Linkage, LinkToMany, LinkToOne, Row
from kajabi_async.testing.state import Store

__all__ = ["Printer", "host_of", "identifiers", "relation_link"]

_Paths = tuple[tuple[str, ...], ...]

_API: Final = "https://api.kajabi.com/v1"
_APP: Final = "https://app.kajabi.com/api/v1"
"""The host of the links of customers and custom fields."""

_RELATIONS: Final[dict[str, dict[str, str]]] = {
    "contacts": {"site": "sites", "customer": "customers", "offers": "offers", "tags": "contact_tags"},
    "customers": {"contact": "contacts", "site": "sites", "offers": "offers", "products": "products"},
    "contact_tags": {"site": "sites"},
    "contact_notes": {"contact": "contacts"},
    "custom_fields": {"site": "sites"},
    "offers": {"site": "sites", "products": "products"},
    "products": {"site": "sites"},
    "courses": {"site": "sites", "offers": "offers", "modules": "modules", "lessons": "lessons"},
    "modules": {"lessons": "lessons"},
    "lessons": {"media": "media"},
    "orders": {"site": "sites", "customer": "customers", "order_items": "order_items"},
    "order_items": {"order": "orders"},
    "purchases": {
        "offer": "offers",
        "customer": "customers",
        "transactions": "transactions",
        "products": "products",
    },
    "transactions": {"customer": "customers", "offer": "offers", "purchases": "purchases"},
    "podcasts": {"site": "sites"},
    "blog_posts": {"blog": "blogs"},
    "landing_pages": {"site": "sites"},
    "website_pages": {"site": "sites"},
    "forms": {"site": "sites", "offer": "offers", "fields": "fields", "contact_tags": "contact_tags"},
    "form_submissions": {"site": "sites", "form": "forms"},
    "hooks": {"site": "sites"},
}
"""The related type of each relation, by type."""

_LINKS_ONLY_IN_LISTS: Final = frozenset({("contacts", "offers"), ("customers", "offers")})
"""Relations that lists print without data; absent data does not mean an empty relation."""

_LINKED: Final = frozenset({("contacts", "offers"), ("contacts", "tags"), ("customers", "offers")})
"""Relations with a link to their own endpoint."""


def host_of(type_name: str) -> str:
    """Return the base URL of the links of a type."""
    return _APP if type_name in {"customers", "custom_fields"} else _API


def relation_link(row: Row, relation: str) -> str:
    """Return the link to the endpoint of a relation."""
    return f"{host_of(row.type)}/{row.type}/{row.id}/relationships/{relation}"


def identifiers(linkage: Linkage) -> Any:
    """Return linkage as an array of identifiers, one identifier or null."""
    entries = [{"type": linkage.type, "id": related_id} for related_id in linkage.ids]
    return entries if isinstance(linkage, LinkToMany) else (entries[0] if entries else None)


@attrs.define
class Printer:
    """A serializer of the document of one answer."""

    store: Store
    query: RequestQuery
    in_list: bool
    offer_title: str
    """The name of the title attribute of included offers."""

    def one(self, row: Row) -> dict[str, Any]:
        """Return the document of one resource."""
        return self._document(row.type, [row], self._resource_object(row, self.query.include, in_list=self.in_list))

    def many(self, type_name: str, rows: Sequence[Row]) -> dict[str, Any]:
        """Return the data and the included resources of a list; the caller adds links and meta."""
        data = [self._resource_object(row, self.query.include, in_list=self.in_list) for row in rows]
        return self._document(type_name, rows, data)

    def _document(self, type_name: str, rows: Sequence[Row], data: Any) -> dict[str, Any]:
        if not self.query.include:
            return {"data": data}
        for path in self.query.include:
            _check_path(type_name, path)
        return {"data": data, "included": self._included(rows)}

    def _included(self, rows: Sequence[Row]) -> list[dict[str, Any]]:
        seen = {(row.type, row.id) for row in rows}
        paths_of = _paths_by_resource(self._reached(rows, self.query.include))
        found: list[dict[str, Any]] = []
        for (type_name, resource_id), paths in paths_of.items():
            row = None if (type_name, resource_id) in seen else self.store.get(type_name, resource_id)
            if row is not None:
                found.append(self._included_object(row, paths))
        return found

    def _reached(self, rows: Iterable[Row], paths: _Paths) -> Iterator[tuple[str, str, _Paths]]:
        for relation in dict.fromkeys(path[0] for path in paths):
            further = tuple(path[1:] for path in paths if path[0] == relation and path[1:])
            for row in rows:
                linkage = self._shown(row, relation)
                if linkage is None:
                    continue
                related = [found for key in linkage.ids if (found := self.store.get(linkage.type, key))]
                yield from ((linkage.type, found.id, further) for found in related)
                if further:
                    yield from self._reached(related, further)

    def _included_object(self, row: Row, paths: _Paths) -> dict[str, Any]:
        printed = self._resource_object(row, paths, in_list=True)
        if row.type == "offers" and self.offer_title != "title" and "title" in printed["attributes"]:
            attributes = {self.offer_title: printed["attributes"]["title"], **printed["attributes"]}
            del attributes["title"]
            printed["attributes"] = attributes
        return printed

    def _resource_object(self, row: Row, paths: _Paths, *, in_list: bool) -> dict[str, Any]:
        fields = self.query.fields_of(row.type)
        if row.verbatim is not None:
            return dict(row.verbatim) if fields is None else _sparse(dict(row.verbatim), fields)
        printed: dict[str, Any] = {"id": row.id, "type": row.type, "attributes": row.attributes}
        links = _links(row)
        if links:
            printed["links"] = links
        if row.relations or fields is not None:
            included = {path[0] for path in paths}
            printed["relationships"] = {
                relation: self._relationship(row, relation, hides_data=in_list and relation not in included)
                for relation in row.relations
                if fields is None or relation in fields
            }
        return printed if fields is None else _sparse(printed, fields)

    def _relationship(self, row: Row, relation: str, *, hides_data: bool) -> dict[str, Any] | None:
        linkage = self._shown(row, relation)
        links = {"links": {"self": relation_link(row, relation)}} if (row.type, relation) in _LINKED else {}
        if hides_data and (row.type, relation) in _LINKS_ONLY_IN_LISTS:
            return links
        if row.type == "contacts" and isinstance(linkage, LinkToOne) and linkage.id is None:
            # The schema makes the whole relation nullable, not its data.
            return None
        return {"data": None if linkage is None else identifiers(linkage), **links}

    def _shown(self, row: Row, relation: str) -> Linkage | None:
        """Return the linkage in this answer: for an included relation of a customer, possibly one page of it."""
        linkage = row.relations.get(relation)
        is_paged = self.query.filters and not self.in_list and row.type == "customers"
        if is_paged and isinstance(linkage, LinkToMany) and (relation,) in self.query.include:
            return LinkToMany(linkage.type, _included_page(self.store, self.query, linkage))
        return linkage


def _check_path(type_name: str, path: tuple[str, ...]) -> None:
    for relation in path:
        related_type = _RELATIONS.get(type_name, {}).get(relation)
        if related_type is None:
            detail = f"{'.'.join(path)} is not a relation of {type_name} that can be included"
            raise ApiProblem(400, detail, {"parameter": "include"})
        type_name = related_type


def _paths_by_resource(reached: Iterable[tuple[str, str, _Paths]]) -> dict[tuple[str, str], _Paths]:
    paths_of: dict[tuple[str, str], _Paths] = {}
    for type_name, resource_id, further in reached:
        key = type_name, resource_id
        paths_of[key] = paths_of.get(key, ()) + further
    return paths_of


def _links(row: Row) -> dict[str, str]:
    if row.type == "customers":
        related = row.related("contact")
        return {"contact": f"{host_of(row.type)}/contacts/{related[0]}"} if related else {}
    if row.type == "contacts":
        related = row.related("customer")
        return {"customer": f"{host_of(row.type)}/customers/{related[0]}" if related else ""}
    return {}


def _sparse(printed: dict[str, Any], fields: frozenset[str]) -> dict[str, Any]:
    """Keep the requested fields; relations that are not requested and links are left out (API document, examples)."""
    attributes = _named(printed.get("attributes"), fields)
    relationships = _named(printed.get("relationships"), fields)
    return {"id": printed["id"], "type": printed["type"], "attributes": attributes, "relationships": relationships}


def _named(members: Mapping[str, Any] | None, fields: frozenset[str]) -> dict[str, Any]:
    return {name: value for name, value in (members or {}).items() if name in fields}


def _included_page(store: Store, query: RequestQuery, linkage: LinkToMany) -> tuple[str, ...]:
    name, ids = linkage.type, linkage.ids
    search = query.filter(f"{name}_search")
    if search:
        ids = tuple(key for key in ids if _has_title(store.get(name, key), search.casefold()))
    page, per = positive(query.filter(f"{name}_page")), positive(query.filter(f"{name}_per"))
    if page is None and per is None:
        return ids
    first = ((page or 1) - 1) * (per or 30)
    return ids[first : first + (per or 30)]


def _has_title(row: Row | None, text: str) -> bool:
    titles = [] if row is None else [row.attributes.get("title"), row.attributes.get("internal_title")]
    return any(text in title.casefold() for title in titles if title)
