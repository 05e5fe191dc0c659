"""``python -m tests.mutation [AREA ...]``: change the code, and print which share of the changes some test notices.

Each area of ``areas.toml`` is copied to ``mutants/AREA``, where ``tests.mutation.runner`` runs mutmut with the tests of
that area alone; then a table is printed. Every mutant counts. Set aside are changes that make no difference, each
listed with its reason in ``equivalents.toml``; changed sentences, which are messages to people, are counted apart.
With ``--sample N`` only N mutants of each part run, drawn by chance from the seed that is printed.

Exit code 1 if a part has no mutants or too low a share, if mutmut has not judged every mutant, and if a reason stands
for a change that does not live, which a sample cannot tell; 2 for an area that is not known.
"""

import argparse
import ast
import os
import random
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

from tests.mutation.areas import Area, areas_named
from tests.mutation.score import HEADING, LEAST, Mutant, Score, changed, drawn, scores

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
    captured = subprocess.PIPE if "results" in arguments else None
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


def _mutants(folder: Path, results: list[tuple[str, str]]) -> list[Mutant]:
    modules: dict[str, dict[str, ast.AST]] = {}
    found: list[Mutant] = []
    for name, status in results:
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


def _judged(area: Area, given: argparse.Namespace) -> tuple[list[Score], bool]:
    """Run one area, print what lives and what has no reason, and return its scores and whether all is in order."""
    folder = _prepared(area)
    sample = ("--sample", str(given.sample), "--seed", str(given.seed)) if given.sample else ()
    children = ("--max-children", str(given.max_children)) if given.max_children else ()
    _mutmut(folder, *sample, "run", *children)
    results = _results(folder)
    if given.sample:
        chosen = drawn((name for name, _ in results), area.parts, given.sample, given.seed)
        results = [(name, status) for name, status in results if name in chosen]
    mutants, reasons = _mutants(folder, results), _reasons(area.parts)
    counted = list(scores(mutants, reasons, area.parts))
    equivalent = {(each.function, each.change) for score in counted for each in score.equivalent}
    stale: set[tuple[str, str]] = set() if given.sample else reasons - equivalent
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
    parser.add_argument("--sample", type=int, default=0, metavar="N", help="mutants of each part; all by default")
    parser.add_argument("--seed", type=int, default=random.randrange(2**32), help="of the sample")
    given = parser.parse_args(arguments)
    try:
        areas = areas_named(given.areas)
    except ValueError as error:
        parser.error(str(error))
    judged = {area.name: _judged(area, given) for area in areas}
    if given.sample:
        print(f"{given.sample} mutants of each part; --seed {given.seed} draws them again")  # noqa: T201 - the report
    print(HEADING)  # noqa: T201 - the report
    for counted, _ in judged.values():
        print(*counted, sep="\n")  # noqa: T201 - the report
    return 0 if all(is_good for _, is_good in judged.values()) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
