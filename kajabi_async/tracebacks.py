"""Errors without the frames that they came through, whose variables may hold a secret.

Crash reporters print the variables of every frame of a traceback. A secret is therefore in no frame that an error of
ours leaves through: those of aiohttp have the headers and the body of the request, those of a constructor what it was
called with.
"""

import functools
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

__all__ = ["hide_arguments", "hides_arguments", "without_frames"]

E = TypeVar("E", bound=BaseException)
P = ParamSpec("P")
T = TypeVar("T")
C = TypeVar("C", bound=type)


def without_frames(error: E) -> E:
    """Return *error* without its traceback and without the errors it is chained to; raise it outside of `except`."""
    error.__traceback__ = error.__cause__ = error.__context__ = None
    return error


def hide_arguments(call: Callable[P, T]) -> Callable[P, T]:
    """Wrap *call* so that whatever it raises has neither its frames nor a frame with its arguments."""

    @functools.wraps(call)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return call(*args, **kwargs)
        except BaseException as error:  # noqa: BLE001 - raised again below
            failure = error
        # Out here, where nothing that was handed in has a name any more.
        del args, kwargs
        try:
            raise without_frames(failure)
        finally:
            # A frame and the error that was raised in it would keep each other alive.
            del failure

    return wrapper


def hides_arguments(cls: C) -> C:
    """Decorate a class so that what its constructor raises has no frame with what the constructor was given."""
    made: Any = cls
    made.__init__ = hide_arguments(made.__init__)
    return cls
