"""Filters as they are sent: names checked, values encoded as the server reads them.

The server ignores an unknown filter silently and returns an unfiltered page (observed): callers have acted on another
person's record. So a name that is not declared is refused here, before anything is sent.

The filters of each list are declared three times: here for callers, in `testing.filters` for the fake, and in the API
document. The fake does not import these tables, as it is the witness against them; tests hold each to the document.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, Final, NamedTuple, NotRequired, get_args, get_origin, get_type_hints

from kajabi_async.checks import shown
from kajabi_async.errors import InvalidArgumentError, InvalidIdError, UnknownFilterError
from kajabi_async.jsonapi.ids import checked_id
from kajabi_async.jsonapi.query import is_parameter_name

__all__ = [
    "ORDER_SUFFIXES",
    "SUFFIXES",
    "SUFFIXES_WITH_RANGES",
    "Amount",
    "Day",
    "Days",
    "Flag",
    "Id",
    "Ids",
    "Label",
    "Labels",
    "Number",
    "Positive",
    "Repeated",
    "Text",
    "Texts",
    "accept_suffixes",
    "encode_extra_filters",
    "encode_filters",
    "known_filters",
]

# The document has gte and lte; Ransack, the server's library, has gteq and lteq, and integrators use those.
SUFFIXES: Final = ("eq", "cont", "not_eq", "not_cont", "start", "end")
SUFFIXES_WITH_RANGES: Final = (*SUFFIXES, "gt", "gteq", "gte", "lt", "lteq", "lte")
ORDER_SUFFIXES: Final = ("eq", "gt", "gteq", "lt", "lteq", "cont", "start", "i_cont", "in", "not_in", "null")

_AMOUNT: Final = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,30})?")
_MOST_DIGITS: Final = 30
_FIRST_TOO_LARGE: Final = 10**_MOST_DIGITS
_PROBABLY_DEAD: Final = ("_gte", "_lte")
"""Documented, but unknown to the server's library: never suggested for a misspelt filter."""
_RANGES: Final = {("_gt", "_gteq"): ("_gt", "_gteq", "_gte"), ("_lt", "_lteq"): ("_lt", "_lteq", "_lte")}
"""Suffixes of ranges, with those that may be suggested instead."""
_COMPARES: Final = re.compile(r"_(?:i_cont|cont|eq|start|end|in|null|gt|gteq|lt|lteq)$")
_WAY_OUT: Final = "(extra_filters= sends a filter that the SDK does not know yet)"


class _WrongKindError(ValueError):
    """A value of the wrong kind; it never leaves this module."""


class Takes(NamedTuple):
    """What a filter takes, in words, and how that is encoded; several texts repeat the parameter."""

    words: str
    encode: Callable[[Any], "str | list[str]"]
    repeated: bool = False


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        # The server drops a condition without a value, like one that it does not know (its library's rule).
        raise _WrongKindError
    if "," in value:
        # The server splits a value at its commas (observed in its library), and there is no way to quote one.
        raise InvalidArgumentError(f"the server splits {value[:40]!r} at its comma: filter by a part without one")
    # str() of a member of a string enumeration would be its name.
    return str.__str__(value)


def _text_or_number(value: Any) -> str:
    return _text(value) if isinstance(value, str) else _whole(value)


def _id(value: Any) -> str:
    try:
        return checked_id(value)
    except InvalidIdError:
        raise _WrongKindError from None


def _each(encode: Callable[[Any], str]) -> Callable[[Any], str]:
    """Return the encoding of one value or several, with commas between them."""
    return lambda value: ",".join(map(encode, _several(value)))


def _several(value: Any) -> list[Any]:
    if isinstance(value, str):
        return list(value.split(","))
    several = _elements(value) if hasattr(value, "__iter__") else [value]
    if not several:
        raise _WrongKindError
    return several


def _elements(value: Any) -> list[Any]:
    if isinstance(value, Mapping | bytes | bytearray):
        raise _WrongKindError
    elements: list[Any] = list(value)
    # A set has no order, and equal filters must make equal queries.
    return sorted(elements, key=str) if isinstance(value, set | frozenset) else elements


