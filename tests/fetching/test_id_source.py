"""The ids of a run from any iterable: one at a time, and closed only if they hold something."""

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any, Self

import pytest

from kajabi_async import InvalidArgumentError
from kajabi_async.fetching.id_source import THE_END, IdSource, source_of


async def _rest(source: IdSource) -> list[object]:
    values: list[object] = []
    while (value := await source.take()) is not THE_END:
        values.append(value)
    return values


async def test_a_plain_iterable_is_there_at_once_and_stays_open() -> None:
    """The caller may go on with it."""
    ids = iter(["1", "2", "3"])
    source = source_of(ids)
    assert source.at_once is not None
    assert (next(source.at_once), await source.take()) == ("1", "2")
    await source.aclose()
    assert next(ids) == "3"
    assert await source.take() is THE_END
    assert not source.can_close


class _Numbers:
    """An async iterator that is no generator."""

    def __init__(self) -> None:
        self.left = [3, 2, 1]

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> int:
        if not self.left:
            raise StopAsyncIteration
        return self.left.pop()


async def test_an_async_iterable_that_is_no_generator_has_nothing_to_close() -> None:
    """It is read to its end, and beyond it nothing comes."""
    source = source_of(_Numbers())
    assert (source.at_once, source.can_close) == (None, False)
    assert await _rest(source) == [1, 2, 3]
    assert await source.take() is THE_END
    await source.aclose()


async def test_an_async_generator_is_asked_for_one_id_at_a_time() -> None:
    """However many wait for the next; one that is cancelled makes way for the others."""

    async def ids() -> AsyncIterator[int]:
        for number in range(4):
            await asyncio.sleep(0)
            yield number

    source = source_of(ids())
    assert (source.at_once, source.can_close) == (None, True)
    waiting = [asyncio.ensure_future(source.take()) for _ in range(8)]
    await asyncio.sleep(0)
    waiting[3].cancel()
    async with asyncio.timeout(5):
        results = await asyncio.gather(*waiting, return_exceptions=True)
    assert isinstance(results.pop(3), asyncio.CancelledError)
    assert results == [0, 1, 2, 3, THE_END, THE_END, THE_END]


async def test_one_that_waits_takes_over_from_one_that_was_cancelled() -> None:
    """In the moment in which the id was to come."""
    gate = asyncio.Event()

    class Slow(_Numbers):
        async def __anext__(self) -> int:
            await gate.wait()
            return await super().__anext__()

    source = source_of(Slow())
    first, second = (asyncio.ensure_future(source.take()) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    gate.set()
    async with asyncio.timeout(5):
        assert await second == 1
    assert await _rest(source) == [2, 3]


async def test_one_that_is_cancelled_when_its_turn_comes_hands_it_on() -> None:
    """Otherwise nothing would wake the next."""

    class Cancelling(_Numbers):
        async def __anext__(self) -> int:
            await asyncio.sleep(0)
            # It runs after the next in the queue was woken, and before that goes on.
            asyncio.get_running_loop().call_soon(second.cancel)
            return await super().__anext__()

    source = source_of(Cancelling())
    first, second, third = (asyncio.ensure_future(source.take()) for _ in range(3))
    async with asyncio.timeout(5):
        assert [await first, await third] == [1, 2]
    assert second.cancelled()


async def test_closing_runs_the_end_of_a_generator() -> None:
    """Which may hold a file or a cursor; what fails there is logged, as the loop was left."""
    closed: list[str] = []

    async def ids() -> AsyncIterator[str]:
        try:
            yield "1"
        finally:
            closed.append("file")

    source = source_of(ids())
    await source.take()
    await source.aclose()
    assert closed == ["file"]
    assert await source.take() is THE_END


async def test_an_end_that_fails_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """By the kind of its error alone, as its text may hold anything."""

    async def ids() -> AsyncIterator[str]:
        try:
            yield "1"
        finally:
            raise LookupError("secret")

    source = source_of(ids())
    await source.take()
    with caplog.at_level(logging.WARNING, "kajabi_async"):
        await source.aclose()
    assert [(each.name, each.message) for each in caplog.records if each.levelno == logging.WARNING] == [
        ("kajabi_async", "the source of the ids could not be closed: LookupError")
    ]


@pytest.mark.parametrize("value", ["123", b"123", 5, None])
def test_what_is_no_iterable_is_refused_by_the_name_of_its_values(value: Any) -> None:
    """One string would be taken apart into its characters."""
    with pytest.raises(InvalidArgumentError, match="iterable of ids"):
        source_of(value)
    with pytest.raises(InvalidArgumentError, match="iterable of emails"):
        source_of(value, noun="emails")
