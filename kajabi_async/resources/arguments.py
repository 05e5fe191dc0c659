"""The arguments of calls besides filters, checked before anything is sent."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final, get_args

from kajabi_async.checks import iterable_of, names_in
from kajabi_async.errors import (
    InvalidArgumentError,
    UnknownFieldError,
    UnknownFilterError,
    UnknownIncludeError,
    UnknownSortKeyError,
)
from kajabi_async.fetching.context import Context
from kajabi_async.fetching.plan import Strategy
from kajabi_async.jsonapi.ids import checked_id
from kajabi_async.models.resource import CUSTOM_FIELD, CUSTOM_FIELDS, MODELS, Resource, attribute_names
from kajabi_async.resources.filters.encoding import known_filters

__all__ = [
    "check_list_arguments",
    "check_strategy",
    "checked_fields",
    "checked_ids",
    "checked_include",
    "checked_sort",
    "needed_site",
]


def checked_include(include: str | Iterable[str], model: type[Resource], *, owner: str) -> tuple[str, ...]:
    """Return *include* as paths; UnknownIncludeError if a step is no relation that can be included."""
    paths = tuple(dict.fromkeys(names_in(include, of="include")))
    for path in paths:
        _check_path(path, model, owner)
    return paths


def checked_sort(sort: str | Iterable[str] | None, keys: Collection[str], *, owner: str) -> tuple[str, ...]:
    """Return *sort* as keys, ``-`` in front for descending; UnknownSortKeyError for one the list does not have."""
    chosen = () if sort is None else tuple(names_in(sort, of="sort"))
    for key in chosen:
        if key.removeprefix("-") not in keys:
            raise UnknownSortKeyError(key.removeprefix("-"), owner=owner, known=keys)
    return chosen


def checked_fields(fields: Mapping[str, object] | None, *, owner: str) -> dict[str, tuple[str, ...]]:
    """Return *fields* by type; UnknownFieldError for a type, or an attribute or relation of one, that does not exist.

    A type may be written in the singular, as some examples of the API document have it; it is sent as written.
    """
    if fields is None:
        return {}
    by_type: Any = fields
    if not isinstance(by_type, Mapping):
        raise InvalidArgumentError("fields= maps types to names, such as {'customers': ['name', 'email']}")
    return {name: _checked_names(name, chosen, owner) for name, chosen in fields.items()}


def checked_ids(ids: Any, *, of: str) -> tuple[str, ...]:
    """Return *ids*, each checked and once; InvalidArgumentError if they are no iterable, or one id by itself."""
    return tuple(dict.fromkeys(checked_id(each, of=of) for each in iterable_of(f"ids of {of}", ids)))


def needed_site(site_id: str | int | None, context: Context, *, owner: str) -> str:
    """Return the site that a call names, or the client's; InvalidArgumentError if there is neither."""
    site = context.site_id if site_id is None else site_id
    if site is None:
        raise InvalidArgumentError(f"{owner} needs site_id=, here or on the client (KAJABI_SITE_ID)")
    return checked_id(site, of="sites")


def check_strategy(strategy: Any, lister: object, *, owner: str) -> None:
    """Raise InvalidArgumentError if *strategy* is unknown, or ``"scan"`` without the *lister* that it reads."""
    if strategy not in get_args(Strategy):
        raise InvalidArgumentError(f"strategy must be one of {', '.join(get_args(Strategy))}, got {strategy!r:.60}")
    if strategy == "scan" and lister is None:
        raise InvalidArgumentError(f"no list of {owner} brings what is asked for: leave strategy= out, or say 'auto'")


_ROWS: Final = "for the first rows write list(...).collect(limit=...)"
_PAGES: Final = "pages are fetched as the list is read; .pages() yields them whole, and resume_from= takes a .position"
_INSTEAD: Final = {
    **dict.fromkeys(("count", "first", "limit", "max", "max_results", "maximum", "n", "take", "top"), _ROWS),
    **dict.fromkeys(("after", "cursor", "offset", "page", "page_number", "skip", "start"), _PAGES),
    **dict.fromkeys(("filter", "filters", "where"), "each filter is an argument of its own"),
    **dict.fromkeys(("id", "ids"), "get(id) reads one, get_many(ids) any number"),
}
_OPTIONS_INSTEAD: Final = {
    **dict.fromkeys(("batch_size", "page_limit", "pagesize", "per", "per_page", "perpage", "size"), "page_size"),
    **dict.fromkeys(("order", "order_by", "orderby", "ordering", "sort_by", "sorted_by"), "sort"),
    **dict.fromkeys(("embed", "expand", "included", "includes", "relations"), "include"),
    **dict.fromkeys(("attributes", "columns", "field", "only", "select"), "fields"),
}
_MEANINGS: Final = {
    "page_size": "page_size= is the number of rows in a request",
    "sort": "sort= takes a key, with '-' in front for descending",
    "include": "include= takes the relations to load",
    "fields": "fields= takes the attributes, such as {'customers': ['name']}",
}


def check_list_arguments(given: Collection[str], *, options: Collection[str], filters: type, owner: str) -> None:
    """Raise UnknownFilterError, with what to write instead, for the name that an option has in other libraries."""
    for name in given:
        option = _OPTIONS_INSTEAD.get(name, "")
        instead = _MEANINGS[option] if option in options else _INSTEAD.get(name)
        if instead is not None and name not in (known := known_filters(filters)):
            raise UnknownFilterError(name, owner=owner, known=known, instead=instead)


def _check_path(path: str, model: type[Resource], owner: str) -> None:
    for step in path.split("."):
        includable = {name for name, relation in model.relations.items() if relation.includable}
        if step not in includable:
            raise UnknownIncludeError(step, owner=owner, known=includable)
        # A type without a class of its own has no relations either.
        model, owner = MODELS.get(model.relations[step].resource_type, Resource), step


def _checked_names(type_name: str, chosen: Any, owner: str) -> tuple[str, ...]:
    model = MODELS.get(type_name) or MODELS.get(f"{type_name}s")
    if model is None:
        raise UnknownFieldError(type_name, owner=f"fields= of {owner}", known=MODELS)
    names = tuple(dict.fromkeys(names_in(chosen, of="fields")))
    known = _known_names(model)
    for name in names:
        if name not in known and not (_has_custom_fields(model) and CUSTOM_FIELD.fullmatch(name)):
            raise UnknownFieldError(name, owner=type_name, known=known)
    return names


def _known_names(model: type[Resource]) -> set[str]:
    names = attribute_names(model)
    aliases = {alias for others in names.values() for alias in others}
    return {*names, *aliases, *model.relations} - {"id", CUSTOM_FIELDS}


def _has_custom_fields(model: type[Resource]) -> bool:
    return CUSTOM_FIELDS in attribute_names(model)
