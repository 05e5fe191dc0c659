"""The mutation score of each package, from what ``mutmut run`` left in ``mutants/``.

Every mutant counts. Set aside are changes that make no difference, each listed with its reason in
``equivalents.toml``; changed sentences, which are messages to people, are counted apart.

Exit code 1 where a package has no mutants or too low a score, where mutmut has not judged every mutant, and where a
reason stands for a change that no longer lives.
"""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

from tests.mutation.score import LEAST, Mutant, changed, scores

ROOT = Path(__file__).parents[2]
JUDGED = {"killed", "survived", "no tests", "timeout", "segfault"}
"""Those that end the interpreter itself count as alive, as no test tells what is wrong."""


def _results() -> list[tuple[str, str]]:
    """Give mutmut's name and status of every mutant."""
    command = [str(Path(sys.executable).with_name("mutmut")), "results", "--all", "true"]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    pairs = (line.strip().partition(": ") for line in told.splitlines() if line.strip())
    return [(name, status) for name, _, status in pairs]


def _functions(module: str) -> dict[str, ast.AST]:
    path = (ROOT / "mutants" / Path(*module.split("."))).with_suffix(".py")
    found = ast.walk(ast.parse(path.read_text("utf-8")))
    return {node.name: node for node in found if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def _mutants() -> list[Mutant]:
    modules: dict[str, dict[str, ast.AST]] = {}
    found: list[Mutant] = []
    for name, status in _results():
        module, _, mangled = name.rpartition(".")
        functions = modules[module] if module in modules else modules.setdefault(module, _functions(module))
        plain = mangled.rpartition("__mutmut_")[0]
        # `x_plan` is a function, `xǁDocumentǁone` a method.
        readable = plain.removeprefix("xǁ").replace("ǁ", ".") if "ǁ" in plain else plain.removeprefix("x_")
        change, is_text = changed(functions[f"{plain}__mutmut_orig"], functions[mangled])
        found.append(Mutant(f"{module}.{readable}", change, is_text, status))
    return found


def _reasons() -> set[tuple[str, str]]:
    entries = tomllib.loads(Path(__file__).with_name("equivalents.toml").read_text("utf-8"))["equivalent"]
    return {(entry["function"], change) for entry in entries for change in entry["changes"]}


def _packages() -> list[str]:
    """Give the packages and modules that are to be mutated, so that one without a mutant is noticed."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["mutmut"]
    return [".".join(Path(pattern.removesuffix("/*.py")).with_suffix("").parts) for pattern in settings["only_mutate"]]


def main() -> bool:
    mutants, reasons = _mutants(), _reasons()
    counted = list(scores(mutants, reasons, _packages()))
    alive = [each for score in counted for each in score.alive]
    stale = reasons - {(each.function, each.change) for score in counted for each in score.equivalent}
    unjudged = [each for each in mutants if each.status not in JUDGED]
    for title, pairs in (
        ("alive", [(each.function, each.change) for each in alive]),
        ("not judged", [(each.function, each.change) for each in unjudged]),
        ("not alive, so no equivalent", sorted(stale)),
    ):
        for function, change in pairs:
            print(f"{title}: {function}\n    {change}")  # noqa: T201 - the report
    print(*counted, sep="\n")  # noqa: T201 - the report
    return all(score.per_cent >= LEAST for score in counted) and not stale and not unjudged


if __name__ == "__main__":
    sys.exit(not main())
