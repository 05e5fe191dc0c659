"""What editors show of public names is readable: they escape every asterisk outside of code."""

import ast
import importlib
import inspect
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

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


def _docstrings(name: str) -> list[str]:
    found = _object(name)
    if inspect.isclass(found):
        return [text for cls in _classes(found) for text in _texts(cls.body)]
    return [inspect.getdoc(found) or ""]


def test_no_asterisk_is_shown_in_an_editor() -> None:
    """Arguments are code in docstrings, as ``ids``; nothing is bold."""
    texts = {name: _docstrings(name) for name in NAMES}
    assert len(texts) > 250
    assert all(texts.values())
    assert {name for name, those in texts.items() if any("*" in _CODE.sub("", text) for text in those)} == set()
