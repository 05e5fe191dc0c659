"""What `.ci/run` covers on every push, and the few tests of `make matrix QUICK=1` in it."""

import ast
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

import kajabi_async

ROOT: Final = Path(__file__).parents[2]
QUICK: Final = (ROOT / "tests" / "packaging" / "quick.txt").read_text("utf-8").split()
RUN: Final = ROOT / ".ci" / "run"


def _combined() -> Callable[[list[str]], list[tuple[str, str]]]:
    """Return the function of the noxfile, which cannot be imported without nox."""
    tree = ast.parse((ROOT / "noxfile.py").read_text("utf-8"))
    tree.body = [each for each in tree.body if isinstance(each, ast.FunctionDef) and each.name == "combined"]
    namespace: dict[str, Any] = {}
    exec(compile(tree, "noxfile.py", "exec"), namespace)
    combined: Callable[[list[str]], list[tuple[str, str]]] = namespace["combined"]
    return combined


@pytest.mark.skipif(not RUN.exists(), reason="a source distribution has no .ci")
def test_both_stages_coverage_and_a_quick_matrix_run_on_every_push() -> None:
    """The first stage measures the coverage that the next line requires."""
    stages = re.findall(r"^stage (.*)$", RUN.read_text("utf-8"), re.MULTILINE)
    assert stages == ["test MEASURE=1 PYRIGHT=", "covered", "--jobs=2 thorough matrix QUICK=1"]
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = {word for stage in stages for word in stage.split() if re.fullmatch(r"[a-z]+", word)}
    assert targets == {"test", "covered", "thorough", "matrix"}
    assert [target for target in targets if not re.search(rf"^{target}:", makefile, re.MULTILINE)] == []


def test_what_pyright_skips_in_the_first_stage_it_checks_in_the_second() -> None:
    """In `make thorough` it checks all files of its settings, which name those of `make check`."""
    makefile = (ROOT / "Makefile").read_text("utf-8")
    skipped = re.search(r"^PYRIGHT \?= (.*)$", makefile, re.MULTILINE)
    assert skipped is not None
    assert re.search(r"^pyright: .*\n\t\$\(BIN\)/basedpyright$", makefile, re.MULTILINE)
    included = re.search(r"^include = (\[.*\])$", (ROOT / "pyproject.toml").read_text("utf-8"), re.MULTILINE)
    assert included is not None
    assert set(skipped[1].split()) <= set(ast.literal_eval(included[1]))


@pytest.mark.parametrize(
    ("interpreters", "sessions"),
    [
        (["3.11"], [("3.11", "lowest"), ("3.11", "newest, uvloop")]),
        (["3.11", "3.13"], [("3.11", "lowest"), ("3.13", "newest, uvloop")]),
        (["3.11", "3.12", "3.13"], [("3.11", "lowest"), ("3.12", "locked"), ("3.13", "newest, uvloop")]),
    ],
)
def test_the_quick_matrix_has_every_interpreter_the_ends_of_the_dependencies_and_uvloop(
    interpreters: list[str], sessions: list[tuple[str, str]]
) -> None:
    """Also if only one interpreter is found."""
    assert _combined()(interpreters) == sessions


def test_the_quick_matrix_tests_each_part_of_the_package() -> None:
    """Each package has tests in the list: a new one needs a line in it."""
    packages = {path.parent.name for path in Path(kajabi_async.__file__).parent.glob("*/__init__.py")}
    assert len(packages) > 15
    assert sorted(packages - {path.split("/")[1] for path in QUICK}) == []
    assert [path for path in QUICK if not (ROOT / path).is_file()] == []
    assert sorted(set(QUICK)) == QUICK
