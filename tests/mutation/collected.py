"""Tests that are collected once and run in forked processes: the process that collects them runs none.

Collecting takes longer than most mutants need to fail a test. What a test or a fixture makes, such as an event loop, a
Redis server or a cached decoder, is made after the fork and ends with the process that made it.

pytest has no public way to collect in one call and run in another: ``_prepareconfig`` and ``_do_configure`` are what
``pytest.main`` calls itself, and ``_ensure_unconfigure`` reports what the tests left open.
"""

import os
import tempfile
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from itertools import zip_longest
from typing import Final

import pytest
from _pytest.config import _prepareconfig

__all__ = ["Around", "Collected", "by_promise", "limit"]

_EACH: Final = 0.005
"""What running a test costs in seconds, however little it does."""
_OPTIONS: Final = ("--rootdir=.", "--tb=native", "--quiet", "--capture=sys", "-p", "no:randomly")
"""Captured in memory, since forked processes would share the files of the default way."""

Around = Callable[[str], AbstractContextManager[object]]


class _Failures:
    """A plugin that keeps what pytest reports of tests that failed."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.texts.append(f"{report.nodeid} ({report.when})\n{report.longreprtext}\n")


class Collected:
    """The tests that pytest collects in the current folder when called with *arguments*."""

    def __init__(self, arguments: Iterable[str]) -> None:
        self._failures = _Failures()
        self._config = _prepareconfig([*_OPTIONS, *arguments], plugins=[self._failures])
        self._config._do_configure()
        self._session = pytest.Session.from_config(self._config)
        self._config.hook.pytest_sessionstart(session=self._session)
        self._config.hook.pytest_collection(session=self._session)
        self._items = {item.nodeid: item for item in self._session.items}
        if self._session.testsfailed or not self._items:
            raise ValueError(f"pytest could not collect {' '.join(arguments)}")

    @property
    def names(self) -> Collection[str]:
        """The ids of the tests, in the order in which pytest collected them."""
        return self._items.keys()

    @property
    def failures(self) -> str:
        """What pytest reports of the tests that failed in this process."""
        return "\n".join(self._failures.texts)

    def end_late_tests(self, limits: Mapping[str, float]) -> None:
        """Have each test fail that runs for longer than its limit in seconds."""
        for name, seconds in limits.items():
            self._items[name].add_marker(pytest.mark.timeout(seconds))

    def run(self, names: Iterable[str], around: Around = nullcontext) -> pytest.ExitCode:
        """Run the tests *names* in this order, each within ``around(name)``, up to the first failure.

        Only a process that ends afterwards may call it, once. Return what ``pytest.main`` would.
        """
        # Files of one process are out of the way of the next, and go with it.
        with tempfile.TemporaryDirectory(prefix="mutant-", ignore_cleanup_errors=True) as temporary:
            os.environ["PYTEST_DEBUG_TEMPROOT"] = temporary
            try:
                return self._run([self._items[name] for name in names], around)
            except (KeyboardInterrupt, pytest.exit.Exception):
                return pytest.ExitCode.INTERRUPTED
            except BaseException as error:  # noqa: BLE001 - whatever a changed function raises
                self._failures.texts.append(repr(error))
                return pytest.ExitCode.INTERNAL_ERROR

    def _run(self, items: list[pytest.Item], around: Around) -> pytest.ExitCode:
        hook = self._config.hook
        for item, following in zip_longest(items, items[1:]):
            with around(item.nodeid):
                hook.pytest_runtest_protocol(item=item, nextitem=following)
            if self._session.testsfailed:
                # Fixtures of the module and the session are still there.
                hook.pytest_sessionfinish(session=self._session, exitstatus=pytest.ExitCode.TESTS_FAILED)
                return pytest.ExitCode.TESTS_FAILED
        hook.pytest_sessionfinish(session=self._session, exitstatus=pytest.ExitCode.OK)
        self._config._ensure_unconfigure()
        return pytest.ExitCode.OK


def by_promise(tests_by_function: Mapping[str, Iterable[str]], durations: Mapping[str, float]) -> list[str]:
    """Return all tests in the order in which to ask them, so that a change is noticed early.

    A test is the later the longer it takes in seconds, the more functions it reaches and the more cases of the same
    test are before it, as often all cases notice a change, or none.
    """
    reached = Counter(test for tests in tests_by_function.values() for test in tests)
    cost = {test: (_EACH + seconds) * max(reached[test], 1) for test, seconds in durations.items()}
    cases: Counter[str] = Counter()
    for test in sorted(cost, key=cost.__getitem__):
        cases[function := test.partition("[")[0]] += 1
        cost[test] *= cases[function]
    return sorted(cost, key=cost.__getitem__)


def limit(seconds: float) -> float:
    """Return the seconds after which a test that takes *seconds* without a change is taken to hang."""
    return 10 + 5 * seconds
