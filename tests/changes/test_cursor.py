import base64
import json
import random
import zlib
from typing import Any

import pytest

from kajabi_async import InvalidArgumentError
from kajabi_async.changes.cursor import State, parse_cursor
from kajabi_async.changes.watched import WATCHED
from kajabi_async.changes.window import Version, Window

OWNER = "0123456789abcdef"


def state_of(rows: int, *, chance: random.Random) -> State:
    state = State(ends=Window(1_700_000_000_000_000), next_end=1_800_000_000_000_000, knows_plans=True)
    for name in (*WATCHED, "ends"):
        window = state.windows.setdefault(name, Window(1_700_000_000_000_000)) if name in WATCHED else state.ends
        for _ in range(rows):
            stamp = 1_700_000_000_000_000 + chance.randrange(1, 60_000_000)
            window.add(Version(stamp, str(chance.randrange(10**9, 10**10)), chance.getrandbits(32)))
    return state


def written(state: State) -> list[Any]:
    windows = [*state.windows.values(), state.ends]
    return [(each.settled, each.named, each.block) for each in windows] + [state.next_end, state.knows_plans]


def text_of(members: Any, version: str = "1") -> str:
    packed = zlib.compress(json.dumps(members).encode())
    return f"kajabi-changes-{version}.{base64.urlsafe_b64encode(packed).rstrip(b'=').decode()}"


@pytest.mark.parametrize("rows", [0, 1, 20, 500])
def test_a_cursor_returns_as_the_state_that_it_was_written_from(rows: int) -> None:
    """Nothing of it is lost but the names of the rows in a block."""
    state = state_of(rows, chance=random.Random(rows))
    assert written(parse_cursor(state.cursor(OWNER), OWNER)) == written(state)


def test_a_cursor_is_short_however_much_has_changed() -> None:
    """At most 4,096 characters, with the widest ids and stamps that nothing compresses."""
    longest = max(len(state_of(1000, chance=random.Random(seed)).cursor(OWNER)) for seed in range(3))
    assert 3000 < longest <= 4096


def test_a_cursor_of_another_owner_is_refused() -> None:
    """It would resume in the middle of another account's lists."""
    cursor = state_of(3, chance=random.Random(1)).cursor("fedcba9876543210")
    with pytest.raises(InvalidArgumentError, match="other credentials, another site or another base_url"):
        parse_cursor(cursor, OWNER)


def test_a_cursor_of_another_version_is_refused() -> None:
    """Its members may mean something else."""
    with pytest.raises(InvalidArgumentError, match="version 2"):
        parse_cursor(text_of({}, version="2"), OWNER)


GOOD = {"owner": OWNER, "next_end": None, "knows_plans": True, "lists": {"contacts": [5, [1, 2, 3], None]}}


@pytest.mark.parametrize(
    "given",
    [
        "",
        "kajabi-changes-1.",
        "kajabi-changes-1.!!!!",
        "kajabi-changes-1.A",
        "kajabi-changes-1.AAAA",
        "kajabi-changes-1." + "A" * 20_000,
        "rubbish",
        7,
        b"kajabi-changes-1.AAAA",
        text_of(GOOD)[:-4],
        text_of(GOOD) + "AAAA",
        text_of(GOOD) + "\n",
        text_of([]),
        text_of({"owner": OWNER}),
        text_of({**GOOD, "lists": []}),
        text_of({**GOOD, "next_end": "soon"}),
        text_of({**GOOD, "next_end": True}),
        text_of({**GOOD, "next_end": 10**40}),
        text_of({**GOOD, "lists": {"contacts": 5}}),
        text_of({**GOOD, "lists": {"contacts": [None, [], None]}}),
        text_of({**GOOD, "lists": {"contacts": [5, [1, 2], None]}}),
        text_of({**GOOD, "lists": {"contacts": [5, [1, [], 3], None]}}),
        text_of({**GOOD, "lists": {"contacts": [5, [1, "", 3], None]}}),
        text_of({**GOOD, "lists": {"contacts": [5, [1.5, 2, 3], None]}}),
        text_of({**GOOD, "lists": {"contacts": [5, [], [1, 2, 3]]}}),
        text_of({**GOOD, "lists": {"contacts": [5, [], [1, 2, 3, 2**64]]}}),
        text_of({**GOOD, "lists": {"ends": {}}}),
        "kajabi-changes-1." + base64.urlsafe_b64encode(zlib.compress(b"[" * 50_000)).decode().rstrip("="),
        "kajabi-changes-1." + base64.urlsafe_b64encode(zlib.compress(b" " * 9_000_000)).decode().rstrip("=")[:16_000],
        "kajabi-changes-1." + base64.urlsafe_b64encode(zlib.compress(b"\xff\xfe")).decode().rstrip("="),
    ],
)
def test_what_is_no_cursor_is_refused_by_one_error(given: Any) -> None:
    """Cut, damaged, inflated to gigabytes, of another shape: none of it reaches the polls."""
    with pytest.raises(InvalidArgumentError, match="cursor"):
        parse_cursor(given, OWNER)


def test_a_damaged_cursor_is_refused_or_means_the_same() -> None:
    """Whatever character of it is changed."""
    state = state_of(20, chance=random.Random(5))
    cursor = state.cursor(OWNER)
    chance = random.Random(6)
    for _ in range(500):
        index = chance.randrange(len(cursor))
        damaged = cursor[:index] + chance.choice("ABab01-_.") + cursor[index + 1 :]
        try:
            assert written(parse_cursor(damaged, OWNER)) == written(state)
        except InvalidArgumentError:
            continue


def test_lists_that_this_version_does_not_know_are_left_out() -> None:
    """A cursor may come from a later SDK that watches more."""
    state = parse_cursor(text_of({**GOOD, "lists": {"widgets": [5, [], None], "orders": [6, [], None]}}), OWNER)
    assert list(state.windows) == ["orders"]
