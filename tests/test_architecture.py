"""Each foreign library is named in one place, so that replacing it means editing one file."""

import ast
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
        ("msgspec", ("jsonapi/decoding.py",)),
        ("cyclopts", ("cli/",)),
        ("opentelemetry", ("telemetry/",)),
        ("pyarrow", ("export/arrow.py",)),
        ("rich", ("cli/",)),
    ],
)
def test_a_foreign_library_is_named_in_its_place_only(library: str, allowed: tuple[str, ...]) -> None:
    """A module elsewhere that needs it goes through the one that wraps it."""
    strangers = [module for module in _modules_importing(library) if not module.startswith(allowed)]
    assert strangers == []
