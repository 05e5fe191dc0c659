"""Tests that are collected once, and run in processes of their own."""

import os
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from tests.mutation.collected import by_promise, limit

ROOT = Path(__file__).parents[2]

TESTS = """
import os
import time

import pytest

print("collected by", os.getpid())


@pytest.fixture(scope="session")
def served():
    print("started by", os.getpid())
    yield
    print("stopped by", os.getpid())


@pytest.mark.parametrize("number", [1, 2])
def test_passes(served, number):
    print("ran", number)


def test_fails(served):
    assert os.environ.get("CHANGED") != "yes", "the change is noticed"


def test_waits():
    while os.environ.get("CHANGED") == "hangs":
        time.sleep(0.01)


def test_leaves(tmp_path):
    (tmp_path / "file").touch()
    print("left", tmp_path)


def test_stops():
    raise KeyboardInterrupt
"""

DRIVER = """
import os
import sys

from tests.mutation.collected import Collected

collected = Collected(["-s", "test_it.py"])
collected.end_late_tests({"test_it.py::test_waits": 0.2})
for change, *names in map(str.split, sys.argv[1:]):
    sys.stdout.flush()
    child = os.fork()
    if not child:
        os.environ["CHANGED"] = change
        code = collected.run([f"test_it.py::{name}" for name in names])
        print(collected.failures)
        sys.stdout.flush()
        os._exit(code)
    print("child", child, "ended with", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
RUNS = (
    "no test_passes[2] test_passes[1]",
    "yes test_passes[1] test_fails test_passes[2]",
    "hangs test_waits test_passes[1]",
    "no test_stops test_passes[1]",
    "no test_waits test_leaves",
)


def _driven(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", DRIVER, *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What one process printed that collected the tests, and a child of it for each of `RUNS`."""
    folder = tmp_path_factory.mktemp("collected")
    folder.joinpath("test_it.py").write_text(TESTS)
    folder.joinpath("pytest.ini").write_text("[pytest]\nasyncio_default_fixture_loop_scope = function\n")
    done = _driven(folder, *RUNS)
    assert done.returncode == 0, done.stderr
    runs = done.stdout.split("child ")
    # What a child printed, and its id and exit code, which follow.
    return [before + after.partition("\n")[0] for before, after in pairwise(runs)]


def test_tests_are_collected_once_and_run_by_children(printed: list[str]) -> None:
    """In the order asked for; what a fixture of the session makes is made and ended by the child."""
    first = printed[0]
    assert "".join(printed).count("collected by") == 1
    (child,) = re.findall(r"(\d+) ended with 0", first)
    assert f"collected by {child}" not in first
    assert re.findall(r"(?:started|ran|stopped).*", first) == [
        *(f"started by {child}", "ran 2", "ran 1", f"stopped by {child}")
    ]


def test_the_first_failure_ends_a_run(printed: list[str]) -> None:
    """What the session's fixtures made is ended first, and the report can be read."""
    failed = printed[1]
    assert re.findall(r"ran \d|stopped", failed) == ["ran 1", "stopped"]
    assert "test_it.py::test_fails (call)" in failed
    assert "the change is noticed" in failed
    assert failed.endswith("ended with 1")


def test_a_test_that_hangs_fails(printed: list[str]) -> None:
    """After its limit, and the tests after it are not run."""
    hung, in_time = printed[2], printed[4]
    assert "Timeout" in hung
    assert "ran 1" not in hung
    assert hung.endswith("ended with 1")
    assert in_time.endswith("ended with 0")


def test_an_interrupt_is_no_failure(printed: list[str]) -> None:
    """As pytest has it: no test reported anything."""
    assert printed[3].endswith("ended with 2")


def test_files_of_a_test_go_with_its_process(printed: list[str]) -> None:
    """Thousands of processes would leave them behind."""
    (left,) = re.findall(r"left (.*?)\.?\n", printed[4])
    assert not Path(left).exists()


@pytest.mark.parametrize("text", ["", "def test_x(: pass"])
def test_no_tests_and_broken_ones_are_an_error(tmp_path: Path, text: str) -> None:
    """A run would otherwise judge every mutant without a test."""
    tmp_path.joinpath("test_it.py").write_text(text)
    done = _driven(tmp_path)
    assert done.returncode == 1
    assert "pytest could not collect -s test_it.py" in done.stderr


def test_what_notices_most_for_its_time_is_asked_first() -> None:
    """A quick test, one that reaches few functions, and one case of each before the others."""
    reaches = {"f": {"quick", "slow", "wide"}, "g": {"wide", "cases[1]", "cases[2]", "cases[3]"}, "h": {"wide"}}
    durations = {"quick": 0.01, "slow": 1.0, "wide": 0.01, "cases[1]": 0.011, "cases[2]": 0.011, "cases[3]": 0.011}
    assert by_promise(reaches, durations) == ["quick", "cases[1]", "cases[2]", "wide", "cases[3]", "slow"]


def test_every_test_is_asked() -> None:
    """Those that reach nothing too: the run without a change asks them."""
    assert by_promise({}, {"a": 0.2, "b": 0.1}) == ["b", "a"]


def test_a_test_has_time_to_be_slow() -> None:
    """On a busy machine, and where a fixture of the session is made for it."""
    assert limit(0.0) == 10
    assert limit(6.0) == 40
