"""What the package keeps for the whole process, dropped for the runs of mutmut.

What was made without a change, for example while the tests were imported, would be used in place of what a changed
function makes.
"""

import sys
from collections.abc import Iterable
from importlib import import_module
from typing import Any

__all__ = ["KEPT", "called", "drop_what_is_kept", "note_no_caller"]

KEPT = (
    "kajabi_async.decoding.decoder.DECODERS",
    "kajabi_async.models.members._RESERVED",
    "kajabi_async.models.resource._ATTRIBUTE_NAMES",
)
"""Dicts that are filled on demand, beside the functions with a cache of functools."""


def drop_what_is_kept(of_tests: Iterable[str] = ()) -> None:
    """Empty each cache of the imported modules of the package, and those called *of_tests*, which the tests have."""
    caches = [called(name) for name in (*KEPT, *of_tests)]
    for module_name, imported in tuple(sys.modules.items()):
        if module_name.startswith("kajabi_async"):
            caches += [value for value in vars(imported).values() if hasattr(value, "cache_clear")]
    for cache in caches:
        (cache.cache_clear if hasattr(cache, "cache_clear") else cache.clear)()


def called(name: str) -> Any:
    """Return what has this dotted name: a function, or what a module keeps."""
    module, _, attribute = name.rpartition(".")
    return getattr(import_module(module), attribute)


def note_no_caller() -> None:
    """Keep mutmut from noting which function called which, although no area asks for it.

    It notes them in a context variable, on which CPython 3.11 crashes in the tests of the session.
    """
    callers = import_module("mutmut.core").MutmutCallStack
    callers.set = callers.reset = staticmethod(_note_nothing)


def _note_nothing(_: object) -> None:
    return