def _repeated(value: Any) -> list[str]:
    return [_text(each) for each in ([value] if isinstance(value, str) else _several(value))]


def _whole(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= _FIRST_TOO_LARGE:
        raise _WrongKindError
    return int.__repr__(value)


def _at_least(least: int) -> Callable[[Any], str]:
    def encode(value: Any) -> str:
        number = _whole(value)
        if value < least:
            raise _WrongKindError
        return number

    return encode


def _flag(value: Any) -> str:
    if not isinstance(value, bool):
        raise _WrongKindError
    return "true" if value else "false"


def _amount(value: Any) -> str:
    if isinstance(value, str) and _AMOUNT.fullmatch(value):
        return str.__str__(value)
    return _decimal(value) if isinstance(value, Decimal) else _whole(value)


def _decimal(value: Decimal) -> str:
    # Checked first: written out, Decimal("1E+999999") has a million digits.
    if not value.is_finite() or abs(value.adjusted()) >= _MOST_DIGITS:
        raise _WrongKindError
    text = f"{value:f}"
    if not _AMOUNT.fullmatch(text):
        raise _WrongKindError
    return text


def _day(value: Any) -> str:
    if isinstance(value, datetime):
        return _moment(value)
    if isinstance(value, date):
        return value.isoformat()
    if not isinstance(value, str):
        raise _WrongKindError
    try:
        return date.fromisoformat(value).isoformat()
    except ValueError:
        return _moment(_parsed(value))


def _parsed(value: str) -> datetime:
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        raise _WrongKindError from None


def _moment(value: datetime) -> str:
    if value.utcoffset() is None:
        raise InvalidArgumentError(f"the time {value.isoformat()} has no zone: add one, such as UTC, or pass a date")
    return value.isoformat()


def _anything(value: Any) -> str:
    if isinstance(value, str) or not hasattr(value, "__iter__"):
        return _one_thing(value)
    return _each(_one_thing)(value)


def _one_thing(value: Any) -> str:
    if isinstance(value, bool):
        return _flag(value)
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, date):
        return _day(value)
    # By its repr, so that 0.1 is sent as 0.1.
    return _amount(Decimal(repr(value)) if isinstance(value, float) else value)


Text = Annotated[str, Takes("text that is not blank", _text)]
Texts = Annotated[str | Collection[str], Takes("text that is not blank, or several", _each(_text))]
Label = Annotated[str | int, Takes("text or a whole number", _text_or_number)]
Labels = Annotated[
    str | int | Collection[str | int], Takes("text or a whole number, or several", _each(_text_or_number))
]
Repeated = Annotated[str | Collection[str], Takes("text that is not blank, or several", _repeated, repeated=True)]
Id = Annotated[str | int, Takes("an id", _id)]
Ids = Annotated[str | int | Collection[str | int], Takes("an id, or several", _each(_id))]
Number = Annotated[int, Takes("a whole number", _whole)]
Positive = Annotated[int, Takes("a whole number of at least 1", _at_least(1))]
Days = Annotated[int, Takes("a whole number of days", _at_least(0))]
Flag = Annotated[bool, Takes("True or False", _flag)]
Amount = Annotated[Decimal | int | str, Takes("an amount: a Decimal, a whole number, or text such as '12.50'", _amount)]
Day = Annotated[date | datetime | str, Takes("a date, a time with its zone, or either in ISO 8601", _day)]
_ANYTHING: Final = Takes("text that is not blank, a number, True or False, a date, or several of these", _anything)

_SUFFIXED: Final[dict[type, frozenset[str]]] = {}


def accept_suffixes(declared: type, suffixes: Collection[str]) -> None:
    """Accept every ``attribute_suffix`` for a list whose filters the API documents in this way.

    The attributes are those that *declared* has an ``attribute_eq`` of.
    """
    equal = {name.removesuffix("_eq") for name in declared.__annotations__ if name.endswith("_eq")}
    attributes = {name for name in equal if not name.endswith("_not")}
    _SUFFIXED[declared] = frozenset(f"{attribute}_{suffix}" for attribute in attributes for suffix in suffixes)


