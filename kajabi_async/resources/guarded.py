"""Async iterators that leave nothing behind when their loop is left.

``break`` tells an iterator nothing, and an async generator would be closed by the garbage collector at some later
time. Here the loop holds only a thin guard; when it lets go of the guard, the run behind it is closed at once.
"""

import asyncio
import weakref
from collections.abc import Awaitable, Callable, Collection
from typing import Any, Generic, Protocol, Self, TypeVar

__all__ = ["Guarded", "Run", "cancel_tasks", "on_loop"]

T_co = TypeVar("T_co", covariant=True)


class Run(Protocol[T_co]):
    """What goes on behind a loop."""

    def next(self) -> Awaitable[T_co]:
        """Give the next item, or raise StopAsyncIteration."""
        ...

    def close(self) -> None:
        """Cancel what is under way; nothing is awaited."""
        ...


class Guarded(Generic[T_co]):
    """The iterator an ``async for`` holds."""

    def __init__(self, run: Run[T_co]) -> None:
        self._run = run
        weakref.finalize(self, run.close).atexit = False

    def __aiter__(self) -> Self:
        return self

    def __anext__(self) -> Awaitable[T_co]:
        # Not a coroutine of the guard's own: a traceback would keep its frame, and with it the guard, alive.
        return self._run.next()


def cancel_tasks(loop: asyncio.AbstractEventLoop, tasks: "Collection[asyncio.Task[Any]]") -> None:
    """Cancel *tasks* of *loop* from wherever the garbage collector happens to run."""
    on_loop(loop, _cancel, tasks)


def on_loop(loop: asyncio.AbstractEventLoop, act: Callable[..., object], *arguments: object) -> None:
    """Call *act* where *loop* runs: at once if that is here, and not at all if it is closed."""
    if loop.is_closed():
        return
    if _running_loop() is loop:
        act(*arguments)
    else:
        loop.call_soon_threadsafe(act, *arguments)


def _cancel(tasks: "Collection[asyncio.Task[Any]]") -> None:
    for task in tuple(tasks):
        task.cancel()


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
