"""Each foreign library is named in one place, so that replacing it means editing one file."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import kajabi_async

PACKAGE = Path(kajabi_async.__file__).parent


def _modules_importing(library: str) -> Iterator[str]:
    for path in PACKAGE.rglob("*.py"):
        if any(name.partition(".")[0] == library for name in _imported(ast.parse(path.read_text("utf-8")))):
            yield path.relative_to(PACKAGE).as_posix()


def _imported(module: ast.Module) -> Iterator[str]:
    # At run time only: what stands under TYPE_CHECKING names a type and no more.
    for node in module.body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.module


@pytest.mark.parametrize(
    ("library", "allowed"),
    [
        ("aiohttp", ("session/transport.py", "testing/")),
        ("cattrs", ("models/values.py",)),
        ("msgspec", ("jsonapi/decoding.py", "jsonapi/typed.py", "records.py")),
        ("cyclopts", ("cli/",)),
        ("filelock", ("stores/file.py",)),
        ("opentelemetry", ("telemetry/",)),
        ("pyarrow", ("export/arrow.py",)),
        ("redis", ("stores/redis/", "webhooks/redis_replay.py")),
        ("rich", ("cli/",)),
    ],
)
def test_a_foreign_library_is_named_in_its_place_only(library: str, allowed: tuple[str, ...]) -> None:
    """A module elsewhere that needs it goes through the one that wraps it."""
    strangers = [module for module in _modules_importing(library) if not module.startswith(allowed)]
    assert strangers == []


def test_nothing_is_shielded() -> None:
    """Row R6: a shield for each waiter on a shared task livelocks the loop of CPython 3.14."""
    shielding = [path.name for path in PACKAGE.rglob("*.py") if re.search(r"\bshield\(", path.read_text("utf-8"))]
    assert shielding == []


def test_nothing_is_sent_when_an_object_is_dropped() -> None:
    """Row R9: there may be no loop any more."""
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name == "__del__":
                calls = {ast.unparse(each.func) for each in ast.walk(node) if isinstance(each, ast.Call)}
                assert calls <= {"getattr", "warnings.warn"}, path
