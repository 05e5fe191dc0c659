"""The parts of the code that are changed by themselves, each with the tests that must notice."""

import tomllib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final

import attrs

__all__ = ["Area", "areas_named", "module_of"]

_TABLE = Path(__file__).with_name("areas.toml")
_TIMES: Final = ("timeout_constant = 20\n", "timeout_multiplier = 5\n")
"""Five times as long as without a change, and 100 s more: a test that hangs is ended long before."""


@attrs.frozen
class Area:
    """One run of mutmut."""

    name: str
    code: tuple[str, ...]
    """Patterns of paths; each is scored by itself."""
    tests: tuple[str, ...]
    """What pytest is called with: paths, and what is left out of them."""
    before: Mapping[str, str] = {}
    """Functions of the tests that are called once before all mutants, each with the cache that keeps what it builds."""
    drops: Collection[str] = ()
    """Caches and dicts of the tests with what takes little time to make; they are emptied for each mutant."""

    @property
    def parts(self) -> list[str]:
        """The packages and modules that are scored."""
        return [module_of(pattern) for pattern in self.code]

    @property
    def settings(self) -> str:
        """What mutmut reads in ``setup.cfg``."""
        lists = {"source_paths": ["kajabi_async"], "only_mutate": self.code}
        lists["pytest_add_cli_args_test_selection"] = self.tests
        lines = [f"{name} =\n" + "".join(f"  {each}\n" for each in values) for name, values in lists.items()]
        return "".join(["[mutmut]\n", "track_dependencies = false\n", *_TIMES, *lines])


def areas_named(names: Collection[str] = ()) -> list[Area]:
    """Return the areas called *names*, all of them if there are none; ValueError for a name that is not known."""
    table = tomllib.loads(_TABLE.read_text("utf-8"))
    known = {
        name: Area(name, tuple(each.pop("code")), tuple(each.pop("tests")), **each) for name, each in table.items()
    }
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ValueError(f"no area is called {unknown[0]!r}; known are {', '.join(known)}")
    return [known[name] for name in names or known]


def module_of(pattern: str) -> str:
    """Return the package or module that a *pattern* of paths stands for."""
    return ".".join(Path(pattern.removesuffix("/*.py")).with_suffix("").parts)
