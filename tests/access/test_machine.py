"""The state machine in its short form; `python -m tests.soak access` has the long one."""

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from tests.access.machine import AccessMachine, walk


def test_never_a_no_for_who_may_nor_a_yes_for_who_has_not_had_access_for_long() -> None:
    """In any order of grants, revocations, purchases, ends, outages and time."""
    run_state_machine_as_test(AccessMachine, settings=settings(max_examples=30, stateful_step_count=30))


@pytest.mark.parametrize("seeds", [range(10), pytest.param(range(10, 25), marks=pytest.mark.thorough)])
def test_nor_in_long_walks(seeds: range) -> None:
    """Of random steps."""
    assert [problem for seed in seeds for problem in walk(seed, 60)] == []
