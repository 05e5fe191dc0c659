"""Resources rendered as JSON for programs and as tables for people."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final

from kajabi_async.cli.screens import minute, output_screen
from kajabi_async.errors import FieldNotLoadedError, InvalidArgumentError, UnreadableAttributeError
from kajabi_async.escaping.text import escape_json, escape_value
from kajabi_async.hints import nearest_name
from kajabi_async.models.relations import ToMany, ToOne
from kajabi_async.models.resource import CUSTOM_FIELD, CUSTOM_FIELDS, Resource, attribute_names
from kajabi_async.output import print_json
from kajabi_async.plain import plain

__all__ = ["as_members", "column_names", "print_resource", "print_rows"]

_COLUMNS: Final = (
    "name",
    "title",
    "email",
    "order_number",
    "event",
    "target_url",
    "body",
    "status",
    "state",
    "amount_in_cents",
    "total_price_in_cents",
    "price_in_cents",
    "amount",
    "net_revenue",
    "created_at",
)
"""Attributes worth a column, the most telling first; a list shows those that its type has."""
_KEPT: Final = 2
"""The columns that are shown however narrow the terminal is."""
_MAX_FIELD_LENGTH: Final = 2000
_BLANK: Final = frozenset({"", "-"})


def as_members(resource: Resource) -> dict[str, Any]:
    """Return what ``--json`` prints of a resource: its members, and those of the related resources that are loaded."""
    return resource.to_dict(relations="loaded")


def print_resource(resource: Resource, *, json: bool) -> None:
    """Print one resource as a table of its attributes and relations, without the attributes that are not loaded.

    With *json* it is one line of JSON.
    """
    if json:
        print_json(as_members(resource))
        return
    screen = output_screen()
    show = _Shown(screen.is_terminal)
    fields = [] if screen.is_terminal else [("type", resource.resource_type), ("id", escape_value(resource.id))]
    fields += [(name, show.field(value)) for name, value in resource.loaded_attributes().items()]
    fields += [(escape_value(name), _unread(each)) for name, each in resource.unreadable_attributes().items()]
    fields += [(f"{escape_value(name)} (extra)", show.field(value)) for name, value in resource.extra.items()]
    fields += [(name, _linked(getattr(resource, name))) for name in resource.relations]
    screen.fields(fields, title=f"{resource.resource_type} {escape_value(resource.id)}")


def print_rows(
    rows: Sequence[Resource],
    model: type[Resource],
    *,
    columns: Sequence[str] | None = None,
    included: Sequence[str] = (),
) -> None:
    """Print resources of one type as rows, with the *columns*, or those that distinguish them and are *included*.

    On a terminal a column that is blank in every row is left out unless it was requested.
    """
    screen = output_screen()
    show = _Shown(screen.is_terminal)
    names = _default_columns(model, included, in_front=screen.is_terminal) if columns is None else columns
    cells = [[show.cell(row, name) for name in names] for row in rows]
    if columns is None and screen.is_terminal:
        kept = [
            at
            for at, name in enumerate(names)
            if at == 0 or name in included or any(row[at] not in _BLANK for row in cells)
        ]
        names = [names[at] for at in kept]
        cells = [[row[at] for at in kept] for row in cells]
    numbers = {name for name in names if any(_is_number(row, name) for row in rows)}
    screen.table(names, cells, keep=_KEPT + len(included) if columns is None else len(names), numbers=numbers)


def column_names(text: str, model: type[Resource]) -> list[str]:
    """Return the names in *text*, separated by commas; InvalidArgumentError for one that the type does not have."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    known = ["id", *(name for name in attribute_names(model) if name != "id"), *model.relations]
    for name in names:
        if name not in known and not (CUSTOM_FIELDS in known and CUSTOM_FIELD.fullmatch(name)):
            near = nearest_name(name, known) or f"; there are {', '.join(known)}"
            raise InvalidArgumentError(f"--columns has an unknown name {name!r}{near}")
    if not names:
        raise InvalidArgumentError(f"--columns names no column; there are {', '.join(known)}")
    return names


def _default_columns(model: type[Resource], included: Sequence[str], *, in_front: bool) -> list[str]:
    distinguishing = model.distinguished_by or ()
    names = dict.fromkeys(("id", *distinguishing, *(name for name in _COLUMNS if hasattr(model, name))))
    own = [name for name in names if name not in included]
    return [*own[:_KEPT], *included, *own[_KEPT:]] if in_front else [*own, *included]


class _Shown:
    """How values are shown: short and readable on a terminal, whole and exact in a pipe."""

    def __init__(self, is_terminal: bool) -> None:
        self._is_terminal = is_terminal

    def cell(self, row: Any, name: str) -> str:
        """Return the attribute or the relation of *row* as a cell."""
        try:
            value: Any = row.custom_fields.get(name) if CUSTOM_FIELD.fullmatch(name) else getattr(row, name)
        except FieldNotLoadedError:
            return ""
        except UnreadableAttributeError:
            return "(unreadable)"
        if name in row.relations:
            return _linked_cell(value, none="-" if self._is_terminal else "")
        return escape_value(self._text(value))

    def field(self, value: Any) -> str:
        """Return *value* for the table of one resource, cut on a terminal if very long."""
        text = self._text(value)
        if len(text) <= _MAX_FIELD_LENGTH or not self._is_terminal:
            return escape_value(text)
        return f"{escape_value(text[:_MAX_FIELD_LENGTH])}... ({len(text):,} characters; --json prints them all)"

    def _text(self, value: Any) -> str:
        if value is None:
            return "-" if self._is_terminal else ""
        if isinstance(value, str):
            return value
        if isinstance(value, date):
            return minute(value) if self._is_terminal else str(plain(value))
        if isinstance(value, bool):
            return str(value).lower()
        return str(value) if isinstance(value, int | Decimal) else escape_json(plain(value))


def _unread(error: UnreadableAttributeError) -> str:
    return f"({escape_value(f'unreadable: expected {error.expected}, got {error.kind}')})"


def _linked(handle: ToOne[Any] | ToMany[Any]) -> str:
    loaded = handle.at_hand
    if loaded is None:
        return "not requested" if handle.ids is None else f"{', '.join(map(escape_value, handle.ids))} (not included)"
    return ", ".join(_label(resource) for resource in loaded) or "none"


def _linked_cell(handle: ToOne[Any] | ToMany[Any], *, none: str) -> str:
    loaded = handle.at_hand
    if loaded is None:
        return ", ".join(map(escape_value, handle.ids)) or none if handle.ids is not None else ""
    return ", ".join(_label(resource) for resource in loaded) or none


def _is_number(row: Resource, name: str) -> bool:
    value = row.loaded_attributes().get(name)
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def _label(resource: Resource) -> str:
    members = resource.loaded_attributes()
    label = members.get("title") or members.get("name")
    return " ".join(escape_value(str(part)) for part in (resource.id, label) if part)
