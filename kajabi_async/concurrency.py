"""Concurrent work on one event loop: bounded work, slots with a queue, calls that share one task, and iterators.

Nothing here knows of Kajabi. In this order: `for_each`, `Waiters`, `WaitingLine`, `Quota`, `SingleFlight`, `Guarded`.
"""

import asyncio
import copy
import weakref
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Collection, Coroutine, Hashable, Iterable, Iterator
from itertools import islice
from typing import Any, Generic, Protocol, Self, TypeVar

from kajabi_async.errors import ClientClosedError, KajabiError, WrongLoopError
from kajabi_async.hints import refusing
from kajabi_async.structs import Struct

__all__ = [
    "Guarded",
    "Producer",
    "Quota",
    "SingleFlight",
    "TooLateError",
    "Waiters",
    "WaitingLine",
    "cancel_tasks",
    "for_each",
    "on_loop",
]

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
T_co = TypeVar("T_co", covariant=True)


async def for_each(items: Iterable[T], act: Callable[[T], Awaitable[object]], *, at_once: int) -> None:
    """Await ``act(item)`` for every item, *at_once* at a time; the first failure cancels the rest and is raised."""
    remaining = iter(items)
    try:
        async with asyncio.TaskGroup() as group:
            for item in list(islice(remaining, at_once)):
                group.create_task(_work(item, remaining, act))
    except BaseExceptionGroup as failures:
        # The caller gets the first failure itself, not a group of failures.
        raise failures.exceptions[0] from None


async def _work(first: T, remaining: Iterator[T], act: Callable[[T], Awaitable[object]]) -> None:
    await act(first)
    for item in remaining:
        await act(item)


class TooLateError(Exception):
    """A wait cannot end before its deadline."""

    def __init__(self, seconds_left: float) -> None:
        super().__init__()
        self.seconds_left = seconds_left


class Waiters(OrderedDict["asyncio.Future[T]", float | None]):
    """A queue of tasks, each of which waits for a value until its deadline; false if it is empty.

    Unlike the waits of asyncio's semaphore, those that have become pointless can be ended.
    """

    async def wait(self, deadline: float | None, hand_back: Callable[[T], object]) -> T:
        """Wait for a value; TooLateError as soon as `refuse_late` finds that *deadline* comes first.

        A value that comes in the same moment as a cancellation is passed to *hand_back*.
        """
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self[future] = deadline
        try:
            return await future
        except BaseException:
            if future in self:
                del self[future]
            elif future.done() and not future.cancelled() and future.exception() is None:
                hand_back(future.result())
            raise

    def wake(self, value: T) -> bool:
        """Pass *value* to the first in the queue, and return whether there was one."""
        while self:
            future, _ = self.popitem(last=False)
            if not future.done():
                future.set_result(value)
                return True
        return False

    def refuse_late(self, until: float, now: float) -> None:
        """End the waits whose deadline is not after *until* with TooLateError."""
        for future, deadline in self.items():
            if deadline is not None and deadline <= until and not future.done():
                future.set_exception(TooLateError(until - now))


class WaitingLine:
    """A number of slots and the queue for them: a slot that comes free wakes the first in the queue and no other."""

    def __init__(self, slots: int) -> None:
        self.free = slots
        """The number of free slots; above zero, taking one off does what `enter` does, without an await."""
        self._waiters: Waiters[None] = Waiters()

    async def enter(self) -> None:
        """Wait for a slot and take it."""
        if self.free > 0:
            self.free -= 1
        else:
            await self._waiters.wait(None, lambda _: self.leave())

    def leave(self) -> None:
        """Return a slot; the first in the queue gets it."""
        if not (self._waiters and self._waiters.wake(None)):
            self.free += 1


