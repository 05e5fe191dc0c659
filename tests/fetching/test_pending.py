"""The values of a run by their keys: how often each was given, in which spelling and in which order."""

from collections.abc import Iterable
from typing import Any

import pytest

from kajabi_async.fetching.email_outcomes import EMAILS
from kajabi_async.fetching.id_source import IDS, Naming, source_of
from kajabi_async.fetching.scan import Pending

A, B, C = "a@x.y", "b@x.y", "c@x.y"


async def _pending(values: Iterable[Any], *, ordered: bool = False, naming: Naming = EMAILS) -> Pending:
    pending = Pending(ordered=ordered, naming=naming)
    await pending.read(source_of(list(values)))
    return pending


async def test_a_key_has_all_its_spellings_as_they_were_given() -> None:
    """In their order; a value that is its own key takes no memory for it."""
    pending = await _pending([A, " A@x.y", B, A, "A@X.Y "])
    assert list(pending.keys) == [A, B]
    assert (pending.is_repeated(A), pending.is_repeated(B)) == (True, False)
    assert list(pending.seen(A)) == [A, " A@x.y", A, "A@X.Y "]
    assert list(pending.seen(B)) == [B]
    assert list((await _pending([" B@x.y"])).rest()) == [" B@x.y"]


async def test_a_key_that_was_seen_is_not_pending() -> None:
    """It keeps its place among the others, and how often it was given."""
    pending = await _pending([A, A, B, C])
    assert pending.is_unseen(A)
    assert list(pending.seen(A)) == [A, A]
    assert not pending.is_unseen(A)
    assert pending.is_repeated(A)
    assert list(pending.rest()) == [B, C]
    assert not pending.is_unseen("d@x.y")
    assert not pending.is_repeated("d@x.y")


async def test_values_without_a_key_are_apart() -> None:
    """Even those that cannot be keys of a dictionary; their outcome comes from the run."""
    bad: list[Any] = ["x", None, ["a@x.y"]]
    pending = await _pending([*bad, A])
    assert list(pending.bad()) == bad
    assert list(pending.rest()) == [A]


async def test_in_order_what_was_seen_waits_for_those_before_it() -> None:
    """Values without a key wait for nothing but their turn."""
    pending = await _pending([A, None, " B@x.y", C], ordered=True)
    assert list(pending.ready()) == []
    assert list(pending.seen(B)) == []
    assert list(pending.ready()) == []
    list(pending.seen(A))
    assert list(pending.ready()) == [A, None, " B@x.y"]
    assert list(pending.rest()) == [C]
    assert list(pending.bad()) == []
    list(pending.seen(C))
    assert list(pending.ready()) == [C]
    assert list(pending.ready()) == list(pending.rest()) == []
    spelled = await _pending([" B@x.y", A], ordered=True)
    list(spelled.seen(A))
    assert list(spelled.ready()) == []


@pytest.mark.parametrize("ordered", [False, True])
async def test_the_rest_is_everything_that_was_not_returned(ordered: bool) -> None:
    """Before any page, that is all of it."""
    pending = await _pending([B, A, " a@x.y"], ordered=ordered)
    assert list(pending.rest()) == [B, A, " a@x.y"]


async def test_values_return_to_the_order_of_the_source() -> None:
    """With those that have no key, or none of the run, at the end."""
    pending = await _pending([C, A, B, " A@x.y"])
    assert pending.in_order([None, B, " A@x.y", A, "x", C]) == [C, " A@x.y", A, B, None, "x"]
    assert pending.in_order(["d@x.y", A]) == [A, "d@x.y"]
    ordered = await _pending([C, A], ordered=True)
    assert ordered.in_order([A, C]) == [A, C]


async def test_ids_have_one_spelling() -> None:
    """A number is the same id as its text."""
    pending = await _pending([7, "7", "8"], naming=IDS)
    assert dict(pending.keys) == {"7": 2, "8": 1}
    assert list(pending.seen("7")) == ["7", "7"]
    ordered = await _pending([7, "7", "8"], naming=IDS, ordered=True)
    assert list(ordered.rest()) == ["7", "7", "8"]
