"""``python -P -m tests.mutation.runner run [--max-children N] [MUTANT ...]``: mutmut, collecting the tests once.

It runs in the folder of an area, ``mutants/AREA``, with ``mutants/AREA/mutants`` on the path, and takes mutmut's other
commands too. mutmut itself starts pytest for every mutant, which collects the tests of the mutant: that takes most of
its time. ``--sample N --seed S`` before the command draws N mutants of each part, as `drawn` does.

Two names of mutmut are replaced: ``get_mutant_runner`` and, for a sample, ``collect_source_file_mutation_data``. What
the first returns is mutmut's own ``ForkServerRunner``, with `Tests` in the place of its ``PytestRunner``. The tests are
collected when all mutants have been generated. Then each of these runs in a forked process of its own:

- all tests, to find out which function each of them reaches; they must pass
- all tests with every function failing; a test must fail
- a mutant that changes nothing, with all tests; they must pass, as failures would be taken for changes noticed
- each mutant, with the tests that reach its function, the most promising first, up to the first that fails
"""

import argparse
import os
import signal
import sys
import time
import warnings
from collections.abc import Generator, Iterable
from contextlib import chdir, contextmanager, nullcontext
from functools import cached_property, partial
from importlib import import_module
from pathlib import Path
from typing import Any

from tests.mutation.areas import Area, areas_named
from tests.mutation.collected import Around, Collected, by_promise, limit
from tests.mutation.fresh import called, drop_what_is_kept, note_no_caller
from tests.mutation.score import drawn

__all__ = ["Tests"]

# Installed for these runs alone, so type checkers do not know it.
mutmut: Any = import_module("mutmut.__main__")
harness: Any = import_module("mutmut.runners.harness")
isolation: Any = import_module("mutmut.workers.isolation")
state: Any = mutmut.state


NO_CHANGE = "kajabi_async.no_change"
"""A mutant of no function."""


class Tests:
    """The tests of an area, with the methods of mutmut's ``PytestRunner`` that are called."""

    def __init__(self, area: Area) -> None:
        self._drops = area.drops
        self._built = area.before.values()
        with chdir("mutants"):
            self._collected = Collected(area.tests)
        self._builders = _reached_while_building(area.before)

    def warm_up(self) -> None:
        """Do once what all mutants need: mutmut calls it in the process of which they are forked."""
        _restore_streams()
        self._collected.end_late_tests({test: limit(seconds) for test, seconds in state().duration_by_test.items()})
        assert self._ranks

    def run_stats(self, *, tests: Iterable[str]) -> int:
        """Run *tests*, all if there are none, and note in mutmut's state what each reaches and how long it takes."""
        names = list(tests) or self._collected.names
        for function in self._builders:
            state().tests_by_mangled_function_name[function].update(names)
        return self._run(names, self._noted)

    def run_tests(self, *, mutant_name: str, tests: Iterable[str]) -> int:
        """Run *tests* up to the first that fails, and return pytest's exit code."""
        if mutant_name.partition("__mutmut_")[0] in self._builders:
            drop_what_is_kept(self._built)
        return self._run(sorted(tests, key=self._ranks.__getitem__), is_shown=mutant_name == NO_CHANGE)

    def run_forced_fail(self) -> int:
        """Run all tests up to the first that fails, which is expected."""
        return self._run(self._ranks, is_shown=False)

    def list_all_tests(self) -> Any:
        return harness.ListAllTestsResult(ids=set(self._collected.names))

    @cached_property
    def _ranks(self) -> dict[str, int]:
        order = by_promise(state().tests_by_mangled_function_name, state().duration_by_test)
        return {test: rank for rank, test in enumerate(order)}

    def _run(self, names: Iterable[str], around: Around = nullcontext, *, is_shown: bool = True) -> int:
        """Run the tests in this process, which prints nothing but why a test failed."""
        os.chdir("mutants")
        terminal = os.fdopen(os.dup(2), "w")
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        _restore_streams()
        # mutmut handles them in the process of which this one is forked; processes that tests start inherit that.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for number in (signal.SIGTERM, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        drop_what_is_kept(self._drops)
        code = self._collected.run(names, around)
        if is_shown:
            print(self._collected.failures, file=terminal, flush=True)
        return int(code)

    @contextmanager
    def _noted(self, test: str) -> Generator[None]:
        """Note what is called in the meantime as reached by *test*, also what the package calls once and keeps."""
        drop_what_is_kept(self._drops)
        state()._stats.clear()
        started = time.perf_counter()
        yield
        state().duration_by_test[test] = time.perf_counter() - started
        for function in state()._stats:
            state().tests_by_mangled_function_name[function].add(test)


def _reached_while_building(names: Iterable[str]) -> set[str]:
    """Call the functions *names* and return, in mutmut's spelling, what they reach of the code that is changed."""
    # Importing the tests may have reached it.
    state()._stats.clear()
    mutmut.set_mutant_under_test("stats")
    for name in names:
        called(name)()
    mutmut.set_mutant_under_test("")
    return set(state()._stats)


def _restore_streams() -> None:
    """Drop the files that mutmut puts in the place of the streams: it never closes them, which would fail a test."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__


class Runner(isolation.ForkServerRunner):  # type: ignore[misc]  # it has no types here
    """What runs the mutants, the first of which changes nothing."""

    def run_clean_tests(self, tests: Iterable[str]) -> int:
        """Note that *tests*, all if there are none, run as the first mutant."""
        self._first = list(tests) or list(state().duration_by_test)
        return 0

    def startup(self) -> None:
        """Run the first mutant; SystemExit if a test fails."""
        isolation.ForkServerRunner.startup(self)
        seconds = sum(map(state().duration_by_test.__getitem__, self._first))
        self.submit(NO_CHANGE, self._first, int(10 * (seconds + 20)), seconds)
        if self.wait_for_result().exit_code != 0:
            self.shutdown()
            raise SystemExit("the tests fail without a change")


def _runner(max_workers: int = 1) -> Runner:
    """Return what runs the mutants, in place of what mutmut makes."""
    note_no_caller()
    tests = Tests(_area())
    return Runner(max_workers, lambda: tests, {})


def _area() -> Area:
    """Return the area in whose folder this process is."""
    (area,) = areas_named([Path.cwd().name])
    return area


def _sample(collect: Any, size: int, seed: int, *, mutant_names: Iterable[str]) -> tuple[Any, Any]:
    """Return *size* of the mutants of each part that *collect* finds, and the files of them all."""
    mutants, files = collect(mutant_names=mutant_names)
    chosen = drawn((name for _, name, _ in mutants), _area().parts, size, seed)
    return [each for each in mutants if each[1] in chosen], files


def main(arguments: list[str]) -> int:
    """Run mutmut with *arguments*, on a sample of the mutants if they say so."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--sample", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    given, of_mutmut = parser.parse_known_args(arguments)
    mutmut.get_mutant_runner = _runner
    if given.sample:
        collect = mutmut.collect_source_file_mutation_data
        mutmut.collect_source_file_mutation_data = partial(_sample, collect, given.sample, given.seed)
    return int(mutmut.cli(of_mutmut, standalone_mode=True) or 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
