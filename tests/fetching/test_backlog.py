"""The ids of a run between its source and its loop: each has one outcome for every time that it was taken."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from kajabi_async import Failed, Found, InvalidEmailError, InvalidIdError, NotFoundError, ServerError
from kajabi_async.errors import ConnectionFailedError
from kajabi_async.fetching.backlog import MOST_LARGE_BYTES, RECENT_BYTES, RECENT_OUTCOMES, Backlog, InOrder, Recent
from kajabi_async.fetching.email_outcomes import EMAILS
from kajabi_async.fetching.id_source import IDS, Naming
from kajabi_async.fetching.outcomes import Counts
from kajabi_async.models import Customer
from tests.models.building import build

LARGE = 64 * 1024 + 1
MISSING = Failed("9", NotFoundError(status=404))
PASSING = Failed("9", ServerError(status=503))


class _Watched(Backlog[Customer]):
    """A backlog of ten ids that counts how often ids are in flight after none was."""

    def __init__(self, *, ordered: bool = False, naming: Naming = IDS) -> None:
        self.counts, self.begins = Counts(), 0
        super().__init__(10, self.counts, self._begin, ordered=ordered, comes_once=False, naming=naming)

    def _begin(self) -> None:
        self.begins += 1

    def take_all(self) -> list[tuple[str, Any]]:
        outcomes: list[tuple[str, Any]] = []
        while self.arrived:
            self.slots.free -= 1
            outcomes.append(self.take())
        return outcomes


@pytest.mark.parametrize("ordered", [False, True])
def test_an_id_needs_one_request_however_often_it_is_taken(ordered: bool) -> None:
    """While it is in flight, and after it was answered; every time has the one outcome."""
    backlog = _Watched(ordered=ordered)
    assert [backlog.accept(each) for each in (7, "7")] == ["7", None]
    backlog.answered("7", b"seven")
    assert [backlog.accept(each) for each in ("7", "8")] == [None, "8"]
    assert backlog.take_all() == [("7", b"seven")] * 3
    assert (backlog.taken, backlog.counts.duplicates, list(backlog.in_flight)) == (4, 2, ["8"])


def test_a_value_that_is_no_id_has_its_outcome_at_once() -> None:
    """With as much of its text as can be shown; it is no duplicate."""
    backlog = _Watched()
    values: list[Any] = ["a/b", ["x" * 5000], "a/b", "a/" + "b" * 2000, 10**5000]
    assert [backlog.accept(each) for each in values] == [None] * 5
    taken = backlog.take_all()
    assert [name for name, _ in taken] == ["a/b", f"['{'x' * 998}", "a/b", "a/" + "b" * 2000, "<int>"]
    assert all(outcome.id == name and isinstance(outcome.error, InvalidIdError) for name, outcome in taken)
    assert (backlog.taken, backlog.counts.duplicates, backlog.in_flight) == (5, 0, {})


def test_an_email_is_answered_in_the_spelling_in_which_it_was_taken() -> None:
    """Also among those without an outcome."""
    backlog = _Watched(naming=EMAILS)
    values = ["Ada@x.y", "ada@x.y", " ADA@x.y", "none", "Bob@x.y"]
    assert [backlog.accept(each) for each in values] == ["ada@x.y", None, None, None, "bob@x.y"]
    assert backlog.unanswered() == values
    assert backlog.without_answer() == ["Ada@x.y", "ada@x.y", " ADA@x.y", "Bob@x.y"]
    backlog.answered("ada@x.y", b"{}")
    [(bad, failed), *others] = backlog.take_all()
    assert (bad, others) == ("none", [(each, b"{}") for each in values[:3]])
    assert isinstance(failed, Failed)
    assert isinstance(failed.error, InvalidEmailError)
    assert backlog.unanswered() == ["Bob@x.y"]


def test_it_is_said_when_ids_are_in_flight_after_none_was() -> None:
    """Then the time without an answer begins."""
    backlog = _Watched()
    backlog.accept("a/b")
    assert backlog.begins == 0
    for each in ("1", "2", "1"):
        backlog.accept(each)
    assert backlog.begins == 1
    backlog.answered("1", b"")
    backlog.answered("2", b"")
    backlog.accept("1")
    assert backlog.begins == 1
    backlog.accept("3")
    assert backlog.begins == 2


def test_a_slot_is_free_again_when_the_loop_has_the_outcome() -> None:
    """Not before."""
    backlog = _Watched()
    backlog.slots.free -= 1
    backlog.accept("1")
    backlog.answered("1", b"")
    assert backlog.slots.free == 9
    backlog.take()
    assert backlog.slots.free == 10


@pytest.mark.parametrize("ordered", [False, True])
def test_what_has_no_outcome_is_returned_in_the_order_of_the_source(ordered: bool) -> None:
    """In flight, waiting for the loop, or lost: as often as it was taken."""
    backlog = _Watched(ordered=ordered)
    for each in ("5", "4", "3", "4", "2"):
        backlog.accept(each)
    backlog.answered("3", b"")
    assert backlog.without_answer() == ["5", "4", "4", "2"]
    assert backlog.unanswered() == ["5", "4", "3", "4", "2"]
    backlog.drop_in_flight()
    assert (backlog.without_answer(), backlog.unanswered()) == ([], ["5", "4", "3", "4", "2"])
    assert backlog.take_all() == [("3", b"")]
    assert backlog.unanswered() == ["5", "4", "4", "2"]
    backlog.accept("1")
    backlog.drop_in_flight()
    assert backlog.unanswered() == ["5", "4", "4", "2", "1"]


@pytest.mark.parametrize("ordered", [False, True])
def test_a_closed_backlog_holds_nothing_and_knows_what_it_dropped(ordered: bool) -> None:
    """What the loop has got counts as all that was taken."""
    backlog = _Watched(ordered=ordered)
    for each in ("1", "2", "3", "1"):
        backlog.accept(each)
    backlog.answered("1", b"")
    backlog.slots.free -= 1
    backlog.take()
    backlog.counts.note(MISSING)
    backlog.answered("2", b"")
    backlog.close()
    assert backlog.unanswered() == ["2", "3", "1"]
    assert (backlog.taken, len(backlog.recent), backlog.in_flight, list(backlog.arrived)) == (1, 0, {}, [])
    backlog.answered("3", b"")
    assert backlog.take_all() == []


async def _waits(work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
    task = asyncio.ensure_future(work)
    await asyncio.sleep(0)
    assert not task.done()
    return task


async def test_the_loop_waits_until_an_outcome_arrives_or_it_is_woken() -> None:
    """One that comes late does not wake a loop that has stopped to wait."""
    backlog = _Watched()
    backlog.accept("1")
    ends: tuple[Callable[[], object], ...] = (
        lambda: backlog.answered("1", b""),
        lambda: backlog.accept("a/b"),
        backlog.wake,
        backlog.close,
    )
    for end in ends:
        waiting, cancelled = await _waits(backlog.arrival()), await _waits(backlog.arrival())
        cancelled.cancel()
        end()
        await waiting


async def test_who_waits_for_a_slot_is_woken_with_the_loop() -> None:
    """It wakes the next, and finds that there is nothing more to do."""
    backlog = _Watched()
    backlog.slots.free = 0
    waiting = await _waits(backlog.slots.enter())
    backlog.wake()
    await waiting


async def test_there_is_room_for_bytes_once_the_loop_has_taken_enough_of_them() -> None:
    """Large bodies count, once for each time that they wait; small ones are bounded by their number."""
    backlog = _Watched()
    for each in ("1", "1", "2", "3"):
        backlog.accept(each)
    half = bytes(MOST_LARGE_BYTES // 2)
    backlog.answered("1", half)
    assert backlog.large_bytes == MOST_LARGE_BYTES
    await backlog.room_for_bytes()
    backlog.answered("2", bytes(LARGE))
    backlog.answered("3", bytes(LARGE - 1))
    assert backlog.large_bytes == MOST_LARGE_BYTES + LARGE
    waiting = await _waits(backlog.room_for_bytes())
    assert backlog.take() == ("1", half)
    await waiting
    assert backlog.large_bytes == MOST_LARGE_BYTES // 2 + LARGE
    backlog.take_all()
    assert backlog.large_bytes == 0


async def test_there_is_room_for_bytes_at_the_very_limit() -> None:
    """It is what may wait for the loop."""
    backlog = _Watched()
    for each in ("1", "2", "2"):
        backlog.accept(each)
    backlog.answered("1", bytes(LARGE))
    backlog.answered("2", bytes(MOST_LARGE_BYTES // 2))
    waiting = await _waits(backlog.room_for_bytes())
    backlog.take()
    assert backlog.large_bytes == MOST_LARGE_BYTES
    await waiting


def test_a_large_body_that_comes_again_counts_again() -> None:
    """From among the latest outcomes."""
    backlog = _Watched()
    backlog.accept("1")
    backlog.answered("1", bytes(LARGE))
    backlog.accept("1")
    assert backlog.large_bytes == 2 * LARGE
    backlog.accept("2")
    backlog.answered("2", bytes(LARGE - 1))
    backlog.accept("2")
    assert backlog.large_bytes == 2 * LARGE
    assert len(backlog.take_all()) == 4
    assert backlog.large_bytes == 0


def test_outcomes_in_order_wait_for_those_before_them() -> None:
    """Unless these never come."""
    ordered: InOrder[bytes] = InOrder()
    for number in (1, 15, 3):
        ordered.put((number, str(number), b""))
    assert not ordered
    ordered.put((0, "0", b""))
    assert [ordered.take()[1] for _ in range(2)] == ["0", "1"]
    assert not ordered
    assert sorted(number for number, _, _ in ordered) == [3, 15]
    ordered.close_gaps()
    assert [ordered.take()[1] for _ in range(2)] == ["3", "15"]
    assert not ordered
    ordered.put((4, "4", b""))
    ordered.clear()
    assert not ordered


def test_at_least_half_of_the_latest_outcomes_are_kept() -> None:
    """All of them never."""
    recent: Recent[bytes] = Recent(RECENT_BYTES)
    half = RECENT_OUTCOMES // 2
    for number in range(3 * half):
        recent.put(str(number), b"", 1)
        assert len(recent) <= RECENT_OUTCOMES
        assert recent.get(str(max(0, number - half + 1))) == b""
    assert recent.get(str(half - 1)) is None
    recent.put("again", b"", 1)
    assert (recent.get(str(half)), recent.get(str(2 * half))) == (None, b"")
    recent.clear()
    assert (len(recent), recent.get("again")) == (0, None)


def test_the_latest_outcomes_are_bounded_by_bytes() -> None:
    """One that is larger than half of them is not kept, and pushes no other out."""
    recent: Recent[bytes] = Recent(RECENT_BYTES)
    half = RECENT_BYTES // 2
    recent.put("a", b"", half - 10)
    recent.put("huge", b"", half + 1)
    recent.put("b", b"", 10)
    assert [recent.get(each) for each in ("a", "huge", "b")] == [b"", None, b""]
    recent.put("c", b"", half)
    assert [recent.get(each) for each in ("a", "b", "c")] == [b""] * 3
    recent.put("d", b"", 1)
    assert [recent.get(each) for each in ("a", "b", "c", "d")] == [None, None, b"", b""]
    recent.clear()
    for each, size in (("e", half - 10), ("f", 10), ("g", half)):
        recent.put(each, b"", size)
    assert [recent.get(each) for each in ("e", "f", "g")] == [b""] * 3


def test_the_latest_id_that_was_answered_is_known() -> None:
    """An id that is missing was answered; a failure that passes says nothing of the API."""
    backlog = _Watched()
    assert backlog.latest_answered is None
    backlog.answered("gone", Failed("gone", ConnectionFailedError("x", method="GET", path="/")))
    assert backlog.latest_answered is None
    backlog.answered("1", MISSING)
    backlog.answered("2", PASSING)
    assert backlog.latest_answered == "1"
    backlog.answered("3", Found("3", build(Customer)))
    assert backlog.latest_answered == "3"
    backlog.answered("4", b"{}")
    backlog.answered("5", PASSING)
    assert backlog.latest_answered == "4"


def test_objects_count_as_a_size_that_is_not_large() -> None:
    """They cannot be measured: some two hundred of them are kept."""
    backlog = _Watched()
    for number in range(1, 301):
        backlog.accept(str(number))
        backlog.answered(str(number), Failed(str(number), NotFoundError(status=404)))
    assert backlog.large_bytes == 0
    assert 128 <= len(backlog.recent) <= 256
