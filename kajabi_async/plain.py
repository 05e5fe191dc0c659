"""Values as plain data: dicts, lists, text, numbers, booleans and None, which every JSON library takes."""

import math
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import PurePath
from typing import Any, Final

from kajabi_async.hints import NamesCure

__all__ = ["PlainRecord", "plain", "rfc3339"]

_EXTRA: Final = "extra"


def plain(value: Any) -> Any:
    """Return a JSON-ready copy of ``value``.

    Decimals become text, times RFC 3339 in UTC, dates ISO 8601, other collections lists. Of an object inside an
    attribute, the members that the SDK does not know stand beside the others. What has no form in JSON, such as an
    error, becomes its text.
    """
    if hasattr(value, "to_dict"):
        return value.to_dict()
    for kind, convert in _CONVERSIONS:
        if isinstance(value, kind):
            return convert(value)
    return _fields_of(value) if hasattr(value, "__attrs_attrs__") else str(value)


def _itself(value: Any) -> Any:
    return value


def _finite(value: float) -> float | str:
    return value if math.isfinite(value) else repr(value)


def _members(mapping: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(name): plain(member) for name, member in mapping.items()}


def _elements(elements: Iterable[Any]) -> list[Any]:
    return [plain(each) for each in elements]


def rfc3339(moment: datetime) -> str:
    """Return a time in UTC, such as ``2024-05-01T16:00:00Z``; one without a zone as it is."""
    return (moment if moment.utcoffset() is None else moment.astimezone(UTC)).isoformat().replace("+00:00", "Z")


def _fields_of(record: Any) -> dict[str, Any]:
    fields = {field.name: getattr(record, field.name) for field in record.__attrs_attrs__}
    extra = fields.pop(_EXTRA, {})
    return {name: plain(value) for name, value in {**extra, **fields}.items()}


class PlainRecord(metaclass=NamesCure):
    """A record of the SDK that can be turned into plain data."""

    __slots__ = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the fields by name, JSON-ready: decimals and paths as text, times as RFC 3339 in UTC."""
        return _fields_of(self)


_CONVERSIONS: Final[tuple[tuple[Any, Callable[[Any], Any]], ...]] = (
    ((str, bool, int, type(None)), _itself),
    (float, _finite),
    (datetime, rfc3339),  # Before dates, of which it is one.
    (date, date.isoformat),
    ((Decimal, PurePath), str),
    (Mapping, _members),
    ((list, tuple, set, frozenset), _elements),
)
