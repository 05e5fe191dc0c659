"""What a run of lookups says while it waits, and where it leaves what was not answered."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from kajabi_async.cli import leftover
from kajabi_async.cli.leftover import waiting_observer
from kajabi_async.cli.screens import clock_time
from kajabi_async.cli.value_lines import IDS

_COURSE = [
    (None, None),
    (10.0, None),
    (11.0, None),
    (11.0, 50.0),
    (12.0, 60.0),
    (None, None),
    (None, None),
    (20.0, 70.0),
]
"""Since when a run stalls, and until when it is paused, one after the other."""


def _observed(*, json: bool) -> list[str]:
    """Return the lines that are shown of the course of a run."""
    lines: list[str] = []
    screen: Any = SimpleNamespace(line=lines.append)
    show = waiting_observer(screen, json=json)
    for stalled_since, paused_until in _COURSE:
        progress: Any = SimpleNamespace(stalled_since=stalled_since, paused_until=paused_until)
        show(progress)
    return lines


def test_every_turn_of_a_run_that_waits_is_shown_once() -> None:
    """When it stalls, when the API asks for a pause, and when it goes on."""
    assert _observed(json=False) == [
        f"no answer since {clock_time(10.0)}; waiting for one",
        f"the API asked to wait until {clock_time(50.0)}; waiting",
        "the API answers again, going on",
        f"the API asked to wait until {clock_time(70.0)}; waiting",
    ]


def test_as_json_the_times_are_members(capsys: pytest.CaptureFixture[str]) -> None:
    """One object on one line of standard error."""
    assert _observed(json=True) == []
    out, err = capsys.readouterr()
    assert out == ""
    assert [tuple(json.loads(line)["progress"].items()) for line in err.splitlines()] == [
        (("stalled_since", since), ("paused_until", until))
        for since, until in [(10.0, None), (11.0, 50.0), (None, None), (20.0, 70.0)]
    ]


@pytest.mark.parametrize(
    ("source", "path"),
    [("-", "ids.unanswered"), ("a/ids.txt", "a/ids.txt.unanswered"), ("ids.txt.unanswered", "ids.txt.unanswered")],
)
def test_the_file_is_named_after_the_source(source: str, path: str) -> None:
    """Once: the file of an earlier call is used again."""
    assert str(leftover._path_for(source, IDS)) == path
