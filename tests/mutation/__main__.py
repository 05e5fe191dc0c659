"""``python -m tests.mutation [--max-children N] [AREA ...]``: change the code, and print which share some test notices.

Each area of ``areas.toml`` is copied to ``mutants/AREA``, where ``tests.mutation.runner`` runs mutmut with the tests of
that area alone; then a table is printed. Every mutant counts. Set aside are changes that make no difference, each
listed with its reason in ``equivalents.toml``; changed sentences, which are messages to people, are counted apart.

Exit code 1 if a part has no mutants or too low a share, if mutmut has not judged every mutant, and if a reason stands
for a change that does not live; 2 for an area that is not known.
"""

import argparse
import ast
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

from tests.mutation.areas import Area, areas_named, module_of
from tests.mutation.score import HEADING, LEAST, Mutant, Score, changed, scores

ROOT = Path(__file__).parents[2]
WORK = ROOT / "mutants"
COPIED = ("kajabi_async", "docs", "README.md")
"""What mutmut changes, and what the tests of some area read."""
DOCUMENTS = ROOT.parent / "shared"
"""Some tests hold the package to documents that may lie beside the checkout."""
JUDGED = {"killed", "survived", "no tests", "timeout", "segfault"}
"""Those that end the interpreter itself count as alive, as no test reports a fault."""


def _prepared(area: Area) -> Path:
    """Make a copy of the project for *area*, which is not installed anywhere, and return its folder."""
    folder = WORK / area.name
    shutil.rmtree(folder, ignore_errors=True)
    # Python remembers of a folder on its path that it was not there.
    (folder / "mutants").mkdir(parents=True)
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__", "_build"))
        else:
            shutil.copy2(source, folder / name)
    # The runner is one of them, and starts before mutmut copies anything.
    shutil.copytree(ROOT / "tests", folder / "mutants" / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy2(ROOT / "pyproject.toml", folder)
    (folder / "setup.cfg").write_text(area.settings, "utf-8")
    if DOCUMENTS.exists():
        (folder / DOCUMENTS.name).symlink_to(DOCUMENTS)
    return folder


def _mutmut(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run mutmut in *folder*; processes that the tests start import the changed code too."""
    command = [sys.executable, "-P", "-m", "tests.mutation.runner", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(folder / "mutants")}
    captured = subprocess.PIPE if arguments[0] == "results" else None
    return subprocess.run(command, cwd=folder, env=environment, stdout=captured, text=True, check=True)


def _results(folder: Path) -> list[tuple[str, str]]:
    """Return mutmut's name and status of every mutant."""
    output = _mutmut(folder, "results", "--all", "true").stdout
    pairs = (line.strip().partition(": ") for line in output.splitlines() if line.strip())
    return [(name, status) for name, _, status in pairs]


def _functions(folder: Path, module: str) -> dict[str, ast.AST]:
    path = folder / "mutants" / Path(*module.split("."))
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    found = ast.walk(ast.parse(file.read_text("utf-8")))
    return {node.name: node for node in found if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def _mutants(folder: Path) -> list[Mutant]:
    modules: dict[str, dict[str, ast.AST]] = {}
    found: list[Mutant] = []
    for name, status in _results(folder):
        module, _, mangled = name.rpartition(".")
        functions = modules[module] if module in modules else modules.setdefault(module, _functions(folder, module))
        plain = mangled.rpartition("__mutmut_")[0]
        # `x_plan` is a function, `xǁDocumentǁone` a method.
        readable = plain.removeprefix("xǁ").replace("ǁ", ".") if "ǁ" in plain else plain.removeprefix("x_")
        change, is_text = changed(functions[f"{plain}__mutmut_orig"], functions[mangled])
        found.append(Mutant(f"{module}.{readable}", change, is_text, status))
    return found


def _reasons(modules: list[str]) -> set[tuple[str, str]]:
    """Return the changes in *modules* that are known to make no difference."""
    entries = tomllib.loads(Path(__file__).with_name("equivalents.toml").read_text("utf-8"))["equivalent"]
    pairs = {(entry["function"], change) for entry in entries for change in entry["changes"]}
    return {
        (function, change) for function, change in pairs if any(function.startswith(f"{each}.") for each in modules)
    }


def _judged(area: Area, max_children: int | None) -> tuple[list[Score], bool]:
    """Run one area, print what lives and what has no reason, and return its scores and whether all is in order."""
    folder = _prepared(area)
    _mutmut(folder, "run", *(() if max_children is None else ("--max-children", str(max_children))))
    modules = [module_of(pattern) for pattern in area.code]
    mutants, reasons = _mutants(folder), _reasons(modules)
    counted = list(scores(mutants, reasons, modules))
    stale = reasons - {(each.function, each.change) for score in counted for each in score.equivalent}
    unjudged = [each for each in mutants if each.status not in JUDGED]
    for title, pairs in (
        ("alive", [(each.function, each.change) for score in counted for each in score.alive]),
        ("not judged", [(each.function, each.change) for each in unjudged]),
        ("not alive, so no equivalent", sorted(stale)),
    ):
        for function, change in pairs:
            print(f"{title}: {function}\n    {change}")  # noqa: T201 - the report
    return counted, all(score.per_cent >= LEAST for score in counted) and not stale and not unjudged


def main(arguments: list[str]) -> int:
    """Run the areas that are named, all of them if there are none, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation")
    parser.add_argument("areas", nargs="*", metavar="AREA")
    parser.add_argument("--max-children", type=int, default=None, help="processes at once; as many as cores")
    given = parser.parse_args(arguments)
    try:
        areas = areas_named(given.areas)
    except ValueError as error:
        parser.error(str(error))
    judged = {area.name: _judged(area, given.max_children) for area in areas}
    print(HEADING)  # noqa: T201 - the report
    for counted, _ in judged.values():
        print(*counted, sep="\n")  # noqa: T201 - the report
    return 0 if all(is_good for _, is_good in judged.values()) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