def known_filters(declared: type) -> Collection[str]:
    """Return the names of the filters of a list."""
    return {*_kinds(declared), *_SUFFIXED.get(declared, ())}


def encode_filters(declared: type, given: Mapping[str, object], *, owner: str) -> tuple[tuple[str, str], ...]:
    """Return *given* as query parameters in one canonical order.

    UnknownFilterError, with the nearest known name, for a filter that *declared* does not have; InvalidArgumentError
    for a value of the wrong kind.
    """
    kinds = _kinds(declared)
    suffixed = _SUFFIXED.get(declared, frozenset())
    pairs: list[tuple[str, str]] = []
    for name in sorted(given):
        kind = kinds.get(name) or (_ANYTHING if name in suffixed else None)
        if kind is None:
            known = {other for other in (*kinds, *suffixed) if not other.endswith(_PROBABLY_DEAD)}
            alike = [other for other in known if _compares_alike(name, other)]
            raise UnknownFilterError(name, owner=owner, known=known, cure=_WAY_OUT, alike=alike)
        pairs.extend(_pairs(f"filter[{name}]", kind, given[name]))
    return tuple(pairs)


def _compares_alike(name: str, other: str) -> bool:
    """Return whether filter *other* is neither the opposite of *name* nor another comparison than its range."""
    if ("not_" in name) != ("not_" in other):
        return False
    for range_, suffixes in _RANGES.items():
        if name.endswith(suffixes):
            return other.endswith(range_) or not _COMPARES.search(other)
    return True


def encode_extra_filters(extra: Mapping[str, object] | None) -> tuple[tuple[str, str], ...]:
    """Return filters that the SDK does not know as query parameters; a bare name stands for ``filter[name]``.

    InvalidArgumentError for a name that no query parameter may have (JSON:API, "Query Parameters") or that is a
    parameter other than a filter.
    """
    if extra is None:
        return ()
    given: Any = extra
    if not isinstance(given, Mapping):
        raise InvalidArgumentError(f"extra_filters= maps names to values, got {type(given).__name__}")
    parameters = {name: _filter_parameter(name) for name in extra}
    return tuple(pair for name in sorted(extra) for pair in _pairs(parameters[name], _ANYTHING, extra[name]))


def _filter_parameter(name: Any) -> str:
    parameter = f"filter[{name}]" if "[" not in str(name) else name
    if not name or not isinstance(name, str) or not is_parameter_name(parameter):
        raise InvalidArgumentError(f"{name!r} cannot be the name of a filter")
    if not parameter.startswith("filter["):
        raise InvalidArgumentError(f"{name!r} is no filter: extra_filters= sends filter[...] alone")
    return parameter


def _pairs(parameter: str, kind: Takes, value: object) -> Iterable[tuple[str, str]]:
    if value is None:
        raise InvalidArgumentError(f"{parameter} was given None: leave it out")
    try:
        encoded = kind.encode(value)
    except _WrongKindError:
        raise InvalidArgumentError(f"{parameter} takes {kind.words}, got {shown(value)}") from None
    except InvalidArgumentError as error:
        raise InvalidArgumentError(f"{parameter}: {error}") from None
    texts = [encoded] if isinstance(encoded, str) else encoded
    return [(f"{parameter}[]" if kind.repeated else parameter, text) for text in texts]


@cache
def _kinds(declared: type) -> Mapping[str, Takes]:
    hints = get_type_hints(declared, include_extras=True)
    return {name: _kind_of(annotation) for name, annotation in hints.items()}


def _kind_of(annotation: Any) -> Takes:
    inner = get_args(annotation)[0] if get_origin(annotation) is NotRequired else annotation
    for arm in (inner, *get_args(inner)):
        for extra in getattr(arm, "__metadata__", ()):
            if isinstance(extra, Takes):
                return extra
    return _ANYTHING
