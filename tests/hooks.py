"""The pytest hooks of these tests: report what is not tested and why, and end processes that a test left running.

A missing program is named before the first test and after the last one, with the number of tests skipped for it.
With ``CI`` set it ends the run before the first test.
"""

import asyncio
import gc
import subprocess
from collections import Counter
from collections.abc import Callable, Generator
from functools import wraps
from typing import Any, Final

import psutil
import pytest
import uvloop

from tests.machine import TOOLS, is_ci, missing, need, reason, sentence

_LONG: Final = ("tests/soak/", "tests/benchmarks/")


class _OnUvloop:
    """A plugin that runs every test of a coroutine on uvloop."""

    @staticmethod
    def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
        return {"uvloop": uvloop.new_event_loop}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--uvloop", action="store_true", help="run the tests of coroutines on uvloop")


def pytest_configure(config: pytest.Config) -> None:
    """Refuse to run in CI with a missing program, in the process that reports."""
    if config.getoption("--uvloop"):
        config.pluginmanager.register(_OnUvloop())
    config.addinivalue_line("markers", "needs(tool): skip the test if the program is not installed")
    config.addinivalue_line("markers", "thorough: a costly test that `make thorough` runs and `make test` does not")
    if not hasattr(config, "workerinput") and is_ci() and (lacking := missing()):
        raise pytest.UsageError(f"{sentence(lacking)} (CI is set, so nothing may be skipped)")


def pytest_report_header() -> list[str]:
    return [sentence(lacking)] if (lacking := missing()) else []


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect the tests, of which none is garbage, without looking for garbage: that takes a fifth of the time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start with the tests that take longest, those of the built documentation together; the rest stays in its order.

    Each worker gets a part of the order: so one of them builds, and no other waits for it, nor for a last long test.
    """
    items.sort(key=lambda item: (not _reads_the_docs(item), not item.nodeid.startswith(_LONG)))


def _reads_the_docs(item: pytest.Item) -> bool:
    return "built_docs" in getattr(item, "fixturenames", ())


def pytest_collection_finish() -> None:
    """Exclude ten thousand collected tests from every garbage collection that a test asks for."""
    gc.collect()
    gc.freeze()


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker in item.iter_markers("needs"):
        need(*marker.args)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print each reason for skipped tests, with their number, and what is missing for tests of other targets."""
    reports = terminalreporter.stats.get("skipped", ())
    skipped = Counter(str(report.longrepr[2]).removeprefix("Skipped: ") for report in reports)
    lines = [f"{count} test{'s' * (count > 1)}: {why}" for why, count in skipped.most_common()]
    lines += [f"{TOOLS[tool][1]}: {reason(tool)}" for tool in missing() if reason(tool) not in skipped]
    if lines:
        terminalreporter.section("not tested here", yellow=True, bold=True)
    for line in lines:
        terminalreporter.line(line, yellow=True)


class _Started:
    """The processes started in the body of a test; those of fixtures end with their fixture."""

    def __init__(self) -> None:
        self.processes: list[subprocess.Popen[Any]] = []
        self.is_in_test = False

    def note(self, process: "subprocess.Popen[Any]") -> None:
        if self.is_in_test:
            self.processes.append(process)

    def killed(self) -> list[str]:
        """Kill processes that still run, with their children, and return the commands."""
        left = [process for process in self.processes if process.poll() is None]
        self.processes.clear()
        for process in left:
            for each in [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]:
                each.kill()
            process.wait()
        return [str(process.args) for process in left]


_STARTED: Final = _Started()
_popen = subprocess.Popen.__init__


@wraps(_popen)
def _recording_popen(self: "subprocess.Popen[Any]", *args: Any, **kwargs: Any) -> None:
    _popen(self, *args, **kwargs)
    _STARTED.note(self)


# asyncio starts its processes with the same class.
subprocess.Popen.__init__ = _recording_popen  # type: ignore[method-assign]


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup() -> Generator[None, object, object]:
    before, _STARTED.is_in_test = _STARTED.is_in_test, False
    try:
        return (yield)
    finally:
        _STARTED.is_in_test = before


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None, object, object]:
    _STARTED.is_in_test = True
    try:
        return (yield)
    finally:
        _STARTED.is_in_test = False


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown() -> Generator[None, object, object]:
    """End processes that the test left running, whatever its result, and fail it for them."""
    try:
        result = yield
    finally:
        left = _STARTED.killed()
    assert left == [], "the test has left processes running"
    return result
