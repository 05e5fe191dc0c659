"""The lock files match pyproject.toml: run ``make lock`` after a change of the dependencies."""

import re
import tomllib
from itertools import chain
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
PROJECT = SETTINGS["project"]
DIRECT: list[str] = [*PROJECT["dependencies"], *chain(*PROJECT["optional-dependencies"].values())]


def _pins(name: str) -> dict[str, str]:
    lines = (ROOT / "requirements" / name).read_text("utf-8").splitlines()
    pins = (line.partition(";")[0].strip().partition("==") for line in lines if "==" in line.partition(";")[0])
    return {package.lower(): version for package, _, version in pins}


def _numbers(version: str) -> list[int]:
    """Return the numbers of *version* without trailing zeros."""
    return [int(each) for each in re.findall(r"\d+", re.sub(r"(\.0)+$", "", version))]


@pytest.mark.parametrize("requirement", DIRECT)
def test_the_lowest_versions_are_those_that_are_allowed(requirement: str) -> None:
    """`make matrix` tests the lowest versions that users may have."""
    name, lowest = re.match(r"([\w.-]+)>=([\d.]+)", requirement).groups()  # type: ignore[union-attr]
    pinned = _numbers(_pins("lowest.txt")[name.lower()])
    # A release may have more numbers than the bound: the first release for 0.22 is 0.22.1.
    assert pinned[: len(_numbers(lowest))] == _numbers(lowest)


@pytest.mark.parametrize("group", ["dev", "mutation", "matrix", "dist", "redis-server", "bench", "docs", "examples"])
def test_every_tool_is_pinned(group: str) -> None:
    """So that a later release of a tool does not fail an earlier commit."""
    pinned = _pins("dev.txt")
    named = [each for each in SETTINGS["dependency-groups"][group] if isinstance(each, str)]
    assert named
    assert [each for each in named if re.split(r"[^\w.-]", each)[0].lower() not in pinned] == []


def test_every_dependency_is_pinned_for_the_checks() -> None:
    pinned = _pins("dev.txt")
    assert [each for each in DIRECT if re.split(r"[^\w.-]", each)[0].lower() not in pinned] == []
