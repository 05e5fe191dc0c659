"""Filters as they are sent: names checked, values encoded the way the server reads them.

The server ignores a filter it does not know, silently, and answers an unfiltered page (observed): callers have acted
on a stranger's record. So a name that is not declared is refused here, before anything is sent.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, Final, NamedTuple, NotRequired, get_args, get_origin, get_type_hints

from kajabi_async.errors import InvalidArgumentError, InvalidIdError, UnknownFilterError
from kajabi_async.jsonapi.ids import checked_id
from kajabi_async.jsonapi.names import is_parameter_name

__all__ = [
    "Amount",
    "Day",
    "Days",
    "Flag",
    "Id",
    "Ids",
    "Number",
    "Repeated",
    "Text",
    "Texts",
    "accept_suffixes",
    "encode_extra_filters",
    "encode_filters",
]

_AMOUNT: Final = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,30})?")
_WAY_OUT: Final = "(extra_filters= sends a filter that the SDK does not know yet)"


class _Refused(ValueError):  # noqa: N818 - it never leaves this module
    """A value of the wrong kind."""


class Kind(NamedTuple):
    """What a filter takes, in words, and how that is written in a query; several texts repeat the parameter."""

    wanted: str
    encode: Callable[[Any], "str | list[str]"]
    repeated: bool = False


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise _Refused
    if "," in value:
        # The server splits a value at its commas (observed in the library it runs on); there is no way to quote one.
        raise InvalidArgumentError(f"the server splits {value[:40]!r} at its comma: filter by a part without one")
    return value


def _id(value: Any) -> str:
    try:
        return checked_id(value)
    except InvalidIdError:
        raise _Refused from None


def _ids(value: Any) -> str:
    return ",".join(_id(each) for each in _several(value))


def _texts(value: Any) -> str:
    return ",".join(_text(each) for each in _several(value))


def _several(value: Any) -> list[Any]:
    if isinstance(value, Mapping):
        raise _Refused
    if isinstance(value, str):
        return list(value.split(","))
    several: list[Any] = list(value) if hasattr(value, "__iter__") else [value]
    if not several:
        raise _Refused
    return several


def _repeated(value: Any) -> list[str]:
    return [_text(each) for each in ([value] if isinstance(value, str) else _several(value))]


def _whole(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int):
        raise _Refused
    return str(value)


def _days(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise _Refused
    return str(value)


def _flag(value: Any) -> str:
    if not isinstance(value, bool):
        raise _Refused
    return "true" if value else "false"


def _amount(value: Any) -> str:
    text = str(value)
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str) or not _AMOUNT.fullmatch(text):
        raise _Refused
    return text


def _day(value: Any) -> str:
    if isinstance(value, datetime):
        return _moment(value)
    if isinstance(value, date):
        return value.isoformat()
    if not isinstance(value, str):
        raise _Refused
    try:
        return date.fromisoformat(value).isoformat()
    except ValueError:
        return _moment(_parsed(value))


def _parsed(value: str) -> datetime:
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        raise _Refused from None


def _moment(value: datetime) -> str:
    if value.tzinfo is None:
        raise InvalidArgumentError(f"the time {value.isoformat()} has no zone: give one, such as tzinfo=UTC, or a date")
    return value.isoformat()


def _anything(value: Any) -> str:
    if isinstance(value, bool):
        return _flag(value)
    if isinstance(value, date):
        return _day(value)
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, int | Decimal):
        return str(value)
    return ",".join(_anything(each) for each in _several(value))


Text = Annotated[str, Kind("text", _text)]
Texts = Annotated[str | Collection[str], Kind("text, or several", _texts)]
Repeated = Annotated[str | Collection[str], Kind("text, or several", _repeated, repeated=True)]
Id = Annotated[str | int, Kind("an id", _id)]
Ids = Annotated[str | int | Collection[str | int], Kind("an id, or several", _ids)]
Number = Annotated[int, Kind("a whole number", _whole)]
Days = Annotated[int, Kind("a whole number of days", _days)]
Flag = Annotated[bool, Kind("True or False", _flag)]
Amount = Annotated[Decimal | int | str, Kind("an amount: a Decimal, a whole number, or text such as '12.50'", _amount)]
Day = Annotated[date | datetime | str, Kind("a date, a time with its zone, or either in ISO 8601", _day)]
_ANYTHING: Final = Kind("text, a number, True or False, a date, or several of these", _anything)

_SUFFIXED: Final[dict[type, frozenset[str]]] = {}


def accept_suffixes(declared: type, attributes: Iterable[str], suffixes: Iterable[str]) -> None:
    """Accept ``attribute_suffix`` for a list whose filters the API documents as attributes times suffixes."""
    combined = {f"{attribute}_{suffix}" for attribute in attributes for suffix in tuple(suffixes)}
    _SUFFIXED[declared] = _SUFFIXED.get(declared, frozenset()) | combined


def encode_filters(declared: type, given: Mapping[str, object], *, owner: str) -> tuple[tuple[str, str], ...]:
    """Give *given* as query parameters in one canonical order.

    UnknownFilterError, with the nearest known name, for a filter that *declared* does not have; InvalidArgumentError
    for a value of the wrong kind.
    """
    kinds = _kinds(declared)
    suffixed = _SUFFIXED.get(declared, frozenset())
    pairs: list[tuple[str, str]] = []
    for name in sorted(given):
        kind = kinds.get(name) or (_ANYTHING if name in suffixed else None)
        if kind is None:
            raise UnknownFilterError(name, owner=owner, known={*kinds, *suffixed}, cure=_WAY_OUT)
        pairs.extend(_pairs(f"filter[{name}]", kind, given[name]))
    return tuple(pairs)


def encode_extra_filters(extra: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    """Give filters that the SDK does not know; a bare name stands for ``filter[name]``.

    InvalidArgumentError for a name that no query parameter may have (JSON:API, "Query Parameters").
    """
    pairs: list[tuple[str, str]] = []
    for name, value in sorted(extra.items()):
        parameter = name if "[" in name else f"filter[{name}]"
        if not name or not is_parameter_name(parameter):
            raise InvalidArgumentError(f"{name!r} cannot be the name of a filter")
        pairs.extend(_pairs(parameter, _ANYTHING, value))
    return tuple(pairs)


def _pairs(parameter: str, kind: Kind, value: object) -> Iterable[tuple[str, str]]:
    if value is None:
        raise InvalidArgumentError(f"{parameter} was given None: leave it out")
    try:
        encoded = kind.encode(value)
    except _Refused:
        raise InvalidArgumentError(f"{parameter} takes {kind.wanted}, got {value!r:.60}") from None
    texts = [encoded] if isinstance(encoded, str) else encoded
    return [(f"{parameter}[]" if kind.repeated else parameter, text) for text in texts]


@cache
def _kinds(declared: type) -> Mapping[str, Kind]:
    hints = get_type_hints(declared, include_extras=True)
    return {name: _kind_of(annotation) for name, annotation in hints.items()}


def _kind_of(annotation: Any) -> Kind:
    inner = get_args(annotation)[0] if get_origin(annotation) is NotRequired else annotation
    for arm in (inner, *get_args(inner)):
        for extra in getattr(arm, "__metadata__", ()):
            if isinstance(extra, Kind):
                return extra
    return _ANYTHING
