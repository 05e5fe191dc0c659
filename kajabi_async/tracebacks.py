"""Frames: errors without those that raised them, whose variables may hold a secret; and the line of the caller.

Crash reporters print the variables of every frame of a traceback. So an error of the SDK has no frame with a secret:
the frames of aiohttp hold the headers and the body of the request, those of a constructor its arguments.
"""

import functools
import inspect
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

__all__ = ["calling_line", "hide_arguments", "hides_arguments", "without_frames"]

E = TypeVar("E", bound=BaseException)
P = ParamSpec("P")
T = TypeVar("T")
C = TypeVar("C", bound=type)


def without_frames(error: E) -> E:
    """Return *error* without its traceback and without the errors it is chained to; raise it outside of `except`."""
    error.__traceback__ = error.__cause__ = error.__context__ = None
    return error


def hide_arguments(call: Callable[P, T]) -> Callable[P, T]:
    """Wrap *call* so that its exceptions have neither its frames nor a frame with its arguments."""

    @functools.wraps(call)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return call(*args, **kwargs)
        except BaseException as error:  # noqa: BLE001 - raised again below
            failure = error
        # Outside the handler, and without a name for any argument.
        del args, kwargs
        try:
            raise without_frames(failure)
        finally:
            # The frame and the error would keep each other alive.
            del failure

    return wrapper


def hides_arguments(cls: C) -> C:
    """Decorate a class so that exceptions of its constructor have no frame with the constructor's arguments."""
    target: Any = cls
    target.__init__ = hide_arguments(target.__init__)
    return cls


def calling_line() -> str:
    """Return file and line of the code, outside of this package, that called into it."""
    frame = inspect.currentframe()
    while frame is not None and str(frame.f_globals.get("__name__")).startswith("kajabi_async."):
        frame = frame.f_back
    return "an unknown place" if frame is None else f"{frame.f_code.co_filename}:{frame.f_lineno}"
