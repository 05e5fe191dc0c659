"""The README tells the truth: every block of Python in it runs, against the fake."""

from pathlib import Path
from typing import Any

import pytest

from kajabi_async import Kajabi
from kajabi_async.testing import FakeKajabi
from tests.blocks import Block, environment_of, parametrized, python_blocks_of, run_function, run_program

README = Path(__file__).parents[1] / "README.md"
FIRST, *FUNCTIONS = python_blocks_of(README)


async def test_the_first_example_runs_as_it_stands(kajabi_fake: FakeKajabi, tmp_path: Path) -> None:
    """Typed into a file and run with the variables set, it prints the customer and the offers."""
    assert await run_program(FIRST, kajabi_fake, tmp_path)
    assert kajabi_fake.counts["customers.get"] == 1


@parametrized(FUNCTIONS)
async def test_each_further_example_runs(
    block: Block, kajabi_fake: FakeKajabi, kajabi_api: Kajabi, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is a coroutine that takes a client, and a list of ids, the fake or a Redis where it needs one."""
    for name, value in environment_of(kajabi_fake).items():
        monkeypatch.setenv(name, value)
    given: dict[str, Any] = {
        "api": kajabi_api,
        "kajabi_api": kajabi_api,
        "kajabi_fake": kajabi_fake,
        "ids": ["1", "2", "no"],
        "redis_url": redis_url,
    }
    await run_function(block, kajabi_fake, given)


def test_the_readme_shows_the_two_commands() -> None:
    """A newcomer finds both in the first screen."""
    first_screen = README.read_text("utf-8")[:1800]
    assert "make demo" in first_screen
    assert "make test" in first_screen
