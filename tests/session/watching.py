"""What stands in for methods of aiohttp's session, as mocks and tracers of whole programs do."""

from collections.abc import Callable
from functools import wraps
from typing import Any

__all__ = ["Proxy", "wrapped"]


def wrapped(method: Callable[..., Any], seen: list[Any] | None = None) -> Callable[..., Any]:
    """Return a function in the place of *method* that adds the arguments of each call to *seen*."""

    @wraps(method)
    def call(*arguments: Any, **keywords: Any) -> Any:
        if seen is not None:
            seen.append((arguments, keywords))
        return method(*arguments, **keywords)

    return call


class Proxy:
    """The same as an object, as the library wrapt makes one: every attribute is that of the method, which it equals."""

    def __init__(self, method: Callable[..., Any], seen: list[Any]) -> None:
        self._method = method
        self._call = wrapped(method, seen)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._method, name)

    def __eq__(self, other: object) -> bool:
        return self._method == other

    def __hash__(self) -> int:
        return hash(self._method)

    def __get__(self, instance: Any, _: type) -> Any:
        return self if instance is None else self._call.__get__(instance)