class Quota:
    """A number of steps that may start in one iteration of the event loop, so that others are not held up."""

    def __init__(self, most: Callable[[], int], renewed: Callable[[int], object]) -> None:
        """Allow ``most()`` steps; *renewed* is called with the number left when those who waited have theirs."""
        self.left = most()
        """The steps that are left in this iteration; the caller takes off the one that it starts."""
        self.is_counting = False
        """Whether `count` was called in this iteration."""
        self._most = most
        self._renewed = renewed
        self._waiters: deque[asyncio.Future[None]] = deque()

    def count(self, loop: asyncio.AbstractEventLoop) -> None:
        """Count the steps up to the next iteration of *loop*."""
        self.is_counting = True
        loop.call_soon(self._renew)

    def wait(self) -> "asyncio.Future[None]":
        """Return a future that is done in a later iteration; that may have no step left either."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append(future)
        return future

    def end(self) -> None:
        """Let all who wait go on."""
        self._wake(len(self._waiters))

    def _renew(self) -> None:
        self.is_counting, self.left = False, self._most()
        woken = self._wake(self.left) if self._waiters else 0
        if woken < self.left:
            self._renewed(self.left - woken)

    def _wake(self, most: int) -> int:
        """Let at most *most* who wait go on, the latest first, and return how many did."""
        # What the latest one uses is still in the caches. No order is promised: who waits has taken nothing yet.
        woken = 0
        while self._waiters and woken < most:
            future = self._waiters.pop()
            if not future.done():
                future.set_result(None)
                woken += 1
        return woken


class _Flight(Struct, Generic[V]):
    task: "asyncio.Task[V]"
    waiting: "set[asyncio.Future[V]]"


class SingleFlight(Generic[K, V]):
    """Calls with the same key that share one task."""

    def __init__(self, *, abandon: bool) -> None:
        """Cancel a task when its last caller has gone, if *abandon*; otherwise let it finish."""
        self._abandon = abandon
        self._flights: dict[K, _Flight[V]] = {}
        self._closed = False

    async def run(self, key: K, start: Callable[[], Coroutine[Any, Any, V]]) -> V:
        """Return the result of ``start()``, which is called only if no task for *key* is running.

        Each caller gets a copy of an error, so that no traceback grows with the number of callers.
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
        """Start a task unless one for *key* is running, and do not wait for it.

        WrongLoopError if the task runs in another event loop, ClientClosedError after `aclose`.
        """
        if self._closed:
            raise ClientClosedError("the client is closed")
        flight = self._flights.get(key)
        if flight is not None and flight.task.get_loop().is_closed():
            # The loop was closed in the middle of the task, which will never end.
            flight = None
        if flight is None:
            task = asyncio.get_running_loop().create_task(start(), name="kajabi_async shared request")
            flight = self._flights[key] = _Flight(task, set())
            task.add_done_callback(lambda _: self._land(key, flight))
        elif flight.task.get_loop() is not asyncio.get_running_loop():
            # A future of one loop never wakes a waiter on another.
            raise WrongLoopError(
                "the client is in use on another event loop: make one client for each loop, such as one per "
                "asyncio.run() or per worker"
            )
        return flight

    async def aclose(self) -> None:
        """Cancel the running tasks and wait for their end; callers get ClientClosedError.

        It may be called again, also after a cancelled call; tasks are cancelled once. Tasks of another event loop, such
        as the parent's in a forked child, are left alone.
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
        # The next caller must not join a task that is being cancelled.
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


class Producer(Protocol[T_co]):
    """The source of the items of an ``async for``."""

    def next(self) -> Awaitable[T_co]:
        """Return the next item; StopAsyncIteration at the end."""
        ...

    def close(self) -> None:
        """Cancel the running tasks, without waiting for their end."""
        ...


@refusing(
    {
        "__iter__": "it is read as it is fetched: write 'async for', not 'for'",
        "__await__": "it is read by 'async for', or one by one with 'await anext(...)'",
    }
)
class Guarded(Generic[T_co]):
    """The iterator of an ``async for``; its producer is closed once it is dropped, as a loop that was left drops it."""

    def __init__(self, producer: Producer[T_co]) -> None:
        self._producer = producer
        weakref.finalize(self, producer.close).atexit = False

    def __aiter__(self) -> Self:
        return self

    def __anext__(self) -> Awaitable[T_co]:
        # Not a coroutine: a traceback would keep its frame alive, and with it this iterator.
        return self._producer.next()


def cancel_tasks(loop: asyncio.AbstractEventLoop, tasks: "Collection[asyncio.Task[Any]]") -> None:
    """Cancel *tasks* of *loop*, from any thread: the garbage collector may run in each."""
    on_loop(loop, _cancel, tasks)


def on_loop(loop: asyncio.AbstractEventLoop, act: Callable[..., object], *arguments: object) -> None:
    """Call *act* in the thread of *loop*: at once if that is this thread, never if the loop is closed."""
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
