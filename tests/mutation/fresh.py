"""A pytest plugin for the runs of mutmut: it drops what the package keeps for the whole process, and orders the tests.

mutmut forks each run from a process in which all tests have run. What was made there would be used in place of what a
changed function makes. A run ends with the first test that fails, and mutmut names the tests in no order.

While all tests run, mutmut notes in a context variable which function called which, although no area asks for it, and
CPython 3.11 crashes on that variable in the tests of the session: the notes are left out.
"""

import sys
from importlib import import_module

import pytest

__all__ = ["KEPT", "pytest_collection_modifyitems", "pytest_sessionstart"]

KEPT = (
    "kajabi_async.decoding.decoder.DECODERS",
    "kajabi_async.models.members._RESERVED",
    "kajabi_async.models.resource._ATTRIBUTE_NAMES",
)
"""Dicts that are filled on demand, beside the functions with a cache of functools."""


def _note_nothing(_: object) -> None:
    return


def pytest_sessionstart() -> None:
    """Empty each cache of the modules that are imported, and let mutmut note no caller."""
    if "mutmut.core" in sys.modules:
        callers = sys.modules["mutmut.core"].MutmutCallStack
        callers.set = callers.reset = staticmethod(_note_nothing)
    for name in KEPT:
        module, _, attribute = name.rpartition(".")
        getattr(import_module(module), attribute).clear()
    for module_name, imported in tuple(sys.modules.items()):
        if module_name.startswith("kajabi_async"):
            for value in tuple(vars(imported).values()):
                if hasattr(value, "cache_clear"):
                    value.cache_clear()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put tests that draw examples behind the others, which take a fraction of their time and notice most changes."""
    items.sort(key=lambda item: getattr(getattr(item, "obj", None), "is_hypothesis_test", False))
