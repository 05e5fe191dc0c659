"""Checks of what callers pass in, before anything is done with it: one wording for each kind of value.

Each function returns the value or raises *error*, whose text says what the argument *of* must be and what came. It is
ConfigurationError for settings of a client, a store or a receiver, and InvalidArgumentError for arguments of a call.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from kajabi_async.errors import ConfigurationError, InvalidArgumentError, KajabiError

__all__ = [
    "boolean",
    "function",
    "iterable_of",
    "names_in",
    "number",
    "positive_seconds",
    "shown",
    "string",
    "whole_number",
    "with_methods",
]

_MOST: Final = 10**9


def whole_number(
    value: Any,
    *,
    of: str,
    at_least: int = 1,
    at_most: int | None = _MOST,
    error: type[KajabiError] = InvalidArgumentError,
) -> int:
    """Return *value* if it is an integer from *at_least* to *at_most*."""
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    if not is_whole or value < at_least or (at_most is not None and value > at_most):
        most = "" if at_most is None else f" and at most {at_most}"
        raise error(f"{of} must be a whole number of at least {at_least}{most}, got {shown(value)}")
    return int(value)


def number(
    value: Any,
    *,
    of: str,
    expected: str,
    fits: Callable[[float], bool],
    error: type[KajabiError] = InvalidArgumentError,
) -> float:
    """Return *value*, as a float, if it is a number that *fits*; *expected* is that in words, for the error."""
    if isinstance(value, int | float) and not isinstance(value, bool) and fits(value):
        try:
            return float(value)
        except OverflowError:  # An integer beyond the largest float.
            pass
    raise error(f"{of} must be {expected}, got {shown(value)}")


def positive_seconds(
    value: Any, *, of: str, below: float = math.inf, error: type[KajabiError] = InvalidArgumentError
) -> float:
    """Return *value*, as a float, if it is a number above 0 and less than *below*."""
    expected = "a positive number of seconds" + ("" if below == math.inf else f" below {below:g}")
    return number(value, of=of, expected=expected, fits=lambda it: 0 < it < below, error=error)


def boolean(value: Any, *, of: str, error: type[KajabiError] = InvalidArgumentError) -> bool:
    """Return *value* if it is True or False: a text such as "false" would count as true."""
    if not isinstance(value, bool):
        raise error(f"{of} must be True or False, got {shown(value)}")
    return value


def string(value: Any, *, of: str, error: type[KajabiError] = InvalidArgumentError) -> str:
    """Return *value* if it is a string."""
    if not isinstance(value, str):
        raise error(f"{of} must be text, got {type(value).__name__}")
    return value


def function(value: Any, *, of: str, error: type[KajabiError] = InvalidArgumentError) -> Any:
    """Return *value* if it can be called."""
    if not callable(value):
        raise error(f"{of} must be a function, got {type(value).__name__}")
    return value


def with_methods(value: Any, *names: str, of: str) -> Any:
    """Return *value* if it has methods called *names*, those of the protocol that it implements."""
    if not all(callable(getattr(value, name, None)) for name in names):
        methods = " and ".join(filter(None, (", ".join(f"{name}()" for name in names[:-1]), f"{names[-1]}()")))
        raise ConfigurationError(f"{of} must have {methods}, got {type(value).__name__}")
    return value


def iterable_of(what: str, values: Any, *, error: type[KajabiError] = InvalidArgumentError) -> Iterable[Any]:
    """Return *values* if they are an iterable other than one string; *what* says of which things, such as "ids".

    One string would be taken apart into its characters, and each of these would be an id.
    """
    if isinstance(values, str | bytes | bytearray):
        raise error(f"an iterable of {what} is needed, got one string: write [{shown(values)}]")
    if not hasattr(values, "__iter__"):
        raise error(f"an iterable of {what} is needed, got {type(values).__name__}")
    checked: Iterable[Any] = values
    return checked


def names_in(values: Any, *, of: str) -> Iterator[str]:
    """Yield the names in *values*, one text with commas or an iterable of texts, without blanks around them."""
    names: Any = values.split(",") if isinstance(values, str) else values
    if not hasattr(names, "__iter__"):
        raise InvalidArgumentError(f"{of}= takes names, got {type(names).__name__}")
    for name in names:
        if not isinstance(name, str):
            raise InvalidArgumentError(f"{of}= takes names, got {type(name).__name__}")
        if name.strip():
            yield name.strip()


def shown(value: object) -> str:
    """Return the beginning of the repr of *value*, for the text of an error."""
    try:
        return f"{value!r:.60}"
    except ValueError:  # An integer of more digits than Python prints.
        return f"a huge {type(value).__name__}"
