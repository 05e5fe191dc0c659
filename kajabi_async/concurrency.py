"""Concurrent work on one event loop: limits, queues, work shared by its waiters, and iterators that clean up.

Nothing here knows of Kajabi.
"""

import asyncio
import copy
import weakref
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection, Coroutine, Hashable, Iterable, Iterator
from itertools import islice
from typing import Any, Generic, Protocol, Self, TypeVar

import attrs

from kajabi_async.errors import ClientClosedError, KajabiError, WrongLoopError

__all__ = ["Guarded", "Places", "Run", "SingleFlight", "TooLateError", "cancel_tasks", "for_each", "on_loop"]

T = TypeVar("T")


async def for_each(items: Iterable[T], act: Callable[[T], Awaitable[object]], *, at_once: int) -> None:
    """Await ``act(item)`` for every item, *at_once* at a time; the first failure stops the rest and is raised."""
    remaining = iter(items)
    try:
        async with asyncio.TaskGroup() as group:
            for item in list(islice(remaining, at_once)):
                group.create_task(_work(item, remaining, act))
    except BaseExceptionGroup as failures:
        # Workers fail one by one: callers are told the first failure, as if they had awaited it themselves.
        raise failures.exceptions[0] from None


async def _work(first: T, remaining: Iterator[T], act: Callable[[T], Awaitable[object]]) -> None:
    await act(first)
    for item in remaining:
        await act(item)


class TooLateError(Exception):
    """What somebody waits for cannot come before their deadline."""

    def __init__(self, seconds_left: float) -> None:
        super().__init__()
        self.seconds_left = seconds_left


class Places:
    """A number of places and the line before them: one that comes free wakes one who waits, and nobody else.

    Unlike asyncio's semaphore it can tell those in line that waiting has become pointless.
    """

    def __init__(self, number: int) -> None:
        self.free = number
        """Where it is above zero, a place may be taken by taking one off: that is `enter` without waiting."""
        self._line: OrderedDict[asyncio.Future[None], float | None] = OrderedDict()

    @property
    def waiting(self) -> int:
        """How many stand in line."""
        return len(self._line)

    async def enter(self, deadline: float | None = None) -> None:
        """Wait for a place and take it; TooLateError where waiting until *deadline* has become pointless."""
        if self.free > 0:
            self.free -= 1
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._line[future] = deadline
        try:
            await future
        except BaseException:
            if future in self._line:
                del self._line[future]
            elif _was_given(future):
                # The place came in the same moment as the cancellation.
                self.leave()
            raise

    def leave(self) -> None:
        """Give a place back, to whoever has waited longest."""
        while self._line:
            future, _ = self._line.popitem(last=False)
            if not future.done():
                future.set_result(None)
                return
        self.free += 1

    def refuse_late(self, until: float, now: float) -> None:
        """Tell everybody in line whose deadline is not after *until* that they need not wait."""
        for future, deadline in self._line.items():
            if deadline is not None and deadline <= until and not future.done():
                future.set_exception(TooLateError(until - now))


def _was_given(future: "asyncio.Future[None]") -> bool:
    return future.done() and not future.cancelled() and future.exception() is None


K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@attrs.define(eq=False)
class _Flight(Generic[V]):
    task: "asyncio.Task[V]"
    waiting: "set[asyncio.Future[V]]" = attrs.field(factory=set["asyncio.Future[V]"])


class SingleFlight(Generic[K, V]):
    """Coalesces calls by key."""

    def __init__(self, *, abandon: bool) -> None:
        """Cancel the work when nobody waits for it any more, if *abandon*; otherwise see it through."""
        self._abandon = abandon
        self._flights: dict[K, _Flight[V]] = {}
        self._closed = False

    async def run(self, key: K, start: Callable[[], Coroutine[Any, Any, V]]) -> V:
        """Give what ``start()`` gives, called only where nothing for *key* is under way.

        Each caller gets an error of its own, so that no traceback grows with the number of waiters.
        """
        flight = self.begin(key, start)
        future: asyncio.Future[V] = asyncio.get_running_loop().create_future()
        flight.waiting.add(future)
        try:
            return await future
        finally:
            flight.waiting.discard(future)
            if self._abandon and not flight.waiting and not flight.task.done():
                self._drop(key, flight)

    def begin(self, key: K, start: Callable[[], Coroutine[Any, Any, V]]) -> _Flight[V]:
        """Start the work if nothing for *key* is under way, without waiting for it.

        WrongLoopError if it is under way in another event loop.
        """
        if self._closed:
            raise ClientClosedError("the client is closed")
        flight = self._flights.get(key)
        if flight is not None and flight.task.get_loop().is_closed():
            # That loop ended in the middle of it, and nothing is under way any more.
            flight = None
        if flight is None:
            task = asyncio.get_running_loop().create_task(start(), name="kajabi_async shared request")
            flight = self._flights[key] = _Flight(task)
            task.add_done_callback(lambda _: self._land(key, flight))
        elif flight.task.get_loop() is not asyncio.get_running_loop():
            # A future of one loop never wakes who waits on another.
            raise WrongLoopError(
                "the client is in use on another event loop: make one client for each loop, such as one per "
                "asyncio.run() or per worker"
            )
        return flight

    async def aclose(self) -> None:
        """Cancel what is under way and wait until it has gone; waiters get ClientClosedError.

        May be called again, also after a call was cancelled; the work is cancelled once. Work of another event loop, as
        a forked child finds it, is left alone.
        """
        here = asyncio.get_running_loop()
        tasks = [flight.task for flight in self._flights.values() if flight.task.get_loop() is here]
        if not self._closed:
            self._closed = True
            for task in tasks:
                task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def _drop(self, key: K, flight: _Flight[V]) -> None:
        flight.task.cancel()
        # Whoever comes next must not join work that is being cancelled.
        if self._flights.get(key) is flight:
            del self._flights[key]

    def _land(self, key: K, flight: _Flight[V]) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]
        for future in flight.waiting:
            if not future.done():
                _settle(future, flight.task)
        if not flight.task.cancelled():
            flight.task.exception()


def _settle(future: "asyncio.Future[V]", task: "asyncio.Task[V]") -> None:
    if task.cancelled():
        future.set_exception(ClientClosedError("the client was closed while the request was under way"))
        return
    error = task.exception()
    if error is None:
        future.set_result(task.result())
    else:
        future.set_exception(copy.copy(error) if isinstance(error, KajabiError) else error)


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
