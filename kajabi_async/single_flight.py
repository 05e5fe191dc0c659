"""One piece of work under way for each key, however many wait for it.

The work runs in a task of the flight's own and every caller waits on a future of its own: cancelling one disturbs no
other. ``asyncio.shield`` would do this too, but livelocks CPython 3.14 where many waiters come and go.
"""

import asyncio
import copy
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

import attrs

from kajabi_async.errors import ClientClosedError, KajabiError, WrongLoopError

__all__ = ["SingleFlight"]

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
