"""Resources rendered as JSON for programs and as tables for people."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any, Final

from kajabi_async import FieldNotLoadedError, Resource, ToMany, ToOne, UnreadableAttributeError
from kajabi_async.cli.terminal import Screen
from kajabi_async.escaping.text import escape_json, escape_value
from kajabi_async.plain import plain

__all__ = ["as_members", "print_resource", "print_rows"]

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
_MAX_COLUMNS: Final = 4
_MAX_CELL_LENGTH: Final = 60
_MAX_FIELD_LENGTH: Final = 2000


def as_members(resource: Resource) -> dict[str, Any]:
    """Return what ``--json`` prints of a resource: its members, and those of the related resources that are loaded."""
    return resource.to_dict(relations="loaded")


def print_resource(screen: Screen, resource: Resource) -> None:
    """Print one resource as a table of its attributes and relations, without the attributes that are not loaded."""
    fields = [(name, _field(value)) for name, value in resource.loaded_attributes().items()]
    fields += [(escape_value(name), _unread(each)) for name, each in resource.unreadable_attributes().items()]
    fields += [(f"{escape_value(name)} (extra)", _field(value)) for name, value in resource.extra.items()]
    fields += [(name, _linked(getattr(resource, name))) for name in resource.relations]
    screen.fields(fields, title=f"{resource.resource_type} {escape_value(resource.id)}")


def print_rows(screen: Screen, rows: Iterable[Resource], model: type[Resource]) -> None:
    """Print resources of one type as rows, with the few columns that distinguish them."""
    names = [name for name in _COLUMNS if hasattr(model, name)][:_MAX_COLUMNS]
    screen.table(
        ["id", *names],
        ([escape_value(row.id), *(_cell_of(row, name) for name in names)] for row in rows),
    )


def _cell_of(row: Resource, name: str) -> str:
    try:
        return _cell(getattr(row, name))
    except FieldNotLoadedError:
        return ""
    except UnreadableAttributeError:
        return "(unreadable)"


def _unread(error: UnreadableAttributeError) -> str:
    return f"({escape_value(f'unreadable: expected {error.expected}, got {error.kind}')})"


def _cell(value: Any) -> str:
    """Return *value* for a row, cut to the length of a cell."""
    text = _text(value)
    if len(text) <= _MAX_CELL_LENGTH:
        return escape_value(text)
    return f"{escape_value(text[: _MAX_CELL_LENGTH - 3])}..."


def _field(value: Any) -> str:
    """Return *value* for the table of one resource, cut only if very long."""
    text = _text(value)
    if len(text) <= _MAX_FIELD_LENGTH:
        return escape_value(text)
    return f"{escape_value(text[:_MAX_FIELD_LENGTH])}... ({len(text):,} characters; --json prints them all)"


def _text(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, str):
        return value
    if isinstance(value, date):
        return f"{value:%Y-%m-%d %H:%M}"
    return str(value) if isinstance(value, int | Decimal) else escape_json(plain(value))


def _linked(handle: ToOne[Any] | ToMany[Any]) -> str:
    loaded = handle.at_hand
    if loaded is None:
        return "not requested" if handle.ids is None else f"{', '.join(map(escape_value, handle.ids))} (not included)"
    return ", ".join(_label(resource) for resource in loaded) or "none"


def _label(resource: Resource) -> str:
    members = resource.loaded_attributes()
    label = members.get("title") or members.get("name")
    return " ".join(escape_value(str(part)) for part in (resource.id, label) if part)
