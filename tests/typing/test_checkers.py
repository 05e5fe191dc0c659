"""mypy and pyright accept `api`, which uses every public name, and refuse each marked line of `mistakes`."""

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

import kajabi_async

_HERE: Final = Path(__file__).parent
_ROOT: Final = _HERE.parents[1]
_MARKED: Final = re.compile(r"  # type: ignore\[.*$", re.MULTILINE)
_MYPY_ERROR: Final = re.compile(r"^.*?(\w+)\.py:(\d+): error: ", re.MULTILINE)

Checker = Callable[[list[str]], set[tuple[str, int]]]

_MISTAKES: Final = (_HERE / "mistakes.py").read_text("utf-8")
_LINES: Final = {number for number, line in enumerate(_MISTAKES.splitlines(), 1) if _MARKED.search(line)}


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """A copy of the mistakes without the marks, and one of the correct uses."""
    (tmp_path / "mistakes.py").write_text(_MARKED.sub("", _MISTAKES), "utf-8")
    (tmp_path / "api.py").write_text((_HERE / "api.py").read_text("utf-8"), "utf-8")
    return [str(tmp_path / "mistakes.py"), str(tmp_path / "api.py")]


def _refused_by_mypy(files: list[str]) -> set[tuple[str, int]]:
    command = ("-m", "mypy", "--config-file", str(_ROOT / "pyproject.toml"), "--follow-imports=silent")
    cache = ("--cache-dir", str(Path(files[0]).parent / "cache"))
    ran = subprocess.run(
        [sys.executable, *command, *cache, *files],
        cwd=_ROOT,
        env=os.environ | {"MYPYPATH": str(_ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 1, ran.stdout + ran.stderr
    return {(name, int(line)) for name, line in _MYPY_ERROR.findall(ran.stdout)}


def _refused_by_pyright(files: list[str]) -> set[tuple[str, int]]:
    settings = Path(files[0]).parent / "pyrightconfig.json"
    settings.write_text(json.dumps({"typeCheckingMode": "strict", "include": ["."], "extraPaths": [str(_ROOT)]}))
    command = ["-m", "basedpyright", "--project", str(settings), "--pythonpath", sys.executable, "--outputjson"]
    ran = subprocess.run([sys.executable, *command], cwd=_ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 1, ran.stdout + ran.stderr
    diagnostics = json.loads(ran.stdout)["generalDiagnostics"]
    return {
        (Path(each["file"]).stem, each["range"]["start"]["line"] + 1)
        for each in diagnostics
        if each["severity"] == "error"
    }


@pytest.mark.thorough
@pytest.mark.parametrize("refused_by", [_refused_by_mypy, _refused_by_pyright])
def test_each_mistake_is_refused_and_no_correct_use(
    refused_by: Callable[[list[str]], set[tuple[str, int]]], files: list[str]
) -> None:
    """Line by line: a mistake that passes is a hole in the types, a correct use that does not is a nuisance."""
    assert refused_by(files) == {("mistakes", line) for line in _LINES}


def test_there_are_sixty_mistakes_and_more() -> None:
    """Of names, filters, fields, relations, attributes, outcomes, writes and clients."""
    assert len(_LINES) >= 60


def test_every_public_name_is_used() -> None:
    """By the file of correct uses: imported, and named again below."""
    tree = ast.parse((_HERE / "api.py").read_text("utf-8"))
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert set(kajabi_async.__all__) - used == set()
