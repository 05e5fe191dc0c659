"""mypy and pyright accept `api`, which uses every public name, and refuse each marked line of `mistakes`."""

import ast
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

import kajabi_async
from tests.typing.copies import HERE, ROOT, checked_by_mypy, write_uses

_USES: Final = ("mistakes", "api")
_MYPY_ERROR: Final = re.compile(r"^.*?(\w+)\.py:(\d+): error: ", re.MULTILINE)
_MARK: Final = "  # type: ignore["
_LINES: Final = {
    number for number, line in enumerate((HERE / "mistakes.py").read_text("utf-8").splitlines(), 1) if _MARK in line
}


def _refused_by_mypy(factory: pytest.TempPathFactory) -> set[tuple[str, int]]:
    errors = _MYPY_ERROR.findall(checked_by_mypy(factory))
    return {(name, int(line)) for name, line in errors if name in _USES}


def _refused_by_pyright(factory: pytest.TempPathFactory) -> set[tuple[str, int]]:
    folder = factory.mktemp("pyright")
    write_uses(folder)
    settings = folder / "pyrightconfig.json"
    settings.write_text(json.dumps({"typeCheckingMode": "strict", "include": ["."], "extraPaths": [str(ROOT)]}))
    command = ["-m", "basedpyright", "--project", str(settings), "--pythonpath", sys.executable, "--outputjson"]
    ran = subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, text=True, check=False)
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
    refused_by: Callable[[pytest.TempPathFactory], set[tuple[str, int]]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Line by line: a mistake that passes is a hole in the types, a correct use that does not is a nuisance."""
    assert refused_by(tmp_path_factory) == {("mistakes", line) for line in _LINES}


def test_there_are_sixty_mistakes_and_more() -> None:
    """Of names, filters, fields, relations, attributes, outcomes, writes and clients."""
    assert len(_LINES) >= 60


def test_every_public_name_is_used() -> None:
    """By the file of correct uses: imported, and named again below."""
    tree = ast.parse((HERE / "api.py").read_text("utf-8"))
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert set(kajabi_async.__all__) - used == set()
