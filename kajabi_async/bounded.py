"""Many coroutines, a bounded number of them at a time."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from itertools import islice
from typing import TypeVar

__all__ = ["for_each"]

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
