"""The outcome of a call: its result or a KajabiError; any other exception fails the test."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from kajabi_async.errors import KajabiError

__all__ = ["outcome_of"]

P = ParamSpec("P")
T = TypeVar("T")


def outcome_of(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | KajabiError:
    try:
        return call(*args, **kwargs)
    except KajabiError as error:
        return error
