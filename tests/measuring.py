"""The pytest plugin that limits what coverage measures to one case of each test of the package, in the workers.

On Python 3.11 measuring doubles the time of a test. More cases of a test reach little more, nor do drawn examples, the
processes that tests start and the tests of the documentation, the examples and the tools: these are not measured.
"""

import os
import sys
import threading
from collections.abc import Generator
from pathlib import Path
from typing import Final

import pytest

import kajabi_async

_HERE: Final = Path(__file__).parent
_PACKAGE: Final = Path(kajabi_async.__file__).parent
_IS_MEASURED: Final = pytest.StashKey[bool]()


def pytest_configure(config: pytest.Config) -> None:
    """Keep the processes that a worker starts from measuring themselves, as the worker has begun to."""
    if hasattr(config, "workerinput"):
        os.environ.pop("COVERAGE_PROCESS_CONFIG", None)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Choose the first case of each test, in an order that is the same in all workers and runs."""
    chosen: set[str] = set()
    for item in sorted(items, key=lambda each: each.nodeid):
        test = item.nodeid.partition("[")[0]
        # One that draws examples has many cases in one.
        draws = getattr(getattr(item, "obj", None), "is_hypothesis_test", False)
        item.stash[_IS_MEASURED] = _mirrors_the_package(item.path) and test not in chosen and not draws
        chosen.add(test)


def _mirrors_the_package(path: Path) -> bool:
    # A project that a test writes and runs is elsewhere.
    if not path.is_relative_to(_HERE):
        return False
    first, *rest = path.relative_to(_HERE).parts
    return not rest or (_PACKAGE / first).is_dir()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Suspend the measuring, not a debugger: coverage sets the variable for what it runs."""
    trace, trace_of_threads = sys.gettrace(), threading.gettrace()
    if "COVERAGE_RUN" not in os.environ or item.stash[_IS_MEASURED]:
        return (yield)
    sys.settrace(None)
    threading.settrace(None)
    try:
        return (yield)
    finally:
        sys.settrace(trace)
        threading.settrace(trace_of_threads)
