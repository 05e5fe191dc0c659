"""JSON values to Python values: the one cattrs converter.

Numbers and text are converted into each other if nothing is lost by it, and refused if something is.
"""

import re
from collections.abc import Callable, Collection, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import cache, lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, Self, TypeGuard, TypeVar, get_args

import attrs

from kajabi_async.jsonapi.codec import brief, json_array, json_object, kind_of
from kajabi_async.models.resource import Part

if TYPE_CHECKING:
    import cattrs

__all__ = ["Refused", "conversions_in", "converter_for", "decimal_of", "hook_for"]

_WHOLE_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,100}")
# Also with an exponent: Ruby prints decimals as 0.1295e3 unless Rails formats them.
_DECIMAL_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,100}(\.[0-9]{0,100})?([eE][+-]?[0-9]{1,2})?")
_FINER_THAN_MICROSECONDS: Final = re.compile(r"[.,][0-9]{6}0*[1-9]")
_SHORTEST_FINER: Final = len("2024W02T080000.1234567Z")
_YEARS_AT_THE_EDGE: Final = (1, 9999)
"""Years in which a time may leave the range of Python when it is converted to another zone."""
_FIRST_INEXACT: Final = 2.0**53
"""From here on a float stands for several whole numbers, so the original digits are lost."""
_LONGEST_STEP: Final = 60
_OF_AN_OBJECT: Final = 9
"""How many texts take as long to convert as one object, beside the one that it is itself."""
_TEXT_OR_NULL: Final = frozenset({str, type(None)})


class Refused(ValueError):  # noqa: N818 - it never leaves decoding, which raises DecodeError for it
    """A value that cannot be converted to the type of its attribute; ``steps`` lead from the attribute to it."""

    def __init__(self, expected: str, value: Any) -> None:
        super().__init__(value)
        self.expected = expected
        self.kind = kind_of(value)
        self.steps: tuple[str | int, ...] = ()

    def __str__(self) -> str:
        # Written only if it is read: most refusals are recorded without their value.
        return f"expected {self.expected}, got {brief(self.args[0])}"

    def inside(self, step: str | int) -> Self:
        """Add a *step* in front of the path to the value; a long name is cut."""
        self.steps = (step if isinstance(step, int) else step[:_LONGEST_STEP], *self.steps)
        return self


P = TypeVar("P", bound=Part)


def hook_for(annotation: Any) -> tuple[Callable[[Any, Any], Any], Any]:
    """Return the conversion of values other than null, and the type to call it with."""
    value_type = _without_none(annotation)
    return _converter().get_structure_hook(value_type), value_type


def converter_for(annotation: Any) -> Callable[[Any], Any]:
    """Return a function that converts a JSON value other than null to *annotation*, or raises `Refused`."""
    hook, value_type = hook_for(annotation)
    return lambda value: hook(value, value_type)


def _without_none(annotation: Any) -> Any:
    arms = [arm for arm in get_args(annotation) if arm is not type(None)]
    return arms[0] if len(arms) == 1 and type(None) in get_args(annotation) else annotation


def conversions_in(elements: Collection[Any]) -> int:
    """Return what the *elements* of an array count of the values that are converted one by one."""
    objects = [members for each in elements if (members := json_object(each)) is not None]
    values = chain.from_iterable(members.values() for members in objects)
    nested = sum(len(array) for value in values if (array := json_array(value)) is not None)
    return len(elements) + _OF_AN_OBJECT * len(objects) + nested


def _text(value: Any, _: Any) -> str:
    if isinstance(value, str):
        return value
    if (isinstance(value, int) and not isinstance(value, bool)) or _is_exact(value):
        return str(value)
    raise Refused("text", value)


def _integer(value: Any, _: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if _is_exact(value) and value.is_integer():
        return int(value)
    if isinstance(value, str) and _WHOLE_NUMBER.fullmatch(value):
        return int(value)
    raise Refused("a whole number", value)


def _is_exact(value: Any) -> TypeGuard[float]:
    return isinstance(value, float) and abs(value) < _FIRST_INEXACT


def _float(value: Any, annotation: Any) -> float:
    if isinstance(value, float):
        return value
    number = _decimal(value, annotation)
    converted = float(number)
    if Decimal(repr(converted)) != number:
        raise Refused("a number that a float can hold", value)
    return converted


def _boolean(value: Any, _: Any) -> bool:
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):
        return bool(value == "true")
    raise Refused("true or false", value)


