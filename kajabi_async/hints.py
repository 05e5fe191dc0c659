"""Errors that say what to write instead, for operations that a class does not have.

Type checkers do not see these operations, so they still reject the code that uses one.
"""

import sys
from collections.abc import Callable, Mapping
from typing import Any, NoReturn, TypeVar

__all__ = ["NamesCure", "nearest_name", "refusing"]

C = TypeVar("C", bound=type)

Hint = str | Callable[[Any], str]
"""The text of the error, or a function that returns it for the object at hand."""


def refusing(hints: Mapping[str, Hint]) -> Callable[[C], C]:
    """Decorate a class so that each special method in *hints*, such as ``__len__``, raises TypeError with its hint."""

    def decorate(cls: C) -> C:
        for name, hint in hints.items():
            setattr(cls, name, _refusal(name, hint))
        return cls

    return decorate


def _refusal(name: str, hint: Hint) -> Callable[..., NoReturn]:
    def refuse(self: Any, *_: object) -> NoReturn:
        raise TypeError(hint if isinstance(hint, str) else hint(self))

    refuse.__name__ = name
    return refuse


def nearest_name(name: str, known: Mapping[str, Any] | list[str]) -> str:
    """Return ``; did you mean 'x'?`` with the one of *known* that is nearest to *name*, or nothing if none is near."""
    from difflib import get_close_matches  # noqa: PLC0415 - seldom needed, and takes time to import

    near = get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _called_by_json() -> bool:
    """Return whether the caller of the calling function is the ``default`` of a JSON library, which names the class."""
    frame = sys._getframe(2)  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - the only way to find the caller
    return frame.f_code.co_name.endswith("default") and "json" in str(frame.f_globals.get("__name__")).lower()


class NamesCure(type):
    """The metaclass of classes that JSON libraries reject: their error then says what to write instead.

    Such a library reads ``__name__`` of the class for its text, and has no other place that a class can reach.
    """

    _cure = "call .to_dict() on it first"
    """What the error says; a class may set its own."""

    @property
    def __name__(cls) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]
        name: str = type.__dict__["__name__"].__get__(cls)
        return f"{name} ({cls._cure})" if _called_by_json() else name

    @__name__.setter
    def __name__(cls, name: str) -> None:  # pyright: ignore[reportIncompatibleVariableOverride]
        type.__dict__["__name__"].__set__(cls, name)
