"""The outcome of every mutant, counted by package: pure functions, independent of the test runner."""

import ast
import random
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator

import attrs

__all__ = ["HEADING", "LEAST", "Mutant", "Score", "changed", "drawn", "lines_of", "scores"]

LEAST = 85.0
"""The score, in per cent, below which a package fails."""


@attrs.frozen
class Mutant:
    """The code with one small change, and what became of it."""

    function: str
    """The dotted name of what was changed."""
    change: str
    """The first line that differs, as it became."""
    is_text: bool
    """Whether a sentence, which is a message to people, changed and nothing else."""
    status: str

    @property
    def is_killed(self) -> bool:
        return self.status == "killed"


@attrs.frozen
class Score:
    """The mutants of one package."""

    package: str
    counted: list[Mutant]
    texts: list[Mutant]
    equivalent: list[Mutant]

    @property
    def killed(self) -> int:
        return sum(each.is_killed for each in self.counted)

    @property
    def per_cent(self) -> float:
        """The share that is killed; mutants without a test and those that ran out of time are not."""
        return 100 * self.killed / len(self.counted) if self.counted else 0.0

    @property
    def alive(self) -> list[Mutant]:
        return [each for each in self.counted if not each.is_killed]

    def __str__(self) -> str:
        timeouts, untested = (sum(each.status == status for each in self.counted) for status in ("timeout", "no tests"))
        mark = "" if self.per_cent >= LEAST else "  FAILS"
        return (
            f"{self.package:<38}{self.per_cent:>6.1f} %{LEAST:>6.0f} %{len(self.counted):>9}{len(self.alive):>7}"
            f"{timeouts:>10}{untested:>10}{len(self.equivalent):>12}{len(self.texts):>7}{mark}"
        )


HEADING = (
    f"{'part':<38}{'noticed':>8}{'bar':>8}{'mutants':>9}{'alive':>7}{'timeouts':>10}{'untested':>10}"
    f"{'equivalent':>12}{'texts':>7}"
)
"""What stands above the scores: of the mutants, those alive, among them such as ran out of time or as no test reaches;
beside the mutants, changes that make no difference and changed sentences."""


def scores(mutants: Collection[Mutant], reasons: Collection[tuple[str, str]], packages: list[str]) -> Iterator[Score]:
    """Count *mutants* by package; those that live and whose function and change are among *reasons* are equivalent."""
    for package in packages:
        here = [each for each in mutants if _part(each.function, packages) == package]
        equivalent = [each for each in here if not each.is_killed and (each.function, each.change) in reasons]
        counted = [each for each in here if not each.is_text and each not in equivalent]
        yield Score(package, counted, [each for each in here if each.is_text and each not in equivalent], equivalent)


def drawn(names: Iterable[str], packages: Collection[str], size: int, seed: int) -> set[str]:
    """Return *size* of the mutants *names* of each package, all of them if there are fewer."""
    of_package: defaultdict[str | None, list[str]] = defaultdict(list)
    for name in sorted(names):
        of_package[_part(name, packages)].append(name)
    draw = random.Random(seed)
    return {name for part in of_package.values() for name in draw.sample(part, min(size, len(part)))}


def _part(name: str, packages: Collection[str]) -> str | None:
    """Return the innermost of *packages* that *name* is in."""
    return max((each for each in packages if name.startswith(f"{each}.")), key=len, default=None)


def changed(original: ast.AST, mutant: ast.AST) -> tuple[str, bool]:
    """Return the first line of *mutant* that differs, without the function's name, and whether only a text differs."""
    change = next((new for old, new in zip(lines_of(original), lines_of(mutant), strict=False) if old != new), "(less)")
    before, after = _constants(original), _constants(mutant)
    differing = [pair for pair in zip(before, after, strict=False) if pair[0] != pair[1]]
    is_text = len(before) == len(after) and len(differing) == 1 and all(" " in str(each) for each in differing[0])
    return change.strip(), is_text


def lines_of(function: ast.AST) -> list[str]:
    """Return the lines of *function* in one style, the first without the name, as `changed` compares them."""
    first, *rest = ast.unparse(function).splitlines()
    # Decorators stand before the name, and mutmut changes no function that has other ones.
    return [rest.pop(0).partition("(")[2] if first.startswith("@") else first.partition("(")[2], *rest]


def _constants(function: ast.AST) -> list[object]:
    return [each.value for each in ast.walk(function) if isinstance(each, ast.Constant)]
