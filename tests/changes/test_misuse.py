import asyncio
import pickle
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from kajabi_async import InvalidArgumentError
from kajabi_async.changes import Change
from tests.changes.site import opened


async def test_a_misspelt_list_is_refused_with_the_nearest() -> None:
    """And with those that can be watched."""
    async with opened() as site:
        for watch in "purchase", ["contacts", "purchase"]:
            with pytest.raises(InvalidArgumentError, match="did you mean 'purchases'"):
                site.api.changes(watch=watch)  # type: ignore[arg-type]
        with pytest.raises(InvalidArgumentError, match="known are purchases, orders, form_submissions"):
            site.api.changes(watch="transactions")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"watch": []}, "names no list"),
        ({"watch": 7}, "watch"),
        ({"every": 0}, "every"),
        ({"every": "60"}, "every"),
        ({"every": float("nan")}, "every"),
        ({"every": 10**400}, "every"),
        ({"since": -5}, "since"),
        ({"since": "1h"}, "since"),
        ({"since": datetime(2026, 1, 1)}, "no zone"),  # noqa: DTZ001 - the point of it
        ({"cursor": "x"}, "cursor"),
        ({"cursor": 7}, "cursor"),
    ],
)
async def test_a_wrong_argument_is_refused_before_anything_is_sent(arguments: dict[str, Any], problem: str) -> None:
    """By the error of the package, when changes() is called."""
    async with opened() as site:
        with pytest.raises(InvalidArgumentError, match=problem):
            site.api.changes(**arguments)
        assert site.requests == 0


async def test_what_changes_are_not_says_what_to_write() -> None:
    """Each attempt names the loop, or the one poll."""
    async with opened() as site:
        changes: Any = site.api.changes()
        with pytest.raises(TypeError, match="async for change in"):
            await changes
        with pytest.raises(TypeError, match="'async for', not 'for'"):
            iter(changes)
        attempts: list[Callable[[Any], object]] = [len, bool, lambda it: it[0], lambda it: "x" in it, next]
        for attempt in attempts:
            with pytest.raises(TypeError, match="poll"):
                attempt(changes)
        with pytest.raises(TypeError, match="poll"):
            async with changes:
                pass
        loop: Any = aiter(changes)
        with pytest.raises(TypeError, match="async for"):
            iter(loop)


async def test_changes_are_iterated_once() -> None:
    """A second loop would not know where to start."""
    async with opened() as site:
        changes = site.api.changes()
        aiter(changes)
        with pytest.raises(InvalidArgumentError, match=r"cursor=changes\.cursor"):
            aiter(changes)


async def test_two_waiters_at_once_are_refused() -> None:
    """They would take each other's changes."""
    async with opened() as site:
        changes = site.api.changes()
        first = asyncio.create_task(changes.poll())
        await asyncio.sleep(0)
        with pytest.raises(InvalidArgumentError, match="awaited already"):
            await changes.poll()
        assert await first == ()
        assert await changes.poll() == ()


async def test_a_change_travels_in_a_pickle_without_its_client() -> None:
    """Into a queue, for one."""
    async with opened() as site:
        changes = await site.started(watch="contacts")
        site.add("contacts", "3000000000", email="ada@example.com")
        (change,) = await changes.poll()
    again: Change = pickle.loads(pickle.dumps(change))
    assert again == change
    assert again.to_dict() == change.to_dict()
    assert hash(again) == hash(change)
    assert again != "contacts"
    assert "ada@" not in repr(change)


async def test_changes_show_what_they_watch() -> None:
    """Not the cursor, which is long."""
    async with opened() as site:
        assert repr(site.api.changes(watch="contacts")) == "<Changes of contacts: 0 yielded>"
