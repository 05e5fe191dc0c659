"""Resources for programs, as JSON, and for people, as tables."""

import json
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any, Final

import attrs
from rich.console import Console
from rich.table import Table

from kajabi_async import Resource, ToMany, ToOne
from kajabi_async.models.values import Part

__all__ = ["as_json", "as_members", "print_resource", "print_rows", "short"]

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
_MOST_COLUMNS: Final = 4
_LONGEST_CELL: Final = 60


def as_json(value: Any) -> str:
    """Give one line of JSON."""
    return json.dumps(value, ensure_ascii=False, default=_plain)


def as_members(resource: Resource) -> dict[str, Any]:
    """Give a resource as plain members: its attributes, and of each relation the resources at hand, or their ids."""
    relations = {name: _relation(getattr(resource, name)) for name in resource.relations}
    return {**_own_members(resource), **{name: linked for name, linked in relations.items() if linked is not None}}


def print_resource(console: Console, resource: Resource) -> None:
    """Print one resource as a table of its attributes and relations; what did not come is left out."""
    table = Table(title=f"{resource.resource_type} {resource.id}", title_justify="left", show_header=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for name, value in resource.loaded_attributes().items():
        table.add_row(name, short(value))
    for name, value in resource.extra.items():
        table.add_row(f"{name} (extra)", short(value))
    for name in resource.relations:
        table.add_row(name, _linked(getattr(resource, name)))
    console.print(table)


def print_rows(console: Console, rows: Iterable[Resource], model: type[Resource]) -> None:
    """Print resources of one type as rows, with the few columns that tell them apart."""
    names = [name for name in _COLUMNS if hasattr(model, name)][:_MOST_COLUMNS]
    table = Table("id", *names)
    for row in rows:
        table.add_row(row.id, *(short(getattr(row, name, "")) for name in names))
    console.print(table)


def short(value: Any) -> str:
    """Give *value* as one cell."""
    if value is None:
        return "-"
    plain = value if isinstance(value, str) else str(value) if isinstance(value, int | Decimal) else _text(value)
    line = " ".join(plain.split())
    return line if len(line) <= _LONGEST_CELL else f"{line[: _LONGEST_CELL - 3]}..."


def _text(value: Any) -> str:
    return f"{value:%Y-%m-%d %H:%M}" if isinstance(value, date) else as_json(value)


def _own_members(resource: Resource) -> dict[str, Any]:
    identity = {"id": resource.id, "type": resource.resource_type}
    return {**resource.extra, **resource.loaded_attributes(), **identity}


def _relation(handle: ToOne[Any] | ToMany[Any]) -> Any:
    at_hand = handle.at_hand
    linked: list[Any] | None
    if at_hand is not None:
        linked = [_own_members(resource) for resource in at_hand]
    else:
        linked = None if handle.ids is None else list(handle.ids)
    if linked is None or isinstance(handle, ToMany):
        return linked
    return linked[0] if linked else None


def _linked(handle: ToOne[Any] | ToMany[Any]) -> str:
    at_hand = handle.at_hand
    if at_hand is None:
        return "not asked for" if handle.ids is None else f"{', '.join(handle.ids)} (not included)"
    return ", ".join(_label(resource) for resource in at_hand) or "none"


def _label(resource: Resource) -> str:
    members = resource.loaded_attributes()
    label = members.get("title") or members.get("name")
    return f"{resource.id} {label}" if label else resource.id


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Part):
        members = attrs.asdict(value, recurse=False)
        return {**members.pop("extra"), **members}
    raise TypeError(f"{type(value).__name__} has no place in JSON")
