"""Slow results shared by all workers of a run: one of them computes each."""

import os
import pickle
from collections.abc import Callable
from typing import TypeVar

import pytest
from filelock import FileLock

__all__ = ["once_for_all_workers"]

T = TypeVar("T")


def once_for_all_workers(factory: pytest.TempPathFactory, name: str, make: Callable[[], T]) -> T:
    """Return the result of *make*: the first worker calls it, the others wait and read its result.

    If it fails, its error is raised in that worker, and the next one tries again.
    """
    base = factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    made = shared / f"{name}.pickle"
    with FileLock(shared / f"{name}.lock"):
        if not made.exists():
            made.write_bytes(pickle.dumps(make()))
    value: T = pickle.loads(made.read_bytes())
    return value
