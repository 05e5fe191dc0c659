"""The README tells the truth: every block of Python in it runs, against the fake."""

import ast
import asyncio
import inspect
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from kajabi_async import Kajabi
from kajabi_async.testing import FakeKajabi

README = (Path(__file__).parents[1] / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
FIRST, *FUNCTIONS = BLOCKS


async def test_the_first_example_runs_as_it_stands(kajabi_fake: FakeKajabi, monkeypatch: pytest.MonkeyPatch) -> None:
    """Typed into a file and run with the variables set, it prints the customer and the offers."""
    environment = {
        "KAJABI_CLIENT_ID": kajabi_fake.client_id,
        "KAJABI_CLIENT_SECRET": kajabi_fake.client_secret,
        "KAJABI_BASE_URL": kajabi_fake.base_url,
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    command = [sys.executable, "-W", "error", "-c", FIRST]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert kajabi_fake.counts["customers.get"] == 1
    assert done.stdout


@pytest.mark.parametrize("block", FUNCTIONS, ids=lambda block: re.search(r"async def (\w+)", block)[1])  # type: ignore[index]
async def test_each_further_example_runs(block: str, kajabi_fake: FakeKajabi, kajabi_api: Kajabi) -> None:
    """Each is a coroutine that takes a client, and a list of ids or the fake where it needs one."""
    names: dict[str, Any] = {}
    exec(compile(ast.parse(block), "README.md", "exec"), names)
    (function,) = [value for value in names.values() if inspect.iscoroutinefunction(value)]
    given: dict[str, Any] = {
        "api": kajabi_api,
        "kajabi_api": kajabi_api,
        "kajabi_fake": kajabi_fake,
        "ids": ["1", "2", "no"],
    }
    await function(**{name: given[name] for name in inspect.signature(function).parameters})


def test_the_readme_shows_the_two_commands() -> None:
    """A newcomer finds both in the first screen."""
    first_screen = README[:1800]
    assert "make demo" in first_screen
    assert "make test" in first_screen
