"""Every posted body becomes an event or an error of the SDK, and no error contains personal data."""

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kajabi_async.webhooks.dashboard import DASHBOARD_EVENTS
from kajabi_async.webhooks.hook_events import EVENTS
from tests.drawing import examples
from tests.webhooks.deliveries import DELIVERIES
from tests.webhooks.mutated import mutated, outcome_of, run

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", DELIVERIES)
def test_an_untouched_delivery_is_read(name: str) -> None:
    """The unchanged deliveries are valid."""
    classes = {**EVENTS, **DASHBOARD_EVENTS}
    assert outcome_of(DELIVERIES[name]) == classes[name].__name__


@given(st.sampled_from(sorted(DELIVERIES)), st.randoms(use_true_random=False))
@examples(500)
def test_a_mutated_delivery_is_read_or_refused(name: str, chance: random.Random) -> None:
    """No other exception, no hang, and every outcome can be pickled."""
    outcome_of(mutated(DELIVERIES[name], chance))


def _anything() -> st.SearchStrategy[Any]:
    leaves: st.SearchStrategy[Any] = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
    return st.recursive(
        leaves,
        lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=10), children, max_size=4),
        max_leaves=8,
    )


def _resource_objects() -> st.SearchStrategy[Any]:
    types = ["purchases", "customers", "contacts", "contact_tags", "forms", "x"]
    members: dict[str, st.SearchStrategy[Any]] = {"type": st.sampled_from(types), "id": st.sampled_from(["0", "", 1])}
    optional = dict.fromkeys(("attributes", "relationships", "links", "meta"), _anything())
    return st.fixed_dictionaries(members, optional=optional)


@given(st.sampled_from([*EVENTS, *DASHBOARD_EVENTS]), st.lists(_resource_objects(), max_size=3) | _anything())
@examples(300)
def test_an_invented_delivery_is_read_or_refused(event: str, payload: object) -> None:
    """With any values in place of an envelope, a resource or an attribute."""

    outcome_of(json.dumps({"id": "1", "event": event, "payload": payload}).encode())


@given(st.binary(max_size=200))
@examples(200)
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    """Without any structure."""
    outcome_of(body)


def test_mutations_reach_every_outcome_and_repeat_from_their_seed() -> None:
    """A thousand mutations produce all ten events and all three errors; the same seed produces the same results."""
    message: list[str] = []
    outcomes = run(1000, seed=7, progress=message.append)
    names = {cls.__name__ for cls in (*EVENTS.values(), *DASHBOARD_EVENTS.values())}
    assert set(outcomes) == names | {"MalformedDeliveryError", "UnknownDeliveryError", "DeliveryTooLargeError"}
    assert run(1000, seed=7, progress=message.append) == outcomes
    assert message[0] == message[1]
    assert message[0].startswith("1000 mutated deliveries from seed 7: ")


def test_the_module_runs_by_itself() -> None:
    """``python -m tests.webhooks.mutated`` prints one line with the counts."""
    command = [sys.executable, "-m", "tests.webhooks.mutated", "200", "--seed", "3"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert ended.stdout.count("\n") == 1
    assert ended.stdout.startswith("200 mutated deliveries from seed 3: ")
