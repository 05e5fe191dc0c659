"""What editors show of public names is readable: they escape every asterisk outside of code."""

import ast
import importlib
import inspect
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest

_REFERENCE: Final = Path(__file__).parents[2] / "docs" / "api"
_DOCUMENTED: Final = re.compile(
    r"^\.\. auto(?:class|function|exception|data|module):: ([\w.]+)(?:\(\))?$", re.MULTILINE
)
_CODE: Final = re.compile(r"``.*?``|`[^`]*`|::\n\n(?: {4,}.*\n|\n)+", re.DOTALL)

NAMES: Final = sorted(
    {name for page in _REFERENCE.glob("*.rst") for name in _DOCUMENTED.findall(page.read_text("utf-8"))}
)


def _object(name: str) -> Any:
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        try:
            found: Any = importlib.import_module(".".join(parts[:end]))
        except ModuleNotFoundError:
            continue
        for part in parts[end:]:
            found = getattr(found, part)
        return found
    raise AssertionError(name)


@cache
def _definitions(path: str) -> list[ast.ClassDef]:
    """Return the definitions of classes in a file."""
    return [each for each in ast.walk(ast.parse(Path(path).read_text("utf-8"))) if isinstance(each, ast.ClassDef)]


def _classes(cls: type) -> Iterator[ast.ClassDef]:
    """Yield the definitions of *cls* and of its bases in this package."""
    for base in inspect.getmro(cls):
        if base.__module__.startswith("kajabi_async"):
            of_file = _definitions(inspect.getsourcefile(base) or "")
            yield from (each for each in of_file if each.name == base.__name__)


def _texts(body: list[ast.stmt]) -> Iterator[str]:
    """Yield the docstring, those of attributes, and those of public methods."""
    for statement in body:
        match statement:
            case ast.Expr(ast.Constant(str() as text)):
                yield text
            case ast.FunctionDef() | ast.AsyncFunctionDef() if (
                not statement.name.startswith("_") or statement.name == "__init__"
            ):
                yield from _texts(statement.body[:1])
            case _:
                pass


@pytest.mark.parametrize("name", NAMES)
def test_no_asterisk_is_shown_in_an_editor(name: str) -> None:
    """Arguments are code in docstrings, as ``ids``; nothing is bold."""
    found = _object(name)
    if inspect.isclass(found):
        texts = [text for cls in _classes(found) for text in _texts(cls.body)]
    else:
        texts = [inspect.getdoc(found) or ""]
    assert texts
    assert [text for text in texts if "*" in _CODE.sub("", text)] == []
