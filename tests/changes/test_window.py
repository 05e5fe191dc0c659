import random
from typing import Any

import pytest

from kajabi_async.changes.window import MOST_NAMED, Block, Version, Window


def filled(count: int, *, settled: int = 0, stamp: int = 5) -> Window:
    window = Window(settled)
    for number in range(1, count + 1):
        window.add(Version(stamp, str(number)))
    return window


def reopened(window: Window) -> Window:
    """Return what a cursor keeps of *window*."""
    return Window(window.settled, window.named, window.block)


def test_a_row_is_known_in_its_latest_version_only() -> None:
    """A later version is news, the same again is not, nor an older one that a slow replica shows."""
    window = Window(10)
    window.add(Version(20, "1", 7))
    assert window.has(Version(20, "1", 7))
    assert window.has(Version(15, "1", 3))
    assert not window.has(Version(20, "1", 8))
    assert not window.has(Version(21, "1", 7))
    assert not window.has(Version(20, "2", 7))
    assert window.has(Version(10, "3", 1))


def test_what_is_settled_is_forgotten() -> None:
    """It takes no room, and everything at or below it counts as known."""
    window = filled(100)
    window.settle(4)
    assert len(window) == 100
    window.settle(5)
    assert (len(window), window.named, window.block) == (0, [], None)
    assert window.has(Version(5, "1000"))


def test_settling_never_goes_back() -> None:
    """A batch that is only partly yielded settles less than the one before."""
    window = Window(9)
    window.settle(3)
    assert window.settled == 9


def test_more_rows_than_are_named_become_a_block_that_knows_them() -> None:
    """After a restart they count as known as soon as the list shows exactly them."""
    window = reopened(filled(300))
    assert len(window.named) == MOST_NAMED
    rows = [Version(5, str(number)) for number in range(1, 301)]
    assert not window.has(rows[0])
    window.resolve(rows)
    assert all(map(window.has, rows))


@pytest.mark.parametrize(
    "rows",
    [
        [Version(5, str(number)) for number in range(2, 301)],
        [Version(5, str(number)) for number in range(301)],
        [*(Version(5, str(number)) for number in range(2, 301)), Version(5, "1", 9)],
        [*(Version(5, str(number)) for number in range(2, 301)), Version(4, "1")],
    ],
)
def test_a_block_that_is_not_the_same_is_yielded_again(rows: list[Version]) -> None:
    """One row more, one less, one rewritten: which one it is cannot be known."""
    window = reopened(filled(300))
    window.resolve(rows)
    assert not window.has(Version(5, "100"))
    assert all(map(window.has, window.named))


def test_a_block_survives_a_cursor_that_is_stored_before_the_list_was_read() -> None:
    """A process may die in its first poll."""
    window = reopened(reopened(filled(300)))
    rows = [Version(5, str(number)) for number in range(1, 301)]
    window.resolve(rows)
    assert all(map(window.has, rows))


def test_rows_that_come_settle_and_change_in_any_order_add_up() -> None:
    """The block is the sum of exactly the first rows, however they came to be first."""
    chance = random.Random(3)
    window = Window(0)
    truth: dict[str, Version] = {}
    for step in range(4000):
        key = str(chance.randrange(1, 400))
        known = truth.get(key)
        version = Version((known.stamp if known else window.settled or 0) + chance.randrange(1, 40), key, step % 5)
        window.add(version)
        truth[key] = version
        if step % 37 == 0:
            window.settle((window.settled or 0) + chance.randrange(12))
            truth = {key: each for key, each in truth.items() if each.stamp > (window.settled or 0)}
        ordered = sorted(truth.values(), key=lambda each: each.place)
        named, block = window.named, window.block
        assert named == ordered[len(ordered) - len(named) :]
        first = ordered[: len(ordered) - len(named)]
        assert block == (block_of(first) if first else None)


def block_of(rows: list[Version]) -> Block:
    last = rows[-1]
    return Block(last.stamp, last.id, len(rows), sum(each.hash() for each in rows) % 2**64)


@pytest.mark.parametrize("given", ["9", "10", "007", "x", "\ud800"])
def test_ids_of_any_form_have_a_place(given: Any) -> None:
    """Numbers by their size, so that the order is the one in which they were made."""
    places = sorted([Version(1, "10").place, Version(1, "9").place, Version(1, given).place])
    assert places.index(Version(1, "9").place) < places.index(Version(1, "10").place)
    assert Version(1, given).hash() < 2**64