def _decimal(value: Any, _: Any) -> Decimal:
    if isinstance(value, str):
        return decimal_of(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    if _is_exact(value):
        return Decimal(repr(value))
    raise Refused("a decimal number", value)


# The same prices and revenues come often.
@lru_cache(maxsize=1024)
def decimal_of(text: str) -> Decimal:
    """Return the number that *text* is; `Refused` if it is none."""
    if _DECIMAL_NUMBER.fullmatch(text):
        return Decimal(text)
    raise Refused("a decimal number", text)


def _time(value: Any, _: Any) -> datetime:
    try:
        time = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise Refused("an ISO 8601 time", value) from None
    if time.tzinfo is None:
        raise Refused("a time with its zone", value)
    if time.year in _YEARS_AT_THE_EDGE:
        raise Refused("a time that every zone has", value)
    # Most times have no fraction, or milliseconds: to see that is much cheaper than the search.
    if len(value) >= _SHORTEST_FINER and value[-5:-4] != "." and _FINER_THAN_MICROSECONDS.search(value):
        raise Refused("a time of at most microseconds", value)
    return time


def _date(value: Any, _: Any) -> date:
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise Refused("an ISO 8601 date", value) from None


def _anything(value: Any, _: Any) -> Any:
    return value


def _mapping_hook(annotation: Any) -> Callable[[Any, Any], Mapping[str, Any]]:
    value_type = get_args(annotation)[1]
    convert = converter_for(value_type)
    of_text = _without_none(value_type) is str

    def structure(value: Any, _: Any) -> Mapping[str, Any]:
        members = json_object(value)
        if members is None:
            raise Refused("an object", value)
        if value_type is Any or (of_text and _TEXT_OR_NULL.issuperset(map(type, members.values()))):
            return dict(members)
        return {name: _inside(convert, member, name) for name, member in members.items()}

    return structure


def _tuple_hook(annotation: Any) -> Callable[[Any, Any], tuple[Any, ...]]:
    convert = converter_for(get_args(annotation)[0])

    def structure(value: Any, _: Any) -> tuple[Any, ...]:
        elements = json_array(value)
        if elements is None:
            raise Refused("an array", value)
        return tuple(_inside(convert, element, index) for index, element in enumerate(elements))

    return structure


def _part_hook(cls: type[P]) -> Callable[[Any, Any], P]:
    converters = {field.name: converter_for(field.type) for field in attrs.fields(cls) if field.name != "extra"}

    def structure(value: Any, _: Any) -> P:
        members = json_object(value)
        if members is None:
            raise Refused("an object", value)
        known = {name: _inside(convert, members[name], name) for name, convert in converters.items() if name in members}
        return cls(**known, extra={name: member for name, member in members.items() if name not in converters})

    return structure


def _inside(convert: Callable[[Any], Any], value: Any, step: str | int) -> Any:
    if value is None:
        return None
    try:
        return convert(value)
    except Refused as refused:
        raise refused.inside(step) from None


def _is_part(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, Part)


def _origin_is(kind: type) -> Callable[[Any], bool]:
    return lambda annotation: getattr(annotation, "__origin__", None) is kind


@cache
def _converter() -> "cattrs.Converter":
    # Imported with the first answer, as it takes long.
    import cattrs  # noqa: PLC0415

    converter = cattrs.Converter(detailed_validation=False)
    for value_type, hook in (
        (str, _text),
        (int, _integer),
        (float, _float),
        (bool, _boolean),
        (Decimal, _decimal),
        (datetime, _time),
        (date, _date),
    ):
        converter.register_structure_hook(value_type, hook)
    converter.register_structure_hook_func(lambda annotation: annotation is Any, _anything)
    converter.register_structure_hook_factory(_origin_is(Mapping), _mapping_hook)
    converter.register_structure_hook_factory(_origin_is(tuple), _tuple_hook)
    converter.register_structure_hook_factory(_is_part, _part_hook)
    return converter
